"""T23: looking far ahead is the best response; against it the generator converges where first-order descent collapses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.dynamics import BestResponse, Dynamics, Unrolled
from saddlepoint.game import Players
from saddlepoint.games import GaussianShift, Intervals, Quadratic, Small, open_intervals, orbit, timed
from saddlepoint.optim import SGD, Optimizer
from saddlepoint.theory.claim import Claim, Sides

RATE, STEPS, DRAWS = 0.3, 3000, 4
TARGET = torch.tensor([-2.0, 2.0], dtype=torch.float64)
MEANS = [(float(a), float(b)) for a in range(-3, 4) for b in range(-3, 4) if a != b]
SUCCESS = 0.1  # of the total variation


def check() -> Sequence[Sides]:
    """Unrolled: the slope of the generator in min_x max_y bxy − ½cy², K steps of h ahead, is by hand that of the best
    response, (b²/c)x, plus e²b(y − bx/c), e = (1 − hc)^K, or e in place of e² where the steps are not differentiated
    through; up to rounding. Intervals: TV ≤ .1 is success. Shares of runs of first-order descent have a standard error
    below √(¼/168) = .039; thresholds of .7 and .3 are five of them away from what is measured, or further."""
    return [*_quadratic(), *_shift(), *_optimal(), *_first_order()]


def _slope(game: Small, player: str, dynamics: Dynamics, rate: float) -> float:
    """Of the first turn, in which `player` moves."""
    players, memory = game.init(0, game.data())
    turn, batch = dynamics.turns(0)[0], timed(game, 0)
    state, _ = dynamics.move(game, dynamics.init(game, players, memory), turn, batch)
    return float(players[player] - state.players[player]) / rate


def _quadratic() -> list[Sides]:
    found, rate = [], 0.2
    optimizers: dict[str, Optimizer] = {"x": SGD(rate), "y": SGD(rate)}
    for b, c in ((1.0, 1.0), (2.0, 0.5), (-1.5, 2.0)):
        game = Quadratic(0.0, b, c, begin=(1.0, -0.7))
        limit, off = b**2 / c, -0.7 - b / c
        best = _slope(game, "x", BestResponse(optimizers, opponent="y"), rate)
        found.append(Sides(f"(b, c) = {b, c}: slope against the best response", best, "=", limit, 1e-10))
        for ahead in (0, 1, 5, 40):
            for through in (True, False):
                rule = Unrolled(optimizers, {"x": 1, "y": 1}, opponent="y", ahead=ahead, through=through)
                left = (1 - rate * c) ** (ahead * (2 if through else 1))
                found.append(
                    Sides(
                        f"(b, c) = {b, c}, {ahead} steps ahead, {'' if through else 'not '}through them: slope",
                        _slope(game, "x", rule, rate), "=", limit + left * b * off, 1e-10,
                    )
                )  # fmt: skip
    return found


def _shift() -> list[Sides]:
    """The logistic discriminator of N(0, 1) against N(θ, 1), from scratch: each step shrinks what is left
    by a share that does not depend on K, so that 60 steps leave below 10⁻⁶ of the slope and none leaves all of it."""
    found = []
    optimizers: dict[str, Optimizer] = {"generator": SGD(1.0), "discriminator": SGD(1.0)}
    for theta in (0.5, 1.0):
        game = GaussianShift(begin=(theta, 0.0, 0.0))
        best = _slope(game, "generator", BestResponse(optimizers), 1.0)
        off = {
            k: abs(_slope(game, "generator", Unrolled(optimizers, ahead=k), 1.0) / best - 1) for k in (0, 60)
        }
        found += [
            Sides(f"θ = {theta:g}, 0 steps ahead: share of the slope that is off", off[0], "=", 1.0, 1e-12),
            Sides(f"θ = {theta:g}, 60 steps ahead: share of the slope that is off", off[60], "<=", 1e-6),
        ]
    return found


def _optimal() -> list[Sides]:
    """From means that differ, to TV ≤ .1; from equal ones both move alike, and TV stays where one Gaussian can bring it."""
    optimizers: dict[str, Optimizer] = {"generator": SGD(RATE), "discriminator": SGD(RATE)}
    found = []
    for means in ((-3.0, -2.0), (-1.0, 0.0), (0.0, 1.0), (3.0, 2.0), (1.0, -3.0)):
        game = Intervals(means=means)
        last = orbit(game, BestResponse(optimizers), 150)[-1]
        found.append(Sides(f"optimal D, means {means}: TV", game.total_variation(last[:2]), "<=", SUCCESS))
    game = Intervals(means=(1.0, 1.0))
    last = orbit(game, BestResponse(optimizers), 40)[-1]
    found.append(
        Sides("optimal D, means (1, 1): distance of the means", float((last[0] - last[1]).abs()), "=", 0.0)
    )
    found.append(Sides("optimal D, means (1, 1): TV", game.total_variation(last[:2]), ">=", SUCCESS))
    return found


class Runs(NamedTuple):
    """Means [n, 2] and ends (l₁, r₁, l₂, r₂) [n, 4] of as many games."""

    means: Tensor
    ends: Tensor


def bells(x: Tensor, means: Tensor) -> Tensor:
    """Σ_i φ(x − μ_i)/2: x [n, k], means [n, 2] -> [n, k]."""
    return torch.exp(-0.5 * (x[:, :, None] - means[:, None]).square()).sum(2) / (2 * math.sqrt(math.tau))


def ascent(at: Runs) -> Tensor:
    """∂/∂ends of the value: p − q at right ends and its negative at left ones, 0 for an empty interval: [n, 4]."""
    gap = bells(at.ends, TARGET.expand_as(at.means)) - bells(at.ends, at.means)
    sides = gap.view(-1, 2, 2) * torch.tensor([-1.0, 1.0], dtype=torch.float64)
    return (sides * _open(at.ends)[:, :, None]).flatten(1)


def descent(at: Runs) -> Tensor:
    """−∂/∂μ̂_i of the value: ½ Σ over open intervals of φ(l − μ̂_i) − φ(r − μ̂_i): [n, 2]."""
    density = torch.exp(-0.5 * (at.ends.view(-1, 2, 2, 1) - at.means[:, None, None]).square()) / math.sqrt(
        math.tau
    )
    return 0.5 * ((density[:, :, 0] - density[:, :, 1]) * _open(at.ends)[:, :, None]).sum(1)


def _open(ends: Tensor) -> Tensor:
    left, right = ends.view(-1, 2, 2).unbind(2)
    return right > left


def started() -> Runs:
    source = torch.Generator().manual_seed(0)
    means = torch.tensor(MEANS, dtype=torch.float64).repeat_interleave(DRAWS, 0)
    drawn = torch.rand(len(means), 4, generator=source, dtype=torch.float64) * 10 - 5
    return Runs(means, drawn.sort(1).values)


def played(at: Runs, times: int) -> Runs:
    """3,000 steps of the discriminator; the generator moves first, and once for `times` of them."""
    for _ in range(STEPS // times):
        at = at._replace(means=at.means + RATE * descent(at))
        for _ in range(times):
            at = at._replace(ends=at.ends + RATE * ascent(at))
    return at


def total_variation(means: Tensor) -> Tensor:
    """By quadrature on 2,001 points of ±12: [n]."""
    x = torch.linspace(-12, 12, 2001, dtype=torch.float64)[None]
    gap = bells(x, TARGET[None]) - bells(x.expand(len(means), -1), means)
    return torch.trapezoid(gap.abs(), x) / 2


def _first_order() -> list[Sides]:
    begin, found = started(), []
    game = Intervals()
    for number in range(0, len(begin.means), 100):
        players: Players = {"generator": begin.means[number], "discriminator": begin.ends[number]}
        field = game.field(players, {}, timed(game, 0))
        one = Runs(begin.means[[number]], begin.ends[[number]])
        off = max(
            float((field["generator"] + descent(one)[0]).abs().max()),
            float((field["discriminator"] - -ascent(one)[0]).abs().max()),
        )
        found.append(Sides(f"start {number}: sup |field by hand − by differentiation|", off, "=", 0.0, 1e-12))
    closed = game.field(
        {"generator": TARGET / 2, "discriminator": TARGET.new_tensor([1, -1, 2, 2])}, {}, timed(game, 0)
    )
    found.append(Sides("collapsed intervals: slope", float(closed["discriminator"].abs().max()), "=", 0.0))
    for times in (1, 5):
        last = played(begin, times)
        failed = total_variation(last.means) > SUCCESS
        collapsed = torch.stack([~open_intervals(ends).all() for ends in last.ends])
        share = float((~failed).double().mean())
        found.append(Sides(f"first order, {times} steps of D: share of success", share, "<=", 0.7))
        share = float(collapsed[failed].double().mean())
        found.append(
            Sides(f"first order, {times} steps of D: share collapsed among failures", share, ">=", 0.3)
        )
    return found


CLAIM = Claim(
    id="T23",
    title="the optimal discriminator and first-order dynamics",
    statement="as K grows the K-step unrolled generator meets the best response; against it the two-Gaussian generator of Li "
    "et al. reaches TV ≤ .1 from means that differ, while first-order descent fails in many runs by collapsed "
    "intervals, whose slope is 0",
    source="Li, Mądry, Peebles & Schmidt, On the Limitations of First-Order Approximation in GAN Dynamics, ICML 2018; Metz "
    "et al., Unrolled Generative Adversarial Networks, ICLR 2017",
    check=check,
)
