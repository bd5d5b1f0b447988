"""Rows of a data set drawn with weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from saddlepoint.data.derived import Derived
from saddlepoint.data.stream import BLOCK, cut
from saddlepoint.random import generator

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Resampled(Derived):
    """The training stream draws, independently, row i of `pool` with probability `weight[i]` [rows]; `pool` is rows of
    `base`."""

    pool: dict[str, Tensor] = field(repr=False)
    weight: Tensor = field(repr=False)

    @cached_property
    def _ends(self) -> Tensor:
        return self.weight.double().cumsum(0)

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        ends = self._ends

        def block(number: int) -> Tensor:
            source = generator("cpu", "resampled", seed, number)
            places = torch.rand(BLOCK, generator=source, dtype=torch.float64) * ends[-1]
            return torch.searchsorted(ends, places, right=True).clamp(max=len(ends) - 1)

        index = cut(block, BLOCK, start, count)
        return {name: rows[index] for name, rows in self.pool.items()}
