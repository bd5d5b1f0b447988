"""Augmentations of images [n, channels, height, width], differentiable in the image. u: uniform numbers in (0, 1), [n]."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def _wide(u: Tensor) -> Tensor:
    return u.view(-1, 1, 1, 1)


def brightness(x: Tensor, u: Tensor) -> Tensor:
    """x + (u − ½)."""
    return x + (_wide(u) - 0.5)


def saturation(x: Tensor, u: Tensor) -> Tensor:
    """Distances from the pixel's mean over channels, times 2u."""
    mean = x.mean(1, keepdim=True)
    return (x - mean) * (2 * _wide(u)) + mean


def contrast(x: Tensor, u: Tensor) -> Tensor:
    """Distances from the image's mean, times u + ½."""
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * (_wide(u) + 0.5) + mean


def translated(x: Tensor, u: Tensor, v: Tensor, ratio: float) -> Tensor:
    """Moved by whole pixels, at most `ratio` of a side each way; what enters is 0."""
    rows, columns = (_shifted(side, part, ratio) for side, part in zip(x.shape[2:], (u, v), strict=True))
    around = pad(x, (1, 1, 1, 1))
    n, channels, height, width = around.shape
    moved = around.gather(2, rows.view(n, 1, -1, 1).expand(n, channels, height - 2, width))
    return moved.gather(3, columns.view(n, 1, 1, -1).expand(n, channels, height - 2, width - 2))


def _shifted(side: int, u: Tensor, ratio: float) -> Tensor:
    """For each row of the result, the row of the padded image that it shows: [n, side]."""
    most = int(side * ratio + 0.5)
    shift = (u * (2 * most + 1)).floor().long() - most
    return (torch.arange(side, device=u.device) + 1 + shift.view(-1, 1)).clamp(0, side + 1)


def cut(x: Tensor, u: Tensor, v: Tensor, ratio: float) -> Tensor:
    """With a box of `ratio` of each side set to 0, its centre anywhere in the image."""
    inside = [_box(side, part, ratio) for side, part in zip(x.shape[2:], (u, v), strict=True)]
    return x * (1 - (inside[0].unsqueeze(2) * inside[1].unsqueeze(1)).unsqueeze(1).to(x.dtype))


def _box(side: int, u: Tensor, ratio: float) -> Tensor:
    size = int(side * ratio + 0.5)
    start = (u * (side + 1 - size % 2)).floor().view(-1, 1) - size // 2
    place = torch.arange(side, device=u.device)
    return (place >= start) & (place < start + size)


def mirrored(x: Tensor, u: Tensor) -> Tensor:
    """Left to right where u < ½."""
    return torch.where(_wide(u) < 0.5, x.flip(3), x)


def turned(x: Tensor, u: Tensor) -> Tensor:
    """By 0, 90, 180 or 270 degrees; by 0 or 180 where the image is not square."""
    if x.shape[2] != x.shape[3]:
        return torch.where(_wide(u) < 0.5, x.rot90(2, (2, 3)), x)
    quarter = (_wide(u) * 4).floor()
    half = torch.where(quarter >= 2, x.rot90(2, (2, 3)), x)
    return torch.where(quarter % 2 == 1, half.rot90(1, (2, 3)), half)
