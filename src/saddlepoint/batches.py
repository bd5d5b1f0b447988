"""The batches of a run: data and noise of every turn, each a function of (seed, step, turn, name) alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.bound import MethodGame
from saddlepoint.data.protocol import Data, check_labels
from saddlepoint.dynamics import Turn
from saddlepoint.dynamics.base import shared_needs
from saddlepoint.random import key


@dataclass(frozen=True)
class Shard:
    """Which rows of the global batch a process takes: those of `rank` of `world`."""

    rank: int = 0
    world: int = 1

    def of(self, tensor: Tensor) -> Tensor:
        if self.world == 1:
            return tensor
        size = len(tensor) // self.world
        return tensor[self.rank * size : (self.rank + 1) * size]


@dataclass
class Batches:
    """Always draws the global batch of `rows` rows, then takes the shard's rows."""

    game: MethodGame
    data: Data
    seed: int
    rows: int
    device: torch.device
    shard: Shard = Shard()

    def __post_init__(self) -> None:
        self.source = torch.Generator(self.device)  # sown anew for each draw
        self.read: dict[tuple[Turn, ...], list[frozenset[str]]] = {}

    def step(
        self, clock: Mapping[str, Any], turns: tuple[Turn, ...], progress: float
    ) -> list[dict[str, Any]]:
        """The batches of the step that starts at `clock`, one a turn."""
        now = {"step": clock["step"], "images": clock["images"], "progress": progress}
        position = clock["rows"]
        made: list[dict[str, Any]] = []
        if turns not in self.read:
            self.read[turns] = [shared_needs(self.game, turns, index) for index in range(len(turns))]
        for index, (turn, needs) in enumerate(zip(turns, self.read[turns], strict=True)):
            if not turn.fresh and made:
                made.append(made[-1])
                continue
            made.append({**self.drawn(clock["step"], index, position, needs), "clock": now})
            position += self.rows if self.reads(needs) else 0
        return made

    def whole(self, clock: Mapping[str, Any], progress: float) -> dict[str, Any]:
        """A batch for all players at once, of the step that starts at `clock`: to look at, not to train on."""
        now = {"step": clock["step"], "images": clock["images"], "progress": progress}
        needs = self.game.needs(self.game.players)
        return {**self.drawn(clock["step"], 0, clock["rows"], needs), "clock": now}

    def drawn(self, step: int, index: int, position: int, needs: frozenset[str]) -> dict[str, Any]:
        """Noise, and rows of the data from a position on, if any are needed."""
        rows = self.rows_from(position, needs) if self.reads(needs) else {}
        return self.noise(step, index, needs) | rows

    def reads(self, needs: frozenset[str]) -> bool:
        return bool(needs - self.game.draws.keys())

    def rows_from(self, position: int, needs: frozenset[str]) -> dict[str, Tensor]:
        rows = self.data.rows(self.seed, position, self.rows)
        drawn = {name: tensor for name, tensor in rows.items() if name in needs}
        check_labels(self.data, drawn)
        return {name: self.shard.of(t).to(self.device, non_blocking=True) for name, t in drawn.items()}

    def noise(self, step: int, index: int, needs: frozenset[str]) -> dict[str, Any]:
        if self.game.found.noisy:  # networks that draw numbers themselves use the global generator
            torch.manual_seed(key(self.seed, step, index, self.shard.rank, "network"))
        shapes = {"real": self.data.shape}
        return {
            name: self.shard.of(
                draw.sample(self.rows, self.source.manual_seed(key(self.seed, step, index, name)), shapes)
            )
            for name, draw in self.game.draws.items()
            if name in needs
        }
