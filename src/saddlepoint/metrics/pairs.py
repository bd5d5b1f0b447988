"""Means over pairs of rows, of all and without each group of rows: the jackknife of a U-statistic from one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from saddlepoint.metrics.intervals import GROUPS, groups_of
from saddlepoint.random import generator

Blocks = Callable[[Tensor, Tensor], Iterator[tuple[int, Tensor]]]
"""Numbers of all pairs of a row of the first and one of the second, in blocks, as `samples.distances` gives them."""


def left_out_means(
    sides: tuple[Tensor, Tensor], blocks: Blocks
) -> dict[tuple[int, int], tuple[Tensor, Tensor]]:
    """For the pairs across the sides (0, 1), and those inside each, (0, 0) and (1, 1), which are never of a row with itself:
    the mean, and float64 [groups] the mean without the pairs that a group takes part in. There are 20 random groups of
    both sides, fewer where they would have fewer than two rows."""
    groups, source = min(GROUPS, min(map(len, sides)) // 2), generator("cpu", "groups of rows")
    members = [
        torch.nn.functional.one_hot(groups_of(len(side), groups, source), groups).double() for side in sides
    ]
    return {
        pair: _means(sides, members, pair, blocks(sides[pair[0]], sides[pair[1]]))
        for pair in ((0, 1), (0, 0), (1, 1))
    }


def _means(
    sides: tuple[Tensor, Tensor],
    members: list[Tensor],
    pair: tuple[int, int],
    blocks: Iterator[tuple[int, Tensor]],
) -> tuple[Tensor, Tensor]:
    one, other = pair
    parts = []
    for start, block in blocks:
        if one == other:
            own = torch.arange(len(block))
            block[own, start + own] = 0
        parts.append(block.double() @ members[other])
    sums = members[one].T @ torch.cat(parts)
    pairs = torch.outer(members[one].sum(0), members[other].sum(0))
    if one == other:
        pairs = pairs - members[one].sum(0).diag()
    return sums.sum() / pairs.sum(), _without(sums) / _without(pairs)


def _without(table: Tensor) -> Tensor:
    """Sum of the table [g, g] without row and column i, for each i."""
    return table.sum() - table.sum(0) - table.sum(1) + table.diag()
