"""Which numbers a value may hold. Fields of one name mean one thing everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from saddlepoint.errors import InputError

ABOVE_ZERO = {"lr", "over", "half_life", "ramp", "bound", "norm"}
BELOW_ONE = {"betas", "alpha", "momentum"}
NAMES = {"lr": "learning rate"}


def check_numbers(value: Any, where: str) -> None:
    """Raise InputError for a number inside `value` that cannot be used; a schedule may end at 0."""
    for place, number in numbers(value, where):
        path = place.split(".")
        name, accepted = path[-1], ""
        if not math.isfinite(number):
            accepted = "a finite number"
        if ABOVE_ZERO & set(path) and not (number > 0 or (number == 0 and name not in ABOVE_ZERO)):
            accepted = "a number above 0"
        if BELOW_ONE & set(path) and name != "over" and not 0 <= number < 1:
            accepted = "a number from 0 to below 1"
        if accepted:
            what = next((NAMES[part] for part in path if part in NAMES), "the number")
            raise InputError(f"{what} {number} ({place}) is not possible: give {accepted}")


def numbers(value: Any, where: str) -> Iterator[tuple[str, float]]:
    """Every number inside a value, with its place."""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, (int, float)):
        yield where, value
    elif is_dataclass(value):
        parts = [(f.name, getattr(value, f.name)) for f in fields(value)]
    elif isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, (tuple, list)):
        parts = enumerate(value)
    for name, part in parts:
        yield from numbers(part, f"{where}.{name}")
