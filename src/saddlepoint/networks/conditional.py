"""Pairs that are told what a sample is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.networks.wrapping import Wrapping, labelled, one_hot, recorded, width


@dataclass(frozen=True)
class Concatenated(Wrapping):
    """Labels put beside what both networks of `base` take (Mirza and Osindero 2014): one-hot numbers beside the latent
    and beside vectors, constant channels beside images. `base` is built for that many more inputs."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """G: latent [n, latent], label [n] -> samples; D: samples, label [n] -> scores."""
        more = labelled(self, classes)
        generator = self.inner().build(shape, latent + more)["generator"]
        discriminator = self.inner().build((shape[0] + more, *shape[1:]), latent)["discriminator"]
        return {"generator": Beside(generator, more), "discriminator": Beside(discriminator, more)}


@dataclass(frozen=True)
class LabelledGenerator(Wrapping):
    """Labels put beside the latent; the discriminator of `base` is told nothing."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """G: latent [n, latent], label [n] -> samples; D: samples -> scores."""
        more = labelled(self, classes)
        made = self.built(self.inner(), shape, latent, classes)
        return {
            **made,
            "generator": Beside(self.built(self.inner(), shape, latent + more, classes)["generator"], more),
        }


@dataclass(frozen=True)
class Projected(Wrapping):
    """s(x, y) = ψ(φ(x)) + <e_y, φ(x)> (Miyato and Koyama 2018, equation 3 with its linear ψ), φ the features of the base's
    discriminator; the generator takes labels beside the latent."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """G: latent [n, latent], label [n] -> samples; D: samples, label [n] -> a record of score and features."""
        more = labelled(self, classes)
        generator = self.inner().build(shape, latent + more)["generator"]
        discriminator = self.featured().build(shape, latent)["discriminator"]
        numbers = width(discriminator, torch.zeros(2, *shape))
        return {
            "generator": Beside(generator, more),
            "discriminator": Projection(discriminator, numbers, more),
        }


@dataclass(frozen=True)
class Painted(Wrapping):
    """An image that is to be completed, or another modality of the same size, put beside what both networks take: the
    discriminator sees its channels beside the sample's, the generator its numbers beside the latent."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """G: latent [n, latent], image [n, *shape] -> samples; D: samples, image -> scores."""
        numbers = torch.Size(shape).numel()
        generator = self.inner().build(shape, latent + numbers)["generator"]
        discriminator = self.inner().build((2 * shape[0], *shape[1:]), latent)["discriminator"]
        return {"generator": WithImage(generator), "discriminator": WithImage(discriminator)}


def with_labels(rows: Tensor, label: Tensor, classes: int) -> Tensor:
    """One-hot numbers, or constant channels, beside the rows."""
    marks = one_hot(label, classes, rows)
    marks = marks.view(*marks.shape, *[1] * (rows.dim() - 2)).expand(-1, -1, *rows.shape[2:])
    return torch.cat([rows, marks], 1)


def with_image(rows: Tensor, image: Tensor) -> Tensor:
    return torch.cat([rows, image if rows.dim() == image.dim() == 4 else image.flatten(1)], 1)


class Beside(nn.Module):
    """A network of rows with their labels beside them."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network, self.classes = network, classes

    def forward(self, rows: Tensor, label: Tensor) -> Any:
        return self.network(with_labels(rows, label, self.classes))


class WithImage(nn.Module):
    """A network of rows with an image beside them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: Tensor, image: Tensor) -> Any:
        return self.network(with_image(rows, image))


class Projection(nn.Module):
    def __init__(self, network: nn.Module, numbers: int, classes: int) -> None:
        super().__init__()
        self.network, self.embedding = network, nn.Embedding(classes, numbers)
        nn.init.normal_(self.embedding.weight, std=numbers**-0.5)

    def forward(self, point: Tensor, label: Tensor) -> dict[str, Any]:
        found = recorded(self.network(point))
        along = (self.embedding(label) * found["features"]).sum(1)
        return {**found, "score": found["score"] + along}
