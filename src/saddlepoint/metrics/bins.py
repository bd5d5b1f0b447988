"""Statistically different bins (Richardson and Weiss 2018): shares of the cells of a k-means of the training data."""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import NORMAL_95, normal
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import distances, matrices, matrix
from saddlepoint.random import key

ROWS_A_BIN = 20


def k_means_bins(*, training: Tensor, bins: int = 100, seed: int = 0) -> Tensor:
    """Centres [bins, d], float64, of a k-means of the training rows; fewer bins where those have under 20 rows each."""
    from sklearn.cluster import KMeans

    rows = matrix("training", training, least=2 * ROWS_A_BIN).double()
    count = min(bins, len(rows) // ROWS_A_BIN)
    distinct = min(count, len(rows.unique(dim=0)))
    fitted = KMeans(distinct, n_init=1, random_state=key("bins", seed) % 2**32).fit(rows.numpy())
    return torch.tensor(fitted.cluster_centers_)


def bin_of(*, rows: Tensor, centres: Tensor) -> Tensor:
    """Number of the nearest centre of each row, int64 [n]."""
    points, middles = matrices(rows, centres)
    return torch.cat([block.argmin(1) for _, block in distances(points, middles)])


def bin_counts(*, rows: Tensor, centres: Tensor) -> Tensor:
    """Rows in each bin, int64 [bins]."""
    return torch.bincount(bin_of(rows=rows, centres=centres), minlength=len(centres))


def different_bins(*, real: Tensor, fake: Tensor) -> Tensor:
    """Which bins have shares that differ at the 5 % level, boolean [bins], from the counts of both sides.

    The two-proportion test with p = (p₁n₁ + p₂n₂)/(n₁ + n₂) and z = (p₁ − p₂)/sqrt(p(1 − p)(1/n₁ + 1/n₂)). Two sets of
    one distribution differ in 5 % of the bins; there is no correction for their number.
    """
    first, second = _checked(real, fake)
    n, m = first.sum(), second.sum()
    pooled = (first + second) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n + 1 / m)).sqrt()
    return (first / n - second / m).abs() > NORMAL_95 * error


def bins_divergence(*, real: Tensor, fake: Tensor) -> Measured:
    """Jensen-Shannon divergence of the two histograms in nats, from counts [bins]: 0 to ln 2, lower is better.

    Finite sets of one distribution are at about (bins − 1)(1/n + 1/m)/8. The interval is by the delta method with the
    derivative ½ ln(p/m) of either side, and covers the mean at these numbers of rows.
    """
    first, second = (side / side.sum() for side in _checked(real, fake))
    middle = (first + second) / 2
    value, variance = 0.0, 0.0
    for share, counts in ((first, real), (second, fake)):
        slope = 0.5 * torch.where(share > 0, share / middle, 1.0).log()
        part = float(share @ slope)
        value += part
        variance += (float(share @ slope.square()) - part**2) / float(counts.sum())
    low, high = normal(value, max(0.0, variance) ** 0.5)
    return Measured(max(0.0, value), (max(0.0, low), high))


def _checked(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    for role, counts in (("real", real), ("fake", fake)):
        if counts.dim() != 1 or len(counts) != len(real) or not counts.sum() > 0 or (counts < 0).any():
            raise InputError(
                f"{role} is no list of counts: one number a bin, of equally many bins, is accepted."
            )
    return real.double(), fake.double()
