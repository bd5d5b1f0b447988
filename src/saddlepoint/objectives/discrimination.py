"""The discriminator's loss alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from saddlepoint.objectives.base import Objective
from saddlepoint.objectives.logistic import cross_entropy


@dataclass(frozen=True)
class Discrimination(Objective):
    """L_D = E_P sp(−s) + E_Q sp(s); the generator has no loss but its terms, such as feature matching."""

    players: ClassVar[tuple[str, ...]] = ("discriminator",)
    logit: ClassVar[bool] = True

    def discriminator(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return cross_entropy(real_score, fake_score)
