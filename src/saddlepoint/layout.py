"""One player is one flat vector; a layout is the only way between the vector and the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Layout:
    """Names and shapes of the parameters of one module, in the order in which they lie in the vector.

    With `channels_last` four-dimensional parameters lie as (out, h, w, in), so that convolutions need no copies;
    names and shapes seen from outside are the same.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    channels_last: bool = False

    @classmethod
    def of(cls, module: nn.Module, channels_last: bool = False) -> Layout:
        parameters = dict(module.named_parameters())  # tied parameters count once
        return cls(tuple(parameters), tuple(tuple(p.shape) for p in parameters.values()), channels_last)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(prod(shape) for shape in self.shapes)

    def named(self, vector: Tensor) -> dict[str, Tensor]:
        """Views by name. One split, never slices: the backward pass of each slice would allocate a whole vector."""
        parts = vector.split(self.sizes)
        return {
            name: self._shaped(part, shape)
            for name, part, shape in zip(self.names, parts, self.shapes, strict=True)
        }

    def vector(self, named: Mapping[str, Tensor]) -> Tensor:
        """The vector of tensors given by name, a copy."""
        if not self.names:
            return torch.zeros(0)
        if not self.channels_last:
            return torch.cat([named[name].reshape(-1) for name in self.names])
        return torch.cat([self._flat(named[name]) for name in self.names])

    def _shaped(self, part: Tensor, shape: tuple[int, ...]) -> Tensor:
        if self.channels_last and len(shape) == 4:
            out, channels, height, width = shape
            return part.view(out, height, width, channels).permute(0, 3, 1, 2)
        return part.view(shape)

    def _flat(self, tensor: Tensor) -> Tensor:
        if self.channels_last and tensor.dim() == 4:
            return tensor.permute(0, 2, 3, 1).reshape(-1)
        return tensor.reshape(-1)
