"""How fast a map leaves or approaches a fixed point: measured on orbits, and from eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Step = Callable[[Tensor], Tensor]


def growth(step: Step, at: Tensor, steps: int, size: float = 1e-6) -> float:
    """log ‖M^n‖ / n, M the Jacobian of the map `step` [d] -> [d] at its fixed point `at`, from d orbits of n steps alone.

    The orbits start `size` along each axis from the fixed point; where their ends lie, over `size`, are the columns of
    M^n, up to a relative error of the order of their largest distance on the way.
    """
    ends = []
    for axis in torch.eye(len(at), dtype=at.dtype):
        point = at + size * axis
        for _ in range(steps):
            point = step(point)
        ends.append(point - at)
    norm = torch.linalg.matrix_norm(torch.stack(ends, 1) / size, ord=2)
    return float(norm.log()) / steps


class Rate(NamedTuple):
    """log ρ(M), and the most by which log ‖M^n‖ / n exceeds it: log κ / n, κ the condition of the eigenvectors of M."""

    value: float
    excess: float


def rate(matrix: Tensor, steps: int) -> Rate:
    """Of a diagonalisable matrix M [d, d]: ρ(M)^n ≤ ‖M^n‖ = ‖V Λ^n V⁻¹‖ ≤ κ(V) ρ(M)^n."""
    values, vectors = torch.linalg.eig(matrix)
    return Rate(float(values.abs().max().log()), math.log(float(torch.linalg.cond(vectors))) / steps)


def descent(jacobian: Tensor, step: float) -> Tensor:
    """I − hJ, the Jacobian of simultaneous descent x − h v(x) where v has the Jacobian J."""
    return torch.eye(len(jacobian), dtype=jacobian.dtype) - step * jacobian
