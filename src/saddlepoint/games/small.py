"""What small games share: a start, a batch, the dense Jacobian of the field and its spectrum, orbits of dynamics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from saddlepoint.dynamics import Dynamics
from saddlepoint.game import Batch, Game, Memory, Players
from saddlepoint.state import State


class Small(Game):
    """A game that knows where it starts and what an evaluation reads. Vectors are float64."""

    def start(self) -> Players:
        """The vectors at the start."""
        raise NotImplementedError

    def data(self) -> dict[str, Any]:
        """The rows of data and noise that every evaluation reads."""
        return {}

    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        return self.start(), {}


def vector(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def joined(players: Players) -> Tensor:
    """All vectors as one, in the order of the players."""
    return torch.cat(list(players.values()))


def parted(players: Players, whole: Tensor) -> Players:
    """One vector taken apart as `players` are."""
    sizes = [len(v) for v in players.values()]
    return dict(zip(players, whole.split(sizes), strict=True))


def timed(game: Small, step: int) -> dict[str, Any]:
    """The batch of step number `step`."""
    return {**game.data(), "clock": {"step": step, "images": step, "progress": 0.0}}


def jacobian(game: Small, players: Players | None = None) -> Tensor:
    """The dense Jacobian of the field at `players` (by default at the start), [n, n]: column i is J e_i."""
    found, memory = game.init(0, game.data())
    at = found if players is None else players
    axes = torch.eye(len(joined(at)), dtype=torch.float64)
    columns = [joined(game.pushforward(at, memory, timed(game, 0), parted(at, axis))) for axis in axes]
    return torch.stack(columns, dim=1)


def eigenvalues(game: Small, players: Players | None = None) -> Tensor:
    """The eigenvalues of −J, complex: descent converges locally where all real parts are negative."""
    return torch.linalg.eigvals(-jacobian(game, players))


def orbit(game: Small, dynamics: Dynamics, steps: int, players: Players | None = None) -> Tensor:
    """All players as one vector before the first step and after each: [steps + 1, n]."""
    found, memory = game.init(0, game.data())
    state = dynamics.init(game, found if players is None else players, memory)
    return onwards(game, dynamics, state, steps, game.data())


def onwards(game: Game, dynamics: Dynamics, state: State, steps: int, batch: Batch) -> Tensor:
    """All players as one vector at `state` and after each of the next steps, every turn on the rows of `batch`:
    [steps + 1, n]. The clock goes on from that of the state, by one image a step."""
    seen, start = [joined(state.players)], state.clock
    for step in range(start["step"], start["step"] + steps):
        counted = {"step": step, "images": start["images"] + step - start["step"]}
        rows = {**batch, "clock": {"progress": 0.0, **batch.get("clock", {}), **counted}}
        state, _ = dynamics.step(game.at(step), state, dynamics.turns(step), _always(rows), 1)
        seen.append(joined(state.players))
    return torch.stack(seen)


def _always(batch: Batch) -> Callable[[int], Batch]:
    return lambda turn: batch
