"""A trained model asked for many rows: in parts that bound the memory of its networks, and without gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from saddlepoint.errors import InputError

if TYPE_CHECKING:
    from saddlepoint.metrics.quantities import Model

Generate: TypeAlias = Callable[[Tensor], Tensor]
"""Latents [n, k] to samples [n, …], every row alone."""
PART = 250  # rows at a time


def parts(rows: Tensor) -> Iterator[Tensor]:
    return iter(rows.split(PART))


@torch.no_grad()
def made(generate: Generate, latents: Tensor) -> Tensor:
    """Samples of these latents: float32 [n, …] on the CPU."""
    return torch.cat([generate(part).detach().float().cpu() for part in parts(latents)])


@torch.no_grad()
def judged(model: Model, samples: Tensor) -> Tensor:
    """The discriminator's scores, higher for what it takes to be real: float32 [n] on the CPU."""
    return torch.cat([model.judge(part).detach().float().cpu() for part in parts(samples)])


@torch.no_grad()
def classified(classify: Callable[[Tensor], Tensor], samples: Tensor) -> Tensor:
    """The likeliest class of each sample: int64 [n]."""
    return torch.cat([classify(part).argmax(1) for part in parts(samples)])


def from_normal(model: Model, seed: int = 0) -> Generate:
    """The generator as a function of latents N(0, I).

    The prior is known by its draws alone. If 1000 rows all lie in [−1, 1], as one number of a Gaussian does with
    probability 0.68, it is uniform there, and 2Φ(u) − 1 carries a Gaussian u to it; otherwise mean and variance have to
    be those of N(0, I).
    """
    drawn = model.latents(1000, seed).double()
    if drawn.abs().max() <= 1:
        return lambda latents: model.generate(2 * torch.special.ndtr(latents) - 1)
    if abs(float(drawn.mean())) > 0.2 or abs(float(drawn.var()) - 1) > 0.2:
        raise InputError(f"the latents of {model.name} are neither N(0, I) nor uniform on [−1, 1].")
    return model.generate
