"""Wasserstein objective."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from saddlepoint.objectives.base import Objective, Scores, mean


@dataclass(frozen=True)
class Wasserstein(Objective):
    """L_D = E_Q s − E_P s;  L_G = −E_Q s (Arjovsky et al. 2017, eq. 2–3).

    Over K-Lipschitz critics −L_D is at most K·W₁(P, Q); the Lipschitz bound is a constraint's or a penalty's job.
    """

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return mean(fake_score) - mean(real_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return -mean(fake_score)
