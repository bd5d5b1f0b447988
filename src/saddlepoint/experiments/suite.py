"""The mode-collapse suite: what E05, E07, E13 and E17 found, as one table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from saddlepoint import experiments
from saddlepoint.experiments.accept import Numbers, median
from saddlepoint.experiments.collapse import WHAT

if TYPE_CHECKING:
    from saddlepoint.experiments.book import Book

IDS = ("E05", "E07", "E13", "E17")
TASKS = ("ring", "grid", "1200-D", "stacked digits")
SHORT = ("modes", "HQ", "variance", "KL")
HEAD = ("experiment", "method", *(f"{task}: {what}" for task in TASKS for what in SHORT))
SAID = (
    "Medians over the seeds. Modes found; share of samples of high quality (a perfect generator: 98.89 %); variance "
    "within the modes over the true one; KL of the shares of the modes to their own, in nats. The first line is what as "
    "many samples of a perfect generator are given. Inside an experiment all methods have the same budget of gradient "
    "evaluations, but for E13, whose methods have equal steps or equal evaluations as their names say."
)


def table(book: Book) -> list[tuple[str, ...]]:
    """A line for each method of each experiment; data sets that it did not play on are left empty."""
    found: list[tuple[str, ...]] = []
    for id in IDS:
        numbers = book.results(experiments.get(id)).numbers
        if not found and any(numbers):
            found.append(("", "perfect", *_cells("perfect", numbers)))
        for method in _methods(numbers):
            found.append((id, method, *_cells(method, numbers)))
    return found


def _methods(numbers: Sequence[Numbers]) -> Iterator[str]:
    """The names before ", TASK: modes", in their order."""
    names = (name for one in numbers for name in one)
    ends = tuple(f", {task}: {WHAT[0]}" for task in TASKS)
    known = (name.removesuffix(end) for name in names for end in ends if name.endswith(end))
    return (method for method in dict.fromkeys(known) if method not in ("perfect", "data"))


def _cells(method: str, numbers: Sequence[Numbers]) -> Iterator[str]:
    for task in TASKS:
        for what in WHAT:
            values = [one[name] for one in numbers if (name := f"{method}, {task}: {what}") in one]
            middle = median([value for value in values if not math.isnan(value)])
            yield "" if math.isnan(middle) else f"{middle:.3g}"
