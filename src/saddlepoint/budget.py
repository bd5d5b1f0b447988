"""What a run may spend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from saddlepoint.errors import InputError


@dataclass(frozen=True)
class Budget:
    """Exactly one of steps, images, gradient evaluations or seconds (of training; evaluation and writing apart).

    The run ends with the first step at which the budget is spent. A run under seconds is a prefix of the same run under
    more seconds.
    """

    steps: int | None = None
    images: int | None = None
    gradients: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in asdict(self).items() if value is not None}
        if len(given) != 1:
            raise InputError(
                "a budget is exactly one of steps, images, gradients or seconds; "
                + (f"given were {', '.join(given)}" if given else "none was given")
            )
        if not (0 < self.limit < math.inf):
            raise InputError(f"{self.unit} {self.limit} is not a budget: give a number above 0")

    @property
    def unit(self) -> str:
        return next(name for name, value in asdict(self).items() if value is not None)

    @property
    def limit(self) -> float:
        return next(value for value in asdict(self).values() if value is not None)

    def spent(self, clock: Mapping[str, Any]) -> float:
        """The spent share of the budget, at most 1; `clock` with an entry "seconds"."""
        return min(1.0, self._used(clock) / self.limit)

    def done(self, clock: Mapping[str, Any]) -> bool:
        return self._used(clock) >= self.limit

    def _used(self, clock: Mapping[str, Any]) -> float:
        return clock["step" if self.steps is not None else self.unit]

    def progress(self, clock: Mapping[str, Any]) -> float:
        """`spent` for schedules: 0 under a budget in seconds, where nothing may depend on the end."""
        return 0.0 if self.seconds is not None else self.spent(clock)


def passed(before: float, after: float, marks: int) -> bool:
    """Whether one of `marks` equal parts of the budget ended between two spent shares."""
    return math.floor(after * marks + 1e-9) > math.floor(before * marks + 1e-9)
