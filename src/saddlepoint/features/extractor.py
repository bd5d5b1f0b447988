"""What an extractor is, and what all of them share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from saddlepoint.errors import InputError

BLOCK = 512  # rows at a time
Progress = Callable[[int, int], None]  # called with (examples seen, examples in all)


class Extractor(Protocol):
    """Features of samples: [n, *shape] (images in [−1, 1]) -> float32 [n, d], whatever the batching."""

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str: ...
    def __call__(self, samples: Tensor) -> Tensor: ...


def content_hash(tensors: Mapping[str, Tensor]) -> str:
    """sha256 over names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.numpy().tobytes())
    return "sha256:" + digest.hexdigest()


def batched(function: Callable[[Tensor], Tensor], samples: Tensor) -> Tensor:
    """The function over blocks of rows in order, without gradients, in float32 on the CPU."""
    if not len(samples):
        raise InputError("an extractor was given 0 samples; it needs at least 1.")
    with torch.no_grad():
        return torch.cat([function(block.detach().float().cpu()) for block in torch.split(samples, BLOCK)])


def affordable(shape: tuple[int, ...]) -> int:
    """Rows to hold at once: 10,000, or fewer where those pass 256 MiB."""
    return max(2, min(10_000, (1 << 26) // torch.Size(shape).numel()))


def images(samples: Tensor, name: str) -> Tensor:
    """The samples, refused where they are no images [n, channels, height, width]."""
    if samples.dim() != 4:
        raise InputError(
            f"the extractor {name} is for images, and samples have the shape {tuple(samples.shape[1:])}."
        )
    return samples
