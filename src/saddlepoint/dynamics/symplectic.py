"""Symplectic gradient adjustment."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.dynamics.base import Dynamics, Info, Turn, inner
from saddlepoint.game import Batch, Game, Players
from saddlepoint.schedules import Schedule, now
from saddlepoint.state import State


@dataclass(frozen=True)
class Aligned:
    """The sign of λ that lets the adjustment point towards stable and away from unstable fixed points:
    sign(⟨ξ, Jᵀξ⟩⟨Aᵀξ, Jᵀξ⟩ + ε)."""

    epsilon: float = 0.1

    def sign(self, field: Players, back: Players, adjustment: Players) -> Tensor:
        product = inner(field, back) * inner(adjustment, back) + self.epsilon
        return torch.where(product >= 0, 1.0, -1.0).to(product)


@dataclass(frozen=True)
class SymplecticAdjustment(Dynamics):
    """Descent along ξ + λAᵀξ, ξ the gradients of all players, J its Jacobian, A = ½(J − Jᵀ) its antisymmetric part.

    (Balduzzi et al. 2018, arXiv:1802.05642.) Aᵀξ = ½(Jᵀξ − Jξ). λ is positive, or signed by the rule `alignment`.
    Cost: a gradient and two products with the Jacobian, three evaluations a player. On the bilinear game the norm
    changes by ((1 − ηλ)² + η²)^½ a step.
    """

    weight: float | Schedule = 1.0
    alignment: Aligned | None = None

    def cost(self, turn: Turn) -> int:
        return 3 * len(turn.players)

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        field, notes = game.gradients(turn.players, state.players, state.memory, batch)
        back = game.pullback(state.players, state.memory, batch, field)
        along = game.pushforward(state.players, state.memory, batch, field)
        adjustment = {player: (back[player] - along[player]) / 2 for player in field}
        weight = now(self.weight, batch.get("clock"))
        if self.alignment is not None:
            weight = weight * self.alignment.sign(field, back, adjustment)
        adjusted = {player: v + weight * adjustment[player] for player, v in field.items()}
        return self.commit(game, state, adjusted, notes, batch)
