"""E13: unrolling the discriminator on the ring (Metz et al. 2017)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint import methods
from saddlepoint.dynamics import Unrolled
from saddlepoint.dynamics.base import Turn
from saddlepoint.experiments.accept import EachSeed, Numbers, Overall, Range, at_least
from saddlepoint.experiments.collapse import Trial, parts, rows
from saddlepoint.experiments.drawing import band
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Row
from saddlepoint.experiments.mixtures import RING, TASKS
from saddlepoint.experiments.playing import last, play
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import MLP
from saddlepoint.optim import SGD, Adam

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from saddlepoint.experiments.experiment import Results

STEPS, ROWS, COST = 8_000, 256, {0: 2, 1: 4, 5: 12}  # gradients of a step
EVALUATIONS = STEPS * COST[5]
PLAYED = replace(TASKS["ring"], networks=MLP(width=128, activation="tanh"), latent=256)
LOOKS = 24


def ahead(steps: int, through: bool = True) -> Method:
    method = methods.get("unrolled")
    assert isinstance(method.dynamics, Unrolled)
    return replace(method, dynamics=replace(method.dynamics, ahead=steps, through=through))


def trial(name: str, steps: int, gradients: int) -> Trial:
    return Trial(name, ahead(steps), PLAYED, gradients, optimizer=None, batch=ROWS, looks=LOOKS)


TRIALS = (
    trial("K = 0", 0, STEPS * COST[0]),
    trial("K = 1", 1, STEPS * COST[1]),
    trial("K = 5", 5, EVALUATIONS),
    trial("K = 0 at the cost of K = 5", 0, EVALUATIONS),
)
LONG = TRIALS[3]


def second_order(seed: int, quick: bool) -> Measured:
    """How much differentiating through the inner steps changes the generator's move, and what a step costs."""
    steps = 40 if quick else 400
    ends, seconds = {}, {}
    for name, method in {"K = 0": ahead(0), "K = 5": ahead(5)}.items():
        started = time.process_time()
        ends[name] = last(
            play(replace(method, latent=Gaussian(PLAYED.latent)), RING, PLAYED.networks, steps, seed, ROWS)
        )
        seconds[name] = time.process_time() - started
    end = ends["K = 5"]
    turn, moves = Turn(("generator",), beside=("discriminator",)), {}
    for through in (True, False):
        rule = replace(
            ahead(5, through).dynamics, optimizers={"generator": SGD(1.0), "discriminator": Adam(1e-4)}
        )
        state = end.state._replace(optimizer={**end.state.optimizer, "generator": {}})
        moved, _ = rule.move(end.game, state, turn, end.batch)
        moves[through] = moved.players["generator"] - state.players["generator"]
    change = (moves[True] - moves[False]).norm() / moves[False].norm()
    return Measured(
        {
            "change of the gradient by the second order": float(change),
            "time of a step, K = 5 over K = 0": seconds["K = 5"] / seconds["K = 0"],
        }
    )


def clusters(seed: int, quick: bool) -> Measured:
    """The ring has eight modes of equal weight; angles from 0 to 2π with both ends have seven, one of them twice."""
    rows = RING.held_out(100_000, seed)["real"]
    shares = torch.bincount(torch.cdist(rows, RING.centres).argmin(1), minlength=8).double() / len(rows)
    angle = torch.linspace(0, 2 * math.pi, 8, dtype=torch.float64)
    trap = torch.stack([angle.cos(), angle.sin()], 1)
    return Measured(
        {
            "distinct centres of the ring": distinct(RING.centres),
            "distinct centres of the ring whose end is its beginning": distinct(trap),
            "largest share of a mode over 1/8": 8 * float(shares.max()),
        }
    )


def distinct(centres: Tensor) -> float:
    """Points of which none is nearer than 1e-3 to one before it."""
    near = (torch.cdist(centres, centres) < 1e-3).tril(-1)
    return float((~near.any(1)).sum())


def worse(seeds: Sequence[Numbers]) -> float:
    """The share of seeds in which K = 0 has fewer modes than K = 5 after as many steps, or a lower share of high quality."""
    found = [
        any(n[f"K = 0, ring: {what}"] < n[f"K = 5, ring: {what}"] for what in ("modes", "high quality"))
        for n in seeds
    ]
    return sum(found) / len(found) if found else 0.0


def draw(figure: Figure, results: Results) -> None:
    left, right, *rings = figure.subplots(1, 4, width_ratios=(1, 1, 0.8, 0.8))
    for axes, what, said in (
        (left, "modes", "modes found"),
        (right, "high quality", "share of high quality"),
    ):
        for one, cost in ((LONG, COST[0]), (TRIALS[1], COST[1]), (TRIALS[2], COST[5])):
            spent = cost * max(results.all(f"{one.label}: steps"), default=0.0) / 1000
            at = [spent * (look + 1) / LOOKS for look in range(LOOKS)]
            band(axes, at, results.curves(f"{one.label}: {what} over time"), one.name[:5], lw=1)
        axes.set_xlabel("thousand gradient\nevaluations", fontsize=8)
        axes.set_ylabel(said)
    left.legend(fontsize=7)
    for axes, one in zip(rings, (LONG, TRIALS[2]), strict=True):
        x, y = (results.curves(f"{one.label}: {place}")[:1] for place in ("x", "y"))
        axes.plot(x[0] if x else [], y[0] if y else [], ".", ms=2, alpha=0.5)
        axes.plot(*RING.centres.T.tolist(), "k+", ms=5)
        axes.set(xlabel="x", ylabel="y", xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
        axes.set_title(f"{one.name[:5]} at the end", fontsize=8)


EXPERIMENT = Experiment(
    id="E13",
    name="unrolling",
    title="Unrolled GANs on the ring",
    question="Does a generator that looks K steps of the discriminator ahead find all eight modes, and at what cost?",
    protocol="Ring of radius 2, σ .02; perceptrons of 2 x 128 tanh, latents of 256 numbers, batches of 256; Adam of rate "
    "1e-3 for the generator and 1e-4 for the discriminator, β₁ = .5; the minimax loss, differentiated through K steps of the "
    "discriminator's Adam. 8,000 steps, of 2, 4 and 12 gradient evaluations for K = 0, 1 and 5; K = 0 also for the 96,000 "
    "evaluations of K = 5.",
    source="Metz et al. 2017; settings of the authors' notebook",
    parts=(
        *parts(TRIALS, {"ring": 0.035}, {"K = 0, ring": 600, "K = 5, ring": 3_600}),
        Part("second order", second_order, minutes=0.3),
        Part("clusters", clusters, minutes=0.05),
    ),
    rows=(
        *rows(
            TRIALS,
            {"K = 5, ring: modes": ("8 with K = 10", "M"), "K = 0, ring: modes": ("1 or 2, in turns", "M")},
        ),
        Row("time of a step, K = 5 over K = 0 (evaluations: 6)", "time of a step, K = 5 over K = 0"),
        Row(
            "change of the generator's gradient by the second order",
            "change of the gradient by the second order",
        ),
        Row("distinct centres of the ring", "distinct centres of the ring", exact=8.0),
        Row(
            "distinct centres where the end of the circle is its beginning again",
            "distinct centres of the ring whose end is its beginning",
            exact=7.0,
        ),
        Row("largest share of a mode of 100,000 rows over 1/8", "largest share of a mode over 1/8"),
    ),
    accept=(
        EachSeed(
            "K = 5 ends with 8 modes in at least 4 of 5 seeds",
            {"K = 5, ring: modes": Range(8, 8)},
            share=0.8,
            quick=False,
        ),
        Overall(
            "K = 0 has fewer modes or a lower share of high quality after as many steps in at least 4 of 5 seeds",
            worse,
            at_least(0.8),
            quick=False,
        ),
        EachSeed(
            "the second order changes the generator's gradient by 1 % or more",
            {"change of the gradient by the second order": at_least(0.01)},
        ),
        EachSeed(
            "a step of K = 5 takes longer than one of K = 0",
            {"time of a step, K = 5 over K = 0": at_least(1.5)},
        ),
        EachSeed(
            "the data have 8 equal clusters, where the circle with both ends has 7 (shares within 4 standard errors)",
            {
                "distinct centres of the ring": Range(8, 8),
                "distinct centres of the ring whose end is its beginning": Range(7, 7),
                "largest share of a mode over 1/8": Range(1.0, 1.034),
            },
        ),
    ),
    draw=draw,
    differs="8,000 steps of batches of 256 instead of 25,000 of 512; no orthogonal initial weights.",
)
