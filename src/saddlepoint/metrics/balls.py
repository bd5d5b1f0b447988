"""Balls around the rows of a set, each reaching to the row's k-th neighbour, and which points they hold.

Rows of up to 64 numbers are compared by differences in float64. Longer ones by a float32 matrix product, |x|² + |y|² − 2xy
about a common centre; what its rounding leaves in doubt is decided by differences. Both give the same answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.neighbours import LONG
from saddlepoint.metrics.samples import BLOCK, distances

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


def squares(rows: Tensor, others: Tensor | None = None) -> Iterator[Squares]:
    """All squared distances in blocks; without `others` those inside one set, of a row to itself infinity."""
    pool = rows if others is None else others
    for block in _exact(rows, pool) if rows.shape[1] <= LONG else _by_product(rows, pool):
        if others is None:
            own = torch.arange(len(block.low))
            block.low[own, block.start + own] = torch.inf
        yield block


def radii(role: str, rows: Tensor, k: int) -> Tensor:
    """Squared distance of each row to its k-th neighbour among the others of its set, float64 [n]; k < n."""
    if not 1 <= k < len(rows):
        raise InputError(f"k is {k} with {len(rows)} rows of {role}; 1 ≤ k < rows is needed.")
    return torch.cat([_kth(block, k) for block in squares(rows)])


def _exact(rows: Tensor, others: Tensor) -> Iterator[Squares]:
    for start, block in distances(rows, others):
        yield Squares(start, block.square(), rows[start : start + len(block)], others)


def _by_product(rows: Tensor, others: Tensor) -> Iterator[Squares]:
    """Rounding of a product of d terms: at most d UNIT |x||y| whatever the order of the sum; the rest is room for the
    rounding of the rows, their lengths and the limits."""
    centre = others.double().mean(0)
    left, right = (rows - centre).float(), (others - centre).float()
    share = (rows.shape[1] + 16) * UNIT
    far, wide = left.square().sum(1, keepdim=True), right.square().sum(1)
    step = max(1, BLOCK // len(others))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        low = torch.addmm((1 - share) * wide, left[part], right.T, alpha=-2).add_((1 - share) * far[part])
        yield Squares(start, low, rows[part], others, 2 * share * far[part], 2 * share * wide)


def _kth(block: Squares, k: int) -> Tensor:
    """k-th smallest distance of each row. Of the candidates only those whose bounds leave their place in doubt are looked at;
    where even the last one's lower bound is below the k-th, a row beyond them may be nearer, and all are looked at."""
    if block.slack is None or block.other_slack is None:
        return block.low.kthvalue(k, dim=1).values
    n = block.low.shape[1]
    low, place = block.low.topk(min(k + SPARE, n), dim=1, largest=False)
    high = low + block.slack + block.other_slack[place]
    surely_below = high < low[:, k - 1 : k]
    doubt = ~surely_below & (low <= high.kthvalue(k, dim=1, keepdim=True).values) & low.isfinite()
    apart = torch.where(surely_below, -torch.inf, torch.inf).double()
    i, j = doubt.nonzero(as_tuple=True)
    apart[i, j] = _by_difference(block.rows, i, block.others, place[i, j])
    found = apart.kthvalue(k, dim=1).values
    for row in (found > low[:, -1]).nonzero()[:, 0].tolist() if low.shape[1] < n else []:
        every = _by_difference(block.rows, torch.full((n,), row), block.others, torch.arange(n))
        every[block.low[row].isinf()] = torch.inf
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
