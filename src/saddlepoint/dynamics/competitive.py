"""Competitive gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from saddlepoint.dynamics.base import Dynamics, Info, Turn, inner
from saddlepoint.game import Batch, Game, Players
from saddlepoint.optim import SGD, Optimizer
from saddlepoint.schedules import Schedule, now
from saddlepoint.state import State

Product = Callable[[Players], Players]


@dataclass(frozen=True)
class CompetitiveGradientDescent(Dynamics):
    """Every player steps to the equilibrium of the game that is bilinear between players at the present point.

    (Schäfer & Anandkumar 2019, arXiv:1905.12103.) Descent along (I + ηO)⁻¹ξ, ξ the gradients of all players and O the
    Jacobian without each player's own block. With `SGD(η)` for two players of a zero-sum game with value f these are the
    published updates Δx = −η(I + η²f_xy f_yx)⁻¹(f_x + ηf_xy f_y) and likewise for y; other games, of any number of
    players, get their own equilibrium. The system is solved matrix-free by conjugate gradients on (I + ηO)ᵀ(I + ηO),
    which in a zero-sum game is exactly the published pair of systems, `iterations` times (no test of convergence: the
    number of operations does not depend on values). On the bilinear game the norm shrinks by (1 + η²)^−½ a step.
    Cost: a gradient; 2 products with the Jacobian a player for each iteration and 1 for the right-hand side, each
    counted as one evaluation of every player.
    """

    optimizers: dict[str, Optimizer] = field(
        default_factory=lambda: {"generator": SGD(1e-2), "discriminator": SGD(1e-2)}
    )
    eta: float | Schedule = 1e-2
    iterations: int = 10

    def cost(self, turn: Turn) -> int:
        players = len(turn.players)
        return players + players * players * (2 * self.iterations + 1)

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        field, notes = game.gradients(turn.players, state.players, state.memory, batch)
        eta = now(self.eta, batch.get("clock"))

        def forward(u: Players) -> Players:
            """(I + ηO)u."""
            return {
                p: u[p] + eta * game.pushforward(state.players, state.memory, batch, _without(u, p))[p]
                for p in u
            }

        def backward(u: Players) -> Players:
            """(I + ηO)ᵀu: row p of O acts on everybody but p."""
            rows = [_without(game.pullback(state.players, state.memory, batch, _only(u, p)), p) for p in u]
            return {p: u[p] + eta * torch.stack([row[p] for row in rows]).sum(0) for p in u}

        direction = solve(lambda u: backward(forward(u)), backward(field), self.iterations)
        return self.commit(game, state, direction, notes, batch)


def solve(product: Product, right: Players, iterations: int) -> Players:
    """x with product(x) = right by conjugate gradients from 0, `product` symmetric and positive definite."""
    x = {p: torch.zeros_like(r) for p, r in right.items()}
    residual, along, size = right, right, inner(right, right)
    for _ in range(iterations):
        image = product(along)
        rate = _ratio(size, inner(along, image))
        x = {p: x[p] + rate * along[p] for p in x}
        residual = {p: residual[p] - rate * image[p] for p in x}
        before, size = size, inner(residual, residual)
        turn = _ratio(size, before)
        along = {p: residual[p] + turn * along[p] for p in x}
    return x


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """above/below, and 0 where the system is solved already and both vanish."""
    there = below > 0
    return torch.where(there, above / torch.where(there, below, torch.ones_like(below)), 0.0)


def _without(vectors: Players, player: str) -> Players:
    return {p: torch.zeros_like(v) if p == player else v for p, v in vectors.items()}


def _only(vectors: Players, player: str) -> Players:
    return {p: v if p == player else torch.zeros_like(v) for p, v in vectors.items()}
