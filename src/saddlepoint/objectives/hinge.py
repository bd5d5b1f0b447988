"""Hinge objective."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu

from saddlepoint.objectives.base import Objective


@dataclass(frozen=True)
class Hinge(Objective):
    """L_D = E_P max(0, 1 − s) + E_Q max(0, 1 + s);  L_G = −E_Q s (Lim & Ye 2017; Miyato et al. 2018, eq. 16–17)."""

    def discriminator(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return relu(1 - real_score).mean() + relu(1 + fake_score).mean()

    def generator(self, fake_score: Tensor) -> Tensor:
        return -fake_score.mean()
