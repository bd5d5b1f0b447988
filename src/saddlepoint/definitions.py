"""Quantities that some methods add to the vocabulary, as values for `Method.definitions`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

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
class NoiseRatio(Definition):
    """`real_score`, `fake_score`: log p_model − log p_noise for noise N(0, scale² I), which a frozen generator
    z -> scale·z draws and the network `model` gives log-densities for: points [n, d] -> [n]."""

    scale: float = 2.0

    def real_score(self, model: Callable[[Tensor], Tensor], real_point: Tensor) -> Tensor:
        return model(real_point) - self._log_noise(real_point)

    def fake_score(self, model: Callable[[Tensor], Tensor], fake_point: Tensor) -> Tensor:
        return model(fake_point) - self._log_noise(fake_point)

    def _log_noise(self, point: Tensor) -> Tensor:
        rows = point.flatten(1)
        constant = rows.shape[1] * (math.log(self.scale) + 0.5 * math.log(math.tau))
        return -0.5 * (rows / self.scale).square().sum(1) - constant
