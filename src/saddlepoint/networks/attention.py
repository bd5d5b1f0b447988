"""Self-attention between the places of an image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import require
from saddlepoint.networks.wrapping import Wrapping


@dataclass(frozen=True)
class Attentive(Wrapping):
    """Self-attention in both networks of a convolutional base, `stage` halvings away from the image (Zhang et al. 2019)."""

    stage: int = 1

    def __post_init__(self) -> None:
        require(self.stage >= 1, f"Attentive needs a stage of at least 1, not {self.stage}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        made = self.built(self.inner(), shape, latent, classes)
        down, up = nn.Conv2d, nn.ConvTranspose2d
        generator, discriminator = made["generator"], made["discriminator"]
        return {
            **made,
            "generator": self._with(generator, _places(generator, up)[::-1], before=True),
            "discriminator": self._with(discriminator, _places(discriminator, down), before=False),
        }

    def _with(self, network: nn.Module, places: list[int], before: bool) -> nn.Module:
        require(
            isinstance(network, nn.Sequential) and len(places) >= self.stage,
            f"{self} needs networks of at least {self.stage} convolutions in a row, such as those of DCGAN.",
        )
        layers = list(network)  # type: ignore[call-overload]
        at = places[self.stage - 1]
        convolution = layers[at]
        maps = convolution.in_channels if before else convolution.out_channels
        place = at if before else next((i for i in range(at + 1, len(layers)) if _ends(layers[i])), at) + 1
        return type(network)(*layers[:place], SelfAttention(maps), *layers[place:])


def _places(network: nn.Module, kind: type[nn.Module]) -> list[int]:
    return [index for index, layer in enumerate(network.children()) if isinstance(layer, kind)]


def _ends(layer: nn.Module) -> bool:
    """Whether a layer is an activation, which ends a stage."""
    return isinstance(layer, nn.LeakyReLU | nn.ReLU)


class SelfAttention(nn.Module):
    """x_j + γ W_v Σ_i β_ji h(x_i), β_ji = softmax_i f(x_i)·g(x_j), with 1×1 convolutions f, g, h to an eighth of the maps (at
    least 1) and γ starting at 0 (Zhang et al. 2019, equations 1 to 3)."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        few = max(1, maps // 8)
        self.f, self.g, self.h = (nn.Conv2d(maps, few, 1, bias=False) for _ in range(3))
        self.v = nn.Conv2d(few, maps, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, rows: Tensor) -> Tensor:
        keys, queries, values = (layer(rows).flatten(2) for layer in (self.f, self.g, self.h))
        share = (queries.transpose(1, 2) @ keys).softmax(2)  # [n, j, i]
        seen = (values @ share.transpose(1, 2)).unflatten(2, rows.shape[2:])
        attended: Tensor = rows + self.gamma * self.v(seen)
        return attended
