"""Several pairs as one: a generator that takes a member for each sample, a discriminator that asks all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import require
from saddlepoint.networks.wrapping import Wrapping, recorded


@dataclass(frozen=True)
class Members(Wrapping):
    """`components` pairs of the kind of `base`, each with initial weights of its own, and a logit for each."""

    components: int = 5

    def __post_init__(self) -> None:
        require(self.components >= 1, f"Members needs at least 1 component, not {self.components}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """G: (inputs of the base's, numbers in [0, 1) [n]) -> samples; D: as the base's."""
        made = [self.built(self.inner(), shape, latent, classes) for _ in range(self.components)]
        if self.components == 1:  # the base itself, with the same initial weights
            return made[0]
        return {
            **made[0],
            "generator": Chosen([pair["generator"] for pair in made]),
            "discriminator": Averaged([pair["discriminator"] for pair in made]),
        }


@dataclass(frozen=True)
class Judged(Wrapping):
    """The pair `base` and a "judge" beside it: one more discriminator of the innermost pair, single samples [n, ...] ->
    scores [n], for a player that only looks."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        made = self.built(self.inner(), shape, latent, classes)
        pair: Any = self.base
        while isinstance(pair, Wrapping):
            pair = pair.inner()
        return {**made, "judge": Scoring(pair.build(shape, latent)["discriminator"])}


class Scoring(nn.Module):
    """The score alone of what a discriminator returns: [n]."""

    def __init__(self, discriminator: nn.Module) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, point: Tensor) -> Tensor:
        score: Tensor = recorded(self.discriminator(point))["score"]
        return score.flatten(1).mean(1) if score.dim() > 1 else score


class Committee(nn.Module):
    """Networks of one kind with the weights softmax(logits), equal at the start."""

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.full((len(members),), 1 / len(members)))
        self.members = nn.ModuleList(members)

    def weights(self) -> Tensor:
        return self.logits.softmax(0)


class Chosen(Committee):
    """A mixture of generators. The last input, uniform on [0, 1), chooses the member of each row: the one whose share of
    [0, 1) it falls in."""

    def forward(self, *inputs: Any) -> Tensor:
        *given, place = inputs
        chosen = (place.unsqueeze(1) >= self.weights().cumsum(0)[:-1]).sum(1)
        made = torch.stack([member(*given) for member in self.members])
        return made[chosen, torch.arange(len(place), device=place.device)]


class Averaged(Committee):
    """What the members return, averaged by their weights, output by output."""

    def forward(self, *inputs: Any) -> Any:
        return _averaged([member(*inputs) for member in self.members], self.weights())


def _averaged(outputs: list[Any], weights: Tensor) -> Any:
    if isinstance(outputs[0], Mapping):
        return {name: _averaged([output[name] for output in outputs], weights) for name in outputs[0]}
    if isinstance(outputs[0], (list, tuple)):
        return [_averaged(list(member), weights) for member in zip(*outputs, strict=True)]
    return torch.einsum("i,i...->...", weights, torch.stack(outputs))
