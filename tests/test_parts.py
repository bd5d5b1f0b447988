"""What parts may have besides their loss: memory that moves once per committed move, laziness, the vector of their player
and the discriminator's gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

from saddlepoint import methods
from saddlepoint.compiled import Compiled
from saddlepoint.dynamics import Alternating, Simultaneous
from saddlepoint.errors import InputError
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.objectives import Minimax, NonSaturating
from saddlepoint.optim import SGD
from saddlepoint.parallel import Accumulated
from saddlepoint.penalties import R1, R2, Term
from small_games import batch, descent, play, small

pytestmark = pytest.mark.usefixtures("double")
EXECUTIONS = pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
GAN = small(descent(methods.get("gan")))


@dataclass(frozen=True)
class Balance(NonSaturating):
    """Fakes weigh k, and k follows the mean real score."""

    rate: float = 0.1

    def start(self, players: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"k": torch.zeros(())}

    def observe(self, real_score: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        return {"real": real_score.mean()}

    def remember(self, memory: Any, seen: Any, players: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"k": memory["k"] + self.rate * seen["real"]}

    def discriminator(self, real_score: Tensor, fake_score: Tensor, memory: Any) -> Tensor:  # type: ignore[override]
        return -real_score.mean() + memory["k"] * fake_score.mean()


BALANCED = replace(GAN, objective=Balance())


@EXECUTIONS
@pytest.mark.parametrize("critics", [1, 3])
def test_memory_moves_once_per_committed_move_of_the_observed(execution: Execution, critics: int) -> None:
    dynamics = replace(BALANCED.dynamics, steps={"generator": 1, "discriminator": critics})
    game, state = play(replace(BALANCED, dynamics=dynamics), execution)
    expected = 0.0
    for number, turn in enumerate(dynamics.turns(0)):
        data = batch(game, seed=number)
        scores = game.losses(("discriminator",), state.players, state.memory, data)[1].info["score/real"]
        expected += 0.1 * scores.mean().item() if turn.players == ("discriminator",) else 0.0
        before = state.memory
        state, _ = dynamics.move(game, state, turn, data)
        assert state.memory["parts"]["objective"]["k"].item() == pytest.approx(expected, abs=1e-12)
        assert before["parts"]["objective"]["k"] is not state.memory["parts"]["objective"]["k"] or (
            turn.players == ("generator",)
        )


def test_evaluations_leave_memory_alone() -> None:
    game, state = play(BALANCED)
    held = state.memory["parts"]["objective"]["k"].clone()
    data = batch(game)
    game.field(state.players, state.memory, data)
    game.pullback(state.players, state.memory, data, state.players)
    game.losses(game.players, state.players, state.memory, data)
    assert torch.equal(state.memory["parts"]["objective"]["k"], held)


@EXECUTIONS
def test_a_loss_reads_its_memory(execution: Execution) -> None:
    game, state = play(BALANCED, execution)
    memory = {**state.memory, "parts": {"objective": {"k": torch.tensor(0.7)}}}
    data = batch(game)
    losses, notes = game.losses(("discriminator",), state.players, memory, data)
    scores = {side: notes.info[f"score/{side}"].mean() for side in ("real", "fake")}
    torch.testing.assert_close(losses["discriminator"], -scores["real"] + 0.7 * scores["fake"])


def test_micro_batches_see_the_mean() -> None:
    game, state = play(BALANCED)
    data = batch(game)
    whole = game.gradients(("discriminator",), state.players, state.memory, data)[1].seen
    parts = Accumulated(game, 4).gradients(("discriminator",), state.players, state.memory, data)[1].seen
    torch.testing.assert_close(parts["objective"]["real"], whole["objective"]["real"])


# -- the vector of the player, and the discriminator's gradient ------------------------------


@dataclass(frozen=True)
class Decay(Term):
    """½‖θ‖² of either player."""

    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator")

    def __call__(self, parameters: Tensor) -> Tensor:  # type: ignore[override]
        return 0.5 * parameters.square().sum()


@EXECUTIONS
def test_a_term_may_look_at_the_vector_of_its_player(execution: Execution) -> None:
    """The gradient of ½‖θ‖² is θ."""
    (plain, state), (decayed, _) = (play(m, execution) for m in (GAN, replace(GAN, terms=(Decay(),))))
    data = batch(plain)
    for player in ("generator", "discriminator"):
        bare, whole = (g.gradients((player,), state.players, state.memory, data)[0] for g in (plain, decayed))
        torch.testing.assert_close(whole[player] - bare[player], state.players[player])


@dataclass(frozen=True)
class Slope(Term):
    """½‖∇_{θ_D} L_D‖², for the generator."""

    players: ClassVar[tuple[str, ...]] = ("generator",)
    couples_rows: ClassVar[bool] = True

    def __call__(self, discriminator_gradient: Tensor) -> Tensor:  # type: ignore[override]
        return 0.5 * discriminator_gradient.square().sum()


@EXECUTIONS
def test_the_discriminators_gradient_is_differentiable_in_the_generator(execution: Execution) -> None:
    """For a minimax game ∇_{θ_G} ½‖∇_D L_D‖² = (∂∇_D L_D/∂θ_G)ᵀ ∇_D L_D, a part of Jᵀv."""
    method = replace(GAN, objective=Minimax())
    (bare, state), (whole, _) = (play(m, execution) for m in (method, replace(method, terms=(Slope(),))))
    data = batch(bare)
    at = (state.players, state.memory, data)
    found = (
        whole.gradients(("generator",), *at)[0]["generator"]
        - bare.gradients(("generator",), *at)[0]["generator"]
    )
    field = bare.field(*at)
    cotangent = {"generator": torch.zeros_like(field["generator"]), "discriminator": field["discriminator"]}
    torch.testing.assert_close(found, bare.pullback(*at, cotangent)["generator"])


def test_what_couples_rows_is_not_accumulated() -> None:
    from saddlepoint.parallel import Processes, transformed

    game, _ = play(replace(GAN, terms=(Slope(),)))
    with pytest.raises(InputError, match="Slope couples the rows"):
        transformed(game, Processes(torch.device("cpu")), 2, 8)


# -- lazy terms ------------------------------


def lazy(every: int) -> Method:
    return replace(GAN, terms=(R1(gamma=0.5, every=every),))


@EXECUTIONS
def test_a_lazy_term_counts_k_times_at_every_kth_step(execution: Execution) -> None:
    (always, state), (game, _) = (play(m, execution) for m in (lazy(1), lazy(3)))
    none, _ = play(GAN, execution)
    data = batch(always)
    at = (("discriminator",), state.players, state.memory, data)
    bare, full = (g.gradients(*at)[0]["discriminator"] for g in (none, always))
    assert game.period == 3
    for step in range(7):
        found, notes = game.at(step).gradients(*at)
        expected = bare + 3 * (full - bare) if step % 3 == 0 else bare
        torch.testing.assert_close(found["discriminator"], expected)
        assert ("term/R1" in notes.info) == (step % 3 == 0)


def test_a_term_that_is_never_due_is_refused() -> None:
    with pytest.raises(InputError, match="every 0 steps"):
        R1(every=0)
    objective = replace(GAN, objective=replace(Balance()), terms=(R1(every=2),))
    assert play(objective)[0].period == 2


def test_steps_with_the_same_terms_due_are_one_game_and_one_graph() -> None:
    """However long the period: a graph for every step of it would soon pass the compiler's limit of graphs."""
    method = lazy(40)
    game, state = play(method, Functional())
    assert [game.phase(step) for step in (0, 1, 39, 40, 41)] == [0, 1, 1, 0, 1]
    assert game.at(1) is game.at(39)
    halves = Accumulated(game, 2)
    assert halves.at(1) is halves.at(39)
    assert halves.at(40).base is game.at(0)  # type: ignore[attr-defined]
    counter = CompileCounterWithBackend("aot_eager")
    graph, turns, data = (
        Compiled(game, method.dynamics, 8, backend=counter),
        method.dynamics.turns(0),
        batch(game),
    )
    for step in range(12):
        made = [{**data, "clock": {"step": step, "images": 0, "progress": 0.0}} for _ in turns]
        state, infos = graph(state, turns, [made])
        assert ("term/R1" in infos[0]) == (step == 0)
    assert counter.frame_count == 2


def test_two_lazy_terms_have_the_games_of_their_patterns() -> None:
    method = replace(GAN, terms=(R1(gamma=0.5, every=2), R2(gamma=0.5, every=3)))
    game, _ = play(method)
    assert [game.phase(step) for step in range(12)] == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]


def test_lazy_steps_compile_into_one_graph_a_pattern() -> None:
    from saddlepoint.batches import Batches
    from saddlepoint.data import load

    """Eight steps in chunks of two, of which the term is in the first, the second or none."""
    method, counter = lazy(3), CompileCounterWithBackend("aot_eager")
    results = []
    for execution in (Plain(), Functional()):
        game, state = play(method, execution)
        batches = Batches(game, load("ring"), 0, 8, torch.device("cpu"))
        turns, dynamics = method.dynamics.turns(0), method.dynamics
        graph, chunks = Compiled(game, dynamics, 8, backend=counter), []
        for _ in range(4):
            chunk, clock = [], state.clock
            for _ in range(2):
                chunk.append(
                    [
                        {n: v.double() if isinstance(v, Tensor) else v for n, v in b.items()}
                        for b in batches.step(clock, turns, 0.0)
                    ]
                )
                clock = dynamics.advance(game, clock, turns, 8)
            if isinstance(execution, Plain):
                infos = []
                for index, step in enumerate(chunk):
                    now = game.at(state.clock["step"] + index)
                    state, info = dynamics.step(now, state, turns, step.__getitem__, 8)
                    infos.append(info)
            else:
                state, infos = graph(state, turns, chunk)
            chunks += ["term/R1" in info for info in infos]
            state = state._replace(clock=clock)
        results.append((state.players, chunks))
    assert counter.frame_count == 3
    assert results[0][1] == results[1][1] == [step % 3 == 0 for step in range(8)]
    for player, vector in results[0][0].items():
        torch.testing.assert_close(results[1][0][player], vector)


@pytest.mark.parametrize("dynamics", [Alternating, Simultaneous])
def test_a_player_needs_a_loss_at_every_step(dynamics: Any) -> None:
    @dataclass(frozen=True)
    class Nothing(NonSaturating):
        players: ClassVar[tuple[str, ...]] = ("generator",)

    optimizers = {"generator": SGD(0.1), "discriminator": SGD(0.1)}
    with pytest.raises(InputError, match="'discriminator'"):
        play(replace(lazy(2), objective=Nothing(), dynamics=dynamics(optimizers)))
