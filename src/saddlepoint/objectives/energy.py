"""Energies: a low score means real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu, relu

from saddlepoint.errors import InputError
from saddlepoint.objectives.base import Objective, Scores, expect, mean
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class EnergyMargin(Objective):
    """L_D = E_P s + E_Q max(0, m − s);  L_G = E_Q s (Zhao et al. 2017, EBGAN, eq. 1–2), s ≥ 0 an energy.

    The energy is usually the reconstruction error of an autoencoder, and `margin` is on its scale: a sum over pixels
    wants another margin than a mean. At equilibrium Q = P and E_P s + E_Q max(0, m − s) = m (their theorem 1). A
    discriminator whose score has no lower bound has no equilibrium: its energy of the data falls for ever.
    """

    low_is_real: ClassVar[bool] = True

    margin: float | Schedule = 10.0

    def discriminator(self, real_score: Scores, fake_score: Scores, clock: Clock | None = None) -> Tensor:
        margin = now(self.margin, clock)
        return mean(real_score) + expect(lambda energy: relu(margin - energy), fake_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return mean(fake_score)


@dataclass(frozen=True)
class RealEnergy(Objective):
    """L_D = E_P s, s ≥ 0 a reconstruction error: an autoencoder of the data, with nobody to play against."""

    players: ClassVar[tuple[str, ...]] = ("discriminator",)
    low_is_real: ClassVar[bool] = True

    def discriminator(self, real_score: Scores) -> Tensor:
        return mean(real_score)


@dataclass(frozen=True)
class BoundaryEquilibrium(Objective):
    """L_D = E_P s − k E_Q s;  L_G = E_Q s (Berthelot et al. 2017, BEGAN, section 3.4), s ≥ 0 a reconstruction error.

    The memory k starts at 0 and follows k ← clip(k + λ(γ E_P s − E_Q s), 0, 1) after each move of the discriminator, by
    the scores of that move: it holds E_Q s / E_P s at `ratio` γ, low for quality and high for diversity.
    """

    low_is_real: ClassVar[bool] = True
    observed: ClassVar[tuple[str, ...]] = ("discriminator",)

    ratio: float = 0.5
    rate: float = 1e-3

    def start(self, players: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"balance": next(iter(players.values())).new_zeros(())}

    def observe(self, real_score: Scores, fake_score: Scores) -> dict[str, Tensor]:  # type: ignore[override]
        return {"real": mean(real_score), "fake": mean(fake_score)}

    def remember(
        self, memory: Mapping[str, Tensor], seen: Mapping[str, Tensor], players: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        moved = memory["balance"] + self.rate * (self.ratio * seen["real"] - seen["fake"])
        return {"balance": moved.detach().clamp(0, 1)}

    def discriminator(self, real_score: Scores, fake_score: Scores, memory: Mapping[str, Tensor]) -> Tensor:
        return mean(real_score) - memory["balance"] * mean(fake_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return mean(fake_score)

    def convergence(self, real_score: Scores, fake_score: Scores) -> Tensor:
        """E_P s + |γ E_P s − E_Q s|, which falls as training gets on (their section 3.4.1)."""
        real, fake = mean(real_score), mean(fake_score)
        return real + (self.ratio * real - fake).abs()


@dataclass(frozen=True)
class LossSensitive(Objective):
    """Each real shall have a lower score than the fake it is paired with, by a margin that grows with their distance.

    L_D = μ E_P s + λ E C(Δ(x, G(z)) + s(x) − s(G(z)));  L_G = E_Q s, with C(a) = max(a, νa) and Δ = `margin` times the
    mean absolute difference of the two points (Qi 2017; LS-GAN: ν = 0; GLS-GAN: any ν ≤ 1; ν = 1 has the gradients of a
    Wasserstein critic −s, ν = −1 is |a|). `data` is μ, `weight` is λ, `slope` is ν.
    """

    low_is_real: ClassVar[bool] = True

    margin: float | Schedule = 1.0
    weight: float | Schedule = 1.0
    data: float = 1.0
    slope: float = 0.0

    def __post_init__(self) -> None:
        if self.slope > 1:
            raise InputError(
                f"LossSensitive has a slope of at most 1, not {self.slope}: the cost is max(a, slope·a)"
            )

    def discriminator(
        self,
        real_score: Scores,
        fake_score: Scores,
        real_point: Any,
        fake_point: Any,
        clock: Clock | None = None,
    ) -> Tensor:
        margins = now(self.margin, clock) * distance(real_point, fake_point)

        def cost(real: Tensor, fake: Tensor) -> Tensor:
            return leaky_relu(margins.view(-1, *[1] * (real.dim() - 1)) + real - fake, self.slope)

        hinge = expect(cost, real_score, fake_score)
        return self.data * mean(real_score) + now(self.weight, clock) * hinge

    def generator(self, fake_score: Scores) -> Tensor:
        return mean(fake_score)


def distance(a: Any, b: Any) -> Tensor:
    """The mean of |a − b| over the numbers of each row, those of all members of a tuple: [rows]."""
    pairs = zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]
    return torch.cat([(x - y).abs().flatten(1) for x, y in pairs], 1).mean(1)
