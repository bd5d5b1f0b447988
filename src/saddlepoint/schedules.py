"""Numbers that change during a run, as values.

Wherever a value has a number that may change (a learning rate, a penalty weight), a schedule may stand in its
place. `now(number, clock)` gives the present value. The clock holds `step` (moves so far), `images` (training
rows seen so far) and `progress` (the spent share of the budget, 0 to 1); in the plain execution these are Python
numbers, in the compiled one 0-dimensional tensors, so that a changing number never makes a new graph.

A schedule with `over=None` spans the whole run and so needs an end: a budget in seconds refuses it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.errors import InputError

Clock = Mapping[str, Any]
Number = Any  # float | Tensor


@dataclass(frozen=True)
class Schedule:
    """A number that depends on the clock."""

    def at(self, clock: Clock) -> Number:
        raise NotImplementedError

    @property
    def needs_end(self) -> bool:
        return getattr(self, "over", 0) is None


def now(number: Number, clock: Clock | None = None) -> Number:
    """The present value of a number or schedule."""
    if not isinstance(number, Schedule):
        return number
    if clock is None:
        raise ValueError(f"{number} changes with time and needs a clock: pass clock={{'images': ...}}")
    return number.at(clock)


def schedules(value: Any) -> Iterator[Schedule]:
    """Every schedule inside a value."""
    if isinstance(value, Schedule):
        yield value
    inside: Iterable[Any] = ()
    if is_dataclass(value):
        inside = (getattr(value, f.name) for f in fields(value))
    elif isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, (tuple, list)):
        inside = value
    for part in inside:
        yield from schedules(part)


def needs_end(value: Any) -> bool:
    """Whether any schedule inside a value spans the whole run."""
    return any(schedule.needs_end for schedule in schedules(value))


def share(over: int | None, clock: Clock) -> Number:
    """Elapsed share in [0, 1]: of `over` images, or of the whole budget."""
    if over is None:
        return clock["progress"]
    elapsed = clock["images"] / over
    return elapsed.clamp(max=1.0) if isinstance(elapsed, Tensor) else min(elapsed, 1.0)


@dataclass(frozen=True)
class Linear(Schedule):
    """start + (end − start)·u, u the elapsed share of `over` images (None: of the run), then constant."""

    start: float
    end: float
    over: int | None = None

    def at(self, clock: Clock) -> Number:
        return self.start + (self.end - self.start) * share(self.over, clock)


@dataclass(frozen=True)
class Cosine(Schedule):
    """end + (start − end)·(1 + cos πu)/2, u the elapsed share of `over` images (None: of the run)."""

    start: float
    end: float
    over: int | None = None

    def at(self, clock: Clock) -> Number:
        angle = math.pi * share(self.over, clock)
        cosine = torch.cos(angle) if isinstance(angle, Tensor) else math.cos(angle)
        return self.end + (self.start - self.end) * 0.5 * (1 + cosine)


@dataclass(frozen=True)
class Exponential(Schedule):
    """start·(end/start)^u, u the elapsed share of `over` images (None: of the run); both ends positive."""

    start: float
    end: float
    over: int | None = None

    def __post_init__(self) -> None:
        if not (self.start > 0 and self.end > 0):
            raise ValueError(f"Exponential goes between numbers above 0, not from {self.start} to {self.end}")

    def at(self, clock: Clock) -> Number:
        return self.start * (self.end / self.start) ** share(self.over, clock)


@dataclass(frozen=True)
class Decay(Schedule):
    """start·factor^step, never below `floor` (Goodfellow's published recipe divides by 1.000004 each step)."""

    start: float
    factor: float
    floor: float = 0.0

    def at(self, clock: Clock) -> Number:
        value = self.start * self.factor ** clock["step"]
        return value.clamp(min=self.floor) if isinstance(value, Tensor) else max(value, self.floor)


@dataclass(frozen=True)
class WarmUp(Schedule):
    """The number `then`, multiplied by min(1, images/over): a linear rise from 0."""

    then: float | Schedule
    over: int

    def at(self, clock: Clock) -> Number:
        return now(self.then, clock) * share(self.over, clock)

    @property
    def needs_end(self) -> bool:
        return needs_end(self.then)


@dataclass(frozen=True)
class Own(Schedule):
    """The number of this name that each member of a population has of its own (`saddlepoint.population`)."""

    name: str

    def at(self, clock: Clock) -> Number:
        try:
            return clock[self.name]
        except KeyError:
            raise InputError(
                f"{self} is a number that each member of a population has of its own, and there is none here"
            ) from None


@dataclass(frozen=True)
class Piecewise(Schedule):
    """values[i] from images >= at_images[i−1] on; one more value than boundary."""

    values: tuple[float, ...]
    boundaries: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError("Piecewise needs one more value than boundaries")

    def at(self, clock: Clock) -> Number:
        images = clock["images"]
        value: Number = self.values[0]
        for boundary, before, after in zip(self.boundaries, self.values, self.values[1:], strict=False):
            value = value + (after - before) * (images >= boundary)
        return value
