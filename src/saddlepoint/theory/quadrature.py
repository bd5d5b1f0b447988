"""Densities on the line and integrals of them, in float64.

The trapezoidal rule on an even grid: for smooth densities that vanish at its ends the error falls faster than any power of
the spacing, so that a grid of 20,001 points over ±40 is exact to about 1e-12.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from saddlepoint.objectives.divergences import Divergence

GRID = torch.linspace(-40.0, 40.0, 20_001, dtype=torch.float64)


def normal(mean: float = 0.0, deviation: float = 1.0, at: Tensor = GRID) -> Tensor:
    """The density of N(mean, deviation²) on the grid."""
    z = (at - mean) / deviation
    return (-0.5 * z.square()).exp() / (deviation * math.sqrt(math.tau))


def integral(values: Tensor, at: Tensor = GRID) -> float:
    return float(torch.trapezoid(values, at))


def divergence(kind: Divergence, p: Tensor, q: Tensor, at: Tensor = GRID) -> float:
    """D_f(P‖Q) = ∫ q f(p/q), where both densities are above 0 in float64."""
    there = (p > 1e-290) & (q > 1e-290)
    ratio = torch.where(there, p, 1.0) / torch.where(there, q, 1.0)
    return integral(torch.where(there, q * kind.f(ratio), 0.0), at)


def log_normal(mean: float | Tensor, log_deviation: float | Tensor, at: Tensor = GRID) -> Tensor:
    """The logarithm of the density of N(mean, e^(2 log_deviation)) on the grid, differentiable in both."""
    log_scale = torch.as_tensor(log_deviation, dtype=at.dtype)
    return -((at - mean) * (-log_scale).exp()).square() / 2 - log_scale - math.log(math.tau) / 2


def log_divergence(kind: Divergence, log_p: Tensor, log_q: Tensor, at: Tensor = GRID) -> Tensor:
    """D_f(P‖Q) from logarithms of densities, differentiable: ∫ q f(u), u = p/q, as p f(u)/u where u > 1; [..., grid].
    Densities that vanish in float64 count; u counts as e^±300 beyond that."""
    log_u = (log_p - log_q).clamp(-300, 300)
    weight = torch.where(log_u > 0, log_p - log_u, log_q).exp()
    return torch.trapezoid(weight * kind.f(log_u.exp()), at)


def jensen_shannon(p: Tensor, q: Tensor, at: Tensor = GRID) -> float:
    """½KL(P‖M) + ½KL(Q‖M), M the mean of both, in nats."""
    middle = (p + q) / 2
    return (relative_entropy(p, middle, at) + relative_entropy(q, middle, at)) / 2


def relative_entropy(p: Tensor, q: Tensor, at: Tensor = GRID) -> float:
    """KL(P‖Q) in nats."""
    tiny = torch.finfo(p.dtype).tiny
    return integral(torch.special.xlogy(p, p.clamp(min=tiny) / q.clamp(min=tiny)), at)
