"""A labelled set of which training sees few labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from saddlepoint.data.derived import Derived
from saddlepoint.data.protocol import Data
from saddlepoint.data.split import fingerprint
from saddlepoint.data.stream import cut
from saddlepoint.errors import InputError
from saddlepoint.random import generator

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class FewLabels(Derived):
    """The rows of `base` without their labels, and beside them rows "labelled" with labels "labelled_label": the same
    `per_class` rows of each class again and again, in a new order each time. Which rows is keyed by the seed, so that
    runs of several seeds differ in their labels too. Held-out rows keep all labels: they judge and never train."""

    per_class: int
    _few: dict[int, dict[str, Tensor]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.per_class < 1:
            raise InputError(f"{self.per_class} labelled rows of each class are none: give at least 1")
        if not self.base.classes:
            raise InputError(
                f"{self.base.name} has no labels of which {self.per_class} a class could be kept: give labelled data, "
                "such as a folder with a sub-folder for each class"
            )

    @property
    def identity(self) -> str:
        return fingerprint("few labels 1", self.base.identity, self.per_class)

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        return {"real": self.base.rows(seed, start, count)["real"], **self._labelled(seed, start, count)}

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        real = self.base.training(count, seed)["real"]
        return {"real": real, **self._labelled(seed, 0, len(real))}

    def few(self, seed: int) -> dict[str, Tensor]:
        """The rows whose labels are known: "real" [classes * per_class, *shape] and "label", class by class."""
        if seed not in self._few:
            self._few[seed] = self._found(seed)
        return self._few[seed]

    def _labelled(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        few = self.few(seed)
        total = len(few["label"])
        order = cut(
            lambda epoch: torch.randperm(total, generator=generator("cpu", "labelled", seed, epoch)),
            total,
            start,
            count,
        )
        return {"labelled": few["real"][order], "labelled_label": few["label"][order]}

    def _found(self, seed: int) -> dict[str, Tensor]:
        """The first of each class in an order keyed by the seed, looking at no more rows than it takes."""
        classes, count = len(self.classes), 2 * self.per_class * len(self.classes)
        while True:
            seen = self.base.training(count, seed)
            there = [torch.nonzero(seen["label"] == label).flatten() for label in range(classes)]
            poorest = min(range(classes), key=lambda label: len(there[label]))
            if len(there[poorest]) >= self.per_class:
                chosen = torch.cat([rows[: self.per_class] for rows in there])
                return {name: rows[chosen] for name, rows in seen.items()}
            if len(seen["label"]) < count or count > LARGEST:
                raise InputError(
                    f"class {self.classes[poorest]} of {self.name} has {len(there[poorest])} training rows, and "
                    f"labels of {self.per_class} are to be kept: give a smaller number"
                )
            count *= 2


LARGEST = 1 << 20  # rows of a density that are looked through for a rare class


def complete(data: Data) -> Data:
    """The set with all labels, by which others judge what was trained on few."""
    return data.base if isinstance(data, FewLabels) else data
