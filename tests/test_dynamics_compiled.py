"""Whole steps of every dynamics as one graph."""

from __future__ import annotations

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

from saddlepoint.compiled import Compiled
from saddlepoint.dynamics import (
    Aligned,
    Alternating,
    CompetitiveGradientDescent,
    Consensus,
    Dynamics,
    Extragradient,
    Lookahead,
    PastExtragradient,
    SymplecticAdjustment,
    Unrolled,
)
from saddlepoint.games import Bilinear, orbit, timed
from saddlepoint.network import Functional
from saddlepoint.optim import SGD, Adam, Optimistic

RATES = {"x": SGD(0.1), "y": SGD(0.1)}
ADAMS = {"x": Adam(0.1), "y": Adam(0.1)}
TURNS = {"x": 1, "y": 1}
DYNAMICS: dict[str, Dynamics] = {
    "extragradient": Extragradient(ADAMS),
    "past": PastExtragradient(ADAMS),
    "consensus": Consensus(RATES),
    "symplectic": SymplecticAdjustment(RATES, alignment=Aligned()),
    "lookahead": Lookahead(Extragradient(RATES), period=1),
    "unrolled": Unrolled(ADAMS, TURNS, opponent="y", ahead=3),
    "competitive": CompetitiveGradientDescent(RATES, iterations=1),
    "optimistic": Alternating({p: Optimistic(Adam(0.1)) for p in "xy"}, TURNS),
}


@pytest.mark.parametrize("name", DYNAMICS)
def test_steps_of_a_small_game_are_one_graph(name: str) -> None:
    """Three steps from one graph, traced whole, against the plain execution."""
    dynamics, game = DYNAMICS[name], Bilinear(execution=Functional())
    players, memory = game.init(0, {})
    state = dynamics.init(game, players, memory)
    counter = CompileCounterWithBackend("aot_eager")
    graph, turns = Compiled(game, dynamics, 1, backend=counter), dynamics.turns(0)
    counts = []
    for step in range(3):
        made = [timed(game, step) for _ in turns]
        state, _ = graph(state, turns, [made])
        counts.append(counter.frame_count)
    assert counts[0] == counts[-1]
    torch.testing.assert_close(
        torch.cat(list(state.players.values())), orbit(Bilinear(), dynamics, 3)[-1], rtol=1e-10, atol=1e-12
    )
