"""T09: what BEGAN's difference of mean reconstruction errors says of their distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.metrics.transport import earth_mover
from saddlepoint.objectives import BoundaryEquilibrium
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import GRID, integral, normal

NORMALS = (
    (0.0, 1.0, 0.0, 2.0),
    (1.0, 0.5, -1.0, 0.5),
    (2.0, 1.5, 0.5, 0.4),
    (0.3, 0.1, 0.0, 3.0),
)  # m₁, σ₁, m₂, σ₂


def squared_wasserstein(m1: float, c1: float, m2: float, c2: float) -> float:
    """W₂² of N(m₁, c₁) and N(m₂, c₂): (m₁ − m₂)² + c₁ + c₂ − 2√(c₁c₂)."""
    return (m1 - m2) ** 2 + c1 + c2 - 2 * math.sqrt(c1 * c2)


def check() -> Sequence[Sides]:
    """W₁ by an assignment of losses, the difference of means by the objective for training at k = 1; W₂ by an assignment and
    by quadrature of the monotone map. Tolerances: rounding, 1e-9; of the map between ±7 deviations 1e-9 is left out, 1e-8."""
    return [*_losses(), *_normals()]


def autoencoder_losses(directions: int, drift: float, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mean |x − D(x)| of 200 real rows and 200 fakes, D the projection on principal components of the reals."""
    mixing = torch.randn(8, 8, generator=source, dtype=torch.float64)
    real, fake = torch.randn(2, 200, 8, generator=source, dtype=torch.float64)
    real = real @ mixing
    fake = (1 - drift) * fake @ mixing + drift * fake + drift
    kept = torch.linalg.svd(real, full_matrices=False)[2][:directions]
    first, second = ((rows - rows @ kept.T @ kept).abs().mean(1) for rows in (real, fake))
    return first, second


def _losses() -> list[Sides]:
    """W₁ ≥ |m₁ − m₂| of the losses of autoencoders; with equality where one loss lies above the other as a distribution, here
    by a shift, and far from it where only spreads differ: z against 2z, mean 0, W₁ = E|z| and no difference of means."""
    found, source = [], torch.Generator().manual_seed(0)
    for kept, drift in ((2, 0.0), (4, 0.3), (4, 1.0), (6, 0.6)):
        distance, means = _both(*autoencoder_losses(kept, drift, source))
        found.append(
            Sides(
                f"W₁ and |m₁ − m₂| of losses, {kept} components, drift {drift:g}", distance, ">=", means, 1e-9
            )
        )
    losses = autoencoder_losses(3, 0.0, source)[0]
    distance, means = _both(losses, losses + 0.7)
    found.append(Sides("W₁ and |m₁ − m₂|, a shift of 0.7", distance, "=", means, 1e-9))
    found.append(Sides("and the shift", means, "=", 0.7, 1e-9))
    z = losses - losses.mean()
    distance, means = _both(1 + z, 1 + 2 * z)
    found.append(Sides("W₁ and E|z|, twice the spread", distance, "=", float(z.abs().mean()), 1e-9))
    found.append(Sides("|m₁ − m₂|, twice the spread", means, "=", 0.0, 1e-9))
    return found


def _both(first: Tensor, second: Tensor) -> tuple[float, float]:
    """W₁ of two samples of losses, and |m₁ − m₂|, which the discriminator minimises at k = 1 without the bars."""
    means = BoundaryEquilibrium().discriminator(
        first, second, {"balance": torch.ones((), dtype=torch.float64)}
    )
    return earth_mover(real=first[:, None], fake=second[:, None]).value, abs(float(means))


def _normals() -> list[Sides]:
    """200 points with mean 0 and variance 1 exactly, moved and stretched, are a family as the normals are. Their best
    assignment is found by search."""
    from scipy.optimize import linear_sum_assignment
    from scipy.stats import norm

    found, source = [], torch.Generator().manual_seed(1)
    inside = GRID.abs() <= 7
    z, density = GRID[inside], normal()[inside]
    points = torch.randn(200, generator=source, dtype=torch.float64)
    points = (points - points.mean()) / points.std(correction=0)
    for m1, s1, m2, s2 in NORMALS:
        exact, where = squared_wasserstein(m1, s1**2, m2, s2**2), f"N({m1:g}, {s1:g}²) and N({m2:g}, {s2:g}²)"
        first, second = m1 + s1 * points, (m2 + s2 * points)[torch.randperm(200, generator=source)]
        costs = (first[:, None] - second).square()
        best = float(costs[linear_sum_assignment(costs.numpy())].mean())
        found.append(Sides(f"W₂² by assignment, {where}", best, "=", exact, 1e-9))
        x = m1 + s1 * z
        mapped = torch.from_numpy(norm.isf(norm.sf(x, m1, s1), m2, s2))
        # the upper half by upper tails, which are exact there, the lower by lower ones
        lower = torch.from_numpy(norm.ppf(norm.cdf(x, m1, s1), m2, s2))
        cost = (x - torch.where(z > 0, mapped, lower)).square()
        found.append(Sides(f"W₂² by quadrature, {where}", integral(cost * density, z), "=", exact, 1e-8))
        apart = (z * (s1 - s2) + m1 - m2).abs()  # the same map, for W₁
        found.append(
            Sides(f"W₁ and |m₁ − m₂|, {where}", integral(apart * density, z), ">=", abs(m1 - m2), 1e-8)
        )
    return found


def figure(axes: Any) -> None:
    """The bound and W₁ as the second of two normals widens."""
    z, density = GRID, normal()
    spreads = torch.linspace(0.05, 4, 80)
    for mean in (0.0, 1.0, 2.0):
        values = [integral((z * (1 - float(s)) - mean).abs() * density, z) for s in spreads]
        (line,) = axes.plot(spreads, values, label=f"W₁, |m₁ − m₂| = {mean:g}")
        axes.axhline(mean, color=line.get_color(), linestyle=":", label="its bound" if mean == 2 else None)
    axes.set(xlabel="σ₂, σ₁ = 1", ylabel="distance of N(m₁, 1) and N(m₂, σ₂²)")
    axes.legend()


CLAIM = Claim(
    id="T09",
    title="a bound by mean losses",
    statement="W₁ of the distributions of an autoencoder's losses is at least |m₁ − m₂|, with equality if one lies above the "
    "other; of normals W₂² = (m₁ − m₂)² + c₁ + c₂ − 2√(c₁c₂)",
    source="Berthelot, Schumm & Metz, BEGAN: Boundary Equilibrium Generative Adversarial Networks, 2017, section 3",
    check=check,
    figure=figure,
)
