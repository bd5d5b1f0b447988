"""Extragradient descent, and extrapolation from the past."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from saddlepoint.dynamics.base import Dynamics, Info, Turn
from saddlepoint.game import Batch, Game, Memory, Players
from saddlepoint.state import State


@dataclass(frozen=True)
class Extragradient(Dynamics):
    """x̃ = P[x − ηv(x)], x ← P[x − ηv(x̃)]: all players look ahead, then step from where they stood.

    (Korpelevich 1976; for GANs, with Adam, Gidel et al. 2019, arXiv:1802.10551.) A step has two turns. The first is
    tentative: vectors move through their optimisers and constraints, networks remember nothing of it. The second
    evaluates there, returns to the saved point and commits. The optimisers' slots advance in both, as published for
    Adam. The second turn draws a fresh batch (with `shared=True` it uses the first one's: a deviation). Cost: two
    gradient evaluations a player. On the bilinear game the norm shrinks by ((1 − η²)² + η²)^½ a step.
    """

    shared: bool = False

    def turns(self, step: int) -> tuple[Turn, ...]:
        everybody = tuple(self.optimizers)
        return Turn(everybody, tentative=True), Turn(everybody, fresh=not self.shared)

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        gradients, notes = game.gradients(turn.players, state.players, state.memory, batch)
        if turn.tentative:
            ahead = self.moved(game, state, gradients, batch)
            return ahead._replace(memory={**state.memory, "saved": state.players}), {}
        memory = dict(state.memory)
        saved = memory.pop("saved", state.players)
        return self.commit(game, state._replace(players=saved, memory=memory), gradients, notes, batch)


@dataclass(frozen=True)
class PastExtragradient(Dynamics):
    """x̃_t = P[x_t − ηv(x̃_{t−1})], x_{t+1} = P[x_t − ηv(x̃_t)]: the extrapolation reuses the gradient of the step before.

    (Popov 1980; extrapolation from the past of Gidel et al. 2019, arXiv:1802.10551.) Before the first step the past
    gradient is 0: x̃_0 = x_0 under plain descent. The optimisers' slots see the past gradient and the new one, as in
    `Extragradient`. The memory keeps the past gradient. Cost: one gradient evaluation a player, one batch a step.
    """

    def init(self, game: Game, players: Players, memory: Memory) -> State:
        state = super().init(game, players, memory)
        past = {player: torch.zeros_like(vector) for player, vector in players.items()}
        return state._replace(memory={**memory, "past": past})

    def move(self, game: Game, state: State, turn: Turn, batch: Batch) -> tuple[State, Info]:
        ahead = self.moved(game, state, {p: state.memory["past"][p] for p in turn.players}, batch)
        gradients, notes = game.gradients(turn.players, ahead.players, state.memory, batch)
        after, info = self.commit(game, ahead._replace(players=state.players), gradients, notes, batch)
        return after._replace(memory={**after.memory, "past": {**state.memory["past"], **gradients}}), info
