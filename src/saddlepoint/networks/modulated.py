"""Conditional batch normalisation: the class of a sample enters as gains and biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from saddlepoint.networks.shapes import require
from saddlepoint.networks.wrapping import Wrapping, labelled


@dataclass(frozen=True)
class Modulated(Wrapping):
    """The pair of `base` with a generator that is told the label by conditional batch normalisation (Dumoulin et al. 2017;
    Miyato and Koyama 2018) instead of beside the latent: `Modulated(Projected())`, `Modulated(Classifying())`. The generator
    is that of the innermost pair, which needs BatchNorm as `DCGAN` has."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """G: latent [n, latent], label [n] -> samples; D: as the base's."""
        count = labelled(self, classes)
        core: Any = self.inner()
        while isinstance(core, Wrapping):
            core = core.inner()
        generator = core.build(shape, latent)["generator"]
        norms = [
            layer for layer in generator.children() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
        ]
        require(
            isinstance(generator, nn.Sequential) and bool(norms),
            f"Modulated needs a generator of layers in a row with BatchNorm, such as that of DCGAN(), not that of {core}.",
        )
        made = self.built(self.inner(), shape, latent, classes)
        return {**made, "generator": Conditioned(generator, count)}


class Conditioned(nn.Module):
    """Layers one after the other, with conditional normalisation in the place of BatchNorm."""

    def __init__(self, network: nn.Sequential, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            ConditionalNorm(layer, classes) if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) else layer
            for layer in network
        )

    def forward(self, rows: Tensor, label: Tensor) -> Tensor:
        for layer in self.layers:
            rows = layer(rows, label) if isinstance(layer, ConditionalNorm) else layer(rows)
        return rows


class ConditionalNorm(nn.Module):
    """gain_y · (x − μ)/σ + bias_y, starting with the gains and biases of the layer it replaces for every class."""

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, classes: int) -> None:
        super().__init__()
        self.norm = type(norm)(norm.num_features, norm.eps, norm.momentum, affine=False)
        self.gain = nn.Parameter(norm.weight.detach().repeat(classes, 1))
        self.shift = nn.Parameter(norm.bias.detach().repeat(classes, 1))

    def forward(self, rows: Tensor, label: Tensor) -> Tensor:
        places = (len(rows), -1, *[1] * (rows.dim() - 2))
        normal: Tensor = self.norm(rows)
        return normal * self.gain[label].view(places) + self.shift[label].view(places)
