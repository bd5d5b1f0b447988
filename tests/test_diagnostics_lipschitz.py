"""Bounds of Lipschitz constants against closed forms and dense matrices."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from judged_games import F64, drawn, judged, seeded
from saddlepoint import methods
from saddlepoint.diagnostics import (
    lipschitz,
)
from saddlepoint.diagnostics.lipschitz import CONSTANTS, layer_constant, operator_norm
from saddlepoint.errors import InputError
from saddlepoint.networks import DCGAN, MLP, R3Net, ResNet
from small_games import small


def bounds(discriminator: nn.Module, shape: tuple[int, ...], points: int = 12, **changes: Any) -> Any:
    game, players, memory = judged(discriminator, shape, **changes)
    return lipschitz(game, "discriminator", players, memory, drawn(points, *shape, seed=3))


def test_a_linear_discriminator() -> None:
    """s = w·x: gradient and upper bound are ‖w‖; slopes come below."""
    net = seeded(lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0)))
    truth = float(net[0].weight.detach().double().norm())  # type: ignore[index, union-attr, operator]
    found = bounds(net, (5,))
    assert found.upper == pytest.approx(truth, rel=1e-12)
    assert found.gradient == pytest.approx(truth, rel=1e-12)
    assert 0 < found.slope <= truth
    assert found.layers == {"0": found.upper}


def test_slopes_between_points_along_the_steepest_direction() -> None:
    net = seeded(lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0)))
    weight = net[0].weight.detach().double()  # type: ignore[index, union-attr, operator]
    game, players, memory = judged(net, (5,))
    found = lipschitz(
        game, "discriminator", players, memory, torch.cat([-weight, weight, weight, drawn(2, 5)])
    )
    assert found.slope == pytest.approx(float(weight.norm()), rel=1e-12)
    single = lipschitz(game, "discriminator", players, memory, weight)
    assert (single.slope, single.lower) == (0.0, single.gradient)


def test_orthogonal_layers_attain_the_product() -> None:
    """Linear layers 3Q₁, 2Q₂ and a row of norm ½ between identities: exactly 3."""
    layers = [nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 1)]
    for layer, size in zip(layers, (3.0, 2.0, 0.5), strict=True):
        nn.init.orthogonal_(layer.weight, size, generator=torch.Generator().manual_seed(1))
    found = bounds(nn.Sequential(*layers, nn.Flatten(0)), (6,))
    assert found.upper == pytest.approx(3, rel=1e-6)  # the weights are single precision
    assert found.gradient == pytest.approx(found.upper, rel=1e-6)
    assert list(found.layers.values()) == pytest.approx([3, 2, 0.5], rel=1e-6)


def test_a_generator_of_several_outputs() -> None:
    """‖W‖ for x ↦ Wx, also as the largest singular value of the Jacobian."""
    game, players, memory = judged(nn.Sequential(nn.Linear(4, 1), nn.Flatten(0)), (4,))
    found = lipschitz(game, "generator", players, memory, drawn(5, 3))
    weight = game.networks["generator"].layout.named(players["generator"])["0.weight"]
    truth = float(torch.linalg.svdvals(weight.double())[0])
    assert found.upper == pytest.approx(truth, rel=1e-12)
    assert found.gradient == pytest.approx(truth, rel=1e-12)


LAYERS = {
    "strided": (lambda: nn.Conv2d(2, 3, 4, 2, 1), (2, 8, 8)),
    "grouped": (lambda: nn.Conv2d(4, 4, 3, padding=1, groups=2), (4, 5, 6)),
    "reflecting": (lambda: nn.Conv2d(2, 3, 3, padding=2, padding_mode="reflect", dilation=2), (2, 7, 7)),
    "transposed": (lambda: nn.ConvTranspose2d(3, 2, 5, 2, 2, 1), (3, 6, 6)),
    "one axis": (lambda: nn.Conv1d(3, 5, 3), (3, 40)),
    "tiny": (lambda: nn.Conv2d(1, 4, 1), (1, 1, 1)),
    "pooling": (lambda: nn.AvgPool2d(3, 2, 1), (2, 9, 9)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_norm_of_an_operator_is_that_of_its_dense_matrix(name: str) -> None:
    make, shape = LAYERS[name]
    layer, size = seeded(make).double(), math.prod(shape)
    basis = torch.eye(size, dtype=F64).view(size, *shape)
    matrix = (layer(basis) - layer(torch.zeros(1, *shape, dtype=F64))).flatten(1).detach()
    truth = float(torch.linalg.svdvals(matrix)[0])
    assert operator_norm(layer, torch.zeros(1, *shape, dtype=F64)) == pytest.approx(truth, rel=1e-9)
    assert layer_constant(layer, drawn(1, *shape)) == pytest.approx(truth, rel=1e-9)


def test_a_kernel_of_ones_on_a_large_image() -> None:
    """Of a non-negative kernel ‖A‖ → Σ kernel = 9 from below as the image grows; with zeros around, 3 × 3 on n × n:
    (1 + 2 cos π/(n + 1))². The reshaped kernel has the norm 3."""
    layer = nn.Conv2d(1, 1, 3, padding=1, bias=False).double()
    nn.init.ones_(layer.weight)
    for n in (4, 12, 20):
        truth = (1 + 2 * math.cos(math.pi / (n + 1))) ** 2
        assert layer_constant(layer, torch.zeros(1, 1, n, n, dtype=F64)) == pytest.approx(truth, rel=1e-9)


ACTIVATIONS = [*(kind for kind, c in CONSTANTS.items() if kind not in (nn.Unflatten, nn.Flatten)), nn.GELU]


@pytest.mark.parametrize(
    "layer",
    [
        *(kind().eval() for kind in ACTIVATIONS),
        nn.LeakyReLU(0.2),
        nn.LeakyReLU(3.0),
        nn.ELU(0.5),
        nn.ELU(2.0),
    ],
    ids=str,
)
def test_the_constant_of_an_activation_is_its_largest_slope(layer: nn.Module) -> None:
    x = torch.linspace(-6, 6, 120_001, dtype=F64, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x).sum(), x)
    wanted = layer_constant(layer, x)
    assert wanted is not None
    assert float(slope.abs().max()) <= wanted * (1 + 1e-12)
    assert float(slope.abs().max()) >= wanted * (1 - 3e-3)  # a softplus is not yet straight at 6


PAIRS = {
    "mlp": (MLP(width=16), (4,)),
    "leaky mlp": (MLP(width=16, activation="leaky_relu", features=True), (4,)),
    "dcgan": (DCGAN(width=4), (1, 8, 8)),
    "r3net": (R3Net(width=4, group=2), (1, 8, 8)),
    "resnet": (ResNet(width=4), (1, 8, 8)),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_lower_is_below_upper(name: str, player: str) -> None:
    pair, shape = PAIRS[name]
    made: Any = seeded(lambda: nn.ModuleDict(pair.build(shape, 3)))  # type: ignore[attr-defined]
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(1))
    method = small(replace(methods.get("gan"), averages={}))
    reference = {"real": drawn(8, *shape).float()}
    game = method.game(dict(made.items()), reference)
    players, memory = game.init(0, reference)
    points = reference["real"] if player == "discriminator" else drawn(8, 3)
    found = lipschitz(game, player, players, memory, points)
    assert found.unknown == ()
    assert found.upper is not None
    assert 0 < found.lower <= found.upper * (1 + 1e-9)


class Residual(nn.Module):
    """x ↦ a x + b x, of norm |a| + |b| for a, b > 0, and s = the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        nn.init.eye_(self.one.weight).data.mul_(3)
        nn.init.eye_(self.other.weight).data.mul_(2)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.other(x)
        return (self.one(x) + branch + x).mean(1)


def test_branches_add_up() -> None:
    """(3 + 2 + 1)/√4, attained by x along (1, 1, 1, 1)."""
    found = bounds(Residual(), (4,))
    assert found.upper == pytest.approx(3, rel=1e-9)
    assert found.gradient == pytest.approx(3, rel=1e-9)


class Doubled(nn.Module):
    """s = Σ (x + x), [x, x] beside each other on the way, and one layer used twice: 2 √2 √8 · 2²."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4, bias=False)
        nn.init.eye_(self.layer.weight).data.mul_(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(self.layer(x))
        return torch.cat([x + x, x + x], 1).sum(1)


def test_what_is_used_twice_counts_twice() -> None:
    """s = 2 · 2 · 4 Σ xᵢ has the gradient 16 · √4, which the bound attains."""
    found = bounds(Doubled(), (4,))
    assert found.gradient == pytest.approx(32, rel=1e-9)
    assert found.upper == pytest.approx(2 * math.sqrt(2) * math.sqrt(8) * 4, rel=1e-9)


class Squared(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x**2


class Broadcast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + x.sum(1).unsqueeze(1)


class Deciding(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (nn.LayerNorm(4), "0 (LayerNorm)"),
        (Squared(), "(pow)"),
        (Broadcast(), "(add)"),
        (Deciding(), "the network ("),
    ],
    ids=["layer norm", "square", "broadcast", "branching"],
)
def test_unknown_layers_are_named(layer: nn.Module, named: str) -> None:
    """The lower bound is there all the same."""
    game, players, memory = judged(nn.Sequential(layer, nn.Linear(4, 1), nn.Flatten(0)), (4,))
    points = drawn(5, 4)
    found = lipschitz(game, "discriminator", players, memory, points)
    assert found.upper is None
    assert len(found.unknown) == 1
    assert named in found.unknown[0]
    assert found.lower > 0


def test_every_unknown_layer_is_named() -> None:
    found = bounds(
        nn.Sequential(nn.LayerNorm(4), nn.Tanh(), nn.LayerNorm(4), nn.Linear(4, 1), nn.Flatten(0)), (4,)
    )
    assert found.upper is None
    assert found.unknown == ("0 (LayerNorm)", "2 (LayerNorm)")


def test_normalised_weights_are_taken_as_they_act() -> None:
    """Spectral normalisation makes each linear layer's norm 1, up to the power iteration."""
    net = seeded(lambda: MLP(width=8, depth=1).build((4,), 3)["discriminator"])
    free = bounds(net, (4,))
    found = bounds(net, (4,), constraints=methods.get("sngan").constraints)
    assert list(found.layers.values()) == pytest.approx([1, 1], rel=1e-3)
    assert list(free.layers.values()) != pytest.approx([1, 1], rel=1e-2)
    assert found.lower <= found.upper * (1 + 1e-9)


def test_batch_normalisation_acts_by_its_statistics() -> None:
    """x ↦ γ(x − m)/√(v + ε) + β, then the sum of two: the gradient is that vector's norm, the bound its maximum times √2."""
    norm = nn.BatchNorm1d(2)
    norm.weight.data = torch.tensor([2.0, -9.0])
    norm.running_var = torch.tensor([0.25, 9.0])
    head = nn.Linear(2, 1)
    nn.init.ones_(head.weight)
    found = bounds(nn.Sequential(norm, head, nn.Flatten(0)), (2,))
    assert found.gradient == pytest.approx(5, rel=1e-4)  # (4, −3), ε aside
    assert found.upper == pytest.approx(4 * math.sqrt(2), rel=1e-4)
    assert found.layers["0"] == pytest.approx(2 / math.sqrt(0.25 + 1e-5), rel=1e-9)


def test_evaluations_before_and_after_do_not_matter() -> None:
    game, players, memory = judged(seeded(lambda: MLP(width=8).build((4,), 3)["discriminator"]), (4,))
    points = drawn(6, 4, seed=3)
    first = lipschitz(game, "discriminator", players, memory, points)
    differentiable = {name: vector.clone().requires_grad_() for name, vector in players.items()}

    def score(at: Any) -> Tensor:
        found: Tensor = game.evaluation(at, memory, {"real": points.float()})["score"](points.float())
        return found

    before = score(differentiable)
    assert lipschitz(game, "discriminator", differentiable, memory, points) == first
    assert torch.equal(score(players), before)


def test_what_is_no_point_is_refused() -> None:
    game, players, memory = judged(nn.Sequential(nn.Linear(5, 1), nn.Flatten(0)), (5,))
    for points in (drawn(4), drawn(0, 5), torch.ones(3, 5, dtype=torch.long)):
        with pytest.raises(InputError, match="points are numbers"):
            lipschitz(game, "discriminator", players, memory, points)
    with pytest.raises(InputError, match=r"does not take points of shape \(4,\)"):
        lipschitz(game, "discriminator", players, memory, drawn(3, 4))
    with pytest.raises(InputError, match="no player 'critic'; it has generator, discriminator"):
        lipschitz(game, "critic", players, memory, drawn(3, 5))
