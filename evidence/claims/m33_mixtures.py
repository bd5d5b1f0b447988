"""M33, M34, M35: ensembles, boosting weights and mixtures, on the ring of radius 2, σ .02, with small generators."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from claims.check import Check, Numbers, Range, at_least, at_most
from saddlepoint import methods
from saddlepoint.boosting import boosted, level
from saddlepoint.data.densities import Ring
from saddlepoint.experiments.playing import Moment, coverage, last, play, rates
from saddlepoint.metrics.histogram import histogram_divergence
from saddlepoint.metrics.neural_distance import neural_distance
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam
from saddlepoint.random import generator

RING = Ring(radius=2.0, sigma=0.02)
FAST = Adam(1e-3)
MIXED, TOGETHER = (rates(methods.get(name), FAST) for name in ("mix-gan", "ensemble"))
STEPS, ROWS, MEMBERS = 3000, 64, 5


@dataclass(frozen=True)
class SmallGenerator:
    """A generator of one hidden layer of `width` units against an ordinary discriminator."""

    width: int = 8

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        small, judge = MLP(width=self.width, depth=1), MLP(width=64)
        return {
            "generator": small.build(shape, latent, classes)["generator"],
            "discriminator": judge.build(shape, latent, classes)["discriminator"],
        }


def distance(moment: Moment, seed: int) -> float:
    """The neural-network distance to held-out data, on rows that its networks were not trained on."""
    real = RING.held_out(2000, seed)["real"]
    return neural_distance(real=real, fake=moment.sample(2000), seed=seed).held_out


def mixing(seed: int) -> Numbers:
    """Five small pairs, which all meet, against one, the same number of steps."""
    numbers: Numbers = {}
    least = 1.0
    method = replace(MIXED, dynamics=TOGETHER.dynamics)  # nobody waits: one pair logs no payoff to wait for
    for name, mixture in (("five", MIXED.mixture), ("one", None)):
        end = None
        for end in play(replace(method, mixture=mixture), RING, SmallGenerator(), STEPS, seed, ROWS):
            shares = [value for key, value in end.info.items() if key.startswith("least weight")]
            least = min([least, *map(float, shares)])
        assert end is not None
        numbers[f"modes, {name}"] = coverage(end, RING).covered
        numbers[f"distance, {name}"] = distance(end, seed)
    numbers["least weight"] = least
    numbers["modes gained"] = numbers["modes, five"] - numbers["modes, one"]
    numbers["distance added"] = numbers["distance, five"] - numbers["distance, one"]
    return numbers


def together(seed: int) -> Numbers:
    """KL(data ‖ samples) of histograms: five pairs of a fifth of the steps each, and one pair of all of them."""
    short = STEPS // MEMBERS
    made = {
        "ensemble": last(play(TOGETHER, RING, SmallGenerator(), short, seed, ROWS)),
        "one": last(play(replace(TOGETHER, mixture=None), RING, SmallGenerator(), STEPS, seed, ROWS)),
    }
    real = RING.held_out(10_000, seed)["real"]
    numbers = {
        f"KL, {name}": float(histogram_divergence(real=real, fake=moment.sample(10_000)).value)
        for name, moment in made.items()
    }
    return {**numbers, "KL added": numbers["KL, ensemble"] - numbers["KL, one"]}


def boosting(seed: int) -> Numbers:
    """The largest failure of λ* in its equation, and of the weights to be a distribution, over 100 draws of 1,000 rows."""
    source, wrong, off, least = generator("cpu", seed, "boosting"), 0.0, 0.0, 0.0
    for _ in range(100):
        ratio = torch.randn(1000, generator=source, dtype=torch.float64).mul(2).exp()
        share = float(torch.rand((), generator=source)) * 0.9 + 0.05
        excess = (level(ratio, share) - (1 - share) * ratio).clamp(min=0).mean() / share - 1
        weight = boosted(ratio, share)
        wrong, off = max(wrong, abs(float(excess))), max(off, abs(float(weight.sum()) - 1))
        least = min(least, float(weight.min()))
    return {"error of the equation": wrong, "error of the sum": off, "least weight": least}


CHECKS = (
    Check(
        "M33",
        "five small pairs apart against one of as many gradients, rate 1e-3",
        "KL to the data at most that of one pair in at least 4 of 5 seeds",
        "chosen",
        {"KL added": at_most(0.0)},
        together,
        seeds=5,
        needed=4,
        budget="3,000 pair-steps of batch 64, generator of width 8, each",
        values=(TOGETHER, RING),
    ),
    Check(
        "M34",
        "closed-form weights",
        "λ* solves its equation to 1e-12, weights not negative and of sum 1",
        "exact",
        {
            "error of the equation": at_most(1e-12),
            "error of the sum": at_most(1e-12),
            "least weight": Range(0, 0),
        },
        boosting,
    ),
    Check(
        "M35",
        "five small pairs mixed against one, rate 1e-3",
        "weights above 1e-3; at least as many modes and no larger neural-network distance (0.05 allowed: chosen)",
        "chosen",
        {"least weight": at_least(1e-3), "modes gained": at_least(0), "distance added": at_most(0.05)},
        mixing,
        seeds=5,
        needed=4,
        budget="3,000 steps of batch 64, generators of width 8, each",
        values=(MIXED, TOGETHER, RING),
    ),
)
