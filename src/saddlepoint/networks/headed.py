"""Pairs whose discriminator answers more than one question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import require
from saddlepoint.networks.wrapping import Wrapping, labelled, recorded, width


@dataclass(frozen=True)
class Classifying(Wrapping):
    """The discriminator of `base` also returns "class", logits [n, classes], linear in its features (Odena et al. 2017)."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """As the base, D: a record of score, features and class."""
        outputs = labelled(self, classes)
        made = self.built(self.featured(), shape, latent, classes)
        numbers = width(made["discriminator"], torch.zeros(2, *shape))
        return {**made, "discriminator": Headed(made["discriminator"], "class", nn.Linear(numbers, outputs))}


@dataclass(frozen=True)
class KPlusOne(Wrapping):
    """One logit l_k a class, and the score that they imply: log Σ_k exp l_k, since D(x) = Z/(Z + 1) with
    Z = Σ_k exp l_k (Salimans et al. 2016, section 5). Returned: score, features, class."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """As the base, D: a record of score, features and class."""
        outputs = labelled(self, classes)
        made = self.featured().build(shape, latent)
        numbers = width(made["discriminator"], torch.zeros(2, *shape))
        return {**made, "discriminator": Implied(made["discriminator"], nn.Linear(numbers, outputs))}


@dataclass(frozen=True)
class Recognising(Wrapping):
    """The discriminator of `base` also returns "code", [n, outputs]: what it takes the latent code of a sample to be (Chen
    et al. 2016). The head is a hidden layer of `hidden` units and a linear one on the features."""

    outputs: int = 12
    hidden: int = 128

    def __post_init__(self) -> None:
        require(self.outputs >= 1, f"Recognising needs at least 1 output, not {self.outputs}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """As the base, D: a record of score, features and code."""
        made = self.built(self.featured(), shape, latent, classes)
        numbers = width(made["discriminator"], torch.zeros(2, *shape))
        head = nn.Sequential(
            nn.Linear(numbers, self.hidden), nn.LeakyReLU(0.1), nn.Linear(self.hidden, self.outputs)
        )
        return {**made, "discriminator": Headed(made["discriminator"], "code", head)}


class Headed(nn.Module):
    """A discriminator with one more head on its features."""

    def __init__(self, network: nn.Module, name: str, head: nn.Module) -> None:
        super().__init__()
        self.network, self.name, self.head = network, name, head

    def forward(self, point: Any, *condition: Tensor) -> dict[str, Any]:
        found = recorded(self.network(point, *condition))
        return {**found, self.name: self.head(found["features"])}


class Implied(nn.Module):
    """Logits of classes, and the score that they imply. The base's own score shifts all logits alike."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, point: Any) -> dict[str, Any]:
        found = recorded(self.network(point))
        logits = self.head(found["features"]) + found["score"].unsqueeze(1)
        return {**found, "class": logits, "score": logits.logsumexp(1)}
