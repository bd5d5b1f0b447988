"""Quantities that some methods add to the vocabulary, as values for `Method.definitions`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.forward import Definition, record
from saddlepoint.network import Execution
from saddlepoint.objectives.metrics import MMD, DistanceKernel, Kernel


@dataclass(frozen=True)
class PointFeatures(Definition):
    """`real_features`, `fake_features`: the points themselves, for metrics without a feature network."""

    def real_features(self, real_point: Tensor) -> Tensor:
        return real_point

    def fake_features(self, fake_point: Tensor) -> Tensor:
        return fake_point


@dataclass(frozen=True)
class Witness(Definition):
    """`score_and_gradient` speaks of the witness E k(φ, φ(x)) − E k(φ, φ(G(z))) of the batch instead of the score, so
    that a gradient penalty holds the critic of an MMD game (Bellemare et al. 2017; Bińkowski et al. 2018)."""

    kernel: Kernel = DistanceKernel()

    def score_and_gradient(
        self,
        score_and_gradient: Any,
        execution: Execution,
        discriminator: Callable[[Any], Any],
        real_features: Tensor,
        fake_features: Tensor,
        gather: Callable[[Tensor], Tensor],
    ) -> Callable[[Any], tuple[Tensor, Any]]:
        data, samples = gather(real_features), gather(fake_features)

        def witness(point: Any) -> tuple[Tensor, dict[str, Any]]:
            features = record(discriminator(point))["features"]
            return MMD(self.kernel).witness(features, data, samples), {}

        return lambda point: execution.score_and_gradient(witness, point)[::2]


@dataclass(frozen=True)
class DensityModel(Definition):
    """The player `model` is a density: points -> log p, and (latents, True) -> draws of its own, which are the
    samples of the run. They carry no gradient. `real_log_density`, `fake_log_density`: log p of data and of draws."""

    replaces: ClassVar[tuple[str, ...]] = ("fake",)

    def fake(self, model: Callable[..., Tensor], latent: Tensor) -> Tensor:
        return model(latent, True).detach()

    def real_log_density(self, model: Callable[..., Tensor], real_point: Tensor) -> Tensor:
        return model(real_point)

    def fake_log_density(self, model: Callable[..., Tensor], fake_point: Tensor) -> Tensor:
        return model(fake_point)


@dataclass(frozen=True)
class NoiseRatio(Definition):
    """`real_ratio`, `noise_ratio`: log p_model − log p_noise at data and at draws of the noise N(0, scale² I)."""

    scale: float = 2.0

    def draws(self) -> dict[str, Draw]:
        return {"noise": Draw("normal", "real")}

    def real_ratio(self, model: Callable[..., Tensor], real_point: Tensor) -> Tensor:
        return model(real_point) - self._log_noise(real_point)

    def noise_ratio(self, model: Callable[..., Tensor], noise: Tensor) -> Tensor:
        return model(self.scale * noise) - self._log_noise(self.scale * noise)

    def _log_noise(self, point: Tensor) -> Tensor:
        rows = point.flatten(1)
        constant = rows.shape[1] * (math.log(self.scale) + 0.5 * math.log(math.tau))
        return -0.5 * (rows / self.scale).square().sum(1) - constant
