"""The residual pair of spectrally normalised GANs (Miyato et al. 2018, arXiv 1802.05957, Table 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor, nn

from saddlepoint.networks.featured import Featured
from saddlepoint.networks.resample import Resample, average_down, nearest_up
from saddlepoint.networks.shapes import Size, check, half_up, image_shape, pyramid, require, width_at

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


@dataclass(frozen=True)
class ResNet:
    """Residual blocks of two 3x3 convolutions, with 2 * `width` maps (generator) and `width` (discriminator).

    Generator: linear to a grid with a smaller side of 4 to 7, one block with BatchNorm and nearest-neighbour
    doubling per scale, BatchNorm, ReLU, convolution, tanh. Discriminator, without normalisation: blocks with
    average pooling down to a smaller side of 6 to 11 (8 for 32), two blocks without, ReLU, sum over
    positions, linear. Weights start from Glorot's uniform distribution, with gain sqrt(2) inside the blocks
    and 1 elsewhere. The default at 32x32 is the paper's network for CIFAR-10; its spectral normalisation is
    a constraint on parameters and stands elsewhere.

    Deviations: sizes other than 32x32 follow from the rules above, and beyond 32 the maps are halved for
    every doubling of the smaller side. A shortcut's 1x1 convolution stands on that side of the resampling
    where it is cheaper; the two commute, so the function is the same.
    """

    width: int = 32
    features: bool = False
    """Whether the discriminator also returns what its last layer sees."""

    def __post_init__(self) -> None:
        require(self.width >= 1, f"ResNet needs a width of at least 1, not {self.width}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """latent [n, latent] -> [n, *shape] and [n, *shape] -> [n], for images with sides from 8 to 256."""
        check(self, latent, classes)
        channels, height, width = image_shape(self, shape)
        full = (height, width)
        return {
            "generator": self._generator(channels, full, latent),
            "discriminator": self._discriminator(channels, full),
        }

    def _generator(self, channels: int, full: Size, latent: int) -> nn.Module:
        sizes = pyramid(full, half_up)[::-1]
        start = 2 * width_at(self.width, sizes[0])
        layers: list[nn.Module] = [
            _glorot(nn.Linear(latent, start * sizes[0][0] * sizes[0][1])),
            nn.Unflatten(1, (start, *sizes[0])),
        ]
        maps = start
        for size in sizes[1:]:
            outputs = 2 * width_at(self.width, size)
            layers.append(UpBlock(maps, outputs, size))
            maps = outputs
        return nn.Sequential(*layers, nn.BatchNorm2d(maps), nn.ReLU(), _conv(maps, channels), nn.Tanh())

    def _discriminator(self, channels: int, full: Size) -> nn.Module:
        # The first block always halves, also where the image is already near the smallest grid.
        scales = pyramid(full, half_up, stop=12)[:-1] or [full]
        maps = width_at(self.width, full)
        layers: list[nn.Module] = [DownBlock(channels, maps, average_down(full), first=True)]
        for size in scales[1:]:
            outputs = width_at(self.width, size)
            layers.append(DownBlock(maps, outputs, average_down(size)))
            maps = outputs
        layers += [DownBlock(maps, maps, None) for _ in range(2)]
        layers += [nn.ReLU(), SumPositions(), _glorot(nn.Linear(maps, 1)), nn.Flatten(0)]
        return (Featured if self.features else nn.Sequential)(*layers)


class UpBlock(nn.Module):
    """x -> U(K x) + K2 relu(norm(K1 U relu(norm(x)))), U the doubling to the target size."""

    def __init__(self, inputs: int, outputs: int, target: Size) -> None:
        super().__init__()
        self.up = nearest_up(target)
        self.shortcut = _conv(inputs, outputs, 1)
        self.before = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.after = nn.Sequential(
            _conv(inputs, outputs, 3, math.sqrt(2)),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            _conv(outputs, outputs, 3, math.sqrt(2)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.shortcut(x)) + self.after(self.up(self.before(x)))


class DownBlock(nn.Module):
    """x -> K D x + D K2 relu(K1 relu(x)), D the halving; without it x -> x + K2 relu(K1 relu(x)).

    The first block of a network meets the image itself and leaves out the inner relu.
    """

    def __init__(self, inputs: int, outputs: int, down: Resample | None, first: bool = False) -> None:
        super().__init__()
        self.down: nn.Module = nn.Identity() if down is None else down
        self.shortcut = nn.Identity() if down is None else _conv(inputs, outputs, 1)
        convolutions = [
            _conv(inputs, outputs, 3, math.sqrt(2)),
            nn.ReLU(),
            _conv(outputs, outputs, 3, math.sqrt(2)),
        ]
        self.branch = nn.Sequential(*([] if first else [nn.ReLU()]), *convolutions)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(self.down(x)) + self.down(self.branch(x))


class SumPositions(nn.Module):
    """[n, maps, height, width] -> [n, maps]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum((2, 3))


def _conv(inputs: int, outputs: int, kernel: int = 3, gain: float = 1.0) -> nn.Conv2d:
    return _glorot(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), gain)


def _glorot(layer: Layer, gain: float = 1.0) -> Layer:
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
