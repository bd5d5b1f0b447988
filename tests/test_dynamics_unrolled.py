"""Unrolled descent on networks against computations by hand with ordinary modules and autograd."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus

from saddlepoint import methods
from saddlepoint.dynamics import BestResponse, Dynamics, Turn, Unrolled
from saddlepoint.errors import InputError
from saddlepoint.games import GaussianShift
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.optim import SGD, Adam, Optimizer
from saddlepoint.state import State
from small_games import ROWS, batch, networks, play, small

pytestmark = pytest.mark.usefixtures("double")
EXECUTIONS = pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
G, D = Turn(("generator",)), Turn(("discriminator",))
ADAM: Optimizer = Adam(0.05, (0.5, 0.9))


def method(optimizer: Optimizer, **options: Any) -> Method:
    """The generator descends with rate 1, so that its move is minus its gradient."""
    dynamics = Unrolled({"generator": SGD(1.0), "discriminator": optimizer}, **options)
    return replace(small(methods.get("gan-minimax")), dynamics=dynamics)


def generator_gradient(played: Method, execution: Execution, data: Any) -> tuple[Tensor, State, Any]:
    game, state = play(played, execution)
    after, _ = played.dynamics.move(game, state, G, data)
    assert torch.equal(after.players["discriminator"], state.players["discriminator"])
    return state.players["generator"] - after.players["generator"], after, game


def by_hand(played: Method, data: Any, ahead: int, rate: float, adam: bool, through: bool = True) -> Tensor:
    """Lists of tensors, functional_call and create_graph: nothing of the package takes part."""
    nets = networks(played)
    theta = {n: p.detach().clone().requires_grad_() for n, p in nets["generator"].named_parameters()}
    phi = {n: p.detach().clone().requires_grad_() for n, p in nets["discriminator"].named_parameters()}
    fake = torch.func.functional_call(nets["generator"], theta, (data["latent"],))

    def score(point: Tensor) -> Tensor:
        return torch.func.functional_call(nets["discriminator"], phi, (point,))

    mean = {n: torch.zeros_like(p) for n, p in phi.items()}
    square = {n: torch.zeros_like(p) for n, p in phi.items()}
    for step in range(1, ahead + 1):
        loss = softplus(-score(data["real"])).mean() + softplus(score(fake)).mean()
        found = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        for (name, value), gradient in zip(list(phi.items()), found, strict=True):
            if adam:
                mean[name] = 0.5 * mean[name] + 0.5 * gradient
                square[name] = 0.9 * square[name] + 0.1 * gradient**2
                corrected = (square[name] / (1 - 0.9**step)).sqrt() + 1e-8
                phi[name] = value - rate * mean[name] / (1 - 0.5**step) / corrected
            else:
                phi[name] = value - rate * gradient
    if not through:
        phi = {n: p.detach() for n, p in phi.items()}
    value = -softplus(-score(data["real"])).mean() - softplus(score(fake)).mean()
    parts = torch.autograd.grad(value, list(theta.values()))
    return torch.cat([part.flatten() for part in parts])


@EXECUTIONS
@pytest.mark.parametrize("ahead", [1, 4])
@pytest.mark.parametrize(("optimizer", "rate", "adam"), [(SGD(0.7), 0.7, False), (ADAM, 0.05, True)])
@pytest.mark.parametrize("through", [True, False])
def test_inner_steps_equal_a_computation_by_hand(
    optimizer: Optimizer, rate: float, adam: bool, ahead: int, through: bool, execution: Execution
) -> None:
    played = method(optimizer, ahead=ahead, through=through)
    data = batch(play(played)[0])
    found, _, game = generator_gradient(played, execution, data)
    expected = by_hand(played, data, ahead, rate, adam, through)
    layout = game.networks["generator"].layout
    named = torch.cat([part.flatten() for part in layout.named(found).values()])
    torch.testing.assert_close(named, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("optimizer", [SGD(0.7), ADAM], ids=["sgd", "adam"])
def test_the_second_order_terms_change_the_generators_gradient(optimizer: Optimizer) -> None:
    """Without them unrolling is only an opponent K steps ahead."""
    data = batch(play(method(optimizer))[0])
    full, cut, none = (
        generator_gradient(method(optimizer, **options), Plain(), data)[0]
        for options in ({"through": True}, {"through": False}, {"ahead": 0})
    )
    assert (full - cut).norm() > 0.05 * cut.norm()
    assert (cut - none).norm() > 0.05 * none.norm()
    gan = small(methods.get("gan-minimax"))
    plain, state = play(gan)
    expected = plain.gradients(("generator",), state.players, state.memory, data)[0]["generator"]
    torch.testing.assert_close(none, expected, rtol=1e-12, atol=1e-14)


def test_many_steps_are_the_best_response() -> None:
    """T23, on N(0, 1) against N(1, 1): the gradient of the unrolled value approaches d(2 JSD)/dθ, which the exact optimal
    discriminator gives; the derivative through the steps vanishes there (envelope theorem), and a plain step is 0."""
    game = GaussianShift()
    sgd: dict[str, Optimizer] = {p: SGD(1.0) for p in game.players}
    exact = moved(game, BestResponse(sgd))
    gaps = {
        (ahead, through): abs(moved(game, Unrolled(sgd, ahead=ahead, through=through)) - exact) / abs(exact)
        for ahead in (0, 2, 60)
        for through in (True, False)
    }
    assert gaps[0, True] == pytest.approx(1, abs=1e-12)
    assert gaps[60, True] < 1e-6
    assert gaps[60, True] < 0.01 * gaps[2, True]
    assert gaps[60, False] < 1e-3


def moved(game: GaussianShift, dynamics: Dynamics) -> float:
    """How far the generator's first turn moves it."""
    players, memory = game.init(0, game.data())
    state, _ = dynamics.move(game, dynamics.init(game, players, memory), dynamics.turns(0)[0], game.data())
    return (state.players["generator"] - players["generator"]).item()


def test_the_reals_take_part_in_the_unrolled_value() -> None:
    """The generator's own minimax loss has no term of the reals; through φ^K they matter."""
    data = batch(play(method(ADAM))[0])
    whole, own = (generator_gradient(method(ADAM, saddle=s), Plain(), data)[0] for s in (True, False))
    assert (whole - own).norm() > 0.05 * own.norm()
    cut = [generator_gradient(method(ADAM, saddle=s, through=False), Plain(), data)[0] for s in (True, False)]
    torch.testing.assert_close(cut[0], cut[1], rtol=1e-10, atol=1e-13)


@EXECUTIONS
def test_the_discriminators_own_step_starts_from_the_point_that_was_not_unrolled(
    execution: Execution,
) -> None:
    played = method(ADAM)
    game, state = play(played, execution)
    data = batch(game)
    gradients, _ = game.gradients(("discriminator",), state.players, state.memory, data)
    update, slots = ADAM.update(
        gradients["discriminator"], state.optimizer["discriminator"], state.players["discriminator"]
    )
    for turn in (D, Turn(("generator", "discriminator"), beside=("discriminator",))):
        after, _ = played.dynamics.move(game, state, turn, data)
        torch.testing.assert_close(
            after.players["discriminator"], state.players["discriminator"] + update, rtol=1e-12, atol=1e-14
        )
        torch.testing.assert_close(after.optimizer["discriminator"], slots, rtol=1e-12, atol=1e-14)
    together = played.dynamics.move(game, state, turn, data)[0].players["generator"]
    alone = played.dynamics.move(game, state, G, data)[0].players["generator"]
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
def test_nothing_of_the_inner_steps_is_remembered(execution: Execution) -> None:
    """With BatchNorm on both sides: after the generator's turn its statistics have moved as in one call, the
    discriminator's and its optimiser's slots not at all."""
    played = method(ADAM)
    game, state = play(played, execution, norm=True)
    data, before = batch(game), copy.deepcopy(state)
    after, _ = played.dynamics.move(game, state, G, data)
    torch.testing.assert_close(
        after.memory["buffers"]["discriminator"], before.memory["buffers"]["discriminator"]
    )
    torch.testing.assert_close(after.optimizer["discriminator"], before.optimizer["discriminator"])
    buffers = after.memory["buffers"]["generator"]
    assert {int(b) for n, b in buffers.items() if n.endswith("num_batches_tracked")} == {1}
    _, notes = game.gradients(("generator",), state.players, state.memory, data)
    torch.testing.assert_close(buffers, notes.buffers["generator"], rtol=1e-12, atol=1e-14)


def test_projections_belong_to_the_inner_steps() -> None:
    """A clipped critic stays clipped while it is unrolled: with a rate that throws every weight to the bound the
    generator's gradient no longer depends on the rate."""
    wgan = small(methods.get("wgan"))
    found = []
    for rate in (1e8, 1e9):
        dynamics = Unrolled({"generator": SGD(1.0), "discriminator": SGD(rate)}, ahead=1)
        played = replace(wgan, dynamics=dynamics)
        found.append(generator_gradient(played, Plain(), batch(play(played)[0]))[0])
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-14)
    assert found[0].abs().max() < 1


def test_the_generators_turn_draws_the_data_that_the_discriminator_reads() -> None:
    from saddlepoint.batches import Batches
    from saddlepoint.data import load

    played = small(methods.get("unrolled"))
    game, state = play(played)
    made = Batches(game, load("ring"), 0, ROWS, torch.device("cpu")).step(
        state.clock, played.dynamics.turns(0), 0.0
    )
    assert "real" in made[0]
    assert not torch.equal(made[0]["real"], made[1]["real"])
    after = played.dynamics.advance(game, state.clock, played.dynamics.turns(0), ROWS)
    assert after["rows"] == 2 * ROWS
    assert after["gradients"] == 1 + 2 * played.dynamics.ahead + 1


@pytest.mark.parametrize("options", [{"ahead": -1}, {"opponent": "critic"}])
def test_what_cannot_be_unrolled_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="Unrolled looks"):
        Unrolled(**options)
