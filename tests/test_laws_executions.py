"""Law 5: the same mathematics executed otherwise, for every method of the catalogue."""

from __future__ import annotations

import inspect
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

from law_exclusions import EXCLUDED, REPRESENTATIVES
from saddlepoint import dynamics as rules
from saddlepoint import methods, objectives, penalties, treatments
from saddlepoint.average import EMA
from saddlepoint.bound import MethodGame
from saddlepoint.compiled import Compiled
from saddlepoint.dynamics import Dynamics
from saddlepoint.errors import InputError
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain, Precision
from saddlepoint.optim import SGD
from saddlepoint.parallel import Accumulated, Processes, transformed
from saddlepoint.parts import Part
from saddlepoint.penalties import R1
from saddlepoint.schedules import Decay, Linear
from small_games import ROWS, batch, descent, distinct, play, small
from test_dynamics_compiled import DYNAMICS
from test_precision import TOLERANCE

CPU = torch.device("cpu")
needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="no C++ compiler on this machine"
)


@pytest.fixture(params=methods.names())
def method(request: pytest.FixtureRequest) -> Method:
    return small(methods.get(request.param))


# -- law 5: the same mathematics executed otherwise ------------------------------


def assert_equal_games(method: Method, other: Execution, norm: bool, tolerance: float) -> None:
    plain, state = play(method, Plain(), norm)
    twin, _ = play(method, other, norm)
    data = batch(plain)
    for who in plain.turns():
        expected, notes = plain.gradients(who, state.players, state.memory, data)
        found, seen = twin.gradients(who, state.players, state.memory, data)
        for player in who:
            scale = max(1.0, float(expected[player].abs().max()))
            torch.testing.assert_close(found[player], expected[player], rtol=0, atol=tolerance * scale)
        torch.testing.assert_close(seen.buffers, notes.buffers, rtol=0, atol=tolerance)
        torch.testing.assert_close(seen.info, notes.info, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("norm", [False, True])
def test_functional_gradients_equal_plain_ones(method: Method, norm: bool) -> None:
    assert_equal_games(method, Functional(), norm, 1e-6)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("norm", [False, True])
def test_functional_gradients_equal_plain_ones_in_double_precision(method: Method, norm: bool) -> None:
    assert_equal_games(method, Functional(), norm, 1e-10)


def assert_compiled_steps_equal_plain_ones(
    method: Method, backend: Any, tolerance: float
) -> tuple[MethodGame, int]:
    """Three steps under plain descent, since Adam makes full steps of rounding; the game and its number of patterns."""
    method = descent(method)
    turns = distinct(method.dynamics.turns(0))
    plain, state = play(method, norm=True)
    traced, carried = play(method, Functional(), norm=True)
    graph = Compiled(traced, method.dynamics, ROWS, backend=backend)
    for number in range(3):
        clock = {"step": number, "images": number * ROWS, "progress": number / 3}
        made = [{**batch(plain, seed=10 * number + i), "clock": clock} for i in range(len(turns))]
        state, info = method.dynamics.step(plain.at(number), state, turns, made.__getitem__, ROWS)
        carried, infos = graph(carried, turns, [made])
        means = {name: value.mean() for name, value in info.items()}
        torch.testing.assert_close(infos[0], means, rtol=tolerance, atol=tolerance / 10)
    for part in ("players", "memory", "average"):
        torch.testing.assert_close(
            getattr(carried, part), getattr(state, part), rtol=tolerance, atol=tolerance / 10
        )
    return plain, len({plain.phase(number) for number in range(3)})


def test_compiled_steps_equal_plain_ones(method: Method) -> None:
    """Traced whole, once a pattern of lazy terms."""
    counter = CompileCounterWithBackend("aot_eager")
    _, patterns = assert_compiled_steps_equal_plain_ones(method, counter, 1e-5)
    assert counter.frame_count == patterns


@pytest.mark.slow
@needs_compiler
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_steps_of_the_full_compiler_equal_plain_ones(name: str) -> None:
    """float32 sums in another order, kernels fused."""
    assert_compiled_steps_equal_plain_ones(small(methods.get(name)), "inductor", 1e-4)


def test_every_rule_and_every_memory_is_compiled() -> None:
    """Together with the small games of test_dynamics_compiled, the catalogue has them all."""
    catalogue = [methods.get(name) for name in methods.names()]
    seen = {type(rule) for rule in DYNAMICS.values()} | {type(m.dynamics) for m in catalogue}
    assert (
        classes(rules, Dynamics) - {rules.BestResponse} <= seen
    )  # which is for small games, and no update rule
    modules = (objectives, penalties, treatments)
    parts = {type(part) for m in catalogue for part in (m.objective, *m.terms, *m.treatments)}
    remembering = {c for module in modules for c in classes(module, Part) if c.start is not Part.start}
    assert remembering <= parts
    assert len(remembering) >= 3


def classes(module: Any, base: type) -> set[Any]:
    named = {v for _, v in inspect.getmembers(module, inspect.isclass) if issubclass(v, base)}
    return {c for c in named if not inspect.isabstract(c)} - {base}


def test_numbers_that_change_reach_the_graph_and_make_no_new_one() -> None:
    """Two chunks of two steps: each step has its own rate, penalty weight and average, all from one graph."""
    method = small(methods.get("gan-r1"))
    rates = {"generator": SGD(Linear(0.1, 0.0)), "discriminator": SGD(Decay(0.05, 0.5))}
    method = replace(
        method,
        dynamics=replace(method.dynamics, optimizers=rates),
        terms=(R1(gamma=Linear(1.0, 3.0, over=100)),),
        averages={"generator": EMA(half_life=20.0, ramp=0.5)},
    )
    turns = method.dynamics.turns(0)
    plain, state = play(method)
    traced, carried = play(method, Functional())
    counter = CompileCounterWithBackend("aot_eager")
    graph = Compiled(traced, method.dynamics, ROWS, backend=counter)
    for chunk in range(2):
        steps = []
        for number in (2 * chunk, 2 * chunk + 1):
            clock = {"step": number, "images": number * ROWS, "progress": number / 4}
            steps.append([{**batch(plain, seed=2 * number + i), "clock": clock} for i in range(len(turns))])
            state, info = method.dynamics.step(plain, state, turns, steps[-1].__getitem__, ROWS)
        carried, infos = graph(carried, turns, steps)
        assert len(infos) == 2
        torch.testing.assert_close(infos[-1]["term/R1"], info["term/R1"], rtol=1e-5, atol=1e-6)
    assert counter.frame_count == 1
    for part in ("players", "average"):
        torch.testing.assert_close(getattr(carried, part), getattr(state, part), rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("double")
def test_population_members_equal_their_solo_runs(method: Method) -> None:
    """Members differ in initial weights and learning rate."""
    game, state = play(method, Functional())
    members = [play(method, Functional(), seed=seed)[1].players for seed in (1, 2, 3)]
    rates = torch.tensor([0.01, 0.03, 0.1])
    turns = distinct(method.dynamics.turns(0))
    made = [[batch(game, seed=10 * step + turn) for turn in range(len(turns))] for step in range(2)]

    def two_steps(players: dict[str, Tensor], rate: Tensor) -> dict[str, Tensor]:
        dynamics = descent(method, rate).dynamics
        at = dynamics.init(game, players, state.memory)
        for batches in made:
            at, _ = dynamics.step(game, at, turns, batches.__getitem__, ROWS)
        return at.players

    stacked = {player: torch.stack([member[player] for member in members]) for player in game.players}
    together = torch.vmap(two_steps)(stacked, rates)
    for index, member in enumerate(members):
        alone = two_steps(member, rates[index])
        torch.testing.assert_close({p: v[index] for p, v in together.items()}, alone, rtol=1e-9, atol=1e-9)
        assert all(not torch.equal(alone[p], member[p]) for p in alone)


@pytest.mark.usefixtures("double")
def test_accumulated_gradients_equal_those_of_the_whole_batch(method: Method) -> None:
    """Where a part couples rows, micro-batches are refused; where a network does, they are said to be judged apart."""
    game, state = play(method)
    if game.coupling:
        with pytest.raises(InputError, match=rf"{game.coupling} couples the rows"):
            transformed(game, Processes(CPU), 4, ROWS)
        return
    if game.found.coupled:
        said = transformed(game, Processes(CPU), 4, ROWS)[1]
        assert any("each micro-batch by itself" in line for line in said)
        return
    data = batch(game)
    for who in game.turns():
        whole, notes = game.gradients(who, state.players, state.memory, data)
        parts, seen = Accumulated(game, 4).gradients(who, state.players, state.memory, data)
        torch.testing.assert_close(parts, whole, rtol=1e-10, atol=1e-12)
        mean = {name: value.mean() for name, value in notes.info.items()}
        torch.testing.assert_close(
            {n: v.to(mean[n]) for n, v in seen.info.items()}, mean, rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize("execution", [Plain, Functional])
def test_bf16_gradients_are_near_those_of_fp32_and_leave_in_fp32(method: Method, execution: type) -> None:
    """The tolerance of test_precision, where it is derived; these networks have fewer roundings."""
    games = [play(method, execution(Precision(precision)))[0] for precision in ("fp32", "bf16")]
    game, state = play(method)
    data = batch(game, rows=8 * ROWS)
    for who in game.turns():
        found = []
        for game in games:
            gradients, _ = game.gradients(who, state.players, state.memory, data)
            found.append(gradients)
        for player in who:
            assert found[1][player].dtype == torch.float32
            error = (found[1][player] - found[0][player]).norm() / found[0][player].norm()
            assert error < TOLERANCE
            assert error > 0 or "discriminator" not in game.players  # a density has no product of matrices


# -- what is left out ------------------------------


def test_what_the_laws_leave_out_is_listed_and_counted() -> None:
    """A new exclusion is a decision: it changes this number, and has a reason."""
    assert {law: len(names) for law, names in EXCLUDED.items()} == {
        "a term reaches the parameters": 2,
        "gradients are derivatives of the losses": 1,
    }
    assert len(set(REPRESENTATIVES)) == 8
    listed = [*REPRESENTATIVES, *(name for names in EXCLUDED.values() for name in names)]
    assert set(listed) <= set(methods.names())
    assert all(reason.endswith(".") for names in EXCLUDED.values() for reason in names.values())


def test_the_laws_skip_nothing_by_themselves() -> None:
    """Nothing but `law_exclusions` takes a method out of a law; only the full compiler may be missing."""
    words = ("pytest.skip", "mark.skip", "xfail", "importorskip")
    for name, count in (("test_laws.py", 0), ("test_laws_executions.py", 1)):
        text = (Path(__file__).parent / name).read_text().split("def test_the_laws_skip_nothing")[0]
        assert sum(map(text.count, words)) == count
