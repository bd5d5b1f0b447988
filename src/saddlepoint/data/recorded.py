"""The data set that a run was trained on, as its record knows it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from saddlepoint.data import load
from saddlepoint.data.protocol import Data
from saddlepoint.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


class Recorded:
    """Shape, classes and identity from the record of a run; rows are looked for when somebody asks for one, so that
    a run can be sampled where its data are not. Data that have changed since are refused."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._record = record
        self.name, self.identity = str(record["spec"]), str(record["identity"])
        self.shape, self.classes = tuple(record["shape"]), tuple(record["classes"])
        self.size: int | None = record["size"]

    @cached_property
    def present(self) -> Data:
        """The data set itself."""
        options = dict(self._record["options"])
        if isinstance(options.get("size"), list):
            options["size"] = tuple(options["size"])
        data = load(self._record["spec"], **options)
        if data.identity != self.identity:
            raise InputError(
                f"the data set {self.name} has changed since the run was trained: put it back, or evaluate with --data"
            )
        return data

    @property
    def resizing(self) -> str:
        return self.present.resizing

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        return self.present.rows(seed, start, count)

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.present.training(count, seed)

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.present.held_out(count, seed)
