"""DCGAN with a dense hidden layer at the small end of both networks, after Chen et al. 2016."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from saddlepoint.networks.dcgan import DCGAN, initialise
from saddlepoint.networks.featured import Featured
from saddlepoint.networks.shapes import check, require


@dataclass(frozen=True)
class DenseDCGAN(DCGAN):
    """Strided convolutions with a hidden layer of `dense` units between the latent and the smallest grid of the generator,
    and between the smallest grid and the score of the discriminator, which are its features.

    The pair of InfoGAN on MNIST (Chen et al. 2016, appendix C.1) is `DenseDCGAN(width=64, dense=1024)`. With BatchNorm
    after the hidden layers; "virtual" is for the convolutions only and refused here.
    """

    dense: int = 1024

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.dense >= 1, f"DenseDCGAN needs a dense layer of at least 1 unit, not {self.dense}.")
        norms = (self.generator_norm, self.discriminator_norm)
        require("virtual" not in norms, 'DenseDCGAN has the normalisations "batch" and "none".')

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """As DCGAN."""
        check(self, latent, classes)
        pair = super().build(shape, self.dense, classes)
        *convolutions, flat, score, last = pair["discriminator"].children()
        assert isinstance(score, nn.Linear)
        start = [nn.Linear(latent, self.dense), *self._norm(self.generator_norm), nn.ReLU()]
        end = [
            nn.Linear(score.in_features, self.dense),
            *self._norm(self.discriminator_norm),
            nn.LeakyReLU(0.2),
        ]
        end.append(nn.Linear(self.dense, 1))
        for layer in (*start, *end):
            initialise(layer)
        judge = Featured if self.features else nn.Sequential
        return {
            "generator": nn.Sequential(*start, *pair["generator"].children()),
            "discriminator": judge(*convolutions, flat, *end, last),
        }

    def _norm(self, kind: str) -> list[nn.Module]:
        return [nn.BatchNorm1d(self.dense)] if kind == "batch" else []
