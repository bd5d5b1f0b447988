"""Quadrature and recursions that the exact checks share."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

GRID = torch.linspace(-14, 20, 40_001, dtype=torch.float64)
STEP = float(GRID[1] - GRID[0])
THETAS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)


def log_normal(x: Tensor, mean: float | Tensor = 0.0, deviation: float | Tensor = 1.0) -> Tensor:
    sigma = torch.as_tensor(deviation, dtype=torch.float64)
    return -0.5 * ((x - mean) / sigma).square() - sigma.log() - 0.5 * math.log(math.tau)


def integral(values: Tensor) -> Tensor:
    """Of values on the grid, whose ends are far from all mass (there sums converge faster than any power of the step)."""
    return values.sum() * STEP


def jensen_shannon(theta: Tensor) -> Tensor:
    """JSD of N(θ, 1) and N(0, 1) in nats, differentiable."""
    p, q = log_normal(GRID), log_normal(GRID, theta)
    middle = torch.logaddexp(p, q) - math.log(2)
    return integral(p.exp() * (p - middle) + q.exp() * (q - middle)) / 2


def slope(function: Callable[[Tensor], Tensor], at: float) -> float:
    point = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    return float(torch.autograd.grad(function(point), point)[0])
