"""What a claim is, as a value: what is measured, what it has to be, and where that is from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from saddlepoint.experiments.accept import Numbers, Range, at_least, at_most, median

__all__ = ["Check", "Numbers", "Range", "Source", "at_least", "at_most"]

Source = Literal["exact", "published-verified", "published-unverified", "chosen"]
"""`exact`: a closed form or another solver. `published-verified`: read in the authors' code or paper. `published-unverified`:
from memory. `chosen`: a threshold of our own for what a publication says in words."""


@dataclass(frozen=True)
class Check:
    """One "must show" of a row. `measure(seed)` gives numbers; those named in `accept` have to lie in their ranges, in at
    least `needed` of `seeds` seeds (`median`: their median has to). One seed: nothing in it is drawn at random. `figure`
    says what is published or exact, `budget` what one seed may take, `values` what else its result depends on."""

    row: str
    name: str
    figure: str
    source: Source
    accept: Mapping[str, Range]
    measure: Callable[[int], Numbers]
    seeds: int = 1
    needed: int | None = None
    median: bool = False
    budget: str = "no training"
    values: Sequence[object] = ()

    @property
    def key(self) -> str:
        return f"{self.row} {self.measure.__name__}"

    def passes(self, numbers: Numbers) -> bool:
        return all(name in numbers and numbers[name] in wanted for name, wanted in self.accept.items())

    def met(self, trials: Sequence[Numbers]) -> bool:
        """Over all seeds; a seed without numbers failed."""
        if not self.median:
            return sum(map(self.passes, trials)) >= (self.seeds if self.needed is None else self.needed)
        return len(trials) >= self.seeds and all(
            median([t.get(name, math.nan) for t in trials]) in wanted for name, wanted in self.accept.items()
        )
