"""Turns: who moves when, on which point and on which draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from saddlepoint import methods
from saddlepoint.batches import Batches
from saddlepoint.data import load
from saddlepoint.dynamics import Alternating, Simultaneous
from saddlepoint.optim import SGD
from saddlepoint.state import State
from small_games import ROWS, batch, descent, play, small

pytestmark = pytest.mark.usefixtures("double")


def test_moving_together_is_the_same_from_either_rule() -> None:
    method = descent(small(methods.get("r3gan")))
    game, state = play(method)
    data, optimizers = batch(game), method.dynamics.optimizers
    rules = (Simultaneous(optimizers), Alternating(optimizers, steps={"generator+discriminator": 1}))
    together = [rule.move(game, state, rule.turns(0)[0], data)[0].players for rule in rules]
    torch.testing.assert_close(together[0], together[1], rtol=0, atol=0)
    for player in game.players:  # both gradients are taken where the step began
        alone, _ = game.gradients((player,), state.players, state.memory, data)
        expected = state.players[player] - 0.05 * alone[player]
        torch.testing.assert_close(together[0][player], expected, rtol=1e-12, atol=1e-14)


def test_alternating_moves_on_the_moved_generator_in_the_order_given() -> None:
    method = descent(small(methods.get("gan")))
    game, state = play(method)
    made = [batch(game, seed=seed) for seed in (0, 1)]
    turns = method.dynamics.turns(0)
    assert [turn.players for turn in turns] == [("generator",), ("discriminator",)]
    after, _ = method.dynamics.step(game, state, turns, made.__getitem__, ROWS)
    first, _ = game.gradients(("generator",), state.players, state.memory, made[0])
    moved = {**state.players, "generator": state.players["generator"] - 0.05 * first["generator"]}
    second, _ = game.gradients(("discriminator",), moved, state.memory, made[1])
    moved["discriminator"] = moved["discriminator"] - 0.05 * second["discriminator"]
    torch.testing.assert_close(after.players, moved, rtol=0, atol=0)


def test_turns_share_draws_only_where_the_dynamics_say_so() -> None:
    steps = {"generator": 1, "discriminator": 2}
    assert [turn.fresh for turn in Alternating(steps=steps).turns(0)] == [True, True, True]
    assert [turn.fresh for turn in Alternating(steps=steps, shared=True).turns(0)] == [True, False, False]


@dataclass(frozen=True)
class Frozen(Alternating):
    """Only the generator moves."""


def test_a_network_that_nobody_moves_lives_in_the_memory_and_stays() -> None:
    gan = small(methods.get("gan"))
    method = replace(gan, dynamics=Frozen({"generator": SGD(0.1)}, steps={"generator": 1}))
    start = play(gan, norm=True)[1]
    game, state = play(method, norm=True)
    assert game.players == ("generator",)
    assert torch.equal(state.memory["fixed"]["discriminator"], start.players["discriminator"])
    after: State = state
    for number in range(3):
        after, _ = method.dynamics.move(game, after, method.dynamics.turns(0)[0], batch(game, seed=number))
    assert torch.equal(after.memory["fixed"]["discriminator"], start.players["discriminator"])
    before, now = (s.memory["buffers"]["discriminator"] for s in (state, after))
    assert all(torch.equal(before[name], now[name]) for name in before)
    assert not torch.equal(after.players["generator"], state.players["generator"])


@pytest.mark.parametrize(("shared", "rows"), [(False, 2 * ROWS), (True, ROWS)])
def test_a_shared_step_draws_once_for_all_its_turns(shared: bool, rows: int) -> None:
    """The first turn (the generator's, which reads no data) also draws what the later ones read."""
    gan = small(methods.get("gan"))
    steps = {"generator": 1, "discriminator": 2}
    method = replace(gan, dynamics=replace(gan.dynamics, steps=steps, shared=shared))
    game, state = play(method)
    turns = method.dynamics.turns(0)
    clock = {**state.clock, "rows": 5}
    made = Batches(game, load("ring"), 0, ROWS, torch.device("cpu")).step(clock, turns, 0.0)
    for turn, drawn in zip(turns, made, strict=True):
        assert game.needs(turn.players) <= drawn.keys()
    assert torch.equal(made[1]["real"], made[2]["real"]) == shared
    assert torch.equal(made[0]["latent"], made[1]["latent"]) == shared
    torch.testing.assert_close(made[1]["real"], load("ring").rows(0, 5, ROWS)["real"], rtol=0, atol=0)
    assert method.dynamics.advance(game, clock, turns, ROWS)["rows"] == 5 + rows
