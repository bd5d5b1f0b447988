"""Whether the players are at a local Nash equilibrium, and what one of them would gain by itself.

    local_nash(game, state.players, state.memory, batch).verdict
    local_gain(game, "generator", state.players, state.memory, batch, steps=100, rate=1e-2)

Both speak of the losses on the batch they are given: a large one for what is true of the game.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from saddlepoint.diagnostics.spectrum import DENSE
from saddlepoint.diagnostics.symmetric import least
from saddlepoint.errors import InputError
from saddlepoint.game import Batch, Game, Memory, Players

Verdict = Literal["local Nash", "not stationary", "saddle of the player's own loss"]


@dataclass(frozen=True)
class Own:
    """A player at a point: `gradient` ‖∇_p L_p‖; `curvature` the smallest eigenvalue of ∇²_pp L_p, `norm` the largest
    modulus of one."""

    gradient: float
    curvature: float
    norm: float


@dataclass(frozen=True)
class Nash:
    """The conditions of a local Nash equilibrium, player by player, and the thresholds of the verdict."""

    players: Mapping[str, Own]
    stationary: float
    curvature: float

    @property
    def verdict(self) -> Verdict:
        """ "not stationary": some ‖∇_p L_p‖ > `stationary`; "saddle of the player's own loss": else some player's smallest
        eigenvalue is below −`curvature` of its largest modulus; "local Nash": neither."""
        if any(not own.gradient <= self.stationary for own in self.players.values()):
            return "not stationary"
        if any(own.curvature < -self.curvature * own.norm for own in self.players.values()):
            return "saddle of the player's own loss"
        return "local Nash"

    @property
    def strict(self) -> bool:
        """Whether the verdict is sufficient too: all curvatures are above the threshold. Otherwise some loss is flat to
        second order, and what "local Nash" states are the necessary conditions."""
        curved = all(own.curvature > self.curvature * own.norm for own in self.players.values())
        return self.verdict == "local Nash" and curved


def local_nash(
    game: Game,
    players: Players,
    memory: Memory,
    batch: Batch,
    *,
    stationary: float = 1e-3,
    curvature: float = 1e-4,
    dense: int = DENSE,
) -> Nash:
    """∇_p L_p = 0 and ∇²_pp L_p ⪰ 0 for every player p (Ratliff, Burden and Sastry 2013: differential Nash equilibria, with
    ≻). The blocks off the diagonal, which decide whether descent converges, do not take part: see `field_spectrum`.

    stationary: up to which norm a gradient counts as 0, in units of the loss by units of weights. curvature: down to
    which share of the largest modulus an eigenvalue counts as 0. dense: numbers of a player up to which all eigenvalues
    are found; by Lanczos's iteration on Hessian-vector products above.
    """
    field = game.field(players, memory, batch)
    still = {player: torch.zeros_like(vector) for player, vector in players.items()}
    found = {}
    for player in game.players:

        def product(direction: Tensor, player: str = player) -> Tensor:
            # Of Jᵀu, u zero but for this player, the player's own part is ∇²_pp L_p u_p.
            return game.pullback(players, memory, batch, {**still, player: direction})[player]

        found[player] = Own(float(field[player].norm()), *least(product, players[player], dense))
    return Nash(found, stationary, curvature)


def local_gain(
    game: Game,
    player: str,
    players: Players,
    memory: Memory,
    batch: Batch,
    *,
    steps: int = 100,
    rate: float = 1e-2,
) -> float:
    """L_p(here) − min_t L_p(x_t, the others), t = 0 … `steps` of gradient descent by this player alone: not negative, and a
    lower bound of its share max over p' of L_p(here) − L_p(p', the others) of the duality gap (of the Nikaidô–Isoda
    function, where the game is not zero-sum).

    Constraints hold after every step. What networks and parts remember is held, or the loss would be another one.
    """
    if player not in game.players:
        raise InputError(f"the game has no player {player!r}; it has {', '.join(game.players)}")
    if steps < 1 or not rate > 0:
        raise InputError(f"a player descends for at least 1 step at a rate above 0, not {steps} at {rate}")
    who, at, now = (player,), {name: vector.detach() for name, vector in players.items()}, memory
    losses = [_loss(game, player, at, now, batch)]
    for _ in range(steps):
        gradients, notes = game.gradients(who, at, now, batch)
        at = {**at, player: game.after(player, at[player] - rate * gradients[player])}
        if "constraints" in now:
            now = {**now, "constraints": game.remember(who, at, now, notes)["constraints"]}
        losses.append(_loss(game, player, at, now, batch))
    return losses[0] - min(losses)


def _loss(game: Game, player: str, players: Players, memory: Memory, batch: Batch) -> float:
    return float(game.losses((player,), players, memory, batch)[0][player].detach())
