"""A player that waits while it is ahead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.dynamics.alternating import Alternating
from saddlepoint.dynamics.base import Info, Turn
from saddlepoint.game import Batch, Game
from saddlepoint.state import State


@dataclass(frozen=True)
class Skipping(Alternating):
    """`Alternating`, but a turn of `player` in which the number `of` of the log is below `below` changes nothing: neither
    vectors nor optimisers nor memory. The evaluation is made, and counted, all the same. `skipped/<player>`: 1 if so."""

    player: str = "discriminator"
    of: str = "loss/discriminator"
    below: float = 0.3

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        after, info = super().move(game, state, turn, batch)
        if self.player not in turn.players:
            return after, info
        stays = info[self.of] < self.below
        return State(*_where(stays, tuple(state), tuple(after))), {
            **info,
            f"skipped/{self.player}": stays.float(),
        }


def _where(stays: Tensor, before: Any, after: Any) -> Any:
    """Nested values, number by number."""
    if isinstance(after, Mapping):
        return {name: _where(stays, before[name], value) for name, value in after.items()}
    if isinstance(after, tuple):
        return tuple(_where(stays, *pair) for pair in zip(before, after, strict=True))
    if before is after:
        return after
    if isinstance(after, Tensor):
        return torch.where(stays, before, after)
    return torch.where(
        stays, *(torch.as_tensor(v, dtype=torch.float64, device=stays.device) for v in (before, after))
    )
