"""What the squared maximum mean discrepancy and its variance are made of: sums over one pass of the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.metrics.intervals import NORMAL_95
from saddlepoint.metrics.samples import BLOCK

Kernel = Callable[[Tensor, Tensor], Tensor]  # rows [b, d] and [m, d] -> [b, m]


class Variance(NamedTuple):
    """Of an estimate of a squared norm θ: slope·θ + floor."""

    slope: float
    floor: float


@dataclass(frozen=True, eq=False)
class Sums:
    """Of the kernel between rows of two sets, those of a row with itself apart: by row [n] and by column [m], of squares,
    and the trace, which is 0 for different sets."""

    rows: Tensor
    columns: Tensor
    squares: float
    trace: float = 0.0

    @property
    def total(self) -> float:
        return float(self.rows.sum())


@dataclass(frozen=True, eq=False)
class Discrepancy:
    """Two samples of n and m rows by their kernels: among real rows, among fakes, and across."""

    real: Sums
    fake: Sums
    across: Sums

    @classmethod
    def of(cls, real: Tensor, fake: Tensor, kernel: Kernel) -> Discrepancy:
        """From rows [n, d] and [m, d] in float64."""
        return cls(_within(kernel, real), _within(kernel, fake), _between(kernel, real, fake))

    @property
    def value(self) -> float:
        """The unbiased squared discrepancy."""
        n, m = self._sizes
        return (
            self.real.total / (n * (n - 1))
            + self.fake.total / (m * (m - 1))
            - 2 * self.across.total / (n * m)
        )

    @property
    def variance(self) -> Variance:
        """Of `value`, as a line in what it estimates, θ = |δ|², δ = μ_P − μ_Q the difference of mean features; n, m ≥ 4.

        Centre the features at their means. What is linear in the rows has the variance
        4 δᵀ(C_P/n + C_Q/m)δ, C the covariances of the features, and the rest, uncorrelated with it,
        b = 2 tr C_P²/(n(n−1)) + 2 tr C_Q²/(m(m−1)) + 4 tr C_P C_Q/(nm) (Hoeffding's decomposition; Serfling 1980,
        section 5.2). The former is aθ with a = 4 uᵀ(C_P/n + C_Q/m)u along the direction u of δ: the standard error
        grows as √θ, so that an estimate that is too low brings one that is too small.

        b is estimated without bias (`_squared_covariance`). The sample variance w of the rows' influences,
        4 (s_x²/n + s_y²/m), has the mean aθ + 2b up to 1/n, the second being the noise of the estimated δ, and
        so (w − 2b)/value estimates a; the value counts as at least 1.96√b there, below which it says nothing
        of δ. Nor is a below w/|δ̂|², a quotient that noise cannot make large: δ̂ is then turned to directions of less variance.
        """
        n, m = self._sizes
        product = _centred_squares(self.across, n, m) / ((n - 1) * (m - 1))
        floor = 4 * product / (n * m)
        floor += 2 * _squared_covariance(self.real) / (n * (n - 1))
        floor += 2 * _squared_covariance(self.fake) / (m * (m - 1))
        floor = max(0.0, floor)
        moved = (
            self.real.rows / (n - 1) - self.across.rows / m,
            self.fake.rows / (m - 1) - self.across.columns / n,
        )
        influence = 4 * float(moved[0].var() / n + moved[1].var() / m)
        known = max(self.value, NORMAL_95 * floor**0.5)
        slopes = [influence / self._biased] if self._biased > 0 else []
        slopes += [(influence - 2 * floor) / known] if known > 0 else []
        return Variance(max([0.0, *slopes]), floor)

    @property
    def _sizes(self) -> tuple[int, int]:
        return len(self.real.rows), len(self.fake.rows)

    @property
    def _biased(self) -> float:
        """|δ̂|², the squared distance of the mean features of the samples: every row with itself is counted."""
        n, m = self._sizes
        own = (self.real.total + self.real.trace) / n**2 + (self.fake.total + self.fake.trace) / m**2
        return own - 2 * self.across.total / (n * m)


def kernel_blocks(kernel: Kernel, rows: Tensor, others: Tensor) -> Iterator[tuple[int, Tensor]]:
    """The kernel in blocks: (number of the block's first row, [rows of the block, len(others)])."""
    step = max(1, BLOCK // len(others))
    for start in range(0, len(rows), step):
        yield start, kernel(rows[start : start + step], others)


def _between(kernel: Kernel, rows: Tensor, others: Tensor) -> Sums:
    sums, columns, squares = [], torch.zeros(len(others), dtype=torch.float64), 0.0
    for _, block in kernel_blocks(kernel, rows, others):
        sums.append(block.sum(1))
        columns += block.sum(0)
        squares += float(block.square().sum())
    return Sums(torch.cat(sums), columns, squares)


def _within(kernel: Kernel, rows: Tensor) -> Sums:
    sums, squares, trace = [], 0.0, 0.0
    for start, block in kernel_blocks(kernel, rows, rows):
        own = torch.arange(len(block))
        trace += float(block[own, start + own].sum())
        block[own, start + own] = 0
        sums.append(block.sum(1))
        squares += float(block.square().sum())
    found = torch.cat(sums)
    return Sums(found, found, squares, trace)


def _centred_squares(sums: Sums, n: float, m: float) -> float:
    """Σ (k_ij − r_i/m − c_j/n + S/(nm))² from sums by row r, by column c and of all S."""
    spread = float(sums.rows.square().sum()) / m + float(sums.columns.square().sum()) / n
    return sums.squares - spread + sums.total**2 / (n * m)


def _squared_covariance(sums: Sums) -> float:
    """tr C² of the features without bias, from kernels of different rows: the mean over four different rows i, j, k, l of
    k_ij (k_ij − 2 k_ik + k_kl), as sums (Székely and Rizzo 2014, the U-centred matrix)."""
    n = len(sums.rows)
    shared = 2 * float(sums.rows.square().sum()) / (n - 2)
    return (sums.squares - shared + sums.total**2 / ((n - 1) * (n - 2))) / (n * (n - 3))
