"""What numbers over several seeds have to be for a claim to be met."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Numbers = dict[str, float]


@dataclass(frozen=True)
class Range:
    """Where a number has to lie, ends included."""

    least: float = -math.inf
    most: float = math.inf

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most  # nan is nowhere

    def __str__(self) -> str:
        if self.least == self.most:
            return f"= {self.least:g}"
        if self.least == -math.inf:
            return f"at most {self.most:g}"
        return f"at least {self.least:g}" if self.most == math.inf else f"{self.least:g} to {self.most:g}"


def at_least(value: float) -> Range:
    return Range(least=value)


def at_most(value: float) -> Range:
    return Range(most=value)


class Verdict(NamedTuple):
    met: bool
    measured: str


class Acceptance(Protocol):
    """`says` is the sentence that is accepted or not; `judge` gets the numbers of every seed, none of one that failed.
    `quick`: whether a quick run is judged by it, too."""

    @property
    def says(self) -> str: ...

    @property
    def quick(self) -> bool: ...

    def judge(self, seeds: Sequence[Numbers]) -> Verdict: ...


@dataclass(frozen=True)
class EachSeed:
    """The numbers lie in their ranges in at least `share` of the seeds."""

    says: str
    wanted: Mapping[str, Range]
    share: float = 1.0
    quick: bool = True

    def judge(self, seeds: Sequence[Numbers]) -> Verdict:
        met = sum(all(n.get(name, math.nan) in r for name, r in self.wanted.items()) for n in seeds)
        needed = math.ceil(self.share * len(seeds) - 1e-9)
        told = f"{met} of {len(seeds)} seeds" + ("" if needed == len(seeds) else f", {needed} needed")
        return Verdict(bool(seeds) and met >= needed, told)


@dataclass(frozen=True)
class Median:
    """The medians over the seeds lie in their ranges."""

    says: str
    wanted: Mapping[str, Range]
    quick: bool = True

    def judge(self, seeds: Sequence[Numbers]) -> Verdict:
        medians = {name: median([n.get(name, math.nan) for n in seeds]) for name in self.wanted}
        told = ", ".join(f"{name} {value:.4g}" for name, value in medians.items())
        return Verdict(all(value in self.wanted[name] for name, value in medians.items()), f"median {told}")


@dataclass(frozen=True)
class Overall:
    """One number of all seeds lies in a range, such as the p-value of a test over pairs of seeds."""

    says: str
    number: Callable[[Sequence[Numbers]], float]
    wanted: Range
    quick: bool = True

    def judge(self, seeds: Sequence[Numbers]) -> Verdict:
        try:
            value = float(self.number(seeds))
        except KeyError as error:
            return Verdict(False, f"no number {error}")
        return Verdict(value in self.wanted, f"{value:.4g}, {self.wanted}")


def median(values: Sequence[float]) -> float:
    """nan where one of them is, or there are none."""
    return math.nan if not values or any(map(math.isnan, values)) else statistics.median(values)
