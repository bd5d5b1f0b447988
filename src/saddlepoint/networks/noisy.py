"""Perceptrons for semi-supervised learning, whose classifier is kept from learning few labels by heart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import check, require


@dataclass(frozen=True)
class NoisyMLP:
    """The pair of Salimans et al. 2016 for MNIST: a discriminator of ReLU layers, N(0, `input_noise`²) added to its input
    and N(0, `hidden_noise`²) to what each hidden layer but the last sees (in training only); a generator of softplus layers
    with BatchNorm.

    Deviations: no weight normalisation; no noise between the last hidden layer, whose output are the features, and the
    heads; He initialisation, where theirs is N(0, 0.1) before weight normalisation.
    """

    discriminator: tuple[int, ...] = (1000, 500, 250, 250, 250)
    generator: tuple[int, ...] = (500, 500)
    input_noise: float = 0.3
    hidden_noise: float = 0.5
    features: bool = False
    """Whether the discriminator also returns its last hidden layer."""

    def __post_init__(self) -> None:
        for name, widths in (("discriminator", self.discriminator), ("generator", self.generator)):
            require(
                bool(widths) and min(widths) >= 1,
                f"NoisyMLP needs at least 1 hidden layer of at least 1 unit in the {name}, not {widths}.",
            )
        for name, noise in (("input_noise", self.input_noise), ("hidden_noise", self.hidden_noise)):
            require(noise >= 0, f"NoisyMLP needs {name} of at least 0, not {noise}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """latent [n, latent] -> [n, *shape], images through tanh; [n, *shape] -> [n]."""
        check(self, latent, classes)
        numbers = math.prod(shape)
        squashed = [nn.Tanh()] if len(shape) == 3 else []
        judge = _Judge(self._layers(numbers), nn.Linear(self.discriminator[-1], 1), self.features)
        return {
            "generator": nn.Sequential(*self._generator(latent, numbers), *squashed, nn.Unflatten(1, shape)),
            "discriminator": judge,
        }

    def _layers(self, numbers: int) -> nn.Sequential:
        layers: list[nn.Module] = [nn.Flatten()]
        for index, (inputs, outputs) in enumerate(pairwise((numbers, *self.discriminator))):
            linear = nn.Linear(inputs, outputs)
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
            layers += [Noise(self.hidden_noise if index else self.input_noise), linear, nn.ReLU()]
        return nn.Sequential(*layers)

    def _generator(self, latent: int, numbers: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((latent, *self.generator)):
            layers += [nn.Linear(inputs, outputs), nn.Softplus(), nn.BatchNorm1d(outputs)]
        return [*layers, nn.Linear(self.generator[-1], numbers)]


class Noise(nn.Module):
    """x + N(0, `deviation`²) in training."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, rows: Tensor) -> Tensor:
        if not self.training or not self.deviation:
            return rows
        return rows + self.deviation * torch.randn_like(rows)


class _Judge(nn.Module):
    def __init__(self, layers: nn.Sequential, score: nn.Linear, features: bool) -> None:
        super().__init__()
        self.layers, self.score, self.features = layers, score, features

    def forward(self, point: Tensor) -> Any:
        found = self.layers(point)
        score = self.score(found).flatten(0)
        return {"score": score, "features": found} if self.features else score
