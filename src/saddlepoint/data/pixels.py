"""Pixels in arrays [n, channels, height, width]: range, number of channels, size."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saddlepoint.data.protocol import View

CHUNK = 1024
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def unit(values: Tensor) -> Tensor:
    """uint8 levels 0 … 255 as float32 in [-1, 1], x/127.5 - 1; float32 as it is."""
    return values.float().div_(127.5).sub_(1) if values.dtype == torch.uint8 else values


def viewed(images: NDArray[Any], view: View) -> NDArray[Any]:
    """The images with the view's channels and size, same type (uint8, or float32 in [-1, 1]); itself if they
    fit."""
    channels, size = view.channels or images.shape[1], view.size or images.shape[2:]
    if images.shape[1:] == (channels, *size):
        return images
    seen = np.empty((len(images), channels, *size), images.dtype)
    for start in range(0, len(images), CHUNK):
        chunk = unit(torch.from_numpy(np.array(images[start : start + CHUNK])))
        chunk = resized(with_channels(chunk, channels), (size[0], size[1])).clamp(-1, 1)
        if images.dtype == np.uint8:
            chunk = chunk.add_(1).mul_(127.5).round_()
        seen[start : start + CHUNK] = chunk.numpy()
    return seen


def with_channels(images: Tensor, channels: int) -> Tensor:
    """1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; a lost alpha is laid over white, a gained one is opaque."""
    if images.shape[1] == channels:
        return images
    has_alpha, keeps_alpha = images.shape[1] in (2, 4), channels in (2, 4)
    colour, alpha = (
        (images[:, :-1], images[:, -1:]) if has_alpha else (images, torch.ones_like(images[:, :1]))
    )
    if has_alpha and not keeps_alpha:
        colour = 1 - (1 - colour) * (alpha + 1) / 2
    if channels <= 2 and colour.shape[1] == 3:
        colour = (colour * colour.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    if channels >= 3:
        colour = colour.expand(-1, 3, -1, -1)
    return torch.cat([colour, alpha], 1) if keeps_alpha else colour


def resizing(before: tuple[int, ...], after: tuple[int, ...]) -> str:
    """What `viewed` does to the size of images [channels, height, width], in words."""
    if before[-2:] == after[-2:]:
        return "none"
    return f"{before[-2]}x{before[-1]} to {after[-2]}x{after[-1]}, antialiased cubic"


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The largest centred window of the target's aspect, resized by an antialiased cubic filter."""
    height, width = images.shape[2:]
    if (height, width) == size:
        return images
    scale = min(height / size[0], width / size[1])
    rows, columns = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    top, left = (height - rows) // 2, (width - columns) // 2
    window = images[:, :, top : top + rows, left : left + columns]
    return torch.nn.functional.interpolate(window, size, mode="bicubic", antialias=True)
