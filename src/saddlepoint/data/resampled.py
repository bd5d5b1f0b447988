"""Rows of a data set drawn with weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from saddlepoint.data.protocol import Data
from saddlepoint.data.stream import BLOCK, cut
from saddlepoint.random import generator

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Resampled:
    """The training stream draws, independently, row i of `pool` with probability `weight[i]` [rows]; `pool` is rows of
    `base`. All else is as in `base`."""

    base: Data
    pool: dict[str, Tensor] = field(repr=False)
    weight: Tensor = field(repr=False)

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def shape(self) -> tuple[int, ...]:
        return self.base.shape

    @property
    def classes(self) -> tuple[str, ...]:
        return self.base.classes

    @property
    def size(self) -> int | None:
        return self.base.size

    @property
    def identity(self) -> str:
        return self.base.identity

    @property
    def resizing(self) -> str:
        return self.base.resizing

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        ends = self.weight.double().cumsum(0)

        def block(number: int) -> Tensor:
            source = generator("cpu", "resampled", seed, number)
            places = torch.rand(BLOCK, generator=source, dtype=torch.float64) * ends[-1]
            return torch.searchsorted(ends, places, right=True).clamp(max=len(ends) - 1)

        index = cut(block, BLOCK, start, count)
        return {name: rows[index] for name, rows in self.pool.items()}

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.base.training(count, seed)

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.base.held_out(count, seed)
