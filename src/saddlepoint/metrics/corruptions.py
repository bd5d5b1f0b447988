"""Graded corruptions of real rows (K52): what every metric must notice, or say that it does not.

Grades of one corruption share their random numbers, so that a stronger one changes the same rows, and further.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from saddlepoint.errors import InputError
from saddlepoint.random import generator

NEAR = 0.01  # of the standard deviation: how near to each other collapsed rows lie


@dataclass(frozen=True, eq=False)
class Pool:
    """Real rows [N, …] that stand for a perfect generator, with the class or mode of each, int64 [N], and the
    training rows with theirs, for copies. Images lie in [−1, 1] and stay there."""

    rows: Tensor
    groups: Tensor
    training: Tensor
    training_groups: Tensor

    def drawn(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """n different rows with their groups."""
        return _first(self.rows, self.groups, torch.ones(len(self.rows), dtype=torch.bool), n, seed)

    def kept(self, rows: Tensor) -> Tensor:
        return rows.clamp(-1, 1) if rows.dim() == 4 else rows


Made = tuple[Tensor, Tensor]  # rows and their groups


@dataclass(frozen=True)
class Corruption:
    """`apply(pool, n, grade, seed)` gives n rows with their groups; grade 0 leaves real rows as they are."""

    name: str
    grades: tuple[float, float, float]
    apply: Callable[[Pool, int, float, int], Made] = field(repr=False)
    images: bool = False  # for images alone


def shift(pool: Pool, n: int, grade: float, seed: int) -> Made:
    """Every number moved by `grade` standard deviations of its own column."""
    rows, groups = pool.drawn(n, seed)
    return pool.kept(rows + grade * pool.rows.std(0)), groups


def dropped(pool: Pool, n: int, grade: float, seed: int) -> Made:
    """No row of `grade` classes or modes with consecutive numbers, of which the seed chooses the first. (Those of a
    ring lie side by side: without every other one it would keep its mean and covariance.)"""
    every = pool.groups.unique()
    first = int(torch.randint(len(every), (), generator=generator("cpu", "dropped", seed)))
    left = ~torch.isin(pool.groups, every.roll(-first)[: int(grade)])
    return _first(pool.rows, pool.groups, left, n, seed)


def collapse(pool: Pool, n: int, grade: float, seed: int) -> Made:
    """A share `grade` of the rows lies within .01 standard deviations of one row: an image of one of its class, a
    point of one of all, since the points of a mode are near to each other as they are."""
    rows, groups = pool.drawn(n, seed)
    within = pool.groups if rows.dim() == 4 else torch.zeros_like(pool.groups)
    every = within.unique()
    one = pool.rows[torch.stack([(within == group).nonzero()[0, 0] for group in every])]
    source = generator("cpu", "collapse", seed)
    spread = NEAR * pool.rows.std() * torch.randn(rows.shape, generator=source)
    near = one[torch.searchsorted(every, groups) if rows.dim() == 4 else 0] + spread
    return _mixed(rows, pool.kept(near), grade, seed), groups


def copies(pool: Pool, n: int, grade: float, seed: int) -> Made:
    """A share `grade` of the rows are training rows, bit by bit."""
    rows, groups = pool.drawn(n, seed)
    some = torch.ones(len(pool.training), dtype=torch.bool)
    copied, theirs = _first(pool.training, pool.training_groups, some, n, seed)
    return _mixed(rows, copied, grade, seed), _mixed(groups, theirs, grade, seed)


def blur(pool: Pool, n: int, grade: float, seed: int) -> Made:
    """A Gaussian filter whose standard deviation is `grade` of the shorter side; edges repeat."""
    rows, groups = pool.drawn(n, seed)
    sigma = grade * min(rows.shape[2:])
    reach = min(max(1, round(3 * sigma)), min(rows.shape[2:]) - 1)
    weights = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * max(sigma, 1e-6) ** 2))
    kernel = (weights / weights.sum()).expand(rows.shape[1], 1, 1, -1)
    padded = functional.pad(rows, (reach,) * 4, mode="replicate")
    once = functional.conv2d(padded, kernel, groups=rows.shape[1])
    return functional.conv2d(once, kernel.transpose(2, 3), groups=rows.shape[1]), groups


def noise(pool: Pool, n: int, grade: float, seed: int) -> Made:
    """Gaussian noise of `grade` standard deviations of all numbers."""
    rows, groups = pool.drawn(n, seed)
    source = generator("cpu", "noise", seed)
    return pool.kept(rows + grade * pool.rows.std() * torch.randn(rows.shape, generator=source)), groups


CORRUPTIONS = (
    Corruption("shift", (0.25, 0.5, 1.0), shift),
    Corruption("dropped", (1, 2, 4), dropped),
    Corruption("collapse", (0.3, 0.6, 1.0), collapse),
    Corruption("copies", (0.3, 0.6, 1.0), copies),
    Corruption("blur", (1 / 16, 1 / 8, 1 / 4), blur, images=True),
    Corruption("noise", (0.05, 0.2, 0.5), noise),
)


def _mixed(rows: Tensor, others: Tensor, share: float, seed: int) -> Tensor:
    """The rows with a share of them exchanged, in places that a larger share exchanges too."""
    order = torch.randperm(len(rows), generator=generator("cpu", "exchanged", seed))
    changed = order[: round(share * len(rows))]
    return rows.index_copy(0, changed, others[changed])


def _first(rows: Tensor, groups: Tensor, among: Tensor, n: int, seed: int) -> Made:
    """n different rows among those marked."""
    order = torch.randperm(len(rows), generator=generator("cpu", "drawn", seed))
    chosen = order[among[order]][:n]
    if len(chosen) < n:
        raise InputError(
            f"{n} rows are asked for, and {len(chosen)} of {len(rows)} are there to be corrupted."
        )
    return rows[chosen], groups[chosen]
