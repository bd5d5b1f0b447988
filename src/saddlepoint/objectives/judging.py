"""A player that tells the data from the samples and moves nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from saddlepoint.objectives.base import Objective
from saddlepoint.objectives.logistic import cross_entropy


@dataclass(frozen=True)
class Judging(Objective):
    """L_J = E_P sp(−j) + E_Q sp(j), j the scores of the player "judge": at the optimum j = log(dP/dQ)."""

    players: ClassVar[tuple[str, ...]] = ("judge",)

    def judge(self, judge: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        return cross_entropy(judge(real), judge(fake.detach()))
