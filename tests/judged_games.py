"""Games about one discriminator, and draws in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint import methods
from small_games import small

F64 = torch.float64


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def judged(discriminator: nn.Module, shape: tuple[int, ...], **changes: Any) -> tuple[Any, Any, Any]:
    """A game with this discriminator of points of the shape, its players and memory."""
    numbers = math.prod(shape)
    generator = nn.Sequential(nn.Linear(3, numbers), nn.Unflatten(1, shape))
    method = small(replace(methods.get("gan"), averages={}, **changes))
    reference = {"real": drawn(8, *shape).float()}
    game = method.game({"generator": generator, "discriminator": discriminator}, reference)
    return game, *game.init(0, reference)


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make()
