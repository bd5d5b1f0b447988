"""A discriminator of packs, or of samples that know of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import require
from saddlepoint.networks.wrapping import Wrapping, recorded, width


@dataclass(frozen=True)
class Packed(Wrapping):
    """The discriminator of `base` for packs of `rows` samples, built for that many times the channels or numbers; the
    generator as it is (Lin et al. 2018). Only the discriminator's input layer grows."""

    rows: int = 2

    def __post_init__(self) -> None:
        require(self.rows >= 1, f"Packed needs packs of at least 1 row, not {self.rows}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """G as the base's; D: packs [n, rows * shape[0], ...] -> scores."""
        made = self.built(self.inner(), shape, latent, classes)
        if self.rows == 1:  # the base itself, with the same initial weights
            return made
        wide = (self.rows * shape[0], *shape[1:])
        return {**made, "discriminator": self.built(self.inner(), wide, latent, classes)["discriminator"]}


@dataclass(frozen=True)
class MinibatchDiscrimination(Wrapping):
    """s(x_i) + w·o(x_i), o_b(x_i) = Σ_{j≠i} exp(−|M_i,b − M_j,b|₁), M_i = f(x_i) T, f the features of the base's
    discriminator (Salimans et al. 2016, section 3.2): how close a sample is to the others of its batch. Normalised by the
    number of others, so that a score does not change with the size of the batch (as in the authors' later code)."""

    kernels: int = 32
    numbers: int = 5

    def __post_init__(self) -> None:
        require(
            self.kernels >= 1 and self.numbers >= 1, f"{self} needs at least 1 kernel of at least 1 number."
        )

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        made = self.built(self.featured(), shape, latent, classes)
        inputs = width(made["discriminator"], torch.zeros(2, *shape))
        return {**made, "discriminator": Closeness(made["discriminator"], inputs, self.kernels, self.numbers)}


@dataclass(frozen=True)
class MinibatchDeviation(Wrapping):
    """s(x) + w·σ, σ the mean over the features of their standard deviation over the batch, the same number for all rows
    (Karras et al. 2018, section 3, with the whole batch as one group and after the trunk instead of inside it)."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        made = self.built(self.featured(), shape, latent, classes)
        return {**made, "discriminator": Deviation(made["discriminator"])}


class Closeness(nn.Module):
    def __init__(self, network: nn.Module, inputs: int, kernels: int, numbers: int) -> None:
        super().__init__()
        self.network, self.kernels = network, kernels
        self.project = nn.Linear(inputs, kernels * numbers, bias=False)
        self.weigh = nn.Linear(kernels, 1)

    def others(self, features: Tensor) -> Tensor:
        """o: [n, kernels], in (0, 1]; 1 where all rows are equal."""
        rows = len(features)
        placed = self.project(features).view(rows, self.kernels, -1)
        near = (-(placed.unsqueeze(0) - placed.unsqueeze(1)).abs().sum(3)).exp()
        return (near.sum(1) - 1) / max(1, rows - 1)

    def forward(self, point: Any, *condition: Tensor) -> dict[str, Any]:
        found = recorded(self.network(point, *condition))
        return {**found, "score": found["score"] + self.weigh(self.others(found["features"])).squeeze(1)}


class Deviation(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.weigh = network, nn.Linear(1, 1)

    def forward(self, point: Any, *condition: Tensor) -> dict[str, Any]:
        found = recorded(self.network(point, *condition))
        features = found["features"]
        spread = (features.var(0, correction=0) + 1e-8).sqrt().mean()
        return {**found, "score": found["score"] + self.weigh(spread.view(1, 1)).view(1)}
