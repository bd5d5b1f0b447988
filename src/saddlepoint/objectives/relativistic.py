"""Relativistic objectives: a fake is judged against a real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from saddlepoint.objectives.base import Objective


@dataclass(frozen=True)
class Relativistic(Objective):
    """Row i of the reals is paired with row i of the fakes (Jolicoeur-Martineau 2018, RSGAN, eq. 5–6; RpGAN).

    L_D = E sp(s(G(z)) − s(x));  L_G = E sp(s(x) − s(G(z))).
    """

    def discriminator(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return softplus(fake_score - real_score).mean()

    def generator(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return softplus(real_score - fake_score).mean()


@dataclass(frozen=True)
class RelativisticAverage(Objective):
    """The partner's score is replaced by its batch mean, two halves (Jolicoeur-Martineau 2018, RaSGAN).

    L_D = ½E_P sp(m_Q − s) + ½E_Q sp(s − m_P), m the mean score; L_G swaps the roles. Halved, as one loss of
    logistic size: with a constant score both losses are log 2.
    """

    couples_rows: ClassVar[bool] = True

    def discriminator(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return 0.5 * (
            softplus(fake_score.mean() - real_score).mean() + softplus(fake_score - real_score.mean()).mean()
        )

    def generator(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return self.discriminator(fake_score, real_score)
