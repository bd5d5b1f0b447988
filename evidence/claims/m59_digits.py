"""M50, M55, M59, M60, M63: digits of 8x8 pixels. Convolutions, averages, augmentation, feature matching."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Any

from torch import Tensor

from claims.check import Check, Numbers, Range, at_least, at_most
from saddlepoint import Method, methods
from saddlepoint.average import EMA
from saddlepoint.data import load
from saddlepoint.data.split import Split
from saddlepoint.data.table import Table
from saddlepoint.experiments.playing import Moment, last, play, rates
from saddlepoint.features import default_extractor
from saddlepoint.metrics import frechet_distance
from saddlepoint.networks import DCGAN, MLP
from saddlepoint.optim import Adam
from saddlepoint.penalties import R1
from saddlepoint.treatments import ADA

GAN, ADAPTIVE, MATCHING = methods.get("gan"), methods.get("ada"), methods.get("feature-matching")
AUGMENTED = methods.get("diffaugment")
AVERAGED = replace(rates(GAN, Adam(1e-3)), averages={"generator": EMA(half_life=3000)})
R1S = replace(methods.get("gan-r1"), averages={})
PAIR = MLP(width=128)


def digits() -> Table:
    found: Any = load("digits")
    return found


def fewer(count: int) -> Table:
    """The digits with the first `count` training rows."""
    known = digits()
    split = Split(known.split.training[:count], known.split.held_out)
    return replace(known, name=f"{count} digits", identity=f"{known.identity} {count}", split=split)


def distance(samples: Tensor) -> float:
    """Fréchet, in the features of the bundled classifier, to the held-out digits."""
    extractor = default_extractor(digits())
    return frechet_distance(real=extractor(digits().held_out()["real"]), fake=extractor(samples))


def convolutions(seed: int) -> Numbers:
    found = [
        distance(m.sample(1000))
        for m in play(GAN, "digits", DCGAN(width=16), 1000, seed)
        if m.step in (0, 1000)
    ]
    return {"Fréchet distance over the untrained": found[1] / found[0], "Fréchet distance": found[1]}


def averages(seed: int) -> Numbers:
    """Over ten checkpoints in the last half, of the generator and of its average."""
    raw, averaged = [], []
    for moment in play(AVERAGED, "digits", PAIR, 2000, seed):
        if moment.step > 1000 and moment.step % 100 == 0:
            raw.append(distance(moment.sample(1000, average=False)))
            averaged.append(distance(moment.sample(1000)))
    return {
        "variance over the raw one's": statistics.variance(averaged) / statistics.variance(raw),
        "distance over the raw one's": statistics.fmean(averaged) / statistics.fmean(raw),
    }


def gap(moment: Moment, data: Table) -> float:
    """Mean logit of training rows minus that of held-out rows, in standard deviations of the latter."""
    module = moment.module("discriminator")
    seen, unseen = (module(part["real"]) for part in (data.training(), data.held_out()))
    return float((seen.mean() - unseen.mean()) / unseen.std())


def augmentation(seed: int) -> Numbers:
    data = fewer(500)
    plain = replace(AUGMENTED, treatments=())
    ends = {n: last(play(m, data, PAIR, 2000, seed)) for n, m in (("without", plain), ("with", AUGMENTED))}
    found = {f"gap {name}": gap(end, data) for name, end in ends.items()}
    return {**found, "gap with over without": found["gap with"] / found["gap without"]}


def adaptive(seed: int) -> Numbers:
    """The published speed of 1 in 500,000 images would move p by at most 1.3 here; 100,000 instead."""
    method = replace(ADAPTIVE, treatments=(ADA(speed=100_000),))
    found = {}
    for name, count in (("all", 1345), ("a tenth", 134)):
        end = last(play(method, fewer(count), PAIR, 10_000, seed))
        found[f"p, {name}"] = float(next(iter(end.state.memory["parts"].values()))["p"])
    return found


def lazy(seed: int) -> Numbers:
    """Final distances; and the time of a step over that of one without R1, medians of steps taken in turn. Optimisers as
    published: β₁ = 0, β₂ = .99, and where the term is lazy the discriminator's rate times 16/17, betas to that power."""
    every, part = Adam(1e-3, (0.0, 0.99)), 16 / 17
    seldom = {"generator": every, "discriminator": Adam(1e-3 * part, (0.0, 0.99**part))}
    plain = rates(replace(R1S, terms=()), every)
    cases = {
        "none": plain,
        "eager": replace(plain, terms=(R1(gamma=0.1),)),
        "lazy": replace(
            plain,
            terms=(R1(gamma=0.1, every=16),),
            dynamics=replace(plain.dynamics, optimizers=seldom),
        ),
    }
    games = {name: play(m, "digits", PAIR, 2000, seed) for name, m in cases.items()}
    seconds: dict[str, list[float]] = {name: [] for name in games}
    ends: dict[str, Moment] = {name: next(game) for name, game in games.items()}
    for _ in range(2000):
        for name, game in games.items():
            started = time.process_time()
            ends[name] = next(game)
            seconds[name].append(time.process_time() - started)
    distances = {name: distance(end.sample(1000)) for name, end in ends.items()}
    means = {name: statistics.fmean(sorted(s)[:1900]) for name, s in seconds.items()}
    return {
        "distance, lazy over eager": distances["lazy"] / distances["eager"],
        "extra time, lazy over eager": (means["lazy"] - means["none"]) / (means["eager"] - means["none"]),
        **{f"distance, {name}": d for name, d in distances.items()},
    }


def matching(seed: int) -> Numbers:
    """‖E_P f − E_Q f‖ over 1000 samples and all training rows, and that over the features' deviation, √E‖f − E f‖²; D's
    loss over the last 200 steps."""
    data, norms, shares, losses = digits(), {}, {}, []
    for moment in play(rates(MATCHING, Adam(1e-3)), data, MLP(width=128, features=True), 8000, seed):
        if moment.step > 7800:
            losses.append(float(moment.info["loss/discriminator"]))
        if moment.step in (100, 8000):
            module = moment.module("discriminator")
            real, fake = (module(x)["features"] for x in (data.training()["real"], moment.sample(1000)))
            norms[moment.step] = float((real.mean(0) - fake.mean(0)).norm())
            shares[moment.step] = norms[moment.step] / float(
                (real - real.mean(0)).square().sum(1).mean().sqrt()
            )
    return {
        "fall since step 100": norms[100] / norms[8000],
        "D's loss at the end": statistics.fmean(losses),
        "fall in deviations of the features": shares[100] / shares[8000],
    }


def within(method: Method) -> tuple[object, ...]:
    return (method, PAIR)


CHECKS = (
    Check(
        "M50",
        "DCGAN of width 16 on digits of 8x8 pixels (in place of MNIST at 32)",
        "Fréchet distance at most 1/10 of the untrained generator's in 10 CPU-minutes",
        "chosen",
        {"Fréchet distance over the untrained": at_most(0.1)},
        convolutions,
        seeds=5,
        budget="1,000 steps of batch 64",
        values=(GAN,),
    ),
    Check(
        "M55",
        "averaged generator on digits, ten checkpoints of the last half",
        "variance of the Fréchet distance falls by at least 30 %",
        "chosen",
        {"variance over the raw one's": at_most(0.7)},
        averages,
        seeds=5,
        median=True,
        budget="2,000 steps of batch 64, half-life 3,000 images",
        values=within(AVERAGED),
    ),
    Check(
        "M59",
        "DiffAugment on 500 digits",
        "the gap of logits between training and held-out rows shrinks",
        "published-unverified",
        {"gap with over without": at_most(1 - 1e-6)},
        augmentation,
        seeds=5,
        median=True,
        budget="2,000 steps of batch 64, each",
        values=within(AUGMENTED),
    ),
    Check(
        "M60",
        "ADA's p on all training digits and on a tenth of them",
        "rises on a tenth (at least .1: chosen), ≈ 0 on all (at most .05: chosen)",
        "published-unverified",
        {"p, all": at_most(0.05), "p, a tenth": at_least(0.1)},
        adaptive,
        seeds=5,
        median=True,
        budget="10,000 steps of batch 64, each, speed 1 in 100,000 images",
        values=within(ADAPTIVE),
    ),
    Check(
        "M60",
        "R1 (γ = .1) every 16 steps against R1 at every step on digits, optimisers as published",
        "equal final Fréchet distance within noise (median within 25 %: chosen), at most a third of the extra cost",
        "published-unverified",
        {"distance, lazy over eager": Range(0.75, 1.25), "extra time, lazy over eager": at_most(1 / 3)},
        lazy,
        seeds=5,
        median=True,
        budget="2,000 steps of batch 64, each",
        values=within(R1S),
    ),
    Check(
        "M63",
        "feature matching on digits",
        "‖E_P f − E_Q f‖ falls to a tenth of its value at step 100 or below, D's loss stays above .2",
        "chosen",
        {"fall since step 100": at_least(10), "D's loss at the end": at_least(0.2)},
        matching,
        seeds=5,
        median=True,
        budget="8,000 steps of batch 64, rate 1e-3, width 128",
        values=(MATCHING,),
    ),
)
