"""What a claim of the theory is, and the two sides of it in numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple


class Sides(NamedTuple):
    """left `relation` right, to within `within`; `what` says where (the parameter, the game)."""

    what: str
    left: float
    relation: Literal["=", "<=", ">="]
    right: float
    within: float = 0.0

    @property
    def holds(self) -> bool:
        if self.left == self.right:  # both infinite, too
            return True
        if math.isnan(self.left) or math.isnan(self.right):
            return False
        over = self.left - self.right
        return {"=": abs(over), "<=": over, ">=": -over}[self.relation] <= self.within

    def __str__(self) -> str:
        error = f" (± {self.within:.1g})" if self.within else ""
        return f"{self.what}: {self.left:.9g} {self.relation} {self.right:.9g}{error}"


@dataclass(frozen=True)
class Claim:
    """A row of the theory. `check` evaluates both sides, by ways that do not share the step in question; `figure`, where a
    picture says more, draws into a matplotlib axes. `within` of each pair is derived in the file of the claim."""

    id: str
    title: str
    statement: str
    source: str
    check: Callable[[], Sequence[Sides]]
    figure: Callable[[Any], None] | None = None
