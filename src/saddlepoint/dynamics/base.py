"""The form of dynamics: a step is a sequence of turns, a turn is some players moving once on one evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from saddlepoint.game import Batch, Game, Memory, Notes, Players
from saddlepoint.optim import Adam, Optimizer
from saddlepoint.state import State, start_clock


class Turn(NamedTuple):
    """Who moves together on one evaluation. `fresh=False`: on the same draws as the turn before; `beside`: players whose
    losses are evaluated too, though they stay; `tentative`: the move is taken back when the next turn has looked from
    there; `closes`: a period of several steps ends with this turn."""

    players: tuple[str, ...]
    fresh: bool = True
    beside: tuple[str, ...] = ()
    tentative: bool = False
    closes: bool = False


Info = dict[str, Tensor]


@dataclass(frozen=True)
class Dynamics:
    """Optimisers by player, and the order of moves."""

    optimizers: dict[str, Optimizer] = field(
        default_factory=lambda: {"generator": Adam(), "discriminator": Adam()}
    )

    def turns(self, step: int) -> tuple[Turn, ...]:
        """The turns of step number `step` (from 0); static, and only finitely many different ones. Unless a rule says
        otherwise all players move together."""
        return (Turn(tuple(self.optimizers)),)

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        """One turn: gradients at the present point, a committed move of the players in the turn."""
        gradients, notes = game.gradients(turn.players, state.players, state.memory, batch)
        return self.commit(game, state, gradients, notes, batch)

    def cost(self, turn: Turn) -> int:
        """Gradient evaluations of one turn: one for each gradient of one player's loss. A product with the Jacobian of
        all players' gradients counts as one for each player."""
        return len(turn.players)

    def init(self, game: Game, players: Players, memory: Memory) -> State:
        """The state before the first step."""
        slots = {player: self.optimizers[player].init(players[player]) for player in game.players}
        average = {player: _apart(snapshot(players, memory, player)) for player in game.averages}
        return State(players, slots, memory, average, start_clock())

    def commit(
        self, game: Game, state: State, gradients: Players, notes: Notes, batch: Batch
    ) -> tuple[State, Info]:
        """Optimiser, constraint and memory of every player that has a gradient."""
        state = self.moved(game, state, gradients, batch)
        memory = game.remember(tuple(gradients), state.players, state.memory, notes)
        norms = {
            f"gradient/{player}": torch.linalg.vector_norm(gradient) for player, gradient in gradients.items()
        }
        return state._replace(memory=memory), {**notes.info, **norms}

    def moved(self, game: Game, state: State, gradients: Players, batch: Batch) -> State:
        """Optimiser and constraint of every player that has a gradient; the memory stays. Differentiable."""
        players, slots = dict(state.players), dict(state.optimizer)
        for player, gradient in gradients.items():
            optimizer = self.optimizers[player]
            update, slots[player] = optimizer.update(
                gradient, slots[player], players[player], batch.get("clock")
            )
            players[player] = game.after(player, players[player] + update)
        return state._replace(players=players, optimizer=slots)

    def step(
        self, game: Game, state: State, turns: tuple[Turn, ...], batches: Callable[[int], Batch], rows: int
    ) -> tuple[State, Info]:
        """The turns of one step, then the averages. `batches(i)` gives the batch of turn i, of `rows` rows. The
        clock of the state is left to `advance`."""
        info: Info = {}
        batch: Batch = {}
        for index, turn in enumerate(turns):
            batch = batches(index)
            state, seen = self.move(game, state, turn, batch)
            info.update(seen)
        images = rows * busiest(turns)
        average = {
            player: ema.update(
                state.average[player], snapshot(state.players, state.memory, player), images, batch["clock"]
            )
            for player, ema in game.averages.items()
        }
        return state._replace(average=average), info

    def advance(
        self, game: Game, clock: dict[str, Any], turns: tuple[Turn, ...], rows: int
    ) -> dict[str, Any]:
        """The clock after a step of these turns."""
        fresh = [index for index, turn in enumerate(turns) if turn.fresh or index == 0]
        drawn = sum(rows for index in fresh if "real" in shared_needs(game, turns, index))
        return {
            "step": clock["step"] + 1,
            "images": clock["images"] + rows * busiest(turns),
            "gradients": clock["gradients"] + sum(map(self.cost, turns)),
            "rows": clock["rows"] + drawn,
        }


def shared_needs(game: Game, turns: tuple[Turn, ...], index: int) -> frozenset[str]:
    """The batch entries that turn `index` and those that share its draws read."""
    needs = _needs(game, turns[index])
    for turn in turns[index + 1 :]:
        if turn.fresh:
            break
        needs |= _needs(game, turn)
    return needs


def _needs(game: Game, turn: Turn) -> frozenset[str]:
    return game.needs(turn.players).union(*(game.needs((player,)) for player in turn.beside))


def busiest(turns: tuple[Turn, ...]) -> int:
    """Moves of the player that moves most often in a step: its batches are the step's images."""
    return max(Counter(player for turn in turns for player in turn.players).values())


def snapshot(players: Players, memory: Memory, player: str) -> dict[str, Any]:
    """One player's vector and buffers."""
    return {"vector": players[player], "buffers": memory.get("buffers", {}).get(player, {})}


def _apart(part: dict[str, Any]) -> dict[str, Any]:
    """A copy: a graph compiled for two names of one tensor would not fit the next step."""
    return {
        "vector": part["vector"].clone(),
        "buffers": {name: b.clone() for name, b in part["buffers"].items()},
    }


def inner(one: Players, other: Players) -> Tensor:
    """⟨u, w⟩, summed over the players."""
    return torch.stack([one[player].dot(other[player]) for player in one]).sum()
