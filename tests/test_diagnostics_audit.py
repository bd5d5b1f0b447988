"""Audits of games and networks against closed forms, dense matrices and independent sums."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.batches import Batches
from saddlepoint.constraints import Clip
from saddlepoint.data import load
from saddlepoint.diagnostics import (
    GradientHealth,
    clipped_share,
    gradient_health,
    lipschitz,
    local_gain,
    local_nash,
    weight_histogram,
)
from saddlepoint.diagnostics.lipschitz import CONSTANTS, layer_constant, operator_norm
from saddlepoint.diagnostics.symmetric import least, modulus
from saddlepoint.dynamics import Turn
from saddlepoint.errors import InputError
from saddlepoint.games import Bilinear, DiracGAN, LinearQuadratic, ParallelLines, Quadratic, timed
from saddlepoint.method import Method
from saddlepoint.network import Functional
from saddlepoint.networks import DCGAN, MLP, R3Net, ResNet
from saddlepoint.objectives import FGAN, Hinge, LeastSquares, TopK, Wasserstein
from saddlepoint.objectives.discrimination import Discrimination
from saddlepoint.objectives.divergences import KL, GANDivergence, JensenShannon, Pearson
from saddlepoint.objectives.encoders import LogOdds
from saddlepoint.objectives.logistic import MaximumLikelihood, Minimax, NonSaturating
from saddlepoint.penalties import R1
from small_games import batch, play, small

F64 = torch.float64


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def symmetric(*eigenvalues: float) -> Tensor:
    q = torch.linalg.qr(drawn(len(eigenvalues), len(eigenvalues))).Q
    return q @ torch.diag(torch.tensor(eigenvalues, dtype=F64)) @ q.T


# -- symmetric operators ------------------------------------------------------------------------------


@pytest.mark.parametrize("dense", [0, 1000])
@pytest.mark.parametrize("low", [-5.0, -1e-3, 0.0, 0.5])
def test_the_ends_of_a_known_spectrum(low: float, dense: int) -> None:
    """Also where the smallest eigenvalue is far below the largest in size. Ritz values are within residual²/gap."""
    matrix = symmetric(low, *torch.linspace(1, 3, 98).tolist(), 4.0)
    found, size = least(lambda vector: matrix @ vector, matrix[0], dense)
    assert found == pytest.approx(low, abs=1e-9)
    assert size == pytest.approx(max(4.0, -low), rel=1e-12)
    assert modulus(lambda vector: -(matrix @ vector), matrix[0], dense) == pytest.approx(size, rel=1e-12)


def test_the_zero_operator() -> None:
    assert least(torch.zeros_like, drawn(50), 0) == (0.0, 0.0)


# -- gradients ----------------------------------------------------------------------------------------


def lines(method: Method, **players: float) -> tuple[LinearQuadratic, Any, Any]:
    """x² ψ against θz with the objective alone, at a point."""
    game = LinearQuadratic(replace(method, terms=(), constraints=()))
    _, memory = game.init(0, game.data())
    at = {name: torch.tensor([value], dtype=F64) for name, value in players.items()}
    return game, at, memory


def rows(count: int, seed: int) -> dict[str, Any]:
    clock = {"step": 0, "images": 0, "progress": 0.0}
    return {"real": drawn(count, 1, seed=seed), "latent": drawn(count, 1, seed=seed + 100), "clock": clock}


def test_gradients_of_a_game_with_a_closed_form() -> None:
    """Wasserstein, s = ψx²: ∂ψ L_D = θ² E z² − E x², ∂θ L_G = −2ψθ E z²."""
    theta, psi = 1.5, 0.4
    game, players, memory = lines(methods.get("wgan"), generator=theta, discriminator=psi)
    batches = [rows(5, seed) for seed in range(6)]
    found = gradient_health(game, players, memory, batches)
    squares = [(float(b["latent"].square().mean()), float(b["real"].square().mean())) for b in batches]
    wanted = {
        "generator": [-2 * psi * theta * z for z, _ in squares],
        "discriminator": [theta**2 * z - x for z, x in squares],
    }
    assert found.batches == 6
    for player, values in wanted.items():
        own, mean = found.players[player], sum(values) / 6
        assert own.norm == pytest.approx(abs(mean), rel=1e-12)
        assert own.parameters == pytest.approx({"value": abs(mean)}, rel=1e-12)
        assert own.noise == pytest.approx(sum((g - mean) ** 2 for g in values) / 5, rel=1e-12)
        pairs = list(itertools.permutations(values, 2))
        assert own.signal == pytest.approx(sum(a * b for a, b in pairs) / 30, rel=1e-12)
        assert own.cosine == pytest.approx(sum(math.copysign(1, a * b) for a, b in pairs) / 30, rel=1e-12)
        assert own.variance == (own.noise / own.signal if own.signal > 0 else math.inf)
    assert found.players["generator"].cosine == pytest.approx(1)


def test_noise_and_signal_are_unbiased() -> None:
    """Their means over all 3³ samples of three batches, drawn with replacement from three, are exactly E‖g − μ‖² and ‖μ‖²."""
    game, players, memory = lines(methods.get("wgan"), generator=1.5, discriminator=0.4)
    population = [rows(4, seed) for seed in range(3)]
    gradients = [float(game.field(players, memory, b)["discriminator"]) for b in population]
    mean = sum(gradients) / 3
    found = [
        gradient_health(game, players, memory, [population[i] for i in chosen]).players["discriminator"]
        for chosen in itertools.product(range(3), repeat=3)
    ]
    assert sum(f.signal for f in found) / 27 == pytest.approx(mean**2, rel=1e-9)
    noise = sum((g - mean) ** 2 for g in gradients) / 3
    assert sum(f.noise for f in found) / 27 == pytest.approx(noise, rel=1e-9)


def test_equal_batches_have_no_noise() -> None:
    game, players, memory = lines(methods.get("gan"), generator=1.5, discriminator=0.4)
    found = gradient_health(game, players, memory, [rows(4, 0)] * 3).players["generator"]
    assert found.variance == pytest.approx(0, abs=1e-28)
    assert found.cosine == pytest.approx(1)
    assert found.signal == pytest.approx(found.norm**2)


def test_confidence() -> None:
    """D of the logistic game from its definition; of a critic the AUC alone, by counting pairs; an energy is low on data."""
    batches = [rows(7, seed) for seed in (0, 1)]
    x2, z2 = (torch.cat([b[name] for b in batches])[:, 0].square() for name in ("real", "latent"))
    theta, psi = 0.3, 2.0
    above = float((x2[:, None] > theta**2 * z2).double().mean())

    def confidence(name: str) -> Any:
        game, players, memory = lines(methods.get(name), generator=theta, discriminator=psi)
        return gradient_health(game, players, memory, batches).confidence

    logistic, critic = confidence("gan"), confidence("wgan")
    assert logistic.real == pytest.approx(float(torch.sigmoid(psi * x2).mean()), rel=1e-12)
    assert logistic.fake == pytest.approx(float(torch.sigmoid(psi * theta**2 * z2).mean()), rel=1e-12)
    assert (critic.real, critic.fake) == (None, None)
    assert logistic.separation == critic.separation == pytest.approx(above, abs=1e-12)
    assert 0.5 < above < 1
    assert confidence("ls-gan").separation == pytest.approx(1 - above, abs=1e-12)


def test_a_saturated_generator_gets_no_gradient() -> None:
    """L_G = −E sp(s) has the gradient −2θψ E z² σ(s): it vanishes with D(fake) → 0."""
    found: dict[float, GradientHealth] = {}
    for psi in (0.1, -40.0):
        game, players, memory = lines(methods.get("gan-minimax"), generator=3.0, discriminator=psi)
        found[psi] = gradient_health(game, players, memory, [rows(3, 2), rows(3, 5)])
    fair, lost = found.values()
    assert fair.confidence is not None
    assert lost.confidence is not None
    assert lost.confidence.fake < 0.1 < 0.5 < fair.confidence.fake  # type: ignore[operator]
    wanted = [
        -6.0 * -40 * float((z.square() * torch.sigmoid(-360 * z.square())).mean())
        for z in (rows(3, 2)["latent"], rows(3, 5)["latent"])
    ]
    assert lost.players["generator"].norm == pytest.approx(abs(sum(wanted)) / 2, rel=1e-9)


def test_gradients_of_networks_by_name() -> None:
    """Batches of the data set; norms by name add up to the norm, and belong to the names."""
    method = small(replace(methods.get("gan-r1"), averages={}))
    game, state = play(method)
    source = Batches(game, load("ring"), 0, 16, torch.device("cpu"))
    turns = (Turn(game.players),)
    batches = [source.step({"step": k, "images": 0, "rows": 16 * k}, turns, 0.0)[0] for k in range(3)]
    found = gradient_health(game, state.players, state.memory, batches)
    fields = [game.field(state.players, state.memory, b) for b in batches]
    for player, own in found.players.items():
        mean = torch.stack([field[player] for field in fields]).mean(0)
        named = game.networks[player].layout.named(mean)
        assert own.parameters == pytest.approx({n: float(t.norm()) for n, t in named.items()}, rel=1e-5)
        assert math.hypot(*own.parameters.values()) == pytest.approx(own.norm, rel=1e-5)
        assert own.variance > 0
        assert -1 <= own.cosine <= 1


def test_one_batch_shows_no_noise() -> None:
    game, players, memory = lines(methods.get("gan"), generator=1.0, discriminator=1.0)
    with pytest.raises(InputError, match="at least 2 batches, not on 1"):
        gradient_health(game, players, memory, [rows(4, 0)])


LOGITS = (Minimax(), NonSaturating(), MaximumLikelihood(), LogOdds(), Discrimination(), TopK())
LOGITS += (FGAN(), FGAN(JensenShannon()), FGAN(GANDivergence(), tricky=True))
OTHERS = (Wasserstein(), Hinge(), LeastSquares(), FGAN(KL()), FGAN(Pearson()), TopK(Hinge()))


@pytest.mark.parametrize("objective", [*LOGITS, *OTHERS], ids=str)
def test_a_score_is_a_logit_where_the_best_one_is_the_log_odds(objective: Any) -> None:
    """Where p/q = u, the pointwise loss u L(real at s) + L(fake at s) is stationary in s at log u, or it is not."""
    steep = []
    for u in (0.2, 1.0, 5.0):
        real, fake = (torch.tensor([math.log(u)], dtype=F64, requires_grad=True) for _ in range(2))
        slopes = torch.autograd.grad(objective.discriminator(real, fake), (real, fake))
        steep.append(abs(float(u * slopes[0] + slopes[1])))
    assert objective.logit == (max(steep) < 1e-12)


# -- Lipschitz constants ------------------------------------------------------------------------------


def judged(discriminator: nn.Module, shape: tuple[int, ...], **changes: Any) -> tuple[Any, Any, Any]:
    """A game with this discriminator of points of the shape, its players and memory."""
    numbers = math.prod(shape)
    generator = nn.Sequential(nn.Linear(3, numbers), nn.Unflatten(1, shape))
    method = small(replace(methods.get("gan"), averages={}, **changes))
    reference = {"real": drawn(8, *shape).float()}
    game = method.game({"generator": generator, "discriminator": discriminator}, reference)
    return game, *game.init(0, reference)


def bounds(discriminator: nn.Module, shape: tuple[int, ...], points: int = 12, **changes: Any) -> Any:
    game, players, memory = judged(discriminator, shape, **changes)
    return lipschitz(game, "discriminator", players, memory, drawn(points, *shape, seed=3))


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make()


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


# -- weights ------------------------------------------------------------------------------------------


def test_histograms() -> None:
    game, players, _ = judged(seeded(lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0))), (5,))
    at = {**players, "discriminator": torch.tensor([-1.0, -0.5, 0.0, 0.0, 0.99, 1.0])}
    found = weight_histogram(game, "discriminator", at, bins=4)
    assert found.edges.tolist() == [-1, -0.5, 0, 0.5, 1]
    assert {n: c.tolist() for n, c in found.counts.items()} == {
        "0.weight": [1, 1, 2, 1],
        "0.bias": [0, 0, 0, 1],
    }
    assert found.total.tolist() == [1, 1, 2, 2]
    flat = weight_histogram(game, "discriminator", {"discriminator": torch.full((6,), 0.3)}, bins=3)
    assert flat.total.tolist() == [0, 6, 0]
    with pytest.raises(InputError, match="at least 1 bin"):
        weight_histogram(game, "discriminator", at, bins=0)
    with pytest.raises(InputError, match="not all finite"):
        weight_histogram(game, "discriminator", {"discriminator": torch.full((6,), math.nan)})


def test_the_share_at_the_bound() -> None:
    game, players, _ = judged(seeded(lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0))), (5,))
    at = {**players, "discriminator": torch.tensor([-0.01, 0.0096, 0.0094, 0.0, 0.0104, 0.5])}
    assert clipped_share(game, "discriminator", at, 0.01) == pytest.approx(3 / 6)
    assert clipped_share(game, "discriminator", at, 0.01, within=0.07) == pytest.approx(4 / 6)
    for c, within in ((0.0, 0.05), (0.01, 1.0)):
        with pytest.raises(InputError, match="the bound c"):
            clipped_share(game, "discriminator", at, c, within)


def test_clipping_a_large_step_puts_every_weight_at_the_bound() -> None:
    game, players, _ = judged(
        seeded(lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0))), (5,), constraints=(Clip(bound=0.01),)
    )
    before = clipped_share(game, "discriminator", {**players, "discriminator": drawn(6) * 1e-4}, 0.01)
    after = game.after("discriminator", drawn(6))
    assert before == 0
    assert clipped_share(game, "discriminator", {**players, "discriminator": after}, 0.01) == 1


# -- local Nash equilibria ----------------------------------------------------------------------------


def at(game: Any, *values: float) -> tuple[Any, Any, Any, Any]:
    players, memory = game.init(0, game.data())
    placed = {name: torch.tensor([v], dtype=F64) for name, v in zip(players, values, strict=True)}
    return game, placed, memory, timed(game, 0)


@pytest.mark.parametrize("execution", [None, Functional()], ids=["plain", "functional"])
def test_verdicts_on_quadratic_games(execution: Any) -> None:
    """½ax² + bxy against ½cy² − bxy: gradients (ax + by, cy − bx), curvatures a and c."""
    for a, c, place, verdict, strict in (
        (1.0, 2.0, (0.0, 0.0), "local Nash", True),
        (1.0, 2.0, (0.1, 0.0), "not stationary", False),
        (-1.0, 2.0, (0.0, 0.0), "saddle of the player's own loss", False),
        (1.0, -0.5, (0.0, 0.0), "saddle of the player's own loss", False),
        (0.0, 0.0, (0.0, 0.0), "local Nash", False),
    ):
        game = Quadratic(a, 3.0, c, execution=execution) if execution else Quadratic(a, 3.0, c)
        found = local_nash(*at(game, *place))
        x, y = place
        assert found.players["x"].gradient == pytest.approx(abs(a * x + 3 * y), abs=1e-15)
        assert found.players["y"].gradient == pytest.approx(abs(c * y - 3 * x), abs=1e-15)
        assert (found.players["x"].curvature, found.players["y"].curvature) == pytest.approx((a, c))
        assert (found.players["x"].norm, found.players["y"].norm) == pytest.approx((abs(a), abs(c)))
        assert (found.verdict, found.strict) == (verdict, strict)


def test_thresholds() -> None:
    found = local_nash(*at(Quadratic(-3.0, 3.0, 1.0), 0.0, 1e-5), stationary=1e-4, curvature=2.0)
    assert found.verdict == "local Nash"
    assert replace(found, curvature=0.5).verdict == "saddle of the player's own loss"
    assert replace(found, stationary=1e-6).verdict == "not stationary"
    nan = replace(found, players={"x": replace(found.players["x"], gradient=math.nan)})
    assert nan.verdict == "not stationary"


@pytest.mark.parametrize("gamma", [0.0, 0.7])
def test_the_dirac_gan(gamma: float) -> None:
    """At (0, 0) of the logistic game: gradients 0, ∂²_θ L_G = 0, ∂²_ψ L_D = γ (R1 is ½γψ²)."""
    method = replace(methods.get("gan-r1"), terms=(R1(gamma=gamma),) if gamma else (), averages={})
    found = local_nash(*at(DiracGAN(method), 0.0, 0.0))
    assert found.players["generator"].curvature == pytest.approx(0, abs=1e-12)
    assert found.players["discriminator"].curvature == pytest.approx(gamma, abs=1e-12)
    assert (found.verdict, found.strict) == ("local Nash", False)
    # Away from it σ(ψθ)(1 − σ(ψθ))θ² + γ of the discriminator, and its gradient σ(ψθ)θ + γψ.
    theta, psi, s = 1.3, 0.4, 1 / (1 + math.exp(-1.3 * 0.4))
    moved = local_nash(*at(DiracGAN(method), theta, psi))
    assert moved.players["discriminator"].curvature == pytest.approx(s * (1 - s) * theta**2 + gamma)
    assert moved.players["discriminator"].gradient == pytest.approx(s * theta + gamma * psi)
    assert moved.verdict == "not stationary"


def networks() -> tuple[Any, Any, Any, Any]:
    """A game of small tanh networks in double precision, with a penalty."""
    game, state = play(small(replace(methods.get("gan-r1"), averages={})))
    players = {n: v.double() for n, v in state.players.items()}
    rows = {
        n: t.double() if isinstance(t, Tensor) and t.is_floating_point() else t
        for n, t in batch(game).items()
    }
    return game, players, state.memory, rows


def test_curvature_of_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dense and by Lanczos's iteration, against the Hessian that autograd makes of the loss."""
    game, players, memory, rows = networks()
    products: list[Any] = []
    pullback = game.pullback
    monkeypatch.setattr(game, "pullback", lambda *given: products.append(given) or pullback(*given))
    whole = local_nash(game, players, memory, rows)
    assert len(products) == sum(map(len, players.values()))  # a column each
    found = local_nash(game, players, memory, rows, dense=5)
    assert len(products) != 2 * sum(map(len, players.values()))
    for player in game.players:

        def loss(vector: Tensor, player: str = player) -> Tensor:
            return game.losses((player,), {**players, player: vector}, memory, rows)[0][player]

        hessian = torch.autograd.functional.hessian(loss, players[player])
        wanted = torch.linalg.eigvalsh(hessian)
        assert whole.players[player].curvature == pytest.approx(float(wanted[0]), abs=1e-10)
        assert whole.players[player].norm == pytest.approx(float(wanted.abs().max()), rel=1e-10)
        assert found.players[player].curvature == pytest.approx(float(wanted[0]), abs=1e-7)
        assert found.players[player].norm == pytest.approx(float(wanted.abs().max()), rel=1e-7)
        assert whole.players[player].gradient > 1e-3
    assert whole.verdict == "not stationary"


def test_gains_of_descent() -> None:
    """x_t = x* + (1 − ha)ᵗ(x₀ − x*), x* = −(b/a)y; in the bilinear game x moves by −hby a step, with the gain t h b² y²."""
    h, steps = 0.1, 7
    a, b, x, y = 1.5, 2.0, 0.8, 0.3
    best = -b / a * y
    wanted = a / 2 * (x - best) ** 2 * (1 - (1 - h * a) ** (2 * steps))
    found = local_gain(
        at(Quadratic(a, b, 1.0), x, y)[0], "x", *at(Quadratic(a, b, 1.0), x, y)[1:], steps=steps, rate=h
    )
    assert found == pytest.approx(wanted, rel=1e-12)
    game, *rest = at(Bilinear(b=b), x, y)
    assert local_gain(game, "x", *rest, steps=steps, rate=h) == pytest.approx(steps * h * b**2 * y**2)
    assert local_gain(game, "y", *rest, steps=steps, rate=h) == pytest.approx(steps * h * b**2 * x**2)
    assert local_gain(*at(Bilinear(b=b), 0.0, 0.0)[:1], "x", *at(Bilinear(b=b), 0.0, 0.0)[1:]) == 0


def test_no_gain_is_negative_and_none_exceeds_the_best_response() -> None:
    """A rate beyond 2/a climbs: nothing is gained."""
    game, *rest = at(Quadratic(1.0, 2.0, 1.0), 0.8, 0.3)
    assert local_gain(game, "x", *rest, steps=5, rate=3.0) == 0
    share = 0.5 * (0.8 + 0.6) ** 2  # ½a(x − x*)²
    assert 0.99 * share < local_gain(game, "x", *rest, steps=100, rate=0.1) <= share


def test_gains_obey_constraints() -> None:
    """The critic of the parallel lines, L_D = ψθ with |ψ| ≤ 1: from ψ = 0 at most |θ| is gained."""
    game, *rest = at(ParallelLines(), 0.7, 0.0)
    assert local_gain(game, "discriminator", *rest, steps=50, rate=0.1) == pytest.approx(0.7)


def test_a_normalised_critic_gains_no_scale() -> None:
    """s = w·x/‖w‖ between two points at distance d: L_D ≥ −d, however long it descends."""
    method = small(replace(methods.get("sngan"), objective=Wasserstein(), averages={}, networks=None))
    critic = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Flatten(0))
    generator = nn.Linear(3, 2)
    nn.init.zeros_(generator.weight)
    nn.init.zeros_(generator.bias)
    reference = {"real": torch.tensor([[3.0, 4.0]]).repeat(8, 1)}
    game = method.game({"generator": generator, "discriminator": critic}, reference)
    players, memory = game.init(0, reference)
    rows = {
        **reference,
        **{n: d.sample(8, torch.Generator().manual_seed(0), {"real": (2,)}) for n, d in game.draws.items()},
    }
    rows["clock"] = {"step": 0, "images": 0, "progress": 0.0}
    start = float(game.losses(("discriminator",), players, memory, rows)[0]["discriminator"])
    found = local_gain(game, "discriminator", players, memory, rows, steps=300, rate=0.05)
    assert found == pytest.approx(start + 5, rel=1e-4)


def test_bad_requests() -> None:
    game, *rest = at(Bilinear(), 1.0, 1.0)
    with pytest.raises(InputError, match="no player 'z'; it has x, y"):
        local_gain(game, "z", *rest)
    with pytest.raises(InputError, match="at least 1 step"):
        local_gain(game, "x", *rest, steps=0)
    with pytest.raises(InputError, match="above 0"):
        local_gain(game, "x", *rest, rate=0.0)


def test_a_mixture_is_a_game_of_two_vectors() -> None:
    """Gradients by name, weights of all members, curvature of the whole: the same as from its losses."""
    game, state = play(small(replace(methods.get("mix-gan"), averages={})))
    batches = [batch(game, seed=seed) for seed in (0, 1)]
    found = gradient_health(game, state.players, state.memory, batches)
    for player, own in found.players.items():
        assert math.hypot(*own.parameters.values()) == pytest.approx(own.norm, rel=1e-5)
        assert int(weight_histogram(game, player, state.players).total.sum()) == len(state.players[player])
    nash = local_nash(game, state.players, state.memory, batches[0])
    field = game.field(state.players, state.memory, batches[0])
    assert {p: own.gradient for p, own in nash.players.items()} == {
        p: float(g.norm()) for p, g in field.items()
    }
