"""Descent against an opponent that always plays its best response."""

from __future__ import annotations

from dataclasses import dataclass

from saddlepoint.dynamics.base import Dynamics, Info, Turn
from saddlepoint.game import Batch, Game
from saddlepoint.state import State


@dataclass(frozen=True)
class BestResponse(Dynamics):
    """`opponent` ← argmin of its own loss, exactly; the others then step along their gradient there, the response held.

    For games that know `best_response` (small ones); for a zero-sum game with a unique response this is descent on
    max_φ of the value (Li et al. 2018 call it the optimal discriminator dynamics). The opponent's optimiser is not used.
    Cost: a gradient evaluation for every player but the opponent.
    """

    opponent: str = "discriminator"

    def cost(self, turn: Turn) -> int:
        return len(turn.players) - 1

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        best = game.best_response(self.opponent, state.players, state.memory, batch)
        state = state._replace(players={**state.players, self.opponent: best})
        others = tuple(player for player in turn.players if player != self.opponent)
        gradients, notes = game.gradients(others, state.players, state.memory, batch)
        return self.commit(game, state, gradients, notes, batch)
