"""The compiled execution: one graph for a chunk of equal steps.

The unit is whole steps (turns, moves and averages), never a bare network: a graph that ends before the gradients with
respect to the parameters cannot be differentiated a second time. Numbers that change travel as 0-dimensional tensors.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from saddlepoint.dynamics import Dynamics, Turn
from saddlepoint.dynamics.base import Info
from saddlepoint.game import Game
from saddlepoint.state import State

CLOCK = ("step", "images", "progress")


def compiler_missing(device: torch.device) -> str | None:
    """Why compiling is impossible here, or None."""
    if device.type == "cpu" and not any(map(shutil.which, ("g++", "clang++", "c++"))):
        return (
            "compile: no C++ compiler (g++ or clang++) was found, so the run goes on in the plain execution"
        )
    return None


class Compiled:
    """`game` (bound to the functional execution) and `dynamics` as one graph per number of steps."""

    def __init__(self, game: Game, dynamics: Dynamics, rows: int, backend: str = "inductor") -> None:
        self.game, self.dynamics, self.rows = game, dynamics, rows
        # Everything that changes is a tensor argument. Isolated: the graphs of other games in this process share the
        # code of `_steps`, and would count against the limit of recompilations.
        self.graph = torch.compile(
            self._steps,
            fullgraph=True,
            dynamic=False,
            backend=backend,
            options={"cpp_wrapper": True} if backend == "inductor" else None,
            isolate_recompiles=True,  # type: ignore[call-overload]
        )

    def __call__(
        self, state: State, turns: tuple[Turn, ...], batches: list[list[dict[str, Any]]]
    ) -> tuple[State, list[Info]]:
        """A chunk of len(batches) steps of the same `turns`."""
        given = [[{n: v for n, v in batch.items() if n != "clock"} for batch in step] for step in batches]
        clocks = torch.tensor(
            [[float(step[0]["clock"][n]) for n in CLOCK] for step in batches], dtype=_exact(state)
        )
        carried = tensors(state._replace(clock={}))
        phases = tuple(self.game.phase(step[0]["clock"]["step"]) for step in batches)
        for phase in phases:
            self.game.at(phase)  # made before it is traced: a graph is guarded by the games that were there
        after, names, rows = self.graph(tuple(carried), turns, phases, given, clocks)
        infos = [dict(zip(seen, row.unbind(), strict=True)) for seen, row in zip(names, rows, strict=True)]
        return State(*after)._replace(clock=state.clock), infos

    def _steps(
        self,
        carried: tuple[Any, ...],
        turns: tuple[Turn, ...],
        phases: tuple[int, ...],
        batches: list[list[dict[str, Tensor]]],
        clocks: Tensor,
    ) -> tuple[tuple[Any, ...], list[list[str]], list[Tensor]]:
        """The state after the steps, and what was seen in each as one vector of means: few tensors cross the boundary of
        the graph. `phases`: which game is played at each; equal ones make no new graph."""
        state, seen, names = State(*carried), [], []
        for number, step in enumerate(batches):
            game = self.game.at(phases[number])
            clock = {name: clocks[number, i] for i, name in enumerate(CLOCK)}
            timed = [{**batch, "clock": clock} for batch in step]
            state, info = self.dynamics.step(game, state, turns, timed.__getitem__, self.rows)
            names.append(list(info))
            seen.append(torch.stack([value.float().mean() for value in info.values()]))
        return tuple(state), names, seen


def _exact(state: State) -> torch.dtype:
    device = next(iter(state.players.values())).device
    return torch.float32 if device.type == "mps" else torch.float64


def tensors(value: Any) -> Any:
    """Python numbers inside a state as 0-dimensional float64 tensors: a number that changes would be a new graph."""
    if isinstance(value, Mapping):
        return {name: tensors(v) for name, v in value.items()}
    if isinstance(value, tuple):
        made = [tensors(v) for v in value]
        return type(value)(*made) if isinstance(value, State) else tuple(made)
    return torch.tensor(value, dtype=torch.float64) if isinstance(value, float) else value
