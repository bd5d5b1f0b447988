"""How fast a map leaves or approaches a fixed point: measured on orbits, and from eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.theory.claim import Sides

Step = Callable[[Tensor], Tensor]


def growth(step: Step, at: Tensor, steps: int, size: float = 1e-6) -> float:
    """log ‖M^n‖ / n, M the Jacobian at its fixed point `at` [d] of the map `step`, which takes rows [m, d] to rows.

    From d orbits of n steps alone, which start `size` along each axis from the fixed point: where they end, over `size`,
    are the columns of M^n, up to a relative error of the order of their largest distance on the way.
    """
    points = at + size * torch.eye(len(at), dtype=at.dtype)
    for _ in range(steps):
        points = step(points)
    ends = (points - at) / size
    if not ends.isfinite().all():
        return math.inf
    return float(torch.linalg.matrix_norm(ends, ord=2).log()) / steps


class Rate(NamedTuple):
    """log ρ(M), and the most by which log ‖M^n‖ / n exceeds it: log κ / n, κ the condition of the eigenvectors of M."""

    value: float
    excess: float

    def sides(self, what: str, measured: float, rounding: float = 1e-5) -> Sides:
        """`measured` lies between the two, up to what the curvature of the map adds."""
        middle = self.value + self.excess / 2
        return Sides(
            f"{what}: log of the factor of a step", measured, "=", middle, self.excess / 2 + rounding
        )


def rate(matrix: Tensor, steps: int) -> Rate:
    """Of a diagonalisable matrix M [d, d]: ρ(M)^n ≤ ‖M^n‖ = ‖V Λ^n V⁻¹‖ ≤ κ(V) ρ(M)^n."""
    values, vectors = torch.linalg.eig(matrix)
    return Rate(float(values.abs().max().log()), math.log(float(torch.linalg.cond(vectors))) / steps)


def descent(jacobian: Tensor, step: float) -> Tensor:
    """I − hJ, the Jacobian of simultaneous descent x − h v(x) where v has the Jacobian J."""
    return torch.eye(len(jacobian), dtype=jacobian.dtype) - step * jacobian
