"""Least-squares objective (LSGAN)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from saddlepoint.objectives.base import Objective, Scores, expect


def to(target: float) -> Callable[[Tensor], Tensor]:
    """(s − t)²."""
    return lambda score: (score - target).square()


@dataclass(frozen=True)
class LeastSquares(Objective):
    """L_D = ½E_P(s − b)² + ½E_Q(s − a)²;  L_G = ½E_Q(s − c)² (Mao et al. 2017, eq. 2), on raw scores.

    (a, b, c) = (0, 1, 1) is used by the authors' code; with (−1, 1, 0) the criterion
    ½E_P(D* − c)² + ½E_Q(D* − c)² at the optimal D* of each G is half the Pearson χ² divergence between P + Q and 2Q (their
    section 3.2; claim T10). A step of G against a D that stands still follows another slope.
    """

    a: float = 0.0
    b: float = 1.0
    c: float = 1.0

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return 0.5 * (expect(to(self.b), real_score) + expect(to(self.a), fake_score))

    def generator(self, fake_score: Scores) -> Tensor:
        return 0.5 * expect(to(self.c), fake_score)
