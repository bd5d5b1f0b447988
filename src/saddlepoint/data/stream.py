"""Endless sequences in blocks, each block a pure function of its number: random access without
remembering."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from saddlepoint.random import generator

BLOCK = 4096


def cut(block: Callable[[int], Tensor], length: int, start: int, count: int) -> Tensor:
    """A copy of entries start … start+count-1 of the sequence block(0), block(1), … of `length` entries
    each."""
    if start < 0 or count < 1:
        raise ValueError(
            f"rows from {start}, {count} of them: a start of at least 0 and a count of at least 1"
        )
    last = (start + count - 1) // length
    if start // length == last:  # nearly always
        return block(last)[start - last * length : start - last * length + count].clone()
    made, filled = torch.empty(0), 0
    for number in range(start // length, last + 1):
        first = number * length
        piece = block(number)[max(start - first, 0) : start + count - first]
        if not filled:  # room for all at once: too many rows are noticed before they are drawn
            made = piece.new_empty((count, *piece.shape[1:]))
        made[filled : filled + len(piece)] = piece
        filled += len(piece)
    return made


@lru_cache(maxsize=4)  # the current epoch, its neighbour where a batch straddles them, and one more user
def permutation(seed: int, epoch: int, length: int) -> Tensor:
    """The order of epoch `epoch`: a uniform permutation of 0 … length-1. Not to be written to."""
    return torch.randperm(length, generator=generator("cpu", "order", seed, epoch))


@lru_cache(maxsize=4)
def coins(seed: int, number: int) -> Tensor:
    """Block `number` of the fair coins that decide which rows are flipped. Not to be written to."""
    return torch.rand(BLOCK, generator=generator("cpu", "flip", seed, number)) < 0.5
