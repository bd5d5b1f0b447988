"""Laws that every method of the catalogue obeys. A new file in `methods/` is tested by being there."""

from __future__ import annotations

import gc
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from law_exclusions import EXCLUDED
from saddlepoint import methods
from saddlepoint.assembly import named_parts
from saddlepoint.batches import Batches
from saddlepoint.data import load
from saddlepoint.dynamics import Simultaneous
from saddlepoint.dynamics.base import shared_needs
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.objectives import NonSaturating
from saddlepoint.penalties import R1, GradientPenalty, Term
from saddlepoint.run import Folder
from saddlepoint.state import State
from saddlepoint.vocabulary import read
from small_games import (
    ROWS,
    batch,
    data,
    differing,
    directions,
    distinct,
    leaves,
    play,
    slope,
    small,
    together,
)

CPU = torch.device("cpu")
PENALISED = [name for name in methods.names() if methods.get(name).per_row]


@pytest.fixture(params=methods.names())
def method(request: pytest.FixtureRequest) -> Method:
    return small(methods.get(request.param))


@pytest.fixture(params=PENALISED)
def penalised(request: pytest.FixtureRequest) -> Method:
    return small(methods.get(request.param))


# -- law 1: a method is a value that says what it is ------------------------------


@pytest.mark.parametrize("name", methods.names())
def test_method_is_read_back_from_its_repr(name: str) -> None:
    method = methods.get(name)
    assert read(repr(method)) == method
    assert repr(read(repr(method))) == repr(method)


@pytest.mark.parametrize("name", methods.names())
def test_method_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    method = methods.get(name)
    assert method.name == name
    symbols = {"generator": "L_G", "discriminator": "L_D"}
    for player in method.objective.players:
        assert symbols.get(player, f"L_{player}") in method.formula
    assert re.search(r"\b(19|20)\d\d\b", method.paper), "a citation has a year"
    assert isinstance(method.deviations, tuple)
    assert all(isinstance(text, str) and text.strip() for text in method.deviations)


# -- law 2: who moves, and reproducibility ------------------------------


def owner(path: tuple[str, ...], method: Method) -> str:
    """The player to whom a leaf of the state belongs; what a part remembers belongs to the first player it observes."""
    if path[:2] == ("memory", "parts"):
        return named_parts(method)[path[2]].observed[0]
    return path[2] if path[0] == "memory" else path[1]


@pytest.mark.parametrize("norm", [False, True])
def test_a_turn_changes_the_movers_and_nothing_else(method: Method, norm: bool) -> None:
    game, state = play(method, norm=norm)
    if norm and "generator" in state.players:
        assert any("running_mean" in path[-1] and "generator" in path for path in leaves(state))
    for number, turn in enumerate(distinct(method.dynamics.turns(0))):
        before = leaves(state)
        after, _ = method.dynamics.move(game, state, turn, batch(game, seed=number))
        assert not differing(before, leaves(state)), "the state handed over is not written to"
        changed = differing(state, after)
        assert {owner(path, method) for path in changed} == set(turn.players)
        own = {path for path in before if owner(path, method) in turn.players}
        assert {path for path in own if path[0] in ("players", "optimizer")} <= changed
        remembered = {path for path in own if path[1] == "constraints"}
        buffers = {("memory", "buffers", p, name) for p in turn.players for name in game.networks[p].moving}
        if turn.tentative:
            assert not (remembered | buffers) & changed
        else:
            assert not remembered or remembered & changed
            assert buffers <= changed
        state = after


def test_averages_follow_the_step_and_hold_vector_and_buffers(method: Method) -> None:
    game, state = play(method, norm=True)
    turns = distinct(method.dynamics.turns(0))
    after, _ = method.dynamics.step(game, state, turns, lambda i: batch(game, seed=i), ROWS)
    assert set(after.average) == set(method.averages)
    for player in method.averages:
        moved = {path[1:] for path in differing(state, after) if path[:2] == ("average", player)}
        assert (player, "vector") in moved
        assert {(player, "buffers", name) for name in game.networks[player].moving} <= moved


def run(method: Method, seed: int, steps: int = 2, begin: State | None = None) -> State:
    """So many steps, from the beginning or from a state."""
    game, state = play(method, norm=True, seed=seed)
    state, batches = begin or state, Batches(game, data(method), seed, ROWS, CPU)
    for _ in range(steps):
        turns = method.dynamics.turns(state.clock["step"])
        made = batches.step(state.clock, turns, 0.0)
        now = game.at(state.clock["step"])
        state, _ = method.dynamics.step(now, state, turns, made.__getitem__, ROWS)
        state = state._replace(clock=method.dynamics.advance(game, state.clock, turns, ROWS))
    return state


def test_same_seed_same_bits_and_the_global_generator_is_left_alone(method: Method) -> None:
    torch.manual_seed(1)
    first, drawn = run(method, seed=5), torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))
    torch.manual_seed(2)
    assert not differing(first, run(method, seed=5))
    other = run(method, seed=6)
    assert all(not torch.equal(first.players[p], other.players[p]) for p in first.players)


def test_a_state_from_a_checkpoint_goes_on_with_the_same_bits(method: Method, tmp_path: Path) -> None:
    """Whole runs are killed and continued in test_resume; here every method's slots, memory and averages."""
    folder = Folder(tmp_path)
    folder.checkpoints.mkdir()
    folder.save(run(method, seed=5, steps=2), {}, keep=1)
    loaded, _ = folder.load(folder.saved()[0], CPU)
    assert not differing(run(method, seed=5, steps=4), run(method, seed=5, steps=2, begin=loaded))


def test_clock_counts_steps_images_gradients_and_rows(method: Method) -> None:
    game, _ = play(method)
    turns, clock = method.dynamics.turns(0), run(method, seed=0, steps=2).clock
    moves = [player for turn in turns for player in turn.players]
    fresh = [index for index, turn in enumerate(turns) if turn.fresh]
    reading = sum("real" in shared_needs(game, turns, index) for index in fresh)
    most = max(map(moves.count, moves))
    assert clock == {
        "step": 2,
        "images": 2 * ROWS * most,
        "gradients": 2 * sum(map(method.dynamics.cost, turns)),
        "rows": 2 * ROWS * reading,
    }


def test_noise_is_keyed_by_step_turn_and_name_alone() -> None:
    """Adding a penalty, or another draw, does not change the latents."""
    plain = small(methods.get("gan"))
    turns, made = plain.dynamics.turns(0), []
    for method in (plain, replace(plain, terms=(R1(gamma=1.0), GradientPenalty()))):
        batches = Batches(play(method)[0], load("ring"), 0, ROWS, CPU)
        first, later = (batches.step({"step": n, "images": 0, "rows": 0}, turns, 0.0) for n in (4, 5))
        latents = [drawn["latent"] for drawn in (*first, *later)]
        assert not any(torch.equal(a, b) for a, b in combinations(latents, 2))
        made.append(latents)
    assert all(torch.equal(a, b) for a, b in zip(*made, strict=True))


# -- law 3: losses of a batch, gradients of penalties ------------------------------


def steep(game: Any, state: State) -> tuple[Any, State]:
    """With a discriminator of slopes above 1, where one-sided penalties speak."""
    return game, state._replace(
        players={**state.players, "discriminator": 3 * state.players["discriminator"]}
    )


def rowwise(data: dict[str, Any], change: Any) -> dict[str, Any]:
    return {name: change(value) if isinstance(value, Tensor) else value for name, value in data.items()}


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("norm", [False, True])
def test_losses_do_not_change_under_a_joint_permutation_of_rows(method: Method, norm: bool) -> None:
    """Of packs, where a point is one."""
    game, state = play(method, norm=norm)
    data, pack = batch(game), together(method)
    packs = torch.randperm(ROWS // pack, generator=torch.Generator().manual_seed(3))
    order = (packs[:, None] * pack + torch.arange(pack)).flatten()
    losses, _ = game.losses(game.players, state.players, state.memory, data)
    shuffled, _ = game.losses(
        game.players, state.players, state.memory, rowwise(data, lambda rows: rows[order])
    )
    torch.testing.assert_close(shuffled, losses, rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("double")
def test_penalties_are_per_sample(penalised: Method) -> None:
    """A norm over the whole batch would grow with the number of rows."""
    game, state = steep(*play(penalised))
    data, who = batch(game), ("discriminator",)
    twice = rowwise(data, lambda rows: torch.cat([rows, rows]))
    once, doubled = (game.losses(who, state.players, state.memory, d)[1].info for d in (data, twice))
    penalties = [name for name in once if name.startswith("term/")]
    assert len(penalties) == len(penalised.terms)
    for name in penalties:
        assert once[name] > 1e-6
        torch.testing.assert_close(doubled[name], once[name], rtol=1e-12, atol=0)


def game_value(method: Method) -> float:
    """The loss of its only player."""
    game, state = play(method)
    (who,) = game.players
    return game.losses((who,), state.players, state.memory, batch(game))[0][who].item()


@pytest.mark.usefixtures("double")
def test_gradients_are_derivatives_of_the_losses(method: Method) -> None:
    """Penalties with their second derivatives and constraints inside, against finite differences. What is
    excluded holds a copy of its only player fixed, and has the same value wherever it stands."""
    if method.name in EXCLUDED["gradients are derivatives of the losses"]:
        assert game_value(method) == pytest.approx(math.log(4))
        return
    game, state = play(method)
    data = batch(game)
    for who in sorted(game.turns()):
        gradients, _ = game.gradients(who, state.players, state.memory, data)
        for player in who:
            scale = gradients[player].norm()
            assert scale > 1e-9
            for along in directions(state.players[player], 3):

                def loss(t: float, player: str = player, who: Any = who, along: Tensor = along) -> Tensor:
                    moved = {**state.players, player: state.players[player] + t * along}
                    return game.losses(who, moved, state.memory, data)[0][player]

                assert abs(gradients[player].dot(along) - slope(loss)) < 1e-7 * scale


TERMED = [
    n for n in methods.names() if methods.get(n).terms and n not in EXCLUDED["a term reaches the parameters"]
]


def bare(method: Method) -> Any:
    """The game without its terms, among the players who still have a loss."""
    optimizers = method.dynamics.optimizers
    left = {player: optimizers[player] for player in optimizers if player in method.objective.players}
    return play(replace(method, terms=(), averages={}, dynamics=Simultaneous(left)))[0]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("name", TERMED)
def test_a_term_reaches_the_parameters(name: str) -> None:
    """d(term)/d(weights) of its player is not zero, a penalty's second derivative is really there (P27)."""
    method = small(methods.get(name))
    if "generator" not in method.objective.players:  # so that the generator has a loss without the term
        method = replace(method, objective=NonSaturating())
    game, state = steep(*play(method))
    rows = batch(game)
    every = {name: term.every for name, term in game.parts.items() if isinstance(term, Term)}
    for player in dict.fromkeys(p for term in method.terms for p in term.players):
        at = ((player,), state.players, state.memory, rows)
        gained = game.gradients(*at)[0][player]
        if player in method.objective.players:  # else the terms are its whole loss
            gained = gained - bare(method).gradients(*at)[0][player]
        assert gained.norm() > 1e-3
        for along in directions(gained, 3):

            def value(t: float, player: str = player, along: Tensor = along) -> Tensor:
                moved = {**state.players, player: state.players[player] + t * along}
                info = game.losses((player,), moved, state.memory, rows)[1].info
                return sum(info[n] * k for n, k in every.items() if n in info)

            assert abs(gained.dot(along) - slope(value)) < 1e-7 * gained.norm()


# -- no evaluation outlives itself ------------------------------


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def living_tensors() -> int:
    return sum(issubclass(type(thing), Tensor) for thing in gc.get_objects())


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
def test_tensors_do_not_accumulate(method: Method, execution: Execution) -> None:
    """A cycle through an evaluation would keep whole graphs alive until the collector runs."""
    game, state = play(method, execution)
    turns = distinct(method.dynamics.turns(0))
    made = [batch(game, seed=i) for i in range(len(turns))]
    counts = []
    for number in range(23):
        state, _ = method.dynamics.step(game, state, turns, made.__getitem__, ROWS)
        if number in (2, 22):
            counts.append(living_tensors())
    assert counts[1] <= counts[0]
