"""A data set made from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from saddlepoint.data.protocol import Data

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Derived:
    """What `base` is, wherever a subclass does not say otherwise."""

    base: Data

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
        return self.base.rows(seed, start, count)

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.base.training(count, seed)

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.base.held_out(count, seed)
