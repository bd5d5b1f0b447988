"""What a metric is: a value that says what it measures, what it asks for, and to what it is blind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from saddlepoint.metrics.score import Interval

Better = Literal["lower", "higher"] | float


@dataclass(frozen=True)
class Measured:
    """A value with its 95 % interval over samples, or None where the metric has none; a note says what else is to be
    known."""

    value: float
    interval: Interval | None = None
    note: str = ""


@dataclass(frozen=True)
class Metric:
    """A named metric. `measure` takes what it needs by argument name (`quantities.py` lists the names) and returns one
    `Measured` for each score.

    better: name of each score -> "lower", "higher", or the number that is best.
    rows: of the metric sheet, K01 to K52. blind: what it cannot see, for the person who reads the score.
    unmoved: graded corruptions that leave it alone by design (`corruptions.py`); every other must move it for the worse.
    slow: trains or searches something; left out unless asked for.
    """

    id: str
    title: str
    formula: str
    paper: str
    rows: tuple[str, ...]
    better: Mapping[str, Better]
    blind: str
    measure: Callable[..., Mapping[str, Measured]] = field(repr=False)
    unmoved: tuple[str, ...] = ()
    slow: bool = False
    version: int = 1

    @property
    def asks(self) -> tuple[str, ...]:
        """The quantities that it needs, by argument name."""
        return tuple(inspect.signature(self.measure).parameters)
