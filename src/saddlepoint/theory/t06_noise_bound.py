"""T06: the Wasserstein distance bounded by the noise and the Jensen–Shannon divergence of noisy laws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.metrics.transport import earth_mover
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import integral, jensen_shannon

ATOMS = 12
REACHES = (0.1, 0.5, 2.0, 8.0)  # the noise on each axis lies in [−R, R]


def check() -> Sequence[Sides]:
    """W₁ of laws on 12 points of the line or of the plane, by exact transport; right: V and the JSD of their smoothed
    densities by quadrature, the noise on each axis of density (1 + cos(πx/R))/2R and variance R²(⅓ − 2/π²), C the diameter
    of both smoothed supports, JSD = ½KL(P‖M) + ½KL(Q‖M). No tolerance: the slack is a factor of 1.9 at least, and the
    quadrature, coarsest in the plane, a cell being at most 0.8 R, is good to a few per cent. On the line the steps as well,
    to 1e-4: W₁(P, Q) ≤ 2V^½ + W₁ of the smoothed laws, by distribution functions; that is at most C TV ≤ 2C JSD^½.

    Needed: the first term, as for ½δ₋₁ + ½δ₁ against δ₀ wide noise makes the second smaller than W₁ = 1; and the diameter,
    as the JSD is at most log 2 however far the laws are apart.
    """
    source = torch.Generator().manual_seed(0)
    found: list[Sides] = []
    for dimension in (1, 2):
        for shift in (0.0, 0.3, 2.0, 10.0):
            first, second = torch.randn(2, ATOMS, dimension, generator=source, dtype=torch.float64)
            moved = second * 0.5 + shift
            distance = earth_mover(real=first, fake=moved).value
            for reach in REACHES:
                at = f"{dimension} dimensions, {shift:g} apart, noise within {reach:g}"
                noise, shared = terms(first, moved, reach)
                found.append(Sides(f"W₁, {at}", distance, "<=", noise + shared))
                if dimension == 1:
                    (x,), p, q = smoothed(first, moved, reach)
                    after = integral(torch.cumulative_trapezoid(p - q, x).abs(), x[1:])
                    variation = integral((p - q).abs(), x) / 2 * float(x[-1] - x[0])
                    found += [
                        Sides(f"W₁ by W₁ after, {at}", distance, "<=", noise + after, 1e-4),
                        Sides(f"W₁ after by C TV, {at}", after, "<=", variation, 1e-4),
                        Sides(f"C TV, {at}", variation, "<=", shared, 1e-4),
                    ]
    ends, middle = torch.tensor([[-1.0], [1.0]], dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64)
    one = earth_mover(real=ends, fake=middle).value
    for reach in (40.0, 80.0, 160.0):
        found.append(
            Sides(
                f"W₁ above the second term, noise within {reach:g}", one, ">=", terms(ends, middle, reach)[1]
            )
        )
    for apart in (10.0, 100.0):
        far = earth_mover(real=ends, fake=middle + apart).value
        noise, scale = _deviation(0.5), 2 * math.sqrt(math.log(2))
        found.append(Sides(f"W₁ with 1 for the diameter, {apart:g} apart", far, ">=", 2 * noise + scale))
    return found + _variances()


def _variances() -> list[Sides]:
    found = []
    for reach in REACHES:
        x = torch.linspace(-reach, reach, 2001, dtype=torch.float64)
        second = integral(_bump(x, reach) * x.square(), x)
        found.append(
            Sides(
                f"variance of the noise within {reach:g}",
                second,
                "=",
                _deviation(reach) ** 2,
                1e-6 * reach**2,
            )
        )
    return found


def terms(first: Tensor, second: Tensor, reach: float) -> tuple[float, float]:
    """2V^½ and 2C(JSD of the smoothed laws)^½ for laws on the rows of `first` and `second` [points, dimension]."""
    dimension = first.shape[1]
    both = torch.cat([first, second])
    diameter = float(torch.cdist(both, both).max()) + 2 * reach * math.sqrt(dimension)
    spread = math.sqrt(dimension) * _deviation(reach)
    axes, p, q = smoothed(first, second, reach)
    cell = math.prod(float(axis[1] - axis[0]) for axis in axes)
    flat = torch.arange(p.numel(), dtype=torch.float64) * cell
    return 2 * spread, 2 * diameter * math.sqrt(max(0.0, jensen_shannon(p.flatten(), q.flatten(), flat)))


def smoothed(first: Tensor, second: Tensor, reach: float) -> tuple[list[Tensor], Tensor, Tensor]:
    """The axes of a grid that holds both smoothed laws, and their densities on it."""
    both = torch.cat([first, second])
    count = 4001 if both.shape[1] == 1 else 161
    axes = [
        torch.linspace(float(column.min()) - reach, float(column.max()) + reach, count, dtype=torch.float64)
        for column in both.T
    ]
    return axes, _density(first, axes, reach), _density(second, axes, reach)


def _density(law: Tensor, axes: list[Tensor], reach: float) -> Tensor:
    """The density on the grid of the axes: means over the points of products over the axes."""
    bumps = [_bump(axis - law[:, k, None], reach) for k, axis in enumerate(axes)]
    return bumps[0].mean(0) if len(axes) == 1 else bumps[0].T @ bumps[1] / len(law)


def _bump(x: Tensor, reach: float) -> Tensor:
    return torch.where(x.abs() < reach, (1 + (math.pi / reach * x).cos()) / (2 * reach), 0.0)


def _deviation(reach: float) -> float:
    return reach * math.sqrt(1 / 3 - 2 / math.pi**2)


def figure(axes: Any) -> None:
    ends, middle = torch.tensor([[-1.0], [1.0]], dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64)
    reaches = torch.logspace(-1, 2, 40, dtype=torch.float64).tolist()
    noise, shared = zip(*(terms(ends, middle, reach) for reach in reaches), strict=True)
    axes.loglog(reaches, noise, "--", label="2V^½, of the noise")
    axes.loglog(reaches, shared, "--", label="2C JSD^½, of the smoothed laws")
    axes.loglog(
        reaches, [a + b for a, b in zip(noise, shared, strict=True)], color="black", label="the bound"
    )
    axes.axhline(1, color="crimson", label="W₁(P, Q)")
    axes.set(xlabel="R, noise within [−R, R]; P = ½δ₋₁ + ½δ₁, Q = δ₀", ylabel="distance")
    axes.legend()


CLAIM = Claim(
    id="T06",
    title="the noise bound",
    statement="W₁(P, Q) ≤ 2V^½ + 2C JSD(P + ε, Q + ε)^½, V = E‖ε‖², the noisy laws on a set of diameter C",
    source="Arjovsky & Bottou, Towards Principled Methods for Training GANs, ICLR 2017",
    check=check,
    figure=figure,
)
