"""The normalisation-free residual pair of R3GAN (Huang, Gokaslan, Kuleshov, Tompkin 2024, arXiv 2501.05441).

Config E, written from the paper; its width is 768 at the scales up to 32x32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from saddlepoint.networks.featured import Featured
from saddlepoint.networks.resample import bilinear_down, bilinear_up
from saddlepoint.networks.shapes import Size, check, half_up, image_shape, pyramid, require, width_at

SLOPE = 0.2
# Keeps the second moment through a leaky ReLU (He et al. 2015): gain^2 (1 + slope^2) / 2 = 1.
GAIN = math.sqrt(2 / (1 + SLOPE**2))

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


@dataclass(frozen=True)
class R3Net:
    """Per scale a linear resampling and `blocks` inverted bottlenecks, mirrored in the discriminator.

    A block adds to x a 1x1 convolution to `expansion` times the width (rounded up to whole groups), leaky
    ReLU, a 3x3 convolution in groups of `group` maps, leaky ReLU, and a 1x1 convolution back. Nothing else
    touches the main path but the bilinear resampling with the kernel [1, 2, 1], and a 1x1 convolution where
    the number of maps changes. The generator starts from a learned grid whose maps are scaled by a linear
    function of the latent vector (64 normal numbers in the paper); the discriminator ends with one learned
    filter per map over the whole grid and a linear layer.

    Initialisation is fix-up (Zhang, Dauphin, Ma 2019, arXiv 1901.09321): with m = 3 layers in each of the L
    branches of a network, the last layer of a branch is zero and the others are scaled by L^(-1/(2m-2)) =
    L^(-1/4). At the start the network is linear between its ends, and a step of gradient descent changes it
    by an amount that does not grow with L.

    Deviations: tanh after the generator's last layer, where the paper's output is unbounded; a default width
    for a CPU; a smallest grid of 4 to 7 instead of 4 where the sides are no powers of two; beyond 32 the
    maps are halved for every doubling of the smaller side; at a border the weights of the kernel that lie
    inside the image are scaled to sum to one.
    """

    width: int = 32
    blocks: int = 2
    expansion: int = 2
    group: int = 16

    features: bool = False
    """Whether the discriminator also returns what its last layer sees."""

    def __post_init__(self) -> None:
        for field in ("width", "blocks", "expansion", "group"):
            value = getattr(self, field)
            require(value >= 1, f"R3Net needs {field} to be at least 1, not {value}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """latent [n, latent] -> [n, *shape] and [n, *shape] -> [n], for images with sides from 8 to 256."""
        check(self, latent, classes)
        channels, height, width = image_shape(self, shape)
        sizes = pyramid((height, width), half_up)
        return {
            "generator": self._generator(channels, sizes[::-1], latent),
            "discriminator": self._discriminator(channels, sizes),
        }

    def _generator(self, channels: int, sizes: list[Size], latent: int) -> nn.Module:
        maps = [width_at(self.width, size) for size in sizes]
        layers: list[nn.Module] = [Start(latent, maps[0], sizes[0]), *self._stage(maps[0], len(sizes))]
        for i in range(1, len(sizes)):
            layers += [
                *_change(maps[i - 1], maps[i]),
                bilinear_up(sizes[i]),
                *self._stage(maps[i], len(sizes)),
            ]
        return nn.Sequential(*layers, _scaled(nn.Conv2d(maps[-1], channels, 1, bias=False)), nn.Tanh())

    def _discriminator(self, channels: int, sizes: list[Size]) -> nn.Module:
        maps = [width_at(self.width, size) for size in sizes]
        layers: list[nn.Module] = [
            _scaled(nn.Conv2d(channels, maps[0], 1, bias=False)),
            *self._stage(maps[0], len(sizes)),
        ]
        for i in range(1, len(sizes)):
            layers += [
                bilinear_down(sizes[i - 1]),
                *_change(maps[i - 1], maps[i]),
                *self._stage(maps[i], len(sizes)),
            ]
        head = _scaled(nn.Linear(maps[-1], 1, bias=False))
        layers += [Filter(maps[-1], sizes[-1]), head, nn.Flatten(0)]
        return (Featured if self.features else nn.Sequential)(*layers)

    def _stage(self, maps: int, scales: int) -> list[nn.Module]:
        """The blocks of one scale, initialised for a network with this many scales."""
        groups = math.ceil(self.expansion * maps / self.group)
        scale = (scales * self.blocks) ** -0.25
        return [Bottleneck(maps, groups, self.group, scale) for _ in range(self.blocks)]


class Bottleneck(nn.Module):
    """x -> x + K3 f(K2 f(K1 x)), f the leaky ReLU, `groups * group` maps inside, K3 = 0 at the start."""

    def __init__(self, maps: int, groups: int, group: int, scale: float) -> None:
        super().__init__()
        inner = groups * group
        self.branch = nn.Sequential(
            _scaled(nn.Conv2d(maps, inner, 1), GAIN * scale),
            nn.LeakyReLU(SLOPE),
            _scaled(nn.Conv2d(inner, inner, 3, padding=1, groups=groups), GAIN * scale),
            nn.LeakyReLU(SLOPE),
            _scaled(nn.Conv2d(inner, maps, 1, bias=False), 0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


class Start(nn.Module):
    """latent [n, latent] -> [n, maps, height, width]: a learned grid, each map scaled linearly in z."""

    def __init__(self, latent: int, maps: int, size: Size) -> None:
        super().__init__()
        self.grid = nn.Parameter(torch.randn(maps, *size))
        self.scale = _scaled(nn.Linear(latent, maps, bias=False))

    def forward(self, latent: Tensor) -> Tensor:
        return self.scale(latent)[:, :, None, None] * self.grid


class Filter(nn.Module):
    """[n, maps, height, width] -> [n, maps]: a depthwise convolution as large as the grid."""

    def __init__(self, maps: int, size: Size) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(maps, *size) / math.sqrt(size[0] * size[1]))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum((2, 3))


def _change(inputs: int, outputs: int) -> list[nn.Module]:
    """A 1x1 convolution where the number of maps changes; it stands on the smaller side of a resampling."""
    return [] if inputs == outputs else [_scaled(nn.Conv2d(inputs, outputs, 1, bias=False))]


def _scaled(layer: Layer, gain: float = 1.0) -> Layer:
    """Weights from N(0, gain^2 / inputs of one unit), biases at 0."""
    inputs = layer.weight[0].numel()
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(inputs))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
