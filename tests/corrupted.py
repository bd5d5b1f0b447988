"""Metrics against graded corruptions of digits and of the ring: what the tests of all metrics share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch

from saddlepoint.data import load
from saddlepoint.data.protocol import Data
from saddlepoint.errors import InputError
from saddlepoint.features import default_extractor
from saddlepoint.metrics import Measured, Metric, Quantities, Reference
from saddlepoint.metrics.corruptions import Corruption, Made, Pool


@dataclass(frozen=True, eq=False)
class Setting:
    """n held-out rows of a data set, n training rows, and a pool of other rows to corrupt."""

    name: str
    n: int
    readings: dict[tuple[str, object], dict[str, float]] = field(default_factory=dict)

    @cached_property
    def data(self) -> Data:
        return load(self.name)

    @cached_property
    def reference(self) -> Reference:
        return Reference(self.data, default_extractor(self.data), self.n)

    @cached_property
    def pool(self) -> Pool:
        rows = self.data.training(10 * self.n)
        groups = rows.get("label")
        if groups is None:
            groups = torch.cdist(rows["real"], self.reference.centres).argmin(1)
        n = self.n
        return Pool(rows["real"][n:], groups[n:], rows["real"][:n], groups[:n])

    def quantities(self, made: Made) -> Quantities:
        labels = made[1] if self.data.classes else None
        return Quantities(self.reference, made[0], labels)

    def lacks(self, metric: Metric) -> str | None:
        return self.quantities(self.pool.drawn(self.n, 0)).lacks(metric)

    def fault(
        self, metric: Metric, corruption: Corruption | None, grade: float, seed: int
    ) -> dict[str, float]:
        """How far each score is from the best, larger is worse."""
        key = metric.id, (corruption and corruption.name, grade, seed)
        if key not in self.readings:
            drawn = corruption.apply(self.pool, self.n, grade, seed) if corruption else None
            made = drawn or self.pool.drawn(self.n, seed)
            self.readings[key] = faults(metric, self.quantities(made).measure(metric))
        return self.readings[key]


def faults(metric: Metric, found: Mapping[str, Measured]) -> dict[str, float]:
    """Larger is worse; what could not be measured is as bad as can be."""
    return {name: fault(metric, name, found) for name in metric.better}


def fault(metric: Metric, name: str, found: Mapping[str, Measured]) -> float:
    if name not in found:
        return math.inf
    value, best = found[name].value, metric.better[name]
    return value if best == "lower" else -value if best == "higher" else abs(value - float(best))


def refused(metric: Metric, quantities: Quantities) -> str:
    """The sentence with which it refuses; empty where it does not."""
    try:
        found = quantities.measure(metric)
    except InputError as error:
        return str(error)
    assert all(isinstance(one.value, float) for one in found.values())
    return ""
