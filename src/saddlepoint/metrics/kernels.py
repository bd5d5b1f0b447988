"""Maximum mean discrepancy between two sets of features (Gretton et al. 2012), KID among them (Bińkowski et al. 2018).

Everything here is the unbiased estimate of the squared MMD, which may be below 0; neither the biased one nor its root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.metrics.intervals import squared_norm
from saddlepoint.metrics.kernel_sums import Discrepancy, Kernel, kernel_blocks
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import distances, matrices
from saddlepoint.metrics.score import Interval
from saddlepoint.objectives.metrics import GaussianKernel
from saddlepoint.objectives.metrics import Kernel as DistanceKernel
from saddlepoint.random import generator

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)  # bandwidths, in medians of the pooled distances
MEDIAN_ROWS = 1000  # of each set, from which the median is taken


class KID(NamedTuple):
    """value: mean over subsets. deviation: standard deviation over subsets, which papers print behind ±; of that many
    subsets of that many rows a side."""

    value: float
    deviation: float
    subsets: int
    size: int


class MMDTest(NamedTuple):
    """The unbiased squared MMD, and the share of relabellings that give at least as much (the labels at hand included)."""

    value: float
    p_value: float


@dataclass(frozen=True)
class Polynomial:
    """k(x, y) = (x·y/d + 1)³, d the width of a row: the kernel of KID."""

    degree: int = 3

    def __call__(self, rows: Tensor, others: Tensor) -> Tensor:
        # numpy sees where both factors are one matrix and computes half the products
        product = torch.from_numpy(rows.numpy() @ others.numpy().T)
        return product.div_(rows.shape[1]).add_(1).pow_(self.degree)


@dataclass(frozen=True)
class OfDistance:
    """A kernel of the squared distance, such as `GaussianKernel`, as one of two rows."""

    kernel: DistanceKernel

    def __call__(self, rows: Tensor, others: Tensor) -> Tensor:
        apart = torch.cdist(rows, others, compute_mode="donot_use_mm_for_euclid_dist")
        return self.kernel(apart.square())


def kernel_inception_distance(
    *, real: Tensor, fake: Tensor, subsets: int = 50, size: int = 1000, seed: int
) -> KID:
    """Mean over `subsets` of the unbiased squared MMD with (x·y/d + 1)³ between `size` rows of each side.

    Features [n, …] and [m, …], lower is better, may be below 0. A subset has no row twice; `size` is cut to the smaller
    set, and one subset is taken where each would be everything.
    """
    rows = matrices(real, fake, least=2)
    size, source = min(size, len(rows[0]), len(rows[1])), generator("cpu", "KID subsets", seed)
    values = []
    for _ in range(subsets if size < max(map(len, rows)) else 1):
        first, second = (side[torch.randperm(len(side), generator=source)[:size]] for side in rows)
        values.append(Discrepancy.of(first, second, Polynomial()).value)
    found = torch.tensor(values, dtype=torch.float64)
    return KID(float(found.mean()), float(found.std(correction=0)), len(found), size)


def kid_interval(*, real: Tensor, fake: Tensor, found: KID) -> Interval:
    """95 % interval for a KID found from these rows, as that of `mmd_squared`.

    Given the rows, the mean over random subsets scatters by deviation/√subsets about the estimate from all rows, whatever
    that is: its square is added to the variance b that does not depend on the distance.
    """
    slope, floor = Discrepancy.of(*matrices(real, fake, least=4), Polynomial()).variance
    return squared_norm(found.value, slope, floor + found.deviation**2 / found.subsets)


def mmd_squared(*, real: Tensor, fake: Tensor, kernel: Kernel) -> Measured:
    """Σ_{i≠j} k(x_i, x_j)/(n(n−1)) + Σ_{i≠j} k(y_i, y_j)/(m(m−1)) − 2 Σ k(x_i, y_j)/(nm) (Gretton et al. 2012, eq. 3).

    real [n, …], fake [m, …], n, m ≥ 4; its mean is the squared MMD θ at any n and m, and its variance is aθ + b
    (`Discrepancy.variance`). The 95 % interval holds the θ from which the estimate is not farther than 1.96 of the standard
    errors that it would have at θ, not at the estimate: low estimates have small standard errors, and those intervals
    would miss from below. The kernel is held fixed.
    """
    found = Discrepancy.of(*matrices(real, fake, least=4), kernel)
    return Measured(found.value, squared_norm(found.value, *found.variance))


def mmd_test(*, real: Tensor, fake: Tensor, kernel: Kernel, permutations: int = 199, seed: int) -> MMDTest:
    """`mmd_squared` and its permutation p-value (1 + #{permuted ≥ observed})/(1 + permutations).

    Exact at every n: under equal distributions p ≤ α happens with probability at most α. The kernel must not depend on
    the labels; a bandwidth is taken from both sets pooled (`median_distance`).
    """
    first, second = matrices(real, fake, least=2)
    pooled, n = torch.cat([first, second]), len(first)
    source = generator("cpu", "MMD permutations", seed)
    orders = [torch.randperm(len(pooled), generator=source) for _ in range(permutations)]
    member = torch.zeros(len(pooled), permutations + 1, dtype=torch.float64)
    for column, order in enumerate([torch.arange(len(pooled)), *orders]):
        member[order[:n], column] = 1
    within, touching, total = torch.zeros(permutations + 1).double(), torch.zeros_like(member[0]), 0.0
    for start, block in kernel_blocks(kernel, pooled, pooled):
        block[torch.arange(len(block)), start + torch.arange(len(block))] = 0
        own = member[start : start + len(block)]
        within += (own * (block @ member)).sum(0)
        touching += block.sum(1) @ own
        total += float(block.sum())
    m, across = len(second), touching - within
    values = within / (n * (n - 1)) + (total - within - 2 * across) / (m * (m - 1)) - 2 * across / (n * m)
    # sums in another order may differ in the last bits: what agrees to 1e-12 of the kernel's size counts as equal
    beaten = int((values[1:] >= values[0] - 1e-12 * abs(total) / len(pooled) ** 2).sum())
    return MMDTest(float(values[0]), (1 + beaten) / (1 + permutations))


def median_distance(*, real: Tensor, fake: Tensor) -> float:
    """Median distance between different rows of both sets pooled, of at most 1000 rows of each; 1 where it is 0."""
    pooled = torch.cat([side[:MEDIAN_ROWS] for side in matrices(real, fake)])
    upper = [
        block[index, start + index + 1 :]
        for start, block in distances(pooled, pooled)
        for index in range(len(block))
    ]
    return float(torch.cat(upper).median()) or 1.0


def gaussian_scales(*, real: Tensor, fake: Tensor, scales: tuple[float, ...] = SCALES) -> OfDistance:
    """Σ exp(−|x − y|²/(2s²)) over s = ¼, ½, 1, 2, 4 medians of the pooled distances; (1.0,) is the usual heuristic."""
    median = median_distance(real=real, fake=fake)
    return OfDistance(GaussianKernel(tuple(scale * median for scale in scales)))
