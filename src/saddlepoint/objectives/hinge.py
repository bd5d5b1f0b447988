"""Hinge objective."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu

from saddlepoint.objectives.base import Objective, Scores, expect, mean


@dataclass(frozen=True)
class Hinge(Objective):
    """L_D = E_P max(0, 1 − s) + E_Q max(0, 1 + s);  L_G = −E_Q s (Lim & Ye 2017; Miyato et al. 2018, eq. 16–17)."""

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return expect(lambda score: relu(1 - score), real_score) + expect(
            lambda score: relu(1 + score), fake_score
        )

    def generator(self, fake_score: Scores) -> Tensor:
        return -mean(fake_score)
