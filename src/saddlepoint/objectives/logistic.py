"""Logistic objectives: the original GAN, minimax and non-saturating."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from saddlepoint.objectives.base import Objective


def cross_entropy(real_score: Tensor, fake_score: Tensor) -> Tensor:
    """−E_P log σ(s) − E_Q log(1 − σ(s)) = E_P sp(−s) + E_Q sp(s), sp the softplus (no underflow)."""
    return softplus(-real_score).mean() + softplus(fake_score).mean()


@dataclass(frozen=True)
class Minimax(Objective):
    """The zero-sum game of Goodfellow et al. 2014 (eq. 1), in logits.

    L_D = E_P sp(−s) + E_Q sp(s);  L_G = −E_Q sp(s) = E_Q log(1 − σ(s)).
    """

    def discriminator(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return cross_entropy(real_score, fake_score)

    def generator(self, fake_score: Tensor) -> Tensor:
        return -softplus(fake_score).mean()


@dataclass(frozen=True)
class NonSaturating(Objective):
    """L_D as in `Minimax`; L_G = E_Q sp(−s) = −E_Q log σ(s) (Goodfellow et al. 2014, section 3)."""

    def discriminator(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return cross_entropy(real_score, fake_score)

    def generator(self, fake_score: Tensor) -> Tensor:
        return softplus(-fake_score).mean()
