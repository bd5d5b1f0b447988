"""Densities learned by telling data from noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from saddlepoint.objectives.base import Objective, Scores, expect
from saddlepoint.objectives.logistic import cross_entropy, no, yes


@dataclass(frozen=True)
class NoiseContrastive(Objective):
    """L_model = E_P sp(−r) + E_n sp(r), r = log p_model − log p_noise (Gutmann & Hyvärinen 2010, with as much noise as
    data). The model's normalisation is one of its parameters: it comes out right at the optimum.

    `noise_ratio` is of draws of the noise, which is fixed; one far from the data teaches nothing.
    """

    players: ClassVar[tuple[str, ...]] = ("model",)

    def model(self, real_ratio: Scores, noise_ratio: Scores) -> Tensor:
        return cross_entropy(real_ratio, noise_ratio)


@dataclass(frozen=True)
class SelfContrastive(Objective):
    """Noise contrastive estimation with a copy of the model itself, taken before each gradient, as noise (Goodfellow 2014,
    On distinguishability criteria for estimating generative models).

    The score log p − log p_copy is 0, and the expected gradient is half that of the negative log-likelihood,
    −½(E_P − E_model)∇log p. `fake_log_density` is of samples of the model, held fixed.
    """

    players: ClassVar[tuple[str, ...]] = ("model",)

    def model(self, real_log_density: Scores, fake_log_density: Scores) -> Tensor:
        real = expect(lambda log: yes(log - log.detach()), real_log_density)
        return real + expect(lambda log: no(log - log.detach()), fake_log_density)
