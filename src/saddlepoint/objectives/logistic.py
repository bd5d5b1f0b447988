"""Logistic objectives: the original GAN, minimax and non-saturating, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from saddlepoint.objectives.base import Objective, Scores, expect


def yes(score: Tensor) -> Tensor:
    """−log σ(s) = sp(−s), the cost of a score that should be high (no underflow)."""
    return softplus(-score)


def no(score: Tensor) -> Tensor:
    """−log(1 − σ(s)) = sp(s), the cost of a score that should be low."""
    return softplus(score)


def towards(target: float) -> Callable[[Tensor], Tensor]:
    """The cross-entropy to a target probability, t sp(−s) + (1 − t) sp(s)."""
    return lambda score: target * softplus(-score) + (1 - target) * softplus(score)


def cross_entropy(real_score: Scores, fake_score: Scores) -> Tensor:
    """−E_P log σ(s) − E_Q log(1 − σ(s)) = E_P sp(−s) + E_Q sp(s), sp the softplus."""
    return expect(yes, real_score) + expect(no, fake_score)


@dataclass(frozen=True)
class Minimax(Objective):
    """The zero-sum game of Goodfellow et al. 2014 (eq. 1), in logits.

    L_D = E_P sp(−s) + E_Q sp(s);  L_G = −E_Q sp(s) = E_Q log(1 − σ(s)).
    """

    logit: ClassVar[bool] = True

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return cross_entropy(real_score, fake_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return -expect(no, fake_score)


@dataclass(frozen=True)
class NonSaturating(Objective):
    """L_D as in `Minimax`; L_G = E_Q sp(−s) = −E_Q log σ(s) (Goodfellow et al. 2014, section 3)."""

    logit: ClassVar[bool] = True

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return cross_entropy(real_score, fake_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return expect(yes, fake_score)


@dataclass(frozen=True)
class MaximumLikelihood(Objective):
    """L_D as in `Minimax`; L_G = −½ E_Q e^s, e^s = D/(1 − D) (Goodfellow 2016, NIPS tutorial, section 3.2.4).

    At the optimal discriminator e^s = p/q, held fixed, the generator's gradient is ½ ∇KL(P‖Q): that of maximum
    likelihood. Its variance is that of the few samples with the highest odds.
    """

    logit: ClassVar[bool] = True

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return cross_entropy(real_score, fake_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return -0.5 * expect(lambda score: score.exp(), fake_score)


@dataclass(frozen=True)
class LabelSmoothing(Objective):
    """The non-saturating game with targets other than 1 and 0 for the discriminator (Salimans et al. 2016, section 3.4).

    L_D = E_P[r sp(−s) + (1 − r) sp(s)] + E_Q[f sp(−s) + (1 − f) sp(s)], r = `real`, f = `fake`;  L_G = E_Q sp(−s).
    Optimal D = (r p + f q)/(p + q). One-sided means f = 0: with f > 0 the optimal D is flat, at f, where fakes are all
    there is, and tells the generator to stay.
    """

    logit: ClassVar[bool] = True

    real: float = 0.9
    fake: float = 0.0

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return expect(towards(self.real), real_score) + expect(towards(self.fake), fake_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return expect(yes, fake_score)
