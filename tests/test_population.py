"""Members of a population are the games they would be by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import saddlepoint as api
from saddlepoint import methods
from saddlepoint.dynamics import Alternating
from saddlepoint.errors import InputError
from saddlepoint.method import Method
from saddlepoint.network import Functional
from saddlepoint.optim import SGD, Adam, Optimizer
from saddlepoint.penalties import R1
from saddlepoint.population import Population
from saddlepoint.schedules import Own
from small_games import ROWS, batch, networks, play, small

MEMBERS = 3
RATES, GAMMAS = torch.tensor([0.01, 0.03, 0.1]), torch.tensor([0.0, 1.0, 5.0])


def tuned(lr: Any, gamma: Any, optimizer: type[Optimizer]) -> Method:
    method = small(methods.get("gan-r1"))
    dynamics = Alternating({player: optimizer(lr) for player in ("generator", "discriminator")})  # type: ignore[call-arg]
    return replace(method, terms=(R1(gamma=gamma),), dynamics=dynamics)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_members_equal_their_solo_runs(optimizer: type[Optimizer]) -> None:
    """Each has its own start, learning rate and penalty weight; under Adam the slots differ by member too."""
    method = tuned(Own("lr"), Own("gamma"), optimizer)
    game, _ = play(method, Functional())
    starts = [play(method, Functional(), seed=seed)[1].players for seed in range(MEMBERS)]
    reference = {"real": torch.randn(ROWS, 2)}
    population = Population(game, method.dynamics)
    state = population.init(range(MEMBERS), starts, reference)
    turns = method.dynamics.turns(0)
    steps = [[batch(game, seed=10 * step + turn) for turn in range(2)] for step in range(3)]
    for made in steps:
        state, info = population.step(state, turns, made, ROWS, {"lr": RATES, "gamma": GAMMAS})
    assert info["loss/generator"].shape == (MEMBERS,)
    for index in range(MEMBERS):
        alone = tuned(RATES[index].item(), GAMMAS[index].item(), optimizer)
        solo = alone.game(networks(alone), reference, execution=Functional())
        at = alone.dynamics.init(solo, starts[index], solo.init(index, reference)[1])
        for made in steps:
            at, _ = alone.dynamics.step(solo, at, turns, made.__getitem__, ROWS)
        member = population.member(state, index)
        for player, vector in at.players.items():
            torch.testing.assert_close(member.players[player], vector, rtol=1e-5, atol=1e-6)
            assert vector.dtype == member.players[player].dtype


def test_members_have_the_gradients_of_the_sequential_games() -> None:
    game, _ = play(tuned(0.1, Own("gamma"), SGD), Functional())
    starts = [play(game.method, Functional(), seed=seed)[1].players for seed in range(MEMBERS)]
    rows, memory = batch(game), game.init(0, {"real": torch.randn(ROWS, 2)})[1]

    def gradient(players: dict[str, Tensor], gamma: Tensor) -> dict[str, Tensor]:
        clock = {**rows["clock"], "gamma": gamma}
        return game.field(players, memory, {**rows, "clock": clock})

    stacked = {player: torch.stack([start[player] for start in starts]) for player in starts[0]}
    together = torch.vmap(gradient)(stacked, GAMMAS)
    for index, start in enumerate(starts):
        alone = gradient(start, GAMMAS[index])
        for player, vector in alone.items():
            assert (together[player][index] - vector).abs().max() <= 1e-6 * max(1, vector.abs().max())


def test_a_number_of_ones_own_outside_a_population_is_told(tmp_path: Path) -> None:
    game, state = play(tuned(0.1, Own("gamma"), SGD))
    with pytest.raises(InputError, match="Own\\(name='gamma'\\) is a number that each member"):
        game.gradients(("discriminator",), state.players, state.memory, batch(game))
    with pytest.raises(InputError, match="Own\\(name='gamma'\\) in gan-r1 is for the members"):
        api.train(game.method, "ring", out=tmp_path / "run", budget=api.Budget(steps=1))
    assert not (tmp_path / "run").exists()


def test_a_population_needs_the_functional_execution() -> None:
    game, _ = play(small(methods.get("gan")))
    with pytest.raises(InputError, match="functional"):
        Population(game, game.method.dynamics)
