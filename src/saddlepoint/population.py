"""Many small games at once: the members of a population differ in their start and in the numbers of their method.

    method = replace(method, terms=(R1(gamma=Own("gamma")),))          # a number that every member has of its own
    population = Population(game, method.dynamics)
    state = population.init(range(32), starts, reference)               # a seed and the players' vectors for each
    state, info = population.step(state, turns, batches, rows, {"gamma": torch.logspace(-2, 1, 32)})

One evaluation computes all members (`torch.vmap`), so 32 tiny networks cost little more than a few.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from saddlepoint.compiled import tensors
from saddlepoint.dynamics import Dynamics, Turn
from saddlepoint.dynamics.base import Info
from saddlepoint.errors import InputError
from saddlepoint.game import Batch, Game
from saddlepoint.network import Functional
from saddlepoint.state import State


class Population:
    """The members of `game` (bound to the functional execution) under `dynamics`. A state holds every tensor of the members
    stacked along a first dimension; the batches, and so the draws, are the same for all."""

    def __init__(self, game: Game, dynamics: Dynamics) -> None:
        if not isinstance(game.execution, Functional):
            raise InputError("a population needs a game of the functional execution: execution=Functional()")
        self.game, self.dynamics = game, dynamics

    def init(self, seeds: Iterable[int], starts: Iterable[Mapping[str, Tensor]], reference: Batch) -> State:
        """A member for each seed and each start (vectors of the players)."""
        members = []
        for seed, start in zip(seeds, starts, strict=True):
            players, memory = self.game.init(seed, reference)
            members.append(self.dynamics.init(self.game, {**players, **start}, memory))
        stacked = _stack([tuple(tensors(state._replace(clock={}))) for state in members])
        return State(*stacked)._replace(clock=members[0].clock)

    def step(
        self,
        state: State,
        turns: tuple[Turn, ...],
        batches: list[Batch],
        rows: int,
        numbers: Mapping[str, Tensor],
    ) -> tuple[State, Info]:
        """One step of all members, at the clock of the batches. `numbers`: by name, one a member; `Own(name)` in the
        method's values reads them. Averages follow; the clock of the state is left to `dynamics.advance`."""
        game = self.game.at(int(batches[0]["clock"]["step"]))

        def member(carried: tuple[Any, ...], own: dict[str, Tensor]) -> tuple[tuple[Any, ...], Info]:
            timed = [{**batch, "clock": {**batch["clock"], **own}} for batch in batches]
            after, info = self.dynamics.step(game, State(*carried), turns, timed.__getitem__, rows)
            return tuple(after), info

        carried = tuple(state._replace(clock={}))
        after, info = torch.vmap(member)(carried, dict(numbers))
        return State(*after)._replace(clock=state.clock), info

    def member(self, state: State, index: int) -> State:
        """The state of one member by itself."""
        return State(*_pick(tuple(state._replace(clock={})), index))._replace(clock=state.clock)


def _stack(parts: list[Any]) -> Any:
    if isinstance(parts[0], Mapping):
        return {name: _stack([part[name] for part in parts]) for name in parts[0]}
    if isinstance(parts[0], tuple):
        return tuple(_stack(list(column)) for column in zip(*parts, strict=True))
    return torch.stack(parts)


def _pick(value: Any, index: int) -> Any:
    if isinstance(value, Mapping):
        return {name: _pick(part, index) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_pick(part, index) for part in value)
    return value[index]
