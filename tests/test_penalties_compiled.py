"""Terms and constraints of this kind in one graph, and side by side in a population."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

from saddlepoint import methods
from saddlepoint.compiled import Compiled
from saddlepoint.constraints import Orthogonal
from saddlepoint.network import Functional, Plain
from saddlepoint.penalties import (
    R2,
    ApproximateR1,
    Consistency,
    FiniteDifference,
    GradientPenalty,
    NoiseBall,
    Real,
    Roth,
)
from saddlepoint.schedules import Delayed, Linear
from small_games import ROWS, batch, descent, play, small

TERMS = (
    GradientPenalty(1.0, at=NoiseBall()),
    GradientPenalty(Delayed(1.0, 2), 0.3, Real(), "above"),
    GradientPenalty(0.5, by=FiniteDifference(0.1)),
    R2(Linear(1.0, 0.0), FiniteDifference(0.1)),
    Roth(1.0),
    ApproximateR1(10.0, 0.1),
    Consistency(1.0),
)
METHOD = replace(descent(small(methods.get("gan"))), terms=TERMS, constraints=(Orthogonal(),))


def test_one_graph_of_everything_equals_the_plain_steps() -> None:
    """Traced whole, once; weights that change with the clock make no new graph."""
    turns = METHOD.dynamics.turns(0)
    plain, state = play(METHOD, Plain())
    traced, carried = play(METHOD, Functional())
    counter = CompileCounterWithBackend("aot_eager")
    graph = Compiled(traced, METHOD.dynamics, ROWS, backend=counter)
    for number in range(4):
        clock = {"step": number, "images": number * ROWS, "progress": number / 4}
        made = [{**batch(plain, seed=10 * number + i), "clock": clock} for i in range(len(turns))]
        state, info = METHOD.dynamics.step(plain, state, turns, made.__getitem__, ROWS)
        carried, infos = graph(carried, turns, [made])
        means = {name: value.mean() for name, value in info.items()}
        assert (means["term/GradientPenalty1"] > 0) == (number >= 2)
        torch.testing.assert_close(infos[0], means, rtol=1e-5, atol=1e-5)
    assert counter.frame_count == 1
    torch.testing.assert_close(carried.players, state.players, rtol=1e-4, atol=1e-5)


def test_members_of_a_population_equal_their_solo_runs() -> None:
    game, state = play(METHOD, Functional())
    members = [play(METHOD, Functional(), seed=seed)[1].players for seed in (1, 2)]
    turns = METHOD.dynamics.turns(0)
    made = [batch(game, seed=turn) for turn in range(len(turns))]

    def step(players: dict[str, Tensor]) -> dict[str, Tensor]:
        at = METHOD.dynamics.init(game, players, state.memory)
        return METHOD.dynamics.step(game, at, turns, made.__getitem__, ROWS)[0].players

    stacked = {player: torch.stack([member[player] for member in members]) for player in game.players}
    together = torch.vmap(step)(stacked)
    for index, member in enumerate(members):
        alone = step(member)
        torch.testing.assert_close({p: v[index] for p, v in together.items()}, alone, rtol=1e-5, atol=1e-5)
