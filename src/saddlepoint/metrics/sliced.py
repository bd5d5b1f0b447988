"""Wasserstein distances in one dimension, where sorting solves them, and over lines through many (Bonneel et al. 2015)."""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import normal
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import matrices, matrix
from saddlepoint.random import generator

LINES = 256
TOGETHER = 32  # lines sorted at a time


def wasserstein_1d(*, real: Tensor, fake: Tensor, p: float = 1.0) -> Tensor:
    """W_p of each column, float64 [d]: (∫|F⁻¹ − G⁻¹|^p)^{1/p}, which for equal n is (mean |x_(i) − y_(i)|^p)^{1/p}.

    real [n, d], fake [m, d], any n and m; p ≥ 1. A matrix of images is flattened first; a vector is one column.
    """
    if p < 1:
        raise InputError(f"p is {p}; a Wasserstein distance has p ≥ 1.")
    first, second = matrices(real, fake)
    n, m = len(first), len(second)
    # both quantile functions are constant between these levels, counted in steps of 1/(nm)
    levels = torch.cat([m * torch.arange(1, n + 1), n * torch.arange(1, m + 1)]).unique()
    widths = torch.diff(levels, prepend=levels.new_zeros(1)).double() / (n * m)
    at = (levels - 1).div(m, rounding_mode="floor"), (levels - 1).div(n, rounding_mode="floor")
    found = [
        widths @ (x.sort(0).values[at[0]] - y.sort(0).values[at[1]]).abs().pow(p)
        for x, y in zip(first.split(TOGETHER, 1), second.split(TOGETHER, 1), strict=True)
    ]
    return torch.cat(found).pow(1 / p)


def directions(*, width: int, count: int = LINES, seed: int) -> Tensor:
    """Unit vectors, uniform on the sphere: float64 [width, count]. Models are compared along the same ones."""
    drawn = torch.randn(
        width, count, dtype=torch.float64, generator=generator("cpu", "directions", width, seed)
    )
    return drawn / drawn.norm(dim=0)


def sliced_wasserstein(*, real: Tensor, fake: Tensor, along: Tensor, p: float = 1.0) -> float:
    """(mean over the directions θ of W_p(θ·x, θ·y)^p)^{1/p}; real [n, …], fake [m, …], along [d, directions].

    p = 1: mean of the one-dimensional W₁; p = 2: the root of the mean square. For a pure shift m in d dimensions and p = 1
    about |m| Γ(d/2)/(√π Γ((d + 1)/2)), smaller than W₁ by that factor.
    """
    projected = _projected(real, fake, along)
    return float(wasserstein_1d(real=projected[0], fake=projected[1], p=p).pow(p).mean() ** (1 / p))


def sliced_wasserstein_interval(*, real: Tensor, fake: Tensor, along: Tensor) -> Measured:
    """`sliced_wasserstein` with p = 1 and a 95 % interval over rows along the same directions, by the delta method.

    Along one line a row x moves W₁ by ∫^x sign(G − F), the potential of the two distribution functions; over lines, by the
    mean of these. It covers the mean at these n and m, its bias included.
    """
    projected = _projected(real, fake, along)
    value = float(wasserstein_1d(real=projected[0], fake=projected[1]).mean())
    moved = torch.zeros(len(projected[0]) + len(projected[1]), dtype=torch.float64)
    for x, y in zip(projected[0].split(TOGETHER, 1), projected[1].split(TOGETHER, 1), strict=True):
        moved += _potentials(x, y).sum(1)
    moved /= along.shape[1]
    n = len(projected[0])
    variance = float(moved[:n].var()) / n + float(moved[n:].var()) / (len(moved) - n)
    low, high = normal(value, variance**0.5)
    return Measured(value, (max(0.0, low), high))


def _projected(real: Tensor, fake: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    first, second = matrices(real, fake, least=2)
    lines = matrix("along", along).double()
    if len(lines) != first.shape[1]:
        raise InputError(
            f"directions of {len(lines)} numbers and rows of {first.shape[1]}; both need as many."
        )
    return first @ lines, second @ lines


def _potentials(x: Tensor, y: Tensor) -> Tensor:
    """∫ sign(G − F) up to each row of x and then of y, in every column [n + m, columns]."""
    pooled, order = torch.cat([x, y]).sort(0)
    weight = torch.cat([x.new_full((len(x),), 1 / len(x)), y.new_full((len(y),), -1 / len(y))])
    above = weight[order].cumsum(0)[:-1]  # F − G between a point and the next
    slope = torch.where(above.abs() < 1e-12, 0.0, -above.sign())
    climbed = torch.cat([torch.zeros_like(pooled[:1]), (slope * pooled.diff(dim=0)).cumsum(0)])
    return torch.zeros_like(climbed).scatter_(0, order, climbed)
