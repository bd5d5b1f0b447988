"""Relativistic objectives: a fake is judged against a real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import relu, softplus

from saddlepoint.objectives.base import Objective, Scores, expect, means


@dataclass(frozen=True)
class Logistic:
    """c(d) = sp(−d): what it costs that a score is only d above its partner's."""

    def __call__(self, difference: Tensor) -> Tensor:
        return softplus(-difference)


@dataclass(frozen=True)
class Squared:
    """c(d) = (d − 1)²."""

    def __call__(self, difference: Tensor) -> Tensor:
        return (difference - 1).square()


@dataclass(frozen=True)
class Margin:
    """c(d) = max(0, 1 − d)."""

    def __call__(self, difference: Tensor) -> Tensor:
        return relu(1 - difference)


Cost = Logistic | Squared | Margin


@dataclass(frozen=True)
class Relativistic(Objective):
    """Row i of the reals is paired with row i of the fakes (Jolicoeur-Martineau 2018, RSGAN, eq. 5–6; RpGAN).

    L_D = E c(s(x) − s(G(z)));  L_G = E c(s(G(z)) − s(x)), c(d) = sp(−d) unless another cost is given.
    """

    cost: Cost = Logistic()

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return expect(lambda real, fake: self.cost(real - fake), real_score, fake_score)

    def generator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return self.discriminator(fake_score, real_score)


@dataclass(frozen=True)
class RelativisticAverage(Objective):
    """The partner's score is replaced by its batch mean, two halves (Jolicoeur-Martineau 2018, RaSGAN).

    L_D = ½E_P c(s − m_Q) + ½E_Q c(m_P − s), m the mean score; L_G swaps the roles. `cost` Logistic: RaSGAN; Squared:
    RaLSGAN; Margin: RaHinge. Halved, to be of the size of one loss: with a constant score both are c(0).
    """

    couples_rows: ClassVar[bool] = True

    cost: Cost = Logistic()

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return 0.5 * (
            expect(lambda real, mean: self.cost(real - mean), real_score, means(fake_score))
            + expect(lambda fake, mean: self.cost(mean - fake), fake_score, means(real_score))
        )

    def generator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return self.discriminator(fake_score, real_score)
