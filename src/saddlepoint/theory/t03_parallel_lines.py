"""T03: two parallel lines: the Jensen–Shannon divergence saturates, the Wasserstein distance does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.games import ParallelLines
from saddlepoint.metrics.transport import earth_mover
from saddlepoint.objectives import TotalVariation
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import GRID, divergence, integral, jensen_shannon, normal, relative_entropy

SHIFTS = (-2.0, -0.5, 0.25, 1.0, 3.0)
NOISES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)  # |θ|/σ
ROWS = 64


def check() -> Sequence[Sides]:
    """The distance by exact transport between points of the lines, one in each of n cells of [0, 1], at its middle on one
    line and anywhere on the other: at least |θ|, at most (θ² + 1/n²)^½, which is the tolerance.

    Singular laws have no densities: the others are limits for noise N(0, σ²), σ → 0, added to both, which leaves N(0, σ²)
    and N(θ, σ²). There, for k = |θ|/σ, KL = k²/2 has no bound; TV = 2Φ(k/2) − 1; and log 2 ≥ JSD ≥ log 2 − h(Φ(−k/2)), h
    the entropy of a bit, by Fano's inequality, so that at k = 20 the gap is below 1e-20. By quadrature: 1e-10 for rounding,
    1e-6 for |p − q|, whose corner costs a twelfth of the squared spacing.
    """
    source = torch.Generator().manual_seed(0)
    found: list[Sides] = []
    for shift in SHIFTS:
        exact = ParallelLines.divergences(shift)
        height = torch.arange(ROWS, dtype=torch.float64)
        other = height + torch.rand(ROWS, generator=source, dtype=torch.float64)
        first, second = _on_line(0.0, (height + 0.5) / ROWS), _on_line(shift, other / ROWS)
        moved = earth_mover(real=first, fake=second).value
        over = math.hypot(shift, 1 / ROWS) - abs(shift)
        found += [
            Sides(f"W₁ at θ = {shift:g}", moved, "=", exact["wasserstein"], over + 1e-12),
            Sides(f"its best linear critic at θ = {shift:g}", _best(shift), "=", abs(shift)),
        ]
    limit = ParallelLines.divergences(1.0)
    for k in NOISES:
        p, q = normal(-k / 2), normal(k / 2)
        shared, tail = jensen_shannon(p, q), _below(-k / 2)
        entropy = relative_entropy(p, q)
        variation = divergence(TotalVariation(), p, q)
        least = math.log(2) + tail * math.log(tail) + (1 - tail) * math.log1p(-tail)
        apart = integral(torch.special.ndtr(GRID + k / 2) - torch.special.ndtr(GRID - k / 2))
        at = f"at noise |θ|/{k:g}"
        found += [
            Sides(f"KL {at}", entropy, "=", k**2 / 2, 1e-10),
            Sides(f"KL without noise and {at}", limit["kullback-leibler"], ">=", entropy),
            Sides(f"TV {at}", variation, "=", 1 - 2 * tail, 1e-6),
            Sides(f"JSD {at}", shared, "<=", limit["jensen-shannon"], 1e-10),
            Sides(f"JSD {at}", shared, ">=", least, 1e-10),
            Sides(f"W₁/σ {at}", apart, "=", k, 1e-10),
        ]
    last, same = jensen_shannon(normal(-10.0), normal(10.0)), ParallelLines.divergences(0.0)
    wide = jensen_shannon(normal(-0.5), normal(0.5))
    return [
        *found,
        Sides("JSD in the limit", last, "=", limit["jensen-shannon"], 1e-10),
        Sides("TV in the limit", 1 - 2 * _below(-10.0), "=", limit["total variation"], 1e-10),
        Sides("all of them of one line", max(same.values()), "=", 0.0),
        Sides("no saturation under noise as wide as θ: JSD", wide, "<=", 0.5 * limit["jensen-shannon"]),
    ]


def _on_line(x: float, heights: Tensor) -> Tensor:
    return torch.stack([torch.full_like(heights, x), heights], dim=1)


def _best(shift: float) -> float:
    """E_P s − E_Q s at the best response of the game's critic: the value of the dual."""
    game = ParallelLines(begin=(shift, 0.0))
    players = game.start()
    players["discriminator"] = game.best_response("discriminator", players, {}, {})
    losses, _ = game.losses(("discriminator",), players, {}, {})
    return -float(losses["discriminator"])


def _below(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def figure(axes: Any) -> None:
    shifts = torch.linspace(-3, 3, 241, dtype=torch.float64)
    axes.plot(shifts, shifts.abs(), color="black", label="W₁, with any noise or none")
    for noise, colour in ((1.0, "#9ecae1"), (0.3, "#4292c6"), (0.1, "#084594")):
        curve = [jensen_shannon(normal(-t / 2), normal(t / 2)) for t in (shifts / noise).tolist()]
        axes.plot(shifts, curve, color=colour, label=f"JSD under noise σ = {noise:g}")
    axes.axhline(math.log(2), color="crimson", linestyle="--", label="JSD without noise: log 2 for all θ ≠ 0")
    axes.plot([0], [0], "o", color="crimson")
    axes.set(xlabel="θ, the distance between the lines", ylabel="distance or divergence", ylim=(-0.1, 4))
    axes.legend(loc="upper center", ncols=2, fontsize="small")


CLAIM = Claim(
    id="T03",
    title="two parallel lines",
    statement="uniform laws on {0} × [0, 1] and {θ} × [0, 1]: for θ ≠ 0, JSD = log 2, KL = ∞ and TV = 1 whatever θ; W₁ = |θ|",
    source="Arjovsky, Chintala & Bottou, Wasserstein Generative Adversarial Networks, ICML 2017, example 1",
    check=check,
    figure=figure,
)
