"""E12: what is left of the generator's gradient when the discriminator is as good as it can be (Arjovsky & Bottou 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.data.densities import Ring
from saddlepoint.experiments import drawing
from saddlepoint.experiments.accept import EachSeed, Median, Numbers, Range, at_least, at_most, median
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.playing import critic_only, play, rates
from saddlepoint.games import GaussianShift, timed
from saddlepoint.latents import Uniform
from saddlepoint.networks import MLP
from saddlepoint.objectives import Minimax, NonSaturating, Objective
from saddlepoint.optim import Adam
from saddlepoint.random import generator
from saddlepoint.theory.quadrature import GRID, integral, jensen_shannon, log_normal, normal
from saddlepoint.theory.t05_minus_log_d import differences
from saddlepoint.treatments import InstanceNoise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THETAS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
RING, LATENT = Ring(), 2
STEPS, ROWS, GROUPS = 4000, 64, 64
MARKS = (10, 20, 50, 100, 200, 300, 500, 700, 1000, 1400, 2000, 2800, 4000)
JUDGED = MARKS.index(2000)
STAGES = {
    "untrained": (0, 0.0),
    "after 300 steps": (300, 0.0),
    "with noise": (0, 0.5),
}  # steps of G, deviation of noise
LOSSES: dict[str, Objective] = {"log(1 − D)": Minimax(), "−log D": NonSaturating()}
Score = Callable[[Tensor], Tensor]


# -- the exact anchor ------------------------------------------------------------------------------------


def anchor(seed: int, quick: bool) -> Measured:
    """The game of N(θ, 1) against N(0, 1) at the optimal discriminator, by Gauss–Hermite sums, against divergences by
    quadrature on a grid and their differences in θ."""
    found: dict[str, list[float]] = {}
    p = normal()
    for theta in THETAS:
        q = normal(theta)
        shared = jensen_shannon(p, q)
        entropy_slope, shared_slope = differences(lambda x: log_normal(0.0, 0.0, x), (theta, 0.0), 0)
        values = {
            "JSD": shared,
            "V": at_optimum(Minimax(), theta)[0],
            "V (exact)": 2 * shared - math.log(4),
            "W₁": integral(torch.cumulative_trapezoid(p - q, GRID).abs(), GRID[1:]),
            "W₁ (exact)": theta,
            "log(1 − D)": at_optimum(Minimax(), theta)[1],
            "log(1 − D) (exact)": 2 * shared_slope,
            "−log D": at_optimum(NonSaturating(), theta)[1],
            "−log D (exact)": entropy_slope - 2 * shared_slope,
        }
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    numbers = {
        f"{name}: largest error": max(
            abs(a - b) for a, b in zip(found[name], found[f"{name} (exact)"], strict=True)
        )
        for name in ("V", "W₁", *LOSSES)
    }
    for theta, *row in zip(THETAS, *(found[n] for n in ("JSD", *LOSSES)), strict=True):
        numbers |= {
            f"{name}, θ = {theta:g}": value for name, value in zip(("JSD", *LOSSES), row, strict=True)
        }
    for name in LOSSES:
        numbers[f"{name}, θ = 6 (exact)"] = found[f"{name} (exact)"][-1]
    return Measured(numbers, {"θ": list(THETAS), **found})


def at_optimum(objective: Objective, theta: float) -> tuple[float, float]:
    """V = −L_D and dL_G/dθ at D* = p/(p + q)."""
    game = GaussianShift(objective, begin=(theta, -theta, theta**2 / 2), nodes=170)
    players, memory = game.init(0, game.data())
    batch = timed(game, 0)
    losses, _ = game.losses(("discriminator",), players, memory, batch)
    return -float(losses["discriminator"]), float(game.field(players, memory, batch)["generator"])


# -- the ring, the generator held ------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """A generator that is held, at `latents`; `noise` is what is added to each of its samples before they are judged."""

    generator: nn.Module
    latents: Tensor
    noise: Tensor

    def fakes(self) -> Tensor:
        with torch.no_grad():
            made: Tensor = self.generator(self.latents)
        return made

    def gradients(self, objective: Objective, score: Score) -> Tensor:
        """∇_θ L_G of each of the groups of rows: [GROUPS, parameters]."""
        made = []
        for z, e in zip(self.latents.chunk(GROUPS), self.noise.chunk(GROUPS), strict=True):
            loss = objective.generator(score(self.generator(z) + e))  # type: ignore[attr-defined]
            parts = torch.autograd.grad(loss, list(self.generator.parameters()))
            made.append(torch.cat([part.flatten() for part in parts]))
        return torch.stack(made).double()


def holding(steps: int, sigma: float, seed: int) -> Held:
    """The generator after so many steps of a GAN on the ring."""
    method = replace(rates(methods.get("gan"), Adam(1e-3)), latent=Uniform(LATENT))
    moments = play(method, RING, MLP(64), max(steps, 1), seed, 256)
    module = next(moment for moment in moments if moment.step == steps).module("generator")
    module.requires_grad_(True)
    source = generator("cpu", "held", seed)
    noise = torch.randn(GROUPS * ROWS, 2, generator=source)
    return Held(module, uniform(GROUPS * ROWS, source), sigma * noise)


def uniform(rows: int, source: torch.Generator) -> Tensor:
    """Latents in (−1, 1), so that the fakes' support ends."""
    return 2 * torch.rand(rows, LATENT, generator=source) - 1


def optimal(centres: Tensor, sigma: float) -> Score:
    """log p_σ − log q_σ of points: the ring and the fakes `centres`, both with the same noise."""
    smooth = replace(RING, sigma=math.hypot(RING.sigma, sigma))

    def score(x: Tensor) -> Tensor:
        log_q = torch.logsumexp(-torch.cdist(x, centres).square() / (2 * sigma**2), 1)
        return smooth.log_density(x) - log_q + math.log(len(centres) * math.tau * sigma**2)

    return score


def learned(stage: str, seed: int, quick: bool) -> Measured:
    """A discriminator from scratch against a generator that is held; half as long where it is quick."""
    steps, sigma = STAGES[stage]
    length = STEPS // 2 if quick else STEPS
    held = holding(steps, sigma, seed)
    method = replace(methods.get("gan"), treatments=(InstanceNoise(sigma),) if sigma else ())
    modules = {"generator": held.generator, "discriminator": fresh(seed)}
    found: dict[str, list[float]] = {}
    method = replace(critic_only(method, Adam(1e-3), LATENT), latent=Uniform(LATENT))
    for moment in play(method, RING, modules, length, seed, 256):
        if moment.step in MARKS:
            for name, value in looked(held, moment.module("discriminator"), sigma, seed).items():
                found.setdefault(f"{name}, {stage}", []).append(value)
    apart = torch.cdist(held.fakes(), RING.centres).amin() / RING.sigma
    numbers = {f"least distance of a fake from a mode, {stage}": float(apart)}
    numbers |= {f"{what}, {stage}": found[f"{what}, {stage}"][-1] for what in ("accuracy", "cross-entropy")}
    for loss in LOSSES:
        norms, spread = found[f"norm of {loss}, {stage}"], found[f"variance of {loss}, {stage}"]
        numbers |= {
            f"{loss}: norm, {stage}": norms[-1],
            f"{loss}: orders lost, {stage}": math.log10(max(norms) / norms[-1]),
            f"{loss}: orders lost after 2,000 steps, {stage}": math.log10(max(norms) / norms[JUDGED]),
            f"{loss}: largest norm over the least, {stage}": max(norms) / min(norms),
            f"{loss}: norm over the first, {stage}": norms[JUDGED] / norms[0],
            f"{loss}: variance over the first, {stage}": spread[JUDGED] / spread[0],
        }
        if sigma:
            more = uniform(4096, generator("cpu", "centres", seed))
            centres = replace(held, latents=more).fakes()
            exact = held.gradients(LOSSES[loss], optimal(centres, sigma)).mean(0).norm()
            numbers[f"{loss}: norm, {stage} (exact)"] = float(exact)
            numbers[f"{loss}: norm over that of the optimal D, {stage}"] = norms[-1] / float(exact)
    return Measured(numbers, {"step": [m for m in MARKS if m <= length], **found})


def fresh(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MLP(width=128).build((2,), LATENT)["discriminator"]


def looked(held: Held, judge: nn.Module, sigma: float, seed: int) -> Numbers:
    """The norm of the mean gradient by each loss and its variance over batches of ROWS; D's cross-entropy (nats, both
    sides together) and accuracy on held-out rows."""
    found: Numbers = {}
    for name, objective in LOSSES.items():
        gradients = held.gradients(objective, judge)
        found[f"norm of {name}"] = float(gradients.mean(0).norm())
        found[f"variance of {name}"] = float(gradients.var(0).sum())
    rows = len(held.latents)
    noise = torch.randn(rows, 2, generator=generator("cpu", "looked", seed))
    with torch.no_grad():
        real = judge(RING.held_out(rows, seed)["real"] + sigma * noise)
        fake = judge(held.fakes() + held.noise)
    found["cross-entropy"] = float(Minimax().discriminator(real, fake))
    found["accuracy"] = float(((real > 0).double().mean() + (fake < 0).double().mean()) / 2)
    return found


def draw(figure: Figure, results: Results) -> None:
    left, middle, right = figure.subplots(1, 3)
    for place, name in enumerate((*LOSSES, "W₁")):
        theta, exact, found = (results.curves(what)[0] for what in ("θ", f"{name} (exact)", name))
        if name == "W₁":  # its slope is 1 everywhere
            found = exact = [1.0] * len(theta)
        left.plot(theta, exact, color=f"C{place}", label=f"{name}: quadrature" if name != "W₁" else "W₁: 1")
        if name != "W₁":
            left.plot(theta, found, "o", ms=4, color=f"C{place}", label=f"{name}: the game")
    left.set(
        xlabel="θ, N(θ, 1) against N(0, 1)",
        ylabel="slope of the generator's loss in θ, D optimal",
        yscale="log",
    )
    left.legend(fontsize=6)
    for axes, name in ((middle, "log(1 − D)"), (right, "−log D")):
        steps = max(results.curves("step"), key=len)
        for place, stage in enumerate(STAGES):
            style = {"color": f"C{place}"}
            drawing.band(axes, steps, results.curves(f"norm of {name}, {stage}"), stage, **style)
        exact = results.all(f"{name}: norm, with noise (exact)")
        axes.axhline(median(exact), color="C2", ls=":", label="with noise, D optimal")
        axes.set(xlabel="steps of D", xscale="log", yscale="log", ylabel=f"norm of the gradient of E {name}")
    spread = results.curves("variance of −log D, untrained")
    drawing.band(
        right,
        steps,
        [[math.sqrt(v) for v in curve] for curve in spread],
        "untrained: deviation",
        ls="--",
        color="C0",
    )
    right.legend(fontsize=6)
    middle.legend(fontsize=6)


EXPERIMENT = Experiment(
    id="E12",
    name="perfect-discriminator",
    title="The generator's gradient as the discriminator becomes perfect",
    question="Where data and fakes do not overlap a discriminator can be perfect. What gradient does it leave to either "
    "loss of the generator, and does noise on both help?",
    protocol="Exact: N(θ, 1) against N(0, 1) at D = p/(p + q), θ from .25 to 6. Learned: ring of 8 modes (deviation .014); "
    "generator of 2 × 64 ReLU from 2 numbers uniform in (−1, 1), held as it begins or after 300 steps of a GAN; a "
    "discriminator of 2 × 128 ReLU from scratch, Adam at 1e-3, batch 256, 4,000 steps (quick: 2,000), without noise or with "
    "N(0, .5²) on reals and fakes. Gradients in the generator's weights: mean and variance over 64 batches of 64.",
    source="Arjovsky & Bottou, Towards Principled Methods for Training GANs, ICLR 2017, figures 1 to 3",
    parts=(
        Part("anchor", anchor, drawn=False, minutes=0.02),
        *(Part(stage, partial(learned, stage), minutes=0.2) for stage in STAGES),
    ),
    rows=(
        *(
            Row(f"slope of {name} at θ = 6, D optimal", f"{name}, θ = 6", exact=f"{name}, θ = 6 (exact)")
            for name in LOSSES
        ),
        Row("accuracy of D on held-out rows", "accuracy, untrained", "→ 1", "M", exact=1.0),
        Row("cross-entropy of D (nats)", "cross-entropy, untrained", "→ 0", "M", exact=0.0),
        Row("log(1 − D): orders of magnitude lost", "log(1 − D): orders lost, untrained", "5", "M"),
        Row("the same, generator after 300 steps", "log(1 − D): orders lost, after 300 steps"),
        Row("−log D: norm over that after 10 steps", "−log D: norm over the first, untrained", "grows", "M"),
        Row(
            "the same, generator after 300 steps",
            "−log D: norm over the first, after 300 steps",
            "grows",
            "M",
        ),
        Row(
            "−log D: variance over that after 10 steps",
            "−log D: variance over the first, untrained",
            "grows",
            "M",
        ),
        Row(
            "the same, generator after 300 steps",
            "−log D: variance over the first, after 300 steps",
            "grows",
            "M",
        ),
        *(
            Row(
                f"{name}: norm with noise",
                f"{name}: norm, with noise",
                exact=f"{name}: norm, with noise (exact)",
            )
            for name in LOSSES
        ),
        *(
            Row(
                f"least distance of a fake from a mode, deviations, {stage}",
                f"least distance of a fake from a mode, {stage}",
            )
            for stage in list(STAGES)[:2]
        ),
    ),
    accept=(
        EachSeed(
            "exact: value, W₁ and both gradients of the game equal quadratures to 1e-4 for θ from .25 to 6",
            {f"{name}: largest error": at_most(1e-4) for name in ("V", "W₁", *LOSSES)},
        ),
        EachSeed(
            "the fakes of the untrained generator are 10 deviations from every mode, and D tells all apart",
            {
                "least distance of a fake from a mode, untrained": at_least(10),
                "accuracy, untrained": at_least(0.999),
            },
        ),
        EachSeed(
            "the gradient of log(1 − D) loses at least 2 orders within 2,000 steps of D",
            {"log(1 − D): orders lost after 2,000 steps, untrained": at_least(2)},
        ),
        EachSeed(
            "that of −log D grows, and its variance",
            {f"−log D: {what} over the first, untrained": at_least(1.5) for what in ("norm", "variance")},
        ),
        EachSeed(
            "with noise the gradient of log(1 − D) stays within one order throughout",
            {"log(1 − D): largest norm over the least, with noise": at_most(10)},
        ),
        Median(
            "and ends within a factor of 2 of that of the optimal discriminator",
            {"log(1 − D): norm over that of the optimal D, with noise": Range(0.5, 2.0)},
        ),
    ),
    draw=draw,
    differs="The paper's generators are DCGANs stopped after 1, 10 and 25 epochs on images, whose samples stay on sheets of "
    "few dimensions; here the untrained one does not overlap with the data, and the one of 300 steps does: its gradient of "
    "log(1 − D) does not vanish.",
)
