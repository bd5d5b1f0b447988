"""Doubling and halving of images as what they are: a small fixed matrix for each axis.

    y = R x C^T        R [height out, height in], C [width out, width in]

This fits every size, odd ones too, is linear and therefore differentiable any number of times, and on a CPU
two small matrix products are faster than the interpolation kernels. Every row of R and C sums to one, so a
constant image stays the same constant up to its border.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import Size, half_up


class Resample(nn.Module):
    """x [..., height, width] -> R x C^T, with the matrices as buffers."""

    rows: Tensor
    columns: Tensor

    def __init__(self, rows: Tensor, columns: Tensor) -> None:
        super().__init__()
        self.register_buffer("rows", rows)
        self.register_buffer("columns", columns.T.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        return self.rows @ x @ self.columns


def nearest(size: int) -> Tensor:
    """[size, ceil(size / 2)]: every value twice (the last once where the size is odd)."""
    return torch.eye(half_up(size))[torch.arange(size) // 2]


def bilinear(size: int) -> Tensor:
    """[size, ceil(size / 2)]: the values, and between them their means (kernel [1, 2, 1] / 2)."""
    identity = torch.eye(half_up(size))
    position = torch.arange(size)
    return (identity[position // 2] + identity[((position + 1) // 2).clamp(max=half_up(size) - 1)]) / 2


def adjoint(up: Tensor) -> Tensor:
    """The halving that belongs to a doubling: its transpose with rows that sum to one.

    Of `nearest` it is the mean over pairs, of `bilinear` every second value of the filter [1, 2, 1] / 4.
    """
    return up.T / up.sum(0)[:, None]


def nearest_up(target: Size) -> Resample:
    """Nearest-neighbour doubling that ends at the target size."""
    return Resample(nearest(target[0]), nearest(target[1]))


def average_down(source: Size) -> Resample:
    """Average pooling by two from the source size."""
    return Resample(adjoint(nearest(source[0])), adjoint(nearest(source[1])))


def bilinear_up(target: Size) -> Resample:
    """Bilinear doubling that ends at the target size."""
    return Resample(bilinear(target[0]), bilinear(target[1]))


def bilinear_down(source: Size) -> Resample:
    """Low-pass filter [1, 2, 1] / 4 along both axes and every second value, from the source size."""
    return Resample(adjoint(bilinear(source[0])), adjoint(bilinear(source[1])))
