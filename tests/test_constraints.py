"""Constraints: clipping after every move, spectral normalisation inside every evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from saddlepoint import methods
from saddlepoint.bound import MethodGame
from saddlepoint.constraints import Bound, Clip, SpectralNorm
from saddlepoint.dynamics import Alternating
from saddlepoint.errors import InputError
from saddlepoint.layout import Layout
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.networks import R3Net
from saddlepoint.optim import Adam, RMSProp
from saddlepoint.state import State
from small_games import ROWS, batch, directions, play, slope, small

SNGAN = small(methods.get("sngan"))


# -- clipping ------------------------------


@pytest.mark.parametrize("norm", [False, True])
def test_clipping_holds_everything_after_every_move(norm: bool) -> None:
    """Biases and gains too, from the start, after each of the critic's moves; the generator is free."""
    method = replace(small(methods.get("wgan")), constraints=(Clip(bound=0.03),))
    method = replace(
        method, dynamics=Alternating({"generator": RMSProp(0.01), "discriminator": RMSProp(0.01)})
    )
    game, state = play(method, norm=norm)
    assert state.players["discriminator"].abs().max() <= 0.03
    for number in range(6):
        for turn in method.dynamics.turns(number):
            state, _ = method.dynamics.move(game, state, turn, batch(game, seed=number))
            critic = state.players["discriminator"].abs()
            assert critic.max() <= 0.03
    assert (critic == critic.max()).sum() > 1, "the moves press against the bound"
    assert state.players["generator"].abs().max() > 0.03


def test_clipping_projects_and_leaves_the_inside_alone() -> None:
    vector = torch.tensor([-2.0, -0.01, 0.0, 0.005, 3.0])
    found = Clip(bound=0.01).bind(nn.Identity()).after(vector)
    assert found.tolist() == pytest.approx([-0.01, -0.01, 0.0, 0.005, 0.01])
    assert vector[0] == -2.0


# -- spectral normalisation ------------------------------


class Mixed(nn.Module):
    """One weight of every kind; images of one channel, 4 × 4, judged."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.down = nn.Conv2d(1, 4, 3)
        self.up = nn.ConvTranspose2d(4, 3, 2)
        self.norm = nn.LayerNorm(27)
        self.last = nn.Linear(30, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(generator=torch.Generator().manual_seed(parameter.numel()))

    def forward(self, image: Tensor) -> Tensor:
        hidden = self.norm(self.up(torch.tanh(self.down(image))).flatten(1))
        code = self.embedding(torch.arange(len(image)) % 5)
        return self.last(torch.cat([torch.tanh(hidden), code], 1))[:, 0]


KINDS = {
    "embedding.weight": 0,
    "down.weight": 0,
    "up.weight": 1,
    "last.weight": 0,
}  # where outputs are counted


def mixed(execution: Execution = Plain()) -> tuple[MethodGame, State]:
    method = replace(
        SNGAN,
        dynamics=Alternating({"generator": Adam(0.01), "discriminator": Adam(0.01)}),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(3, 16), nn.Unflatten(1, (1, 4, 4)))
    reference = {"real": torch.randn(ROWS, 1, 4, 4, generator=torch.Generator().manual_seed(0))}
    game = method.game({"generator": generator, "discriminator": Mixed()}, reference, execution=execution)
    return game, method.dynamics.init(game, *game.init(0, reference))


def image_batch(game: MethodGame, seed: int) -> dict[str, object]:
    real = torch.randn(ROWS, 1, 4, 4, generator=torch.Generator().manual_seed(seed)) + 1
    return {**batch(game, seed=seed), "real": real}


def matrix(weight: Tensor, outputs: int) -> Tensor:
    """Rows are outputs, as the paper reshapes convolutions."""
    return weight.movedim(outputs, 0).flatten(1)


def effective_norms(game: MethodGame, state: State) -> dict[str, float]:
    """The largest singular value of every effective weight, by a full decomposition."""
    network = game.networks["discriminator"]
    named = network.effective(state.players["discriminator"], state.memory["constraints"]["discriminator"])
    raw = network.layout.named(state.players["discriminator"])
    assert all(torch.equal(named[name], raw[name]) for name in raw.keys() - KINDS.keys())
    return {
        name: torch.linalg.matrix_norm(matrix(named[name], KINDS[name]).double(), 2).item() for name in KINDS
    }


def test_largest_singular_values_approach_one_from_above() -> None:
    """Power iteration under-estimates σ: within 5 % after 50 moves, 1 % after 200, and never below one."""
    game, state = mixed()
    dynamics = game.method.dynamics
    start = state.players["discriminator"]
    for number in range(200):
        for turn in dynamics.turns(number):
            state, _ = dynamics.move(game, state, turn, image_batch(game, number))
        norms = effective_norms(game, state)
        assert min(norms.values()) >= 1 - 1e-6
        if number + 1 in (50, 200):
            assert max(norms.values()) <= (1.05 if number + 1 == 50 else 1.01)
    assert (state.players["discriminator"] - start).norm() > 0.5 * start.norm(), "the weights really moved"


def test_the_bound_on_the_slope_holds() -> None:
    """Each layer is 1-Lipschitz and tanh too, so the product bounds the critic's slope."""
    game, state = play(SNGAN)
    for number in range(60):
        for turn in game.method.dynamics.turns(number)[1:2]:
            state, _ = game.method.dynamics.move(game, state, turn, batch(game, seed=number))
    forward = game.forward(("discriminator",), state.players, state.memory, batch(game))
    _, gradient = forward["score_and_gradient"](
        3 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    )
    assert gradient.norm(dim=1).max() <= 1.02
    assert gradient.norm(dim=1).max() > 0.1


@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
def test_evaluations_never_move_the_vectors(execution: Execution) -> None:
    """Losses, samples and the other player's turns leave u and v; the discriminator's own move turns them
    once."""
    game, state = mixed(execution)
    memory = state.memory["constraints"]["discriminator"]["0"]
    before = {name: value.clone() for name, value in memory.items()}
    data = image_batch(game, 0)
    game.losses(game.players, state.players, state.memory, data)
    game.sample(state.players, state.memory, data)
    generator, discriminator = game.method.dynamics.turns(0)
    state, _ = game.method.dynamics.move(game, state, generator, data)
    kept = state.memory["constraints"]["discriminator"]["0"]
    assert all(torch.equal(kept[name], before[name]) for name in before)
    state, _ = game.method.dynamics.move(game, state, discriminator, data)
    moved = state.memory["constraints"]["discriminator"]["0"]
    named = game.networks["discriminator"].layout.named(state.players["discriminator"])
    for name, outputs in KINDS.items():
        flat = matrix(named[name], outputs)
        v = nn.functional.normalize(flat.T @ before[f"{name}.u"], dim=0)
        torch.testing.assert_close(moved[f"{name}.v"], v)
        torch.testing.assert_close(moved[f"{name}.u"], nn.functional.normalize(flat @ v, dim=0))


def bound(module: nn.Module) -> tuple[Bound, Layout, Tensor, dict[str, Tensor]]:
    constraint, layout = SpectralNorm().bind(module), Layout.of(module)
    named = {name: parameter.detach() for name, parameter in module.named_parameters()}
    return constraint, layout, layout.vector(named), constraint.init(named, torch.Generator().manual_seed(0))


@pytest.mark.usefixtures("double")
def test_gradient_through_the_normalised_weight() -> None:
    """d⟨C, W/(uᵀWv)⟩/dW = C/σ − ⟨C, W⟩ uvᵀ/σ², u and v constants; by hand and by finite differences."""
    module = nn.Linear(4, 3, bias=False)
    constraint, layout, vector, memory = bound(module)
    cost = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))

    def value(at: Tensor) -> Tensor:
        return (cost * constraint.inside(layout.named(at), memory)["weight"]).sum()

    leaf = vector.clone().requires_grad_()
    found = torch.autograd.grad(value(leaf), leaf)[0]
    weight, u, v = vector.view(3, 4), memory["weight.u"], memory["weight.v"]
    sigma = u @ weight @ v
    hand = cost / sigma - (cost * weight).sum() * torch.outer(u, v) / sigma**2
    torch.testing.assert_close(found.view(3, 4), hand)
    for along in directions(vector, 4):
        quotient = slope(lambda t, along=along: value(vector + t * along))
        assert quotient.item() == pytest.approx(found.dot(along).item(), rel=1e-8, abs=1e-9)


LAYERS: list[tuple[Callable[[], nn.Module], int]] = [
    (lambda: nn.Linear(4, 3), 0),
    (lambda: nn.Conv2d(2, 3, 2), 0),
    (lambda: nn.ConvTranspose2d(2, 3, 2), 1),
    (lambda: nn.Embedding(4, 3), 0),
]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(("layer", "outputs"), LAYERS)
def test_equal_to_torchs_spectral_norm_with_the_same_vectors(
    layer: Callable[[], nn.Module], outputs: int
) -> None:
    """Value and gradient; in evaluation mode, where torch does not iterate."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = layer()
    constraint, layout, vector, memory = bound(module)
    leaf = vector.clone().requires_grad_()
    ours = constraint.inside(layout.named(leaf), memory)["weight"]
    cost = torch.randn(ours.shape, generator=torch.Generator().manual_seed(1))
    ours_gradient = layout.named(torch.autograd.grad((cost * ours).sum(), leaf)[0])["weight"]

    twin = spectral_norm(module, dim=outputs).eval()
    norm = twin.parametrizations.weight[0]
    norm._u.copy_(memory["weight.u"])
    norm._v.copy_(memory["weight.v"])
    torch.testing.assert_close(ours, twin.weight)
    theirs = torch.autograd.grad((cost * twin.weight).sum(), twin.parametrizations.weight.original)[0]
    torch.testing.assert_close(ours_gradient, theirs)


@pytest.mark.parametrize(("layer", "outputs"), LAYERS)
def test_the_vectors_start_near_the_largest_singular_pair(
    layer: Callable[[], nn.Module], outputs: int
) -> None:
    """Fifteen iterations on a random vector; unit vectors of the right lengths."""
    module = layer()
    _, layout, vector, memory = bound(module)
    flat = matrix(layout.named(vector)["weight"], outputs)
    u, v = memory["weight.u"], memory["weight.v"]
    assert (len(u), len(v)) == tuple(flat.shape)
    torch.testing.assert_close(torch.stack([u.norm(), v.norm()]), torch.ones(2))
    assert u @ flat @ v <= torch.linalg.matrix_norm(flat, 2) * (1 + 1e-6)


def test_a_weight_under_another_parametrisation_is_left_to_it() -> None:
    """Torch's own spectral norm may stay on a module: it is no plain weight any more, and is not run to
    look."""
    module = nn.Sequential(nn.Linear(3, 3), spectral_norm(nn.Linear(3, 2)))
    before = module[1].parametrizations.weight[0]._u.clone()
    _, _, _, memory = bound(module)
    assert set(memory) == {"0.weight.u", "0.weight.v"}
    assert torch.equal(module[1].parametrizations.weight[0]._u, before)


def test_a_weight_of_zeros_is_refused() -> None:
    """0/σ(0) is no number: said when method meets network, not as NaN in the first step."""
    with pytest.raises(InputError, match=r"which is 0 for 1\.branch\.4\.weight"):
        SNGAN.game(R3Net(width=4, group=4).build((1, 8, 8), 3), {"real": torch.rand(4, 1, 8, 8)})


def test_constraints_of_one_player_leave_the_other_alone() -> None:
    method = replace(SNGAN, constraints=(SpectralNorm(player="generator"), Clip(bound=0.1)))
    _, state = play(method)
    assert set(state.memory["constraints"]["generator"]) == {"0"}
    assert state.memory["constraints"]["discriminator"]["0"] == {}
    assert state.players["discriminator"].abs().max() <= 0.1 < state.players["generator"].abs().max()
