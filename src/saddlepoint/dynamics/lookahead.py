"""Lookahead-minimax."""

from __future__ import annotations

from dataclasses import dataclass, field

from saddlepoint.dynamics.alternating import Alternating
from saddlepoint.dynamics.base import Dynamics, Info, Turn
from saddlepoint.errors import InputError
from saddlepoint.game import Batch, Game, Memory, Players
from saddlepoint.optim import Optimizer
from saddlepoint.state import State


@dataclass(frozen=True)
class Lookahead(Dynamics):
    """`period` steps of `inner`, then all players together θ ← θ_old + α(θ − θ_old), and θ_old := θ.

    (Chavdarova et al. 2021, arXiv:2006.14567.) An inner eigenvalue λ becomes 1 − α + αλ^k over k steps. The slow vectors
    θ_old are in the memory (entry "slow"); buffers of networks and slots of optimisers are left as `inner` has them.
    The optimisers are those of `inner`. Cost: that of `inner`.
    """

    optimizers: dict[str, Optimizer] = field(init=False, repr=False, compare=False)
    inner: Dynamics = Alternating()
    period: int = 5
    alpha: float = 0.5

    def __post_init__(self) -> None:
        if isinstance(self.inner, Lookahead) or self.period < 1:
            raise InputError(f"Lookahead takes whole periods of other dynamics than itself, not {self!r}")
        object.__setattr__(self, "optimizers", self.inner.optimizers)

    def turns(self, step: int) -> tuple[Turn, ...]:
        *turns, last = self.inner.turns(step)
        return (*turns, last._replace(closes=(step + 1) % self.period == 0))

    def cost(self, turn: Turn) -> int:
        return self.inner.cost(turn)

    def init(self, game: Game, players: Players, memory: Memory) -> State:
        state = self.inner.init(game, players, memory)
        slow = {player: vector.clone() for player, vector in players.items()}
        return state._replace(memory={**state.memory, "slow": slow})

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        state, info = self.inner.move(game, state, turn, batch)
        if not turn.closes:
            return state, info
        slow = {
            player: game.after(player, old + self.alpha * (state.players[player] - old))
            for player, old in state.memory["slow"].items()
        }
        fast = {player: vector.clone() for player, vector in slow.items()}
        return state._replace(players=fast, memory={**state.memory, "slow": slow}), info
