"""Vectors and names, modules as functions of a vector, and their two executions."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.bound import MethodGame
from saddlepoint.constraints import SpectralNorm
from saddlepoint.layout import Layout
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Network, Plain, Precision
from saddlepoint.objectives import NonSaturating
from small_games import ROWS, batch, networks, play, small

EXECUTIONS = pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
GAN = small(methods.get("gan"))
REFERENCE = torch.randn(ROWS, 2, generator=torch.Generator().manual_seed(1))


# -- layout ------------------------------


def convolutions() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, (2, 3)), nn.ConvTranspose2d(4, 2, 3), nn.Flatten(), nn.Linear(7, 2))


@pytest.mark.parametrize("channels_last", [False, True])
def test_vector_and_names_are_one_thing(channels_last: bool) -> None:
    module = convolutions()
    layout = Layout.of(module, channels_last)
    parameters = {name: p.detach() for name, p in module.named_parameters()}
    vector = layout.vector(parameters)
    assert vector.shape == (sum(layout.sizes),) == (sum(p.numel() for p in module.parameters()),)
    named = layout.named(vector)
    assert list(named) == list(parameters)
    assert all(torch.equal(named[name], parameters[name]) for name in parameters)
    assert torch.equal(layout.vector(named), vector)
    vector[:] = 7.0
    assert all((value == 7.0).all() for value in named.values()), "names are views of the vector"


def test_channels_last_weights_lie_as_convolutions_want_them() -> None:
    named = Layout.of(module := convolutions(), True).named(
        torch.zeros(sum(p.numel() for p in module.parameters()))
    )
    for name in ("0.weight", "1.weight"):
        assert named[name].is_contiguous(memory_format=torch.channels_last)


def test_a_module_without_parameters_has_an_empty_vector() -> None:
    assert Layout.of(nn.Tanh()).vector({}).shape == (0,)


@pytest.mark.usefixtures("double")
@EXECUTIONS
def test_channels_last_computes_the_same_gradients(execution: Execution) -> None:
    method = small(methods.get("gan-r1"))
    made = {
        "generator": nn.Sequential(
            nn.Linear(3, 32), nn.Unflatten(1, (2, 4, 4)), nn.Conv2d(2, 3, 3, padding=1)
        ),
        "discriminator": nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0)
        ),
    }
    real = torch.randn(ROWS, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    found = []
    for channels_last in (False, True):
        game = method.game(made, {"real": real}, execution=execution, channels_last=channels_last)
        players, memory = game.init(0, {"real": real})
        gradients, _ = game.gradients(game.players, players, memory, {**batch(game), "real": real})
        found.append({p: game.networks[p].layout.named(v) for p, v in gradients.items()})
    torch.testing.assert_close(found[0], found[1], rtol=1e-10, atol=1e-12)


# -- nothing takes part that was not handed over ------------------------------


def opened(game: MethodGame, name: str, named: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
    call = game.execution.open(game.networks[name], named, buffers, True, [])
    return call(torch.randn(ROWS, 3 if name == "generator" else 2))


@EXECUTIONS
def test_a_forgotten_parameter_or_buffer_raises(execution: Execution) -> None:
    game, state = play(GAN, execution, norm=True)
    named = game.networks["generator"].layout.named(state.players["generator"])
    buffers = state.memory["buffers"]["generator"]
    assert opened(game, "generator", named, buffers).isfinite().all()
    for forgotten in ("0.weight", "1.running_mean"):
        with pytest.raises((KeyError, RuntimeError, NotImplementedError)):
            opened(game, "generator", _without(named, forgotten), _without(buffers, forgotten))


def _without(values: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key: value for key, value in values.items() if key != name}


def test_the_modules_handed_over_are_left_alone() -> None:
    made = networks(GAN, norm=True)
    before = {name: {k: v.clone() for k, v in module.state_dict().items()} for name, module in made.items()}
    game = GAN.game(made, {"real": REFERENCE})
    players, memory = game.init(0, {"real": REFERENCE})
    state = GAN.dynamics.init(game, players, memory)
    for turn in GAN.dynamics.turns(0):
        state, _ = GAN.dynamics.move(game, state, turn, batch(game))
    for name, module in made.items():
        after = module.state_dict()
        assert all(torch.equal(after[key], value) for key, value in before[name].items())
        assert module.training


@EXECUTIONS
def test_hooks_of_a_module_are_called(execution: Execution) -> None:
    """Calls without hooks take a shorter way; those with hooks must not."""
    for register in ("register_forward_hook", "register_forward_pre_hook"):
        made = networks(GAN)
        first = made["generator"][0]
        if register == "register_forward_hook":
            first.register_forward_hook(lambda module, inputs, output: 3 * output)
        else:
            first.register_forward_pre_hook(lambda module, inputs: (3 * inputs[0],))
        game = GAN.game(made, {"real": REFERENCE}, execution=execution)
        players, memory = game.init(0, {"real": REFERENCE})
        latent = torch.randn(ROWS, 3)
        assert torch.allclose(game.sample(players, memory, {"latent": latent}), made["generator"](latent))


# -- tied weights ------------------------------


def tied() -> nn.Sequential:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    return nn.Sequential(first, nn.Tanh(), second, nn.Linear(2, 1), nn.Flatten(0))


@pytest.mark.usefixtures("double")
@EXECUTIONS
@pytest.mark.parametrize("constrained", [False, True])
def test_tied_weights_stay_tied(execution: Execution, constrained: bool) -> None:
    """The gradient of a tied weight is the sum over its uses, as in an ordinary loop."""
    module, reference = tied(), {"real": REFERENCE.double()}
    method = replace(GAN, constraints=(SpectralNorm(),) if constrained else ())
    game = method.game({**networks(method), "discriminator": module}, reference, execution=execution)
    players, memory = game.init(0, reference)
    layout = game.networks["discriminator"].layout
    assert layout.names == ("0.weight", "0.bias", "2.bias", "3.weight", "3.bias")
    data = batch(game)
    found, _ = game.gradients(("discriminator",), players, memory, data)

    def score(point: Tensor) -> Tensor:
        named = game.networks["discriminator"].effective(leaf, memory["constraints"]["discriminator"])
        middle = torch.tanh(point @ named["0.weight"].T + named["0.bias"])
        return (middle @ named["0.weight"].T + named["2.bias"]) @ named["3.weight"][0] + named["3.bias"]

    leaf = players["discriminator"].clone().requires_grad_()
    loss = NonSaturating().discriminator(score(data["real"]), score(game.sample(players, memory, data)))
    torch.testing.assert_close(found["discriminator"], torch.autograd.grad(loss, leaf)[0])


# -- evaluations do not mix ------------------------------


@pytest.mark.usefixtures("double")
@EXECUTIONS
def test_evaluations_of_one_game_may_be_nested(execution: Execution) -> None:
    """Two points are open at once, and a third is differentiated in between: each keeps its own
    parameters."""
    game, state = play(GAN, execution)
    data, who = batch(game), ("generator",)
    points = [{p: v + shift for p, v in state.players.items()} for shift in (0.0, 0.5, -0.3)]
    alone = []
    for at in points[:2]:
        forward = game.forward(who, at, state.memory, data)
        alone.append(forward["fake_score"].clone())
    one, two = (game.forward(who, at, state.memory, data) for at in points[:2])
    outer, inner = one["generator"], two["generator"]
    first = outer(data["latent"])
    game.gradients(game.players, points[2], state.memory, data)
    assert not torch.equal(inner(data["latent"]), first)
    assert torch.equal(outer(data["latent"]), first)
    game.gradients(game.players, points[2], state.memory, data)
    assert torch.equal(one["fake_score"], alone[0])
    assert torch.equal(two["fake_score"], alone[1])


def test_a_graph_survives_other_evaluations_of_its_game() -> None:
    game, state = play(GAN)
    data, who = batch(game), ("discriminator",)
    expected, _ = game.gradients(who, state.players, state.memory, data)
    leaves = {p: v.clone().requires_grad_() for p, v in state.players.items()}
    losses, _ = game.losses(who, leaves, state.memory, data)
    game.gradients(game.players, {p: v + 1 for p, v in state.players.items()}, state.memory, data)
    found = torch.autograd.grad(losses["discriminator"], leaves["discriminator"])[0]
    torch.testing.assert_close(found, expected["discriminator"])


def test_gradients_at_successive_points_are_those_of_each_point() -> None:
    """Against derivatives of the losses at leaves of one's own, which share nothing with earlier evaluations."""
    game, state = play(GAN)
    data = batch(game)
    points = [{p: v + shift for p, v in state.players.items()} for shift in (0.0, 0.5, -0.3)]
    for who in [*sorted(game.turns()), game.players]:
        for at in (*points, points[0]):
            found, _ = game.gradients(who, at, state.memory, data)
            leaves = {p: v.clone().requires_grad_(p in who) for p, v in at.items()}
            losses, _ = game.losses(who, leaves, state.memory, data)
            for player in who:
                (expected,) = torch.autograd.grad(losses[player], leaves[player], retain_graph=True)
                torch.testing.assert_close(found[player], expected)


def test_a_vector_written_in_place_is_seen() -> None:
    game, state = play(GAN)
    data, who = batch(game), ("discriminator",)
    before, _ = game.gradients(who, state.players, state.memory, data)
    state.players["discriminator"].mul_(2)
    fresh = {p: v.clone() for p, v in state.players.items()}
    found, _ = game.gradients(who, state.players, state.memory, data)
    expected, _ = game.gradients(who, fresh, state.memory, data)
    assert torch.equal(found["discriminator"], expected["discriminator"])
    assert not torch.equal(found["discriminator"], before["discriminator"])


def test_gradients_are_new_tensors() -> None:
    """What one evaluation returned does not change with the next."""
    game, state = play(GAN)
    data = batch(game)
    found, notes = game.gradients(game.players, state.players, state.memory, data)
    kept = {p: v.clone() for p, v in found.items()}
    seen = {name: value.clone() for name, value in notes.info.items()}
    game.gradients(
        game.players, {p: v + 1 for p, v in state.players.items()}, state.memory, batch(game, seed=1)
    )
    assert all(torch.equal(found[p], kept[p]) for p in kept)
    assert all(torch.equal(notes.info[name], seen[name]) for name in seen)


@EXECUTIONS
def test_gradients_are_differentiable_on_request(execution: Execution) -> None:
    game, state = play(GAN, execution)
    data = batch(game)
    plain, _ = game.gradients(game.players, state.players, state.memory, data)
    assert not any(v.requires_grad for v in plain.values())
    leaves = {p: v.clone().requires_grad_() for p, v in state.players.items()}
    found, _ = game.gradients(game.players, leaves, state.memory, data, create_graph=True)
    torch.testing.assert_close({p: v.detach() for p, v in found.items()}, plain)
    square = sum(v.square().sum() for v in found.values())
    assert all(g.norm() > 0 for g in torch.autograd.grad(square, list(leaves.values())))


# -- precision ------------------------------


@EXECUTIONS
def test_double_precision_passes_untouched(execution: Execution, double: None) -> None:
    game, state = play(small(methods.get("wgan-gp")), execution)
    found, notes = game.gradients(game.players, state.players, state.memory, batch(game))
    assert {v.dtype for v in (*found.values(), *notes.info.values())} == {torch.float64}


@pytest.mark.parametrize("kind", [Plain, Functional])
@pytest.mark.parametrize("name", ["gan", "gan-r1", "wgan-gp", "sngan"])
def test_bf16_gradients_are_near_and_leave_in_float32(
    name: str, kind: type[Plain] | type[Functional]
) -> None:
    """bf16 keeps 8 bits, a relative error of 2⁻⁹ each rounding; a few dozen roundings, twice for a penalty: 5
    %."""
    method: Method = small(methods.get(name))
    game, state = play(method)
    half, _ = play(method, kind(Precision("bf16")))
    data = batch(game, rows=256)
    for player in game.players:
        expected, _ = game.gradients((player,), state.players, state.memory, data)
        found, notes = half.gradients((player,), state.players, state.memory, data)
        assert found[player].dtype == torch.float32
        assert not torch.equal(found[player], expected[player])
        assert (found[player] - expected[player]).norm() < 0.05 * expected[player].norm()
        assert all(value.dtype == torch.float32 for value in notes.info.values())


def test_records_and_lists_leave_bf16_too() -> None:
    class Heads(nn.Module):
        def forward(self, x: Tensor) -> dict[str, object]:
            h = x @ x.T
            return {"score": h, "maps": [h, (h,)], "rank": torch.arange(2)}

    network = Network("d", Heads(), (), False)
    made = Functional(Precision("bf16")).open(network, {}, {}, True, [])(torch.ones(2, 2))
    assert made["score"].dtype == made["maps"][0].dtype == made["maps"][1][0].dtype == torch.float32
    assert made["rank"].dtype == torch.int64
