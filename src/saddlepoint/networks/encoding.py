"""Pairs with a way back from samples to latents, and discriminators of points beside something known of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import require
from saddlepoint.networks.wrapping import Wrapping, recorded, width


@dataclass(frozen=True)
class Encoding(Wrapping):
    """Adds the network "encoder": the trunk of the discriminator of the innermost pair, and a linear layer."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """As the base; encoder: points [n, *shape] -> [n, latent]."""
        made = self.built(self.inner(), shape, latent, classes)
        return {**made, "encoder": trunk(self, shape, latent, latent)}


@dataclass(frozen=True)
class Variational(Wrapping):
    """The generator of `base` and an encoder for a Gaussian posterior; no discriminator."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """generator: as the base's; encoder: points [n, *shape] -> [n, 2 latent]."""
        generator = self.built(self.inner(), shape, latent, classes)["generator"]
        return {"generator": generator, "encoder": trunk(self, shape, latent, 2 * latent)}


@dataclass(frozen=True)
class Joint(Wrapping):
    """s(x, z) = s(x) + h(φ(x), z): s and φ score and features of the base's discriminator, h a perceptron with one hidden
    layer of `hidden` units, which joins the two late (Dumoulin et al. 2017 do so with convolutions)."""

    hidden: int = 128

    def __post_init__(self) -> None:
        require(self.hidden >= 1, f"Joint needs at least 1 hidden unit, not {self.hidden}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """As the base, D: pairs of points [n, *shape] and latents [n, latent] -> a record of score and features."""
        made = self.built(self.featured(), shape, latent, classes)
        numbers = width(made["discriminator"], torch.zeros(2, *shape)) + latent
        head = nn.Sequential(
            nn.Linear(numbers, self.hidden), nn.LeakyReLU(0.2), nn.Linear(self.hidden, 1), nn.Flatten(0)
        )
        return {**made, "discriminator": JointJudge(made["discriminator"], head)}


@dataclass(frozen=True)
class Manifold(Wrapping):
    """Adds the network "manifold", a second discriminator like the base's."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        made = self.built(self.inner(), shape, latent, classes)
        second = self.built(self.inner(), shape, latent, classes)
        return {**made, "manifold": second["discriminator"]}


@dataclass(frozen=True)
class Representing(Wrapping):
    """s(x, r) = s(x) + w·r (Bang and Shim 2018): r, `numbers` of them, come from the network "representation", which is
    trained on data together with the network "decoder", an encoder and a generator of the innermost pair."""

    numbers: int = 64

    def __post_init__(self) -> None:
        require(self.numbers >= 1, f"Representing needs at least 1 number, not {self.numbers}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """G as the base's; D: pairs (points, representations) -> a record; representation: points -> [n, numbers];
        decoder: back."""
        made = self.built(self.inner(), shape, latent, classes)
        return {
            **made,
            "discriminator": BesideRepresentation(made["discriminator"], self.numbers),
            "representation": trunk(self, shape, latent, self.numbers),
            "decoder": innermost(self).build(shape, self.numbers)["generator"],
        }


def innermost(pair: Any) -> Any:
    return innermost(pair.inner()) if isinstance(pair, Wrapping) else pair


def trunk(who: Wrapping, shape: tuple[int, ...], latent: int, outputs: int) -> Trunk:
    """A network of points with so many outputs, made like the discriminator of the innermost pair."""
    network = replace(who, base=innermost(who)).featured().build(shape, latent)["discriminator"]
    return Trunk(network, nn.Linear(width(network, torch.zeros(2, *shape)), outputs))


class Trunk(nn.Module):
    """A linear layer on the features of a discriminator, whose score is not asked for."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, point: Tensor) -> Tensor:
        found: Tensor = self.head(self.network(point)["features"])
        return found


class JointJudge(nn.Module):
    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, pair: tuple[Tensor, Tensor], *condition: Tensor) -> dict[str, Any]:
        point, code = pair
        found = recorded(self.network(point, *condition))
        return {**found, "score": found["score"] + self.head(torch.cat([found["features"], code], 1))}


class BesideRepresentation(nn.Module):
    def __init__(self, network: nn.Module, numbers: int) -> None:
        super().__init__()
        self.network, self.weigh = network, nn.Linear(numbers, 1, bias=False)

    def forward(self, pair: tuple[Tensor, Tensor], *condition: Tensor) -> dict[str, Any]:
        point, representation = pair
        found = recorded(self.network(point, *condition))
        return {**found, "score": found["score"] + self.weigh(representation).squeeze(1)}
