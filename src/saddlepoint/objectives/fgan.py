"""The variational game of an f-divergence."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.objectives.base import Objective, Scores, expect
from saddlepoint.objectives.divergences import Divergence, GANDivergence


@dataclass(frozen=True)
class FGAN(Objective):
    """L_D = −E_P g(v) + E_Q f*(g(v));  L_G = −E_Q f*(g(v)) (Nowozin et al. 2016, section 3), v the raw score.

    At the optimal discriminator −L_D is the divergence. With `tricky`, L_G = −E_Q g(v) (their section 3.2): the same
    fixed points and a stronger gradient where fakes are told apart; for the GAN row it is the non-saturating game.
    """

    divergence: Divergence = GANDivergence()
    tricky: bool = False

    @property
    def logit(self) -> bool:  # type: ignore[override]
        """Whether the optimal v is log(p/q): g(log u) = f′(u)."""
        u = torch.tensor([0.25, 1.0, 3.0], dtype=torch.float64)
        return torch.allclose(self.divergence.activation(u.log()), self.divergence.optimum(u))

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return expect(self.divergence.composite, fake_score) - expect(self.divergence.activation, real_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return -expect(self.divergence.activation if self.tricky else self.divergence.composite, fake_score)
