"""Divergence between histograms of points in the plane."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import normal
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import matrices

BINS = 20  # along each side, at most
ROWS_A_CELL = 5
PSEUDO = 0.5  # added to the count of every cell


def histogram_divergence(*, real: Tensor, fake: Tensor, bins: int | None = None) -> Measured:
    """KL(P ‖ Q̂) = Σ p_b ln(p_b/q_b) in nats over bins × bins equal cells of the bounding box of the reals, and one cell for
    all outside of it. Without a number of bins as many as leave five rows of the smaller side a cell, at most 20.

    real [n, 2], fake [m, 2]. q_b = (count + ½)/(m + cells/2), so that a cell no fake hits costs much and not infinitely
    much (Krichevsky and Trofimov 1981); p_b are plain shares. Finite sets of one distribution are above 0, by about
    cells/2n + cells/2m where all cells are hit. The 95 % interval is by the delta method, about the mean at these n and m:
    a real row moves the value by ln(p/q) of its cell, a fake one by −p/q.
    """
    first, second = matrices(real, fake, least=2)
    if first.shape[1] != 2:
        raise InputError(
            f"a histogram divergence is of points in the plane, not of {first.shape[1]} numbers."
        )
    if bins is None:
        bins = max(1, min(BINS, math.isqrt(min(len(first), len(second)) // ROWS_A_CELL)))
    if bins < 1:
        raise InputError(f"bins is {bins}; at least 1 is needed.")
    low, high = first.amin(0), first.amax(0)
    cells = [_cells(side, low, high, bins) for side in (first, second)]
    counts = [torch.bincount(cell, minlength=bins**2 + 1).double() for cell in cells]
    p = counts[0] / len(first)
    q = (counts[1] + PSEUDO) / (len(second) + PSEUDO * len(counts[1]))
    value = float(torch.special.xlogy(p, p / q).sum())
    by_real, by_fake = (p / q).log()[cells[0]], -(p / q)[cells[1]]
    variance = float(by_real.var()) / len(first) + float(by_fake.var()) / len(second)
    return Measured(value, normal(value, variance**0.5))


def _cells(points: Tensor, low: Tensor, high: Tensor, bins: int) -> Tensor:
    """Number of the cell of each point; the last one is outside."""
    place = (points - low) / (high - low).clamp(min=torch.finfo(torch.float64).tiny)
    column, row = (place * bins).floor().clamp(-1, bins).where(place < 1, bins - 1.0).unbind(1)
    within = ((points >= low) & (points <= high)).all(1)
    return torch.where(within, column * bins + row, bins**2).long()
