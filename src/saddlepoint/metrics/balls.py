"""Balls around the rows of a set, each reaching to the row's k-th neighbour, and which points they hold.

Rows of up to 64 numbers are compared by differences in float64. Longer ones by a float32 matrix product, |x|² + |y|² − 2xy
about a common centre; what its rounding leaves in doubt is decided by differences. Both give the same answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

import torch
from torch import Tensor
from torch.nn.functional import linear

from saddlepoint.errors import InputError
from saddlepoint.metrics.neighbours import LONG
from saddlepoint.metrics.samples import BLOCK, distances, distances_within

SPARE = 8  # neighbours looked at beyond the k-th, so that rounding seldom leaves a doubt
UNIT = torch.finfo(torch.float32).eps / 2


@dataclass(frozen=True, eq=False)
class Squares:
    """Squared distances of b rows, from row `start` of their set, to n others: none is below `low` [b, n] or above
    low + slack [b, 1] + other_slack [n]. Without slack `low` are the distances."""

    start: int
    low: Tensor
    rows: Tensor
    others: Tensor
    slack: Tensor | None = None
    other_slack: Tensor | None = None

    def within(self, limits: Tensor, strict: bool = False) -> Tensor:
        """Whether a squared distance is at most (strict: below) its limit, of [n] or [b, 1]; boolean [b, n]."""
        compare = torch.lt if strict else torch.le
        if self.slack is None or self.other_slack is None:
            return compare(self.low, limits)
        found = self.low <= limits.float()
        i, j = found.nonzero(as_tuple=True)
        limit = limits.expand(self.low.shape)[i, j]
        doubt = self.low[i, j] + self.slack[i, 0] + self.other_slack[j] >= limit
        i, j, limit = i[doubt], j[doubt], limit[doubt]
        found[i, j] = compare(_by_difference(self.rows, i, self.others, j), limit)
        return found


def squares(rows: Tensor, others: Tensor) -> Iterator[Squares]:
    """All squared distances in blocks."""
    return _exact(rows, others) if rows.shape[1] <= LONG else _by_product(rows, others)


def radii(role: str, rows: Tensor, k: int) -> Tensor:
    """Squared distance of each row to its k-th neighbour among the others of its set, float64 [n]; k < n."""
    if not 1 <= k < len(rows):
        raise InputError(f"k is {k} with {len(rows)} rows of {role}; 1 ≤ k < rows is needed.")
    if rows.shape[1] > LONG:
        return _Nearest.of(rows, k + SPARE).kth(k)
    return torch.cat([block.square().kthvalue(k, dim=1).values for _, block in distances_within(rows)])


def _exact(rows: Tensor, others: Tensor) -> Iterator[Squares]:
    for start, block in distances(rows, others):
        yield Squares(start, block.square(), rows[start : start + len(block)], others)


def _by_product(rows: Tensor, others: Tensor) -> Iterator[Squares]:
    centre = others.double().mean(0)
    asked, pool = _Factor.of(rows, centre), _Factor.of(others, centre).packed()
    step = max(1, BLOCK // len(others))
    for start, part in zip(range(0, len(rows), step), asked.split(step), strict=True):
        own = rows[start : start + step]
        yield Squares(start, part.packed().low(pool), own, others, part.slack[:, None], pool.slack)


@dataclass(frozen=True, eq=False)
class _Factor:
    """Rows less a centre, as a factor of products in float32, and their squared lengths [n].

    Rounding of a product of d terms: at most d UNIT |x||y| whatever the order of the sum; the rest of `share` is room for
    the rounding of the rows, their lengths and the limits.
    """

    moved: Tensor
    lengths: Tensor
    share: float

    @classmethod
    def of(cls, rows: Tensor, centre: Tensor) -> _Factor:
        moved = (rows - centre).float()
        return cls(moved, moved.square().sum(1), (rows.shape[1] + 16) * UNIT)

    @property
    def slack(self) -> Tensor:
        return 2 * self.share * self.lengths

    def split(self, step: int) -> list[_Factor]:
        parts = zip(self.moved.split(step), self.lengths.split(step), strict=True)
        return [_Factor(moved, lengths, self.share) for moved, lengths in parts]

    def packed(self) -> _Factor:
        """For many products: as oneDNN wants it. Its float32 products are never slower than `@`, and twice as fast on
        processors for which `@` has no code of its own."""
        if not torch.backends.mkldnn.is_available():
            return self
        return _Factor(self.moved.to_mkldnn(), self.lengths, self.share)

    def low(self, other: _Factor) -> Tensor:
        """Lower bounds of the squared distances to the other rows."""
        near, far = (1 - self.share) * self.lengths[:, None], (1 - self.share) * other.lengths
        product = linear(self.moved, other.moved).to_dense()
        return torch.add(far, product, alpha=-2, out=product).add_(near)


@dataclass(frozen=True, eq=False)
class _Nearest:
    """Of each of the rows the others with the least lower bounds: `low` ascending and `place` [n, kept]; infinity where
    there are no more."""

    rows: Tensor
    slack: Tensor
    low: Tensor
    place: Tensor

    @classmethod
    def of(cls, rows: Tensor, kept: int) -> _Nearest:
        """Each product of two blocks of rows is taken once and looked at from both sides."""
        factor, side = _Factor.of(rows, rows.double().mean(0)), max(1, isqrt(BLOCK) // 2)
        low, place = torch.full((len(rows), kept), torch.inf), torch.zeros(len(rows), kept, dtype=torch.long)
        found = cls(rows, factor.slack, low, place)
        parts = [part.packed() for part in factor.split(side)]
        for i, part in enumerate(parts):
            own = part.low(part).fill_diagonal_(torch.inf)
            found._look(i * side, own, i * side)
            for j in range(i + 1, len(parts)):
                block = part.low(parts[j])
                found._look(i * side, block, j * side)
                found._look(j * side, block.T.contiguous(), i * side)
        return found

    def _look(self, start: int, block: Tensor, first: int) -> None:
        """At rows from `start` on against those from `first` on."""
        own, kept = slice(start, start + len(block)), self.low.shape[1]
        low, place = block.topk(min(kept, block.shape[1]), dim=1, largest=False, sorted=False)
        low, place = torch.cat([self.low[own], low], 1), torch.cat([self.place[own], place + first], 1)
        self.low[own], order = low.topk(kept, dim=1, largest=False)
        self.place[own] = place.gather(1, order)

    def kth(self, k: int) -> Tensor:
        """k-th smallest distance of each row. Only candidates whose bounds leave their place in doubt are looked at; where
        even the last one's lower bound is below the k-th, a row beyond them may be nearer, and all are looked at."""
        high = self.low + self.slack[:, None] + self.slack[self.place]
        surely_below = high < self.low[:, k - 1 : k]
        doubt = (
            ~surely_below & (self.low <= high.kthvalue(k, dim=1, keepdim=True).values) & self.low.isfinite()
        )
        apart = torch.where(surely_below, -torch.inf, torch.inf).double()
        i, j = doubt.nonzero(as_tuple=True)
        apart[i, j] = _by_difference(self.rows, i, self.rows, self.place[i, j])
        found = apart.kthvalue(k, dim=1).values
        for row in (found > self.low[:, -1]).nonzero()[:, 0].tolist():
            others = torch.arange(len(self.rows))
            every = _by_difference(self.rows, torch.full_like(others, row), self.rows, others)
            every[row] = torch.inf
            found[row] = every.kthvalue(k).values
        return found


def _by_difference(rows: Tensor, i: Tensor, others: Tensor, j: Tensor) -> Tensor:
    """Squared distances of the pairs (i, j), float64, a bounded number at a time."""
    step = max(1, BLOCK // rows.shape[1])
    pieces = [
        (rows[own].double() - others[other].double()).square().sum(1)
        for own, other in zip(i.split(step), j.split(step), strict=True)
    ]
    return torch.cat(pieces)
