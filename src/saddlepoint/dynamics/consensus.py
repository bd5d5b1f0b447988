"""Consensus optimisation."""

from __future__ import annotations

from dataclasses import dataclass

from saddlepoint.dynamics.base import Dynamics, Info, Turn
from saddlepoint.game import Batch, Game
from saddlepoint.schedules import Schedule, now
from saddlepoint.state import State


@dataclass(frozen=True)
class Consensus(Dynamics):
    """Descent along v + γJᵀv = v + γ∇(½‖v‖²), v the gradients of all players together and J their Jacobian.

    (Mescheder, Nowozin & Geiger 2017, arXiv:1705.10461.) ∇(½‖v‖²) is Jᵀv with the factor 1, of the sum over both
    players. Jᵀv is computed with v held fixed, a product that is linear in the batch: its mean over micro-batches or
    processes is that of the whole batch. With mini-batches ‖v‖² is biased, and zeros of v that repelled may attract.
    Cost: a gradient and a product with the Jacobian, two evaluations a player.
    """

    gamma: float | Schedule = 10.0

    def cost(self, turn: Turn) -> int:
        return 2 * len(turn.players)

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        gradients, notes = game.gradients(turn.players, state.players, state.memory, batch)
        back = game.pullback(state.players, state.memory, batch, gradients)
        gamma = now(self.gamma, batch.get("clock"))
        regularised = {player: g + gamma * back[player] for player, g in gradients.items()}
        return self.commit(game, state, regularised, notes, batch)
