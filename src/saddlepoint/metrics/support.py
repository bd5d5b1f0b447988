"""How much there is to draw: mass of the data inside the reach of the fakes, and the number of different fakes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import GROUPS, exponential, jackknife
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.pairs import left_out_means
from saddlepoint.metrics.samples import distances, distances_within, matrices, matrix
from saddlepoint.metrics.score import bootstrap_interval

WIDTHS = tuple(2.0**power for power in range(-7, 7))  # each twice the one before
REACH = 0.95  # share of the fakes inside their own reach
LEAST_SPREAD = 1e-100
LEAST_LOG = -1e300  # of a density that rounds to 0


def kde_coverage(*, real: Tensor, fake: Tensor, seed: int = 0) -> Measured:
    """P_real(q̂ > t), where q̂ is a kernel density of the fakes and t leaves 5 % of the fakes below it: 0.95 for equal
    distributions, less where real rows lie outside, more where the fakes are spread too wide.

    Tolstikhin et al. 2017, section 4. Gaussian kernels of one width for all rows, [n, …] and [m, …]. The width is the
    one of 14 (the median distance times 2^−7 … 2^6) with the highest likelihood of fakes under the others. Deviation:
    each fake is judged by all others, not by a split, and the median is over all pairs, not over consecutive rows, so
    that nothing depends on the order. Kernel densities say little beyond some ten dimensions.
    The interval is a bootstrap over the densities at real and at fake rows; the density itself is held fixed.
    """
    reals, fakes = matrices(real, fake, least=3)
    widths = _typical_distance(fakes) * torch.tensor(WIDTHS, dtype=torch.float64)
    own = _own_log_densities(fakes, widths)
    best = int(own.mean(1).argmax())
    within, across = own[best], _log_densities(reals, fakes, float(widths[best]))
    interval = bootstrap_interval(across, within, seed=seed, statistic=_above_threshold)
    return Measured(float(_above_threshold(across.numpy(), within.numpy())), interval)


def _above_threshold(reals: NDArray, fakes: NDArray, axis: int = -1) -> NDArray:
    """Share of the reals above the 5 % point of the fakes, along the axis."""
    rank = int((1 - REACH) * fakes.shape[axis])
    threshold = np.take(np.partition(fakes, rank, axis=axis), [rank], axis=axis)
    share: NDArray = np.mean(reals > threshold, axis=axis)
    return share


def _typical_distance(rows: Tensor) -> float:
    """Median distance between different rows, the first 2000 of them; a hair above 0 where most are equal."""
    blocks = (block[torch.isfinite(block)] for _, block in distances_within(rows[:2000]))
    return max(LEAST_SPREAD, float(torch.cat(list(blocks)).median()))


def _log_densities(rows: Tensor, centres: Tensor, width: float) -> Tensor:
    """log mean of exp(−d²/2h²) over the centres, less D ln h (constants that all widths share are left out)."""
    sums = [torch.logsumexp(-0.5 * (block / width).square(), 1) for _, block in distances(rows, centres)]
    return torch.cat(sums).clamp_min(LEAST_LOG) - math.log(len(centres)) - rows.shape[1] * math.log(width)


def _own_log_densities(rows: Tensor, widths: Tensor) -> Tensor:
    """The same of each row under all others, [widths, rows]. Each width is half of the next, which takes a kernel to its
    fourth power: one exponential is taken, relative to the nearest row, and squared on. It is then known to 1e-7."""
    parts = []
    for _, block in distances_within(rows):
        squares = block.square()
        least = squares.amin(1)
        kernels = torch.exp(-(squares - least[:, None]) / (2 * widths[-1] ** 2))
        sums = []
        for width in widths.flip(0):
            sums.append(kernels.sum(1).log() - least / (2 * width**2))
            kernels = kernels.square_().square_()
        parts.append(torch.stack(sums[::-1]))
    shift = math.log(len(rows) - 1) + rows.shape[1] * widths.log()
    return torch.cat(parts, 1).clamp_min(LEAST_LOG) - shift[:, None]


def effective_support(*, samples: Tensor, threshold: float = 0.0) -> Measured:
    """Pairs over colliding pairs: an unbiased estimate of Σ p² turned over, which for N equally likely samples is N.

    Two rows collide when they are no farther apart than `threshold`. Arora and Zhang 2017 look for the batch in which
    a collision is as likely as not (`birthday_batch` of the support) and let people judge collisions; here all pairs
    count. For unequal probabilities it is the effective number 1/Σp², which rare samples hardly raise.
    Without any collision the number of pairs, a lower bound, is given, without an interval; else the interval is that
    of the U-statistic on the logarithmic scale.
    """
    if not threshold >= 0:
        raise InputError(f"threshold is {threshold}; collisions need a distance of at least 0.")
    rows = matrix("samples", samples, least=3).double()
    hits = torch.cat([(block <= threshold).sum(1) for _, block in distances_within(rows)]).double()
    n, pairs = len(rows), len(rows) * (len(rows) - 1) / 2
    if not hits.any():
        return Measured(pairs, note="no two samples are alike: a lower bound")
    rate = float(hits.sum()) / (2 * pairs)
    first_order = max(0.0, float((hits / (n - 1)).var()) - rate * (1 - rate) / (n - 1))
    variance = 4 * first_order / n + rate * (1 - rate) / pairs
    return exponential(-math.log(rate), math.sqrt(variance) / rate)


def support_overlap(*, real: Tensor, fake: Tensor, threshold: float = 0.0) -> Measured:
    """P(a real row and a fake collide) over the geometric mean of that for two real rows and for two fakes: 1 for equal
    distributions, 0 where nothing is shared.

    The three rates share their rows, so the interval leaves out one of 20 groups of both at a time (jackknife). Where
    one side has no collision at all, 0 without an interval.
    """
    found = left_out_means(matrices(real, fake, least=2 * GROUPS), partial(_collisions, threshold))
    (across, first, second), without = zip(*found.values(), strict=True)
    if not first * second:
        return Measured(0.0, note="no two real rows, or no two fakes, are alike")
    value = float(across / (first * second).sqrt())
    low, high = jackknife(value, (without[0] / (without[1] * without[2]).sqrt()).nan_to_num())
    return Measured(value, (max(0.0, low), high))


def _collisions(threshold: float, rows: Tensor, others: Tensor) -> Iterator[tuple[int, Tensor]]:
    return ((start, (block <= threshold).double()) for start, block in distances(rows, others))


def collision_threshold(*, real: Tensor, quantile: float) -> float:
    """The distance that this share of real rows has a nearest other row within."""
    rows = matrix("real", real, least=2).double()
    nearest = torch.cat([block.amin(1) for _, block in distances_within(rows)])
    return float(torch.quantile(nearest, quantile))


def birthday_batch(*, support: float) -> int:
    """The smallest batch in which two of `support` equally likely samples are the same with probability ½ or more,
    from Π_{i<s} (1 − i/N) ≤ ½ exactly; about sqrt(2 N ln 2)."""
    distinct, batch = 1.0, 1
    while distinct > 0.5:
        distinct *= max(0.0, 1 - batch / support)
        batch += 1
    return batch


def duplicate_probability(*, support: int, draws: int, mass: float = 1.0) -> float:
    """Probability that M draws hold two equal ones of a set of N equally likely samples with probability ρ together,
    the rest never repeating: Σ_k Bin(k; M, ρ) (1 − Π_{i<k} (1 − i/N)).

    Exact. 1 − exp(−(M² − M) ρ/(2N)), which is often printed, is no bound for ρ < 1.
    """
    if support < 1 or draws < 0 or not 0 <= mass <= 1:
        raise InputError(
            f"support {support}, draws {draws} and mass {mass} are refused; support ≥ 1, draws ≥ 0 and 0 ≤ mass ≤ 1."
        )
    from scipy.stats import binom

    steps = (1 - torch.arange(draws, dtype=torch.float64) / support).clamp_min(0)
    distinct = torch.cat([torch.ones(1, dtype=torch.float64), steps.cumprod(0)])  # of k draws, k = 0 … M
    weights = torch.tensor(binom.pmf(range(draws + 1), draws, mass))
    return float((weights * (1 - distinct)).sum())
