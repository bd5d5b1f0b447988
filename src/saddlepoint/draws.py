"""Noise is data: a part declares what it wants drawn, the training loop draws it outside the loss.

Draws are keyed by (seed, step, turn, name): adding a penalty does not change the latents, and every evaluation of
a loss on the same batch is the same function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draw:
    """`rows` independent draws of `kind`, each of `shape` (per row), or shaped like the named quantity.

    normal: N(0, 1); uniform: U(0, 1); symmetric: U(−1, 1).
    """

    kind: Literal["normal", "uniform", "symmetric"]
    shape: tuple[int, ...] | str = ()

    def sample(
        self, rows: int, generator: torch.Generator, shapes: Mapping[str, tuple[int, ...]] | None = None
    ) -> Tensor:
        shape = self.shape if isinstance(self.shape, tuple) else (shapes or {})[self.shape]
        sampler = torch.randn if self.kind == "normal" else torch.rand
        drawn = sampler(rows, *shape, generator=generator, device=generator.device)
        return drawn.mul_(2).sub_(1) if self.kind == "symmetric" else drawn
