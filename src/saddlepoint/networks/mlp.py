"""Multilayer perceptrons, for vectors and for images taken as vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from saddlepoint.networks.featured import Featured
from saddlepoint.networks.shapes import check, require

Activation = Literal["relu", "leaky_relu", "tanh"]
_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
}


@dataclass(frozen=True)
class MLP:
    """Two perceptrons with `depth` hidden layers of `width` units each and torch's default initialisation.

    Vectors leave the generator as they are, images through tanh. `MLP(width=512, depth=3)` is the pair of the
    two-dimensional experiments of Gulrajani et al. 2017 (arXiv 1704.00028). leaky_relu has slope 0.2.
    """

    width: int = 128
    depth: int = 2
    activation: Activation = "relu"
    features: bool = False
    """Whether the discriminator also returns its last hidden layer."""

    def __post_init__(self) -> None:
        require(self.width >= 1, f"MLP needs a width of at least 1, not {self.width}.")
        require(self.depth >= 1, f"MLP needs a depth of at least 1 hidden layer, not {self.depth}.")
        accepted = ", ".join(_ACTIVATIONS)
        require(
            self.activation in _ACTIVATIONS, f"MLP has the activations {accepted}, not {self.activation!r}."
        )

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """latent [n, latent] -> [n, *shape] and [n, *shape] -> [n], shape (numbers,) or (channels, h, w)."""
        check(self, latent, classes)
        fits = len(shape) in (1, 3) and min(shape) >= 1
        require(
            fits,
            f"MLP needs a shape (numbers,) or (channels, height, width) without zeros, not {tuple(shape)}.",
        )
        image, numbers = len(shape) == 3, math.prod(shape)
        to_image = [nn.Tanh(), nn.Unflatten(1, shape)] if image else []
        to_vector = [nn.Flatten()] if image else []
        judge = Featured if self.features else nn.Sequential
        return {
            "generator": nn.Sequential(*self.layers(latent, numbers), *to_image),
            "discriminator": judge(*to_vector, *self.layers(numbers, 1), nn.Flatten(0)),
        }

    def layers(self, inputs: int, outputs: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for _ in range(self.depth):
            layers += [nn.Linear(inputs, self.width), _ACTIVATIONS[self.activation]()]
            inputs = self.width
        return [*layers, nn.Linear(inputs, outputs)]
