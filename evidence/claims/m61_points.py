"""M08, M51, M61, M65: trainings in the plane. Modes of WGAN-GP, noise on both sides, top-k, smoothed labels."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from claims.check import Check, Numbers, Range, at_least, at_most
from claims.m07_critics import pair
from saddlepoint import methods
from saddlepoint.data.densities import Grid, Ring
from saddlepoint.experiments.playing import NearRing, coverage, critic_only, last, play, rates
from saddlepoint.networks import MLP
from saddlepoint.objectives import Minimax, NonSaturating, TopK
from saddlepoint.optim import Adam
from saddlepoint.penalties import GradientPenalty
from saddlepoint.schedules import Decay, Linear
from saddlepoint.treatments import InstanceNoise

RING, GRID = Ring(), Grid()
PENALISED = rates(
    replace(methods.get("wgan-gp"), terms=(GradientPenalty(weight=0.1),)), Adam(Linear(1e-3, 0.0), (0.5, 0.9))
)
PLAIN = rates(methods.get("gan"), Adam(Linear(1e-3, 0.0)))
SHARE = Decay(1.0, 0.999, floor=0.5)
BEST = replace(PLAIN, objective=TopK(NonSaturating(), SHARE))
SMOOTHED = critic_only(methods.get("label-smoothing"), Adam(Linear(1e-3, 0.0)), 5)
APART = NearRing(RING, spread=0.0, shift=6.0)


def modes(seed: int) -> Numbers:
    found: Numbers = {}
    for data in (RING, GRID):
        end = last(play(PENALISED, data, MLP(width=128, depth=3), 1500, seed, 256))
        seen = coverage(end, data)
        found[f"modes missing, {data.name}"] = seen.modes - seen.covered
        found[f"high quality, {data.name}"] = seen.high_quality
    return found


def noise(seed: int) -> Numbers:
    """‖d/dshift E_Q log(1 − D)‖ through a trained D of the fixed law, with and without noise of σ = 3 on both sides."""
    found: Numbers = {}
    for name, treatments in (("without", ()), ("with", (InstanceNoise(3.0),))):
        method = critic_only(replace(methods.get("gan"), treatments=treatments), Adam(1e-3), 5)
        networks = {"generator": APART, "discriminator": pair(seed)["discriminator"]}
        sizes = {
            m.step: vanishing(m.module("discriminator"), m.sample(2000), 3.0 if treatments else 0.0)
            for m in play(method, RING, networks, 1000, seed, 256)
            if m.step in (50, 1000)
        }
        found[f"fall of the gradient in orders, {name}"] = float((sizes[50] / sizes[1000]).log10())
    return found


def vanishing(module: torch.nn.Module, fake: Tensor, sigma: float) -> Tensor:
    """The gradient of the minimax generator's loss along a shift of all samples."""
    shift = torch.zeros(2, requires_grad=True)
    noisy = fake + sigma * torch.randn(fake.shape, generator=torch.Generator().manual_seed(0))
    loss = Minimax().generator(module(noisy + shift).double())
    return torch.autograd.grad(loss, shift)[0].double().norm()


def top_k(seed: int) -> Numbers:
    found: Numbers = {}
    for name, method in (("M02", PLAIN), ("top-k", BEST)):
        seen = coverage(last(play(method, GRID, MLP(width=128), 4000, seed, 128)), GRID)
        found[f"high quality, {name}"], found[f"modes, {name}"] = seen.high_quality, seen.covered
    found["high quality gained"] = found["high quality, top-k"] - found["high quality, M02"]
    found["modes gained"] = found["modes, top-k"] - found["modes, M02"]
    return found


def dropped(seed: int) -> Numbers:
    """k against the recursion k ← max(γk, νB) over 2000 steps, and the gradient of the dropped rows."""
    score = torch.randn(100, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    objective, k, errors, worst = TopK(NonSaturating(), SHARE), 100.0, [], 0.0
    for step in range(2001):
        clock = {"step": step, "images": 0, "progress": 0.0}
        kept = objective.kept(score, clock)
        errors.append(abs(float(kept.sum()) - int(k + 1e-9)))
        k = max(0.999 * k, 50.0)
        if step % 500 == 0:
            gradient = torch.autograd.grad(objective.generator(score, clock), score)[0]
            worst = max(worst, float(gradient[kept == 0].abs().sum()))
    return {"error of k": max(errors), "gradient of dropped fakes": worst}


def smoothing(seed: int) -> Numbers:
    """The largest D on 10,000 held-out reals, D trained to the end against a fixed law, the data plus N(0, I)."""
    networks = {"generator": NearRing(RING), "discriminator": pair(seed)["discriminator"]}
    end = last(play(SMOOTHED, RING, networks, 5000, seed, 256))
    probability = end.module("discriminator")(RING.held_out()["real"]).sigmoid()
    return {"largest D on reals": float(probability.max()), "mean D on reals": float(probability.mean())}


CHECKS = (
    Check(
        "M08",
        "WGAN-GP with λ = .1 on the ring and the 5 × 5 grid",
        "all modes, high quality at least 80 %",
        "published-unverified",
        {
            **{f"modes missing, {d.name}": Range(0, 0) for d in (RING, GRID)},
            **{f"high quality, {d.name}": at_least(0.8) for d in (RING, GRID)},
        },
        modes,
        seeds=5,
        budget="1,500 steps (7,500 of the critic) of batch 256 where the paper takes 100,000, width 128, rate .001 to 0",
        values=(PENALISED, RING, GRID),
    ),
    Check(
        "M51",
        "slope of E log(1 − D) along a shift of the fakes, D trained on the ring against the ring moved by 6",
        "falls by 2 orders or more without noise, stays within one with N(0, 9) on both sides",
        "published-unverified",
        {
            "fall of the gradient in orders, without": at_least(2),
            "fall of the gradient in orders, with": Range(-1, 1),
        },
        noise,
        seeds=5,
        budget="1,000 discriminator steps of batch 256, each; from step 50",
        values=(RING,),
    ),
    Check(
        "M61",
        "k and the gradient of dropped fakes over 2,000 steps",
        "k ← max(γk, νB), 0",
        "exact",
        {"error of k": Range(0, 0), "gradient of dropped fakes": Range(0, 0)},
        dropped,
    ),
    Check(
        "M61",
        "top-k against the same game without on the grid",
        "higher share of high quality at equal steps, modes not lower (medians)",
        "published-unverified",
        {"high quality gained": at_least(1e-6), "modes gained": at_least(0)},
        top_k,
        seeds=5,
        median=True,
        budget="4,000 steps of batch 128, width 128, each; k falls by .999 a step, rate .001 to 0",
        values=(PLAIN, BEST, GRID),
    ),
    Check(
        "M65",
        "one-sided smoothing by .1, D trained on the ring against data plus N(0, I)",
        "largest D on reals at most .91",
        "exact",
        {"largest D on reals": at_most(0.91)},
        smoothing,
        seeds=5,
        budget="5,000 discriminator steps of batch 256, width 64, rate .001 to 0",
        values=(SMOOTHED,),
    ),
)
