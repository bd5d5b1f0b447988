"""A pair whose discriminator is an autoencoder: the energy of a point is how badly it is reconstructed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from saddlepoint.networks.mlp import MLP, Activation
from saddlepoint.networks.shapes import check, require

Distance = Literal["squared", "absolute"]


@dataclass(frozen=True)
class Autoencoder:
    """The generator of `MLP(width, depth)`, and a discriminator that encodes into `code` numbers and decodes again.

    Its score is an energy, low for points it reconstructs: the mean over the numbers of a point of (x − x̂)² ("squared",
    Zhao et al. 2017 up to their norm) or |x − x̂| ("absolute", Berthelot et al. 2017). Also returned: "features", the
    code [n, code], and "reconstruction", x̂.
    """

    width: int = 128
    depth: int = 2
    code: int = 16
    distance: Distance = "squared"
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        require(self.code >= 1, f"Autoencoder needs a code of at least 1 number, not {self.code}.")
        require(
            self.distance in ("squared", "absolute"),
            f'Autoencoder has the distances "squared" and "absolute", not {self.distance!r}.',
        )

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """latent [n, latent] -> [n, *shape]; [n, *shape] -> a record of score, features and reconstruction."""
        check(self, latent, classes)
        mlp = MLP(self.width, self.depth, self.activation)
        generator = mlp.build(shape, latent)["generator"]
        encoder = nn.Sequential(nn.Flatten(), *mlp.layers(math.prod(shape), self.code))
        decoder = mlp.build(shape, self.code)["generator"]
        return {"generator": generator, "discriminator": _Energy(encoder, decoder, self.distance)}


class _Energy(nn.Module):
    def __init__(self, encoder: nn.Module, decoder: nn.Module, distance: Distance) -> None:
        super().__init__()
        self.encoder, self.decoder, self.distance = encoder, decoder, distance

    def forward(self, point: Tensor) -> dict[str, Tensor]:
        code = self.encoder(point)
        reconstruction = self.decoder(code)
        error = (point - reconstruction).flatten(1)
        energy = (error.square() if self.distance == "squared" else error.abs()).mean(1)
        return {"score": energy, "features": code, "reconstruction": reconstruction}
