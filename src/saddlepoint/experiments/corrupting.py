"""Metrics against graded corruptions of digits and of the ring (K52): what has to move, and what may stay where it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import stdev

import torch

from saddlepoint.data import load
from saddlepoint.data.protocol import Data
from saddlepoint.features import default_extractor
from saddlepoint.metrics import Measured, Metric, Quantities, Reference, catalogue
from saddlepoint.metrics.corruptions import Corruption, Made, Pool
from saddlepoint.metrics.quantities import OF_RUNS, OWN


def rows(*numbers: int) -> frozenset[str]:
    return frozenset(f"K{number:02}" for number in numbers)


EVERY = rows(*range(1, 52))
BLANKS = {  # rows that may be blind to a corruption: the table of K52
    "copies": EVERY - rows(44, 45, 46),  # distributions are those of the data; memorisation must be noticed
    "collapse": rows(1, 4, 5),  # the class of a sample is all that these look at
    "dropped": rows(3, 47),  # these look within a class, or at the samples alone
}
BY_DEFINITION = {  # and metrics whose definition leaves no choice
    ("auth-pct", "collapse"): "asks each sample by itself whether it is a copy",
    ("auth-pct", "dropped"): "asks each sample by itself whether it is a copy",
    ("class-modes", "collapse"): "counts classes, like the inception score",
    ("fractal-dimension", "shift"): "distances between samples are all that it sees",
    ("geometry-score", "shift"): "distances between samples are all that it sees",
    ("low-level", "dropped"): "spectrum, contrast and edges, which the images of all classes have in common",
    ("ms-ssim", "dropped"): "likeness of pairs, nine tenths of which are of two classes with and without",
    ("ms-ssim-class", "dropped"): "looks within classes, like m-IS",
    ("realism", "collapse"): "asks each sample by itself how real it is, and a sample many times over is as real as once",
    ("realism", "dropped"): "asks each sample by itself how real it is; recall asks the rest",
}  # fmt: skip
SYMMETRIC = {  # and where data leave none
    ("geometry-score", "ring", "dropped"): "modes are too far apart for it to join them to a loop",
    ("geometry-score", "ring", "noise"): "some noise opens holes between points, more of it fills them",
    ("boundary-distortion", "digits", "noise"): "the samples of a linear classifier of digits are noisy enough: more of "
    "it costs no accuracy, and adds less to the largest eigenvalue of a class than two halves of the data differ by",
    ("class-modes", "ring", "noise"): "noise carries as many points into a mode as out of it",
}  # fmt: skip


def of_samples() -> tuple[Metric, ...]:
    """The metrics that judge samples, and do not look into a run."""
    every = map(catalogue.get, catalogue.names())
    return tuple(m for m in every if set(m.asks) & OWN - OF_RUNS and not set(m.asks) & OF_RUNS)


def allowed(metric: Metric, corruption: str) -> bool:
    """Whether the metric may say that this corruption leaves it alone."""
    return set(metric.rows) <= BLANKS.get(corruption, frozenset()) or (metric.id, corruption) in BY_DEFINITION


def blank(metric: Metric, setting: str, corruption: str) -> bool:
    """Whether this cell of the matrix asks for nothing."""
    return corruption in metric.unmoved or (metric.id, setting, corruption) in SYMMETRIC


@dataclass(frozen=True, eq=False)
class Setting:
    """n held-out rows of a data set, n training rows, and a pool of other rows to corrupt."""

    name: str
    n: int
    seed: int = 0
    readings: dict[tuple[str, object], dict[str, float]] = field(default_factory=dict)

    @cached_property
    def data(self) -> Data:
        return load(self.name)

    @cached_property
    def reference(self) -> Reference:
        return Reference(self.data, default_extractor(self.data), self.n, self.seed)

    @cached_property
    def pool(self) -> Pool:
        rows = self.data.training(10 * self.n, self.seed)
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

    def clean(self, metric: Metric, count: int) -> dict[str, list[float]]:
        """The faults of so many sets of real rows, by score: their spread is the noise."""
        found = [self.fault(metric, None, 0, seed) for seed in range(count)]
        return {name: [one[name] for one in found] for name in metric.better}

    def responses(
        self, metric: Metric, corruption: Corruption, clean: int, highest: bool = False
    ) -> Iterator[Response]:
        """One for each score of the metric, over all grades or the highest alone."""
        usual, grades = self.clean(metric, clean), corruption.grades[-1:] if highest else corruption.grades
        readings = [self.fault(metric, corruption, grade, 0) for grade in grades]
        for name in metric.better:
            yield Response(tuple(usual[name]), tuple(one[name] for one in readings))


@dataclass(frozen=True)
class Response:
    """Faults of a score for real rows, and grade by grade under a corruption."""

    usual: tuple[float, ...]
    at: tuple[float, ...]

    @property
    def margin(self) -> float:
        """How much worse the highest grade is than all real rows, in their standard deviations."""
        whole, spread = self.at[-1] - max(self.usual), stdev(self.usual)
        return whole / spread if spread else math.copysign(math.inf, whole) if whole else 0.0

    @property
    def worsens(self) -> bool:
        """Worse than all real rows at the highest grade, by more than their spread, and never better on the way by more
        than a tenth of the whole."""
        whole = self.at[-1] - max(self.usual)
        slack = max(4 * stdev(self.usual), 0.1 * whole)
        steps = zip([min(self.usual), *self.at], self.at, strict=False)
        return whole > stdev(self.usual) and all(after >= before - slack for before, after in steps)


def faults(metric: Metric, found: Mapping[str, Measured]) -> dict[str, float]:
    """Larger is worse; what could not be measured is as bad as can be."""
    return {name: fault(metric, name, found) for name in metric.better}


def fault(metric: Metric, name: str, found: Mapping[str, Measured]) -> float:
    if name not in found:
        return math.inf
    value, best = found[name].value, metric.better[name]
    return value if best == "lower" else -value if best == "higher" else abs(value - float(best))
