"""A finite data set: an array of rows, labels, and the split into what trains and what never does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saddlepoint.data.pixels import unit
from saddlepoint.data.split import Split
from saddlepoint.data.stream import BLOCK, coins, cut, permutation


class Rows(Protocol):
    """An array of rows, in memory, on disk, or put together when asked."""

    def __getitem__(self, index: NDArray[np.int64], /) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class Table:
    """Rows in an array (uint8 images are converted to [-1, 1] a batch at a time; float32 rows are as they
    are)."""

    name: str
    shape: tuple[int, ...]
    identity: str
    values: Rows = field(repr=False)
    split: Split = field(repr=False)
    labels: NDArray[np.int64] | None = field(default=None, repr=False)
    classes: tuple[str, ...] = field(default=(), repr=False)
    flip: bool = False
    resizing: str = "none"

    @property
    def size(self) -> int:
        return len(self.split.training)

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        order = cut(lambda epoch: permutation(seed, epoch, self.size), self.size, start, count)
        batch = self._take(self.split.training[order.numpy()])
        if self.flip:
            chosen = cut(lambda number: coins(seed, number), BLOCK, start, count)
            batch["real"][chosen] = batch["real"][chosen].flip(-1)
        return batch

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self._take(self.split.training[permutation(seed, 0, self.size).numpy()][:count])

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        side = self.split.held_out
        return self._take(side[permutation(seed, 0, len(side)).numpy()][:count])

    def _take(self, index: NDArray[np.int64]) -> dict[str, Tensor]:
        batch = {"real": unit(torch.from_numpy(np.ascontiguousarray(self.values[index])))}
        if self.labels is not None:
            batch["label"] = torch.from_numpy(self.labels[index])
        return batch
