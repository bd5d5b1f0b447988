"""The deep convolutional pair of Radford, Metz and Chintala 2016 (arXiv 1511.06434)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from saddlepoint.networks.featured import Featured
from saddlepoint.networks.shapes import Size, check, image_shape, pyramid, require
from saddlepoint.networks.virtual import Virtual, VirtualBatchNorm

Norm = Literal["batch", "virtual", "none"]


@dataclass(frozen=True)
class DCGAN:
    """Strided convolutions down in the discriminator, transposed ones up in the generator, nothing between.

    `width` maps at the finest scale, doubled at every halving up to 8 * width. Weights start from N(0, 0.02),
    gains of the normalisation from N(1, 0.02), biases at 0. BatchNorm stands after every layer but the
    generator's last and the discriminator's first and last; "none" leaves it out, which penalties on each
    sample's own gradient need; "virtual" compares with a batch chosen once instead (Salimans et al. 2016), at the cost
    of two forward passes.

    The kernel of the paper is 5. The default here is 4: a multiple of the stride, so that every output of a
    transposed convolution is a sum of equally many terms (no checkerboard), at 16/25 of the cost. Sides are
    halved downwards with an even kernel (18, 9, 4) and upwards with an odd one (18, 9, 5); output padding
    brings the generator back to the same sizes, whatever the size of the image.

    Deviations: the kernel; a smallest grid of 4 to 7 instead of 4 where the sides are no powers of two.
    """

    width: int = 64
    kernel: int = 4
    generator_norm: Norm = "batch"
    discriminator_norm: Norm = "batch"
    features: bool = False
    """Whether the discriminator also returns what its last layer sees."""

    def __post_init__(self) -> None:
        require(self.width >= 1, f"DCGAN needs a width of at least 1, not {self.width}.")
        require(3 <= self.kernel <= 7, f"DCGAN needs a kernel from 3 to 7, not {self.kernel}.")
        for norm in (self.generator_norm, self.discriminator_norm):
            require(
                norm in ("batch", "virtual", "none"),
                f'DCGAN has the normalisations "batch", "virtual" and "none", not {norm!r}.',
            )

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """latent [n, latent] -> [n, *shape] and [n, *shape] -> [n], for images with sides from 8 to 256."""
        check(self, latent, classes)
        channels, height, width = image_shape(self, shape)
        sizes = pyramid((height, width), self._halved)
        maps = [channels] + [self.width * min(2**stage, 8) for stage in range(len(sizes) - 1)]
        made = [*self._start(latent, maps[-1], sizes[-1]), *self._up(maps, sizes)]
        generator = nn.Sequential(*_row(self.generator_norm, made), nn.Tanh())
        inputs = maps[-1] * sizes[-1][0] * sizes[-1][1]
        score = [nn.Flatten(), nn.Linear(inputs, 1), nn.Flatten(0)]
        discriminator = (Featured if self.features else nn.Sequential)(
            *_row(self.discriminator_norm, self._down(maps)), *score
        )
        return {"generator": generator.apply(initialise), "discriminator": discriminator.apply(initialise)}

    @property
    def _padding(self) -> int:
        return (self.kernel - 1) // 2

    def _halved(self, side: int) -> int:
        return (side + 2 * self._padding - self.kernel) // 2 + 1

    def _start(self, latent: int, maps: int, size: Size) -> list[nn.Module]:
        bias = self.generator_norm == "none"
        linear = nn.Linear(latent, maps * size[0] * size[1], bias=bias)
        return [linear, nn.Unflatten(1, (maps, *size)), *_norm(self.generator_norm, maps), nn.ReLU()]

    def _up(self, maps: list[int], sizes: list[Size]) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for stage in range(len(sizes) - 1, 0, -1):
            last = stage == 1
            kind: Norm = "none" if last else self.generator_norm
            missing = self._missing(sizes[stage], sizes[stage - 1])
            inputs, outputs = maps[stage], maps[stage - 1]
            bias = kind == "none"
            layers.append(
                nn.ConvTranspose2d(inputs, outputs, self.kernel, 2, self._padding, missing, bias=bias)
            )
            layers += [] if last else [*_norm(kind, outputs), nn.ReLU()]
        return layers

    def _missing(self, small: Size, large: Size) -> Size:
        """Rows and columns (0 or 1) that the transposed convolution must add to reach the larger size."""
        rows, columns = (
            big - 2 * (n - 1) + 2 * self._padding - self.kernel for n, big in zip(small, large, strict=True)
        )
        return rows, columns

    def _down(self, maps: list[int]) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for stage in range(1, len(maps)):
            kind: Norm = "none" if stage == 1 else self.discriminator_norm
            bias = kind == "none"
            layers.append(nn.Conv2d(maps[stage - 1], maps[stage], self.kernel, 2, self._padding, bias=bias))
            layers += [*_norm(kind, maps[stage]), nn.LeakyReLU(0.2)]
        return layers


def _norm(kind: Norm, maps: int) -> list[nn.Module]:
    match kind:
        case "batch":
            return [nn.BatchNorm2d(maps)]
        case "virtual":
            return [VirtualBatchNorm(maps)]
        case "none":
            return []


def _row(kind: Norm, layers: list[nn.Module]) -> list[nn.Module]:
    """The layers as they are, or taken together with a reference."""
    return [Virtual(*layers)] if kind == "virtual" else layers


def initialise(module: nn.Module) -> None:
    """The starting weights of Radford et al. 2016."""
    match module:
        case nn.Linear() | nn.Conv2d() | nn.ConvTranspose2d():
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        case nn.BatchNorm1d() | nn.BatchNorm2d() | VirtualBatchNorm():
            nn.init.normal_(module.weight, 1.0, 0.02)
