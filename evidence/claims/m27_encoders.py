"""M27–M29, M36, M37, M42: encoders. The ring of radius 2, σ .02 (Metz et al. 2017), and digits of 8x8 pixels."""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from claims.check import Check, Numbers, Range, at_least, at_most
from saddlepoint import Budget, Method, Settings, methods, train
from saddlepoint.data import load
from saddlepoint.data.densities import Ring
from saddlepoint.experiments.playing import Moment, coverage, last, play, rates
from saddlepoint.features import default_extractor
from saddlepoint.latents import Gaussian
from saddlepoint.metrics.manifold import precision_recall
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam

RING = Ring(radius=2.0, sigma=0.02)
PAIR, DIGITS = MLP(width=64), MLP(width=128)
FAST, ROWS, STEPS = Adam(1e-3), 256, 3000


def on_ring(name: str) -> Method:
    return replace(rates(methods.get(name), FAST), latent=Gaussian(2))


GAN, REGULARISED, MANIFOLD = on_ring("gan"), on_ring("mdgan-regularized"), on_ring("mdgan-manifold")
VEEGAN, ALI = on_ring("veegan"), on_ring("ali")
VAE, DIGIT_GAN = methods.get("vae"), rates(methods.get("gan"), FAST)
RFGAN = methods.get("rfgan")
PLAIN = replace(RFGAN, name="plain", definitions=(), networks=None, before=())


def trained(method: Method, seed: int) -> Moment:
    return last(play(method, RING, PAIR, STEPS, seed, ROWS))


def modes(moment: Moment) -> int:
    return coverage(moment, RING).covered


def back(moment: Moment) -> float:
    """E ‖x − G(E(x))‖², over data."""
    x = RING.training(2000, 1)["real"]
    found = moment.module("generator")(moment.module("encoder")(x))
    return float((x - found).square().sum(1).mean())


def regularised(seed: int) -> Numbers:
    plain, end = trained(GAN, seed), trained(REGULARISED, seed)
    return {
        "modes, regularised": modes(end),
        "modes, plain": modes(plain),
        "modes missing less than plain": modes(end) - modes(plain),
        "reconstruction error": back(end),
    }


def diffused(seed: int) -> Numbers:
    """|E D2(G(E(x))) − E D2(G(z))| of the probabilities that D2 gives."""
    steps = 9000  # at 3,000 modes are still being found
    end, before = (last(play(method, RING, PAIR, steps, seed, ROWS)) for method in (MANIFOLD, REGULARISED))
    generator, judge = end.module("generator"), end.module("discriminator")
    made = generator(end.module("encoder")(RING.training(2000, 1)["real"]))
    gap = judge(made).sigmoid().mean() - judge(end.sample(2000)).sigmoid().mean()
    return {
        "gap of D2": abs(float(gap)),
        "modes": modes(end),
        "modes more than regularised": modes(end) - modes(before),
    }


def reconstructed(seed: int) -> Numbers:
    """Of the encoder before and after, by the generator after; modes."""
    moments = play(ALI, RING, PAIR, STEPS, seed, ROWS)
    first = next(moments).module("encoder")
    end = last(moments)
    x, generator = RING.training(2000, 1)["real"], end.module("generator")
    errors = [float((x - generator(e(x))).square().mean()) for e in (first, end.module("encoder"))]
    return {"error before over after": errors[0] / errors[1], "modes": modes(end)}


def veegan(seed: int) -> Numbers:
    found = coverage(trained(VEEGAN, seed), RING)
    return {"modes": found.covered, "high quality": found.high_quality}


def recall(samples: Tensor) -> float:
    extractor = default_extractor(load("digits"))
    real = load("digits").held_out()["real"]
    return precision_recall(real=extractor(real), fake=extractor(samples[: len(real)])).recall


def sharpness(samples: Tensor) -> float:
    """Mean variance of the discrete Laplacian: low where images are blurred."""
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    return float(torch.nn.functional.conv2d(samples, kernel).var((1, 2, 3)).mean())


def bound(seed: int) -> Numbers:
    """The bound in ten windows of 300 steps; sharpness and recall beside those of a GAN."""
    losses, moment = [], None
    for moment in play(VAE, "digits", DIGITS, STEPS, seed):
        losses += [float(moment.info["loss/generator"])] if moment.info else []
    assert moment is not None
    windows = [statistics.mean(losses[i : i + 300]) for i in range(0, STEPS, 300)]
    rises = [before - after for before, after in pairwise(windows)]
    other = last(play(DIGIT_GAN, "digits", DIGITS, STEPS, seed))
    return {
        "least rise of the bound between windows, nats": min(rises),
        "sharpness over the GAN's": sharpness(moment.sample(1000)) / sharpness(other.sample(1000)),
        "recall over the GAN's": recall(moment.sample(1000)) - recall(other.sample(1000)),
    }


def representative(seed: int) -> Numbers:
    """With and without: recall on digits, variance of L_G in the last half; the frozen encoder before and after."""
    numbers: Numbers = {}
    found = {}
    for name, method in (("with", RFGAN), ("without", PLAIN)):
        before = sum(stage.steps for stage in method.before)
        with tempfile.TemporaryDirectory() as folder:
            run = train(
                method,
                "digits",
                DIGITS,
                out=Path(folder) / "run",
                budget=Budget(steps=before + STEPS),
                settings=Settings(
                    seed=seed, pictures=0, evaluations=0, threads=1, checkpoint_steps=1000, keep=9
                ),
                quiet=True,
            )
            lines = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
            losses = [n["loss/generator"] for n in lines if n["step"] > before + STEPS // 2]
            found[name] = (recall(run.sample(1000)), statistics.variance(losses))
            if before:
                paths = {int(path.stem): path for path in run.folder.saved()}
                early = run.folder.load(paths[before], torch.device("cpu"))[0]
                equal = torch.equal(
                    early.players["representation"], run.state.memory["fixed"]["representation"]
                )
                numbers["frozen encoder bit-identical"] = float(equal)
    numbers["recall more than without"] = found["with"][0] - found["without"][0]
    numbers["variance of the generator's loss over without"] = found["with"][1] / found["without"][1]
    return numbers


CHECKS = (
    Check(
        "M27",
        "mode-regularised GAN (weights .2 and .4) on the ring, rate 1e-3",
        "no more modes missing than the plain GAN; finite reconstruction error (at most 1: chosen)",
        "published-unverified",
        {"modes missing less than plain": at_least(0), "reconstruction error": at_most(1.0)},
        regularised,
        seeds=5,
        needed=4,
        budget="3,000 steps of batch 256, width 64, each",
        values=(REGULARISED, GAN, RING, PAIR),
    ),
    Check(
        "M28",
        "manifold and diffusion on the ring, rate 1e-3",
        "D2's probabilities of reconstructions and samples equalise (within .1: chosen), modes as many as M27",
        "published-unverified",
        {"gap of D2": at_most(0.1), "modes more than regularised": at_least(0)},
        diffused,
        seeds=5,
        needed=4,
        budget="9,000 steps of batch 256, width 64, each",
        values=(MANIFOLD, REGULARISED, RING, PAIR),
    ),
    Check(
        "M29",
        "representative features on digits",
        "recall at least the baseline's, variance of L_G lower, the encoder bit-identical",
        "published-unverified",
        {
            "frozen encoder bit-identical": Range(1, 1),
            "recall more than without": at_least(0),
            "variance of the generator's loss over without": at_most(1.0),
        },
        representative,
        seeds=5,
        median=True,
        budget="1,000 and 3,000 steps of batch 64, width 128, and 3,000 without",
        values=(RFGAN, DIGITS),
    ),
    Check(
        "M36",
        "VEEGAN on the ring, rate 1e-3",
        "8 of 8 modes",
        "published-unverified",
        {"modes": Range(8, 8)},
        veegan,
        seeds=5,
        needed=4,
        budget="3,000 steps of batch 256, width 64",
        values=(VEEGAN, RING, PAIR),
    ),
    Check(
        "M37",
        "ALI on the ring, rate 1e-3",
        "the encoder's reconstruction error is a fifth or less of that of the untrained one",
        "chosen",
        {"error before over after": at_least(5)},
        reconstructed,
        seeds=5,
        needed=4,
        budget="3,000 steps of batch 256, width 64",
        values=(ALI, RING, PAIR),
    ),
    Check(
        "M42",
        "variational autoencoder on digits",
        "the bound rises from window to window, samples are less sharp than a GAN's, recall is not lower",
        "chosen",
        {
            "least rise of the bound between windows, nats": at_least(0),
            "sharpness over the GAN's": at_most(1.0),
            "recall over the GAN's": at_least(0),
        },
        bound,
        seeds=5,
        median=True,
        budget="3,000 steps of batch 64, width 128, each",
        values=(VAE, DIGIT_GAN, DIGITS),
    ),
)
