"""Unrolled descent."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from saddlepoint.dynamics.alternating import in_turn
from saddlepoint.dynamics.base import Dynamics, Info, Turn
from saddlepoint.errors import InputError
from saddlepoint.game import Batch, Game, Notes, Players
from saddlepoint.state import State


@dataclass(frozen=True)
class Unrolled(Dynamics):
    """The others ascend L(θ, φ^K(θ)), L the loss of `opponent`: φ⁰ = φ, φ^{k+1} = φ^k − a step of its own optimiser.

    (Metz et al. 2017, arXiv:1611.02163, for the saddle of one value.) The derivative passes through the K = `ahead` inner
    steps, Adam's moments and projections included, and so through both halves of the value: the generator sees the reals.
    With `saddle=False` each of the others descends its own loss at φ^K instead (which for `Minimax` lacks the reals).
    With `through=False` φ^K is held fixed, which is descent against an opponent K steps ahead: the second-order terms
    are what the method adds. `steps` and `shared` are as in `Alternating`. All inner steps use the batch of the turn.
    Nothing of them is kept: the opponent's own move starts from φ, its slots and networks' buffers do not see them. Cost:
    an inner step counts as a gradient evaluation, and as one more where it is differentiated through.
    """

    steps: dict[str, int] = field(default_factory=lambda: {"generator": 1, "discriminator": 1})
    shared: bool = False
    opponent: str = "discriminator"
    ahead: int = 5
    through: bool = True
    saddle: bool = True

    def __post_init__(self) -> None:
        if self.ahead < 0 or self.opponent not in self.optimizers:
            raise InputError(
                f"Unrolled looks a whole number of steps ahead of one of {', '.join(self.optimizers)}, not "
                f"{self.ahead} of {self.opponent!r}"
            )

    def turns(self, step: int) -> tuple[Turn, ...]:
        return tuple(
            turn._replace(beside=(self.opponent,)) if self._others(turn) else turn
            for turn in in_turn(self.steps, self.shared)
        )

    def cost(self, turn: Turn) -> int:
        inner = self.ahead * (2 if self.through else 1) if self._others(turn) else 0
        return len(turn.players) + inner

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        others = self._others(turn)
        if not others:
            return super().move(game, state, turn, batch)
        gradients, notes = self._against(others, game, state, batch)
        if self.opponent in turn.players:
            own, seen = game.gradients((self.opponent,), state.players, state.memory, batch)
            gradients, notes = {**gradients, **own}, _joined(notes, seen, self.opponent)
        return self.commit(game, state, gradients, notes, batch)

    def _others(self, turn: Turn) -> tuple[str, ...]:
        return tuple(player for player in turn.players if player != self.opponent)

    def _against(
        self, others: tuple[str, ...], game: Game, state: State, batch: Batch
    ) -> tuple[Players, Notes]:
        """The gradients of the others, the opponent being K steps ahead."""
        before = state.players if self.through else self._ahead(game, state, batch, create_graph=False)

        def losses(at: Players) -> tuple[dict[str, Tensor], Notes]:
            players = {**before, **at}
            if self.through:
                players = self._ahead(game, state._replace(players=players), batch, create_graph=True)
            if not self.saddle:
                return game.losses(others, players, state.memory, batch)
            found, notes = game.losses((self.opponent,), players, state.memory, batch)
            return dict.fromkeys(others, -found[self.opponent]), notes

        return game.derivatives(losses, {player: state.players[player] for player in others})

    def _ahead(self, game: Game, state: State, batch: Batch, create_graph: bool) -> Players:
        for _ in range(self.ahead):
            found, _ = game.gradients((self.opponent,), state.players, state.memory, batch, create_graph)
            state = self.moved(game, state, found, batch)
        return state.players


def _joined(notes: Notes, own: Notes, opponent: str) -> Notes:
    """What two evaluations leave: everything of the opponent from its own."""
    buffers = {p: b for p, b in notes.buffers.items() if p != opponent}
    return own._replace(info={**notes.info, **own.info}, buffers={**own.buffers, **buffers})
