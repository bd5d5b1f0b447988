"""E03: first-order dynamics and the optimal discriminator in the Gaussian-mixture game."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from saddlepoint.dynamics import Alternating, BestResponse, Dynamics, Unrolled
from saddlepoint.experiments.accept import EachSeed, Range, at_least, at_most
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.game import Players
from saddlepoint.games import Intervals, open_intervals, orbit, parted, timed
from saddlepoint.network import Functional
from saddlepoint.optim import SGD, Optimizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = tuple(float(m) for m in range(-3, 4))
STARTS = tuple(product(SIDE, SIDE))
APART = tuple(start for start in STARTS if start[0] != start[1])
RATES: dict[str, Optimizer] = {"generator": SGD(0.3), "discriminator": SGD(0.3)}
STEPS, DRAWS, NEAR = 3000, 24, 0.1
QUICK_STEPS, QUICK_DRAWS = 1500, 3
RULES: dict[str, Dynamics] = {
    "one step of D": Alternating(RATES, {"generator": 1, "discriminator": 1}),
    "five steps of D": Alternating(RATES, {"generator": 1, "discriminator": 5}),
    "unrolled by five": Unrolled(RATES, ahead=5),
}


def arrives(means: tuple[float, float], most: int, part: int = 20) -> bool:
    """Whether the optimal discriminator leads within TV .1 in at most so many steps."""
    game, players = Intervals(means=means), None
    for _ in range(most // part):
        players = parted(game.start(), orbit(game, BestResponse(RATES), part, players)[-1])
        if game.total_variation(players["generator"]) <= NEAR:
            return True
    return False


def optimal(seed: int, quick: bool) -> Measured:
    """Of equal means by symmetry both move alike, so few steps say all; a quick run takes each fifth of the other starts."""
    reached = {start: float(arrives(start, 400)) for start in APART[:: 5 if quick else 1]}
    equal = [float(arrives((m, m), 60)) for m in SIDE[:: 3 if quick else 1]]
    frozen = Intervals(ends=(1.0, -1.0, 0.5, 2.0))
    players, memory = frozen.init(0, {})
    gradient = frozen.field(players, memory, timed(frozen, 0))["discriminator"]
    numbers = {
        "success, optimal": sum(reached.values()) / len(reached),
        "success from equal means, optimal": sum(equal) / len(equal),
        "gradient at a collapsed interval": float(gradient[:2].abs().max()),
        "gradient at an open interval": float(gradient[2:].abs().max()),
    }
    return Measured(numbers, {"success, optimal": [reached.get(start, math.nan) for start in STARTS]})


def beginnings(seed: int, draws: int) -> Players:
    """Each start with different means and `draws` pairs of intervals, four sorted ends from U[−5, 5]: vectors [games, …]."""
    means = torch.tensor([start for start in APART for _ in range(draws)], dtype=torch.float64)
    source = torch.Generator().manual_seed(seed)
    ends = torch.rand(len(means), 4, dtype=torch.float64, generator=source) * 10 - 5
    return {"generator": means, "discriminator": ends.sort(1).values}


def played(rule: Dynamics, players: Players, steps: int) -> Players:
    """Many games at once, each from its own start: vectors [games, …]."""
    game = Intervals(execution=Functional())
    batch = timed(game, 0)

    def step(at: Players) -> Players:
        state = rule.init(game, at, {})
        for turn in rule.turns(0):
            state, _ = rule.move(game, state, turn, batch)
        return state.players

    many = torch.vmap(step)
    for _ in range(steps):
        players = many(players)
    return {player: vector.detach() for player, vector in players.items()}


def first_order(names: Sequence[str], draws: int) -> Any:
    """The measure of these rules."""

    def measure(seed: int, quick: bool) -> Measured:
        numbers: dict[str, float] = {}
        series: dict[str, list[float]] = {}
        count = min(draws, QUICK_DRAWS) if quick else draws
        for name in names:
            after = played(RULES[name], beginnings(seed, count), QUICK_STEPS if quick else STEPS)
            success = torch.tensor([Intervals().total_variation(m) <= NEAR for m in after["generator"]])
            closed = torch.tensor([not bool(open_intervals(e).all()) for e in after["discriminator"]])
            numbers[f"success, {name}"] = mean(success)
            numbers[f"collapsed among failures, {name}"] = mean(closed[~success])
            numbers[f"collapsed among successes, {name}"] = mean(closed[success])
            by_start = dict(
                zip(APART, success.double().view(len(APART), count).mean(1).tolist(), strict=True)
            )
            series[f"success, {name}"] = [by_start.get(start, math.nan) for start in STARTS]
        return Measured(numbers, series)

    return measure


def mean(flags: Tensor) -> float:
    return float(flags.double().mean())


def draw(figure: Figure, results: Results) -> None:
    import numpy as np

    names = [name for name in ("optimal", *RULES) if results.curves(f"success, {name}")]
    grid = figure.subplots(1, len(names), sharey=True, squeeze=False)
    for axes, name in zip(grid[0], names, strict=True):
        found = np.mean(results.curves(f"success, {name}"), axis=0).reshape(len(SIDE), len(SIDE))
        image = axes.imshow(found.T, origin="lower", extent=(-3.5, 3.5, -3.5, 3.5), vmin=0, vmax=1)
        axes.set(xlabel="first mean", facecolor="0.85", xticks=SIDE[::3])
        axes.set_title("optimal D" if name == "optimal" else name, fontsize=9)
    grid[0][0].set(ylabel="second mean, at the start", yticks=SIDE[::3])
    figure.colorbar(image, ax=grid[0].tolist(), label="share with TV ≤ .1", shrink=0.6)


FAILURES = "collapsed among failures"
EXPERIMENT = Experiment(
    id="E03",
    name="intervals",
    title="First-order dynamics against the optimal discriminator",
    question="Two unit Gaussians are fitted against a discriminator of two intervals. Does it matter that it "
    "follows gradients?",
    protocol="P = ½N(−2, 1) + ½N(2, 1); means from {−3, …, 3}², 42 starts with different ones; rate .3 for "
    "both players, 3,000 steps, generator first; success: TV ≤ .1, exact. First-order dynamics: 24 random "
    "pairs of intervals a start (sorted ends from U[−5, 5]), one or five steps of D, and 5 pairs a start "
    "with a generator that looks five steps of D ahead. An interval whose ends have met is empty and stays "
    "so. Optimal discriminator: at most 400 steps, and at most 60 from each of 7 equal pairs.",
    source="Li, Mądry, Peebles & Schmidt 2018, On the Limitations of First-Order Approximation in GAN Dynamics",
    parts=(
        Part("optimal", optimal, drawn=False, minutes=0.2),
        Part("first-order", first_order(("one step of D", "five steps of D"), DRAWS), minutes=0.7),
        Part("unrolled", first_order(("unrolled by five",), 5), minutes=0.5),
    ),
    rows=(
        Row("success, optimal discriminator", "success, optimal", "1: always converges", "S"),
        Row("success from equal means, optimal discriminator", "success from equal means, optimal", "0", "N"),
        Row("gradient of D at a collapsed interval", "gradient at a collapsed interval", exact=0.0),
        *(Row(f"success, {name}", f"success, {name}", "fails from many starts", "M") for name in RULES),
        *(
            Row(f"{FAILURES}, {name}", f"{FAILURES}, {name}", "discriminator collapse is seen", "S")
            for name in RULES
        ),
        *(Row(f"collapsed among successes, {name}", f"collapsed among successes, {name}") for name in RULES),
    ),
    accept=(
        EachSeed(
            "the optimal discriminator leads to the target from every start with different means",
            {"success, optimal": Range(1, 1)},
        ),
        EachSeed(
            "equal means are never parted: a symmetric saddle",
            {"success from equal means, optimal": Range(0, 0)},
        ),
        EachSeed(
            "first-order dynamics succeed in at most 70 % of the runs, with one step of D and with five",
            {"success, one step of D": at_most(0.7), "success, five steps of D": at_most(0.7)},
        ),
        EachSeed(
            "at least 30 % of the failures of first-order dynamics have a collapsed interval",
            {
                f"{FAILURES}, one step of D": at_least(0.3),
                f"{FAILURES}, five steps of D": at_least(0.3),
            },
        ),
        EachSeed(
            "D has no gradient at a collapsed interval, and one at an open interval beside it",
            {"gradient at a collapsed interval": Range(0, 0), "gradient at an open interval": at_least(1e-3)},
        ),
    ),
    draw=draw,
    differs="Intervals do not reopen once they have met; every start is counted, also those already near the target.",
)
