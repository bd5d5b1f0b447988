"""Terms on features, parameters and the discriminator's gradient, and the orthogonal constraint, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.constraints import Orthogonal
from saddlepoint.dynamics import Alternating, Simultaneous
from saddlepoint.errors import InputError
from saddlepoint.layout import Layout
from saddlepoint.network import Functional, Plain
from saddlepoint.optim import SGD
from saddlepoint.penalties import (
    FeatureMatching,
    HistoricalAveraging,
    LayerMatching,
    NagarajanKolter,
    PullingAway,
    frozen,
)
from saddlepoint.penalties.base import Term
from saddlepoint.schedules import Delayed, Linear
from saddlepoint.vocabulary import read
from small_games import batch, directions, networks, play, slope, small

pytestmark = pytest.mark.usefixtures("double")


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "value",
    [
        NagarajanKolter(0.3),
        PullingAway(every=2),
        FeatureMatching(0.1),
        LayerMatching(),
        HistoricalAveraging("discriminator", 0.5),
        Orthogonal("generator"),
        Delayed(Linear(1.0, 0.0), 7),
    ],
    ids=repr,
)
def test_values_are_read_back(value: Any) -> None:
    assert read(repr(value)) == value


# -- the norm of the discriminator's gradient ------------------------------


def test_nagarajan_kolter_by_hand() -> None:
    """V = w·m + ½|w|²: ∇_w V = m + w, so η|m + w|² with the slope 2η(m + w) in m; w's own objective is untouched."""
    w, m = noise(3).requires_grad_(), noise(3, seed=1).requires_grad_()
    term = NagarajanKolter(0.5)
    found = term.of(w.dot(m) + w.square().sum() / 2, [w])
    torch.testing.assert_close(found, 0.5 * (m + w).square().sum())
    torch.testing.assert_close(torch.autograd.grad(found, m)[0], (m + w).detach())
    assert term.players == ("generator",)
    assert term.couples_rows


def test_the_discriminators_gradient_is_differentiated_to_the_generator() -> None:
    """P27: detached, the term would have no gradient at all."""
    made = networks(small(methods.get("gan-minimax")))
    z, x = noise(8, 3), noise(8, 2, seed=1)
    start = nn.utils.parameters_to_vector(made["generator"].parameters()).detach()

    def value(vector: Tensor) -> Tensor:
        nn.utils.vector_to_parameters(vector, made["generator"].parameters())
        objective = methods.get("gan-minimax").objective.discriminator(  # type: ignore[attr-defined]
            made["discriminator"](x), made["discriminator"](made["generator"](z))
        )
        return NagarajanKolter(0.5).of(objective, made["discriminator"].parameters())

    parts = torch.autograd.grad(value(start), list(made["generator"].parameters()))
    gradient = torch.cat([part.flatten() for part in parts])
    assert gradient.norm() > 1e-3
    for along in directions(start, 3):
        found = slope(lambda t, along=along: value(start + t * along).detach())
        assert found.item() == pytest.approx(gradient.dot(along).item(), rel=1e-6, abs=1e-8)


# -- features ------------------------------


def test_pulling_away_by_hand() -> None:
    """P09: the cosines are squared, or opposite features would count as far apart. Orthogonal 0, parallel 1, opposite 1,
    whatever the lengths; three rows by hand: cos² of 60°, 90°, 150°, twice each over 3·2."""
    term = PullingAway(1.0)
    assert term(3 * torch.eye(3)).item() == pytest.approx(0, abs=1e-15)
    assert term(torch.tensor([[1.0, 2.0], [2.0, 4.0]])).item() == pytest.approx(1)
    assert term(torch.tensor([[1.0, 2.0], [-3.0, -6.0]])).item() == pytest.approx(1)
    angles = torch.tensor([0.0, np.pi / 3, -np.pi / 2])
    rows = torch.stack([angles.cos(), angles.sin()], 1) * torch.tensor([[1.0], [5.0], [0.2]])
    assert PullingAway(0.1)(rows).item() == pytest.approx(0.1 * 2 * (0.25 + 0 + 0.75) / 6)


def test_pulling_away_pushes_apart() -> None:
    """Two unit vectors at an angle φ: cos²φ, slope −sin 2φ."""
    angle = torch.tensor(0.4, requires_grad=True)
    rows = torch.stack([torch.stack([angle.cos(), angle.sin()]), torch.tensor([1.0, 0.0])])
    found = torch.autograd.grad(PullingAway(1.0).of(rows), angle)[0]
    assert found.item() == pytest.approx(-np.sin(0.8))


def test_pulling_away_sees_the_whole_batch() -> None:
    """Order does not matter; a batch twice over has pairs of its own and another value."""
    features = noise(5, 4)
    value = PullingAway()(features)
    torch.testing.assert_close(PullingAway()(features[[4, 2, 0, 1, 3]]), value, rtol=1e-12, atol=0)
    assert PullingAway.couples_rows
    assert (PullingAway()(torch.cat([features, features])) - value).abs() > 1e-3
    with pytest.raises(InputError, match="at least 2 rows"):
        PullingAway()(features[:1])
    zero = torch.zeros(3, 2, requires_grad=True)
    assert torch.autograd.grad(PullingAway()(zero), zero)[0].isfinite().all()


def test_feature_matching_by_hand() -> None:
    """f(x) = x: λ|E x − E x̃|², slope −2λ(E x − E x̃)/n in each fake, none in the reals."""
    real, fake = noise(5, 3).requires_grad_(), noise(4, 3, seed=1).requires_grad_()
    found = FeatureMatching(7.0).of(real, fake)
    gap = (real.mean(0) - fake.mean(0)).detach()
    torch.testing.assert_close(found, 7 * gap.square().sum())
    on_fake, on_real = torch.autograd.grad(found, (fake, real), allow_unused=True)
    torch.testing.assert_close(on_fake, (-14 * gap / 4).expand(4, 3))
    assert on_real is None
    maps = FeatureMatching().of(real.view(5, 3, 1, 1), fake.view(4, 3, 1, 1))
    torch.testing.assert_close(7 * maps, found)


def test_feature_matching_is_no_mean_over_rows() -> None:
    """(E a)² is not E a²; a batch twice over has the same means."""
    real, fake = noise(6, 3), noise(6, 3, seed=1)
    value = FeatureMatching()(real, fake)
    doubled = FeatureMatching()(torch.cat([real, real]), torch.cat([fake, fake]))
    torch.testing.assert_close(doubled, value, rtol=1e-12, atol=0)
    halves = [FeatureMatching()(real[part], fake[part]) for part in (slice(0, 3), slice(3, 6))]
    assert FeatureMatching.couples_rows
    assert (sum(halves) / 2 - value).abs() > 1e-3


def test_features_of_a_frozen_module_leave_its_parameters_alone() -> None:
    """P11: the features are those of the module, and a generator's backward pass reaches the generator alone."""
    features = nn.Sequential(nn.Linear(2, 5), nn.Tanh())
    theta = torch.tensor([1.0, 2.0], requires_grad=True)
    torch.testing.assert_close(frozen(features)(noise(4, 2)), features(noise(4, 2)), rtol=0, atol=0)
    loss = FeatureMatching().of(frozen(features)(noise(4, 2)), frozen(features)(noise(4, 2, seed=1) + theta))
    loss.backward()
    assert theta.grad is not None
    assert theta.grad.norm() > 0
    assert all(parameter.grad is None and parameter.requires_grad for parameter in features.parameters())


class Headed(nn.Module):
    """A score and the features it is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.head = nn.Sequential(nn.Linear(2, 6), nn.Tanh()), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.trunk(x)
        return {"score": self.head(features).squeeze(1), "features": features}


@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
@pytest.mark.parametrize("term", [FeatureMatching(2.0), PullingAway(2.0), LayerMatching()], ids=repr)
def test_feature_terms_in_a_game_move_the_generator_alone(term: Term, execution: Plain | Functional) -> None:
    """Also when both players are evaluated together: the discriminator's gradient is the one without the term."""
    gradients, who = [], ("generator", "discriminator")
    for terms in ((), (term,)):
        method = replace(
            small(methods.get("gan")), terms=terms, dynamics=Simultaneous({p: SGD(0.1) for p in who})
        )
        made = networks(method)
        torch.manual_seed(0)
        made["discriminator"] = Headed()
        game = method.game(made, {"real": noise(8, 2)}, execution=execution)
        players, memory = game.init(0, {"real": noise(8, 2)})
        gradients.append(game.gradients(who, players, memory, batch(game))[0])
        assert set(game.gradients(("generator",), players, memory, batch(game))[0]) == {"generator"}
    torch.testing.assert_close(gradients[0]["discriminator"], gradients[1]["discriminator"], rtol=0, atol=0)
    assert (gradients[0]["generator"] - gradients[1]["generator"]).norm() > 1e-3


def test_layer_matching_by_hand() -> None:
    """Two discriminators of two layers: the sum over all four of the mean |difference|, times λ; reals constant."""
    real = [[noise(3, 4).requires_grad_(), noise(3, 2, 5)], [noise(3, 1), noise(3, 7)]]
    fake = [
        [layer.detach() + shift for layer in layers] for layers, shift in zip(real, (0.5, -2.0), strict=True)
    ]
    fake[0][0] = fake[0][0].requires_grad_()
    found = LayerMatching(2.0).of(real, fake)
    assert found.item() == pytest.approx(2 * (0.5 + 0.5 + 2 + 2))
    on_fake, on_real = torch.autograd.grad(found, (fake[0][0], real[0][0]), allow_unused=True)
    torch.testing.assert_close(on_fake, torch.full((3, 4), 2 / 12))
    assert on_real is None
    with pytest.raises(InputError, match="2 features of reals and 1 of fakes"):
        LayerMatching().of(real, fake[:1])
    with pytest.raises(InputError, match="got features"):
        LayerMatching().of([noise(3, 4)], [noise(3, 5)])


# -- parameters and their past ------------------------------


@pytest.mark.parametrize("weight", [0.01, 0.1, 1.0])
def test_historical_averaging_on_the_bilinear_game(weight: float) -> None:
    """M64: simultaneous descent on xy and −xy, rate .1, cost λ(θ − θ̄)² each, the mean over θ₀ … θ_t constant. The
    recursion beside it keeps the whole past and sums it anew."""
    terms = [HistoricalAveraging(player, weight) for player in ("x", "y")]
    players = {"x": torch.tensor([1.0]), "y": torch.tensor([0.5])}
    memories = [term.start(players) for term in terms]
    past = [(1.0, 0.5)]
    for _ in range(200):
        leaves = {name: value.clone().requires_grad_() for name, value in players.items()}
        costs = [term(leaves[term.player], memory) for term, memory in zip(terms, memories, strict=True)]
        value = (leaves["x"] * leaves["y"]).sum()
        losses = {"x": value + costs[0], "y": -value + costs[1]}
        players = {
            name: players[name] - 0.1 * torch.autograd.grad(losses[name], leaves[name], retain_graph=True)[0]
            for name in players
        }
        memories = [
            term.remember(memory, term.observe(), {term.player: players[term.player]})
            for term, memory in zip(terms, memories, strict=True)
        ]
        (x, y), (mean_x, mean_y) = past[-1], np.mean(past, axis=0)
        past.append((x - 0.1 * (y + 2 * weight * (x - mean_x)), y - 0.1 * (-x + 2 * weight * (y - mean_y))))
        assert [players["x"].item(), players["y"].item()] == pytest.approx(
            list(past[-1]), rel=1e-9, abs=1e-12
        )
    for memory, column in zip(memories, (0, 1), strict=True):
        assert memory["count"].item() == 201
        assert memory["mean"].item() == pytest.approx(np.mean(past, axis=0)[column], rel=1e-9)


def test_the_mean_is_a_constant_and_belongs_to_one_player() -> None:
    """The gradient is 2λ(θ − θ̄), not 2λ(θ − θ̄)(1 − 1/(t + 1))."""
    term = HistoricalAveraging("generator", 3.0)
    theta = noise(4).requires_grad_()
    memory = term.remember(term.start({"generator": noise(4, seed=1)}), {}, {"generator": theta})
    assert not memory["mean"].requires_grad
    torch.testing.assert_close(memory["mean"], (theta.detach() + noise(4, seed=1)) / 2)
    found = torch.autograd.grad(term(theta, memory), theta)[0]
    torch.testing.assert_close(found, 6 * (theta.detach() - memory["mean"]))
    assert term.players == term.observed == ("generator",)


def test_historical_averaging_of_a_module() -> None:
    module, term = nn.Linear(2, 2), HistoricalAveraging()
    memory = term.kept(module)
    assert term.of(module, memory).item() == 0
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 2.0
    memory = term.kept(module, memory)
    assert term.of(module, memory).item() == pytest.approx(6 * 1.0)  # six numbers, each 1 from the mean


# -- the orthogonal constraint ------------------------------


class Shapes(nn.Module):
    """One weight of every kind, with biases and gains between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tall, self.wide = nn.Linear(3, 7), nn.Linear(7, 2)
        self.conv, self.back = nn.Conv2d(2, 5, 3), nn.ConvTranspose2d(5, 2, 3)
        self.norm, self.embedding = nn.GroupNorm(1, 5), nn.Embedding(4, 6)


@pytest.mark.parametrize("channels_last", [False, True])
def test_orthogonal_makes_all_singular_values_one(channels_last: bool) -> None:
    """The nearest such matrix; biases and gains are left alone; the order of a convolution's numbers does not matter."""
    torch.manual_seed(0)
    module = Shapes()
    layout = Layout.of(module, channels_last)
    vector = layout.vector(dict(module.named_parameters())).detach()
    bound = Orthogonal().bind(module)
    before, after = layout.named(vector), layout.named(bound.after(vector))
    for name, parameter in after.items():
        if parameter.dim() < 2:
            torch.testing.assert_close(parameter, before[name], rtol=0, atol=0)
            continue
        matrix, start = parameter.flatten(1), before[name].flatten(1)
        torch.testing.assert_close(
            torch.linalg.svdvals(matrix), torch.ones(min(matrix.shape)), rtol=0, atol=1e-12
        )
        # Nearest: the residue is symmetric, W = Q·S with S = QᵀW symmetric and not negative.
        small = matrix @ start.T if len(matrix) <= matrix.shape[1] else matrix.T @ start
        torch.testing.assert_close(small, small.T, rtol=0, atol=1e-12)
        assert torch.linalg.eigvalsh(small).min() > 0
    torch.testing.assert_close(bound.after(bound.after(vector)), bound.after(vector), rtol=0, atol=1e-12)


@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
def test_orthogonal_holds_from_the_start_and_after_every_move(execution: Plain | Functional) -> None:
    dynamics = Alternating({"generator": SGD(0.3), "discriminator": SGD(0.3)})
    method = replace(small(methods.get("hinge")), constraints=(Orthogonal(),), dynamics=dynamics)
    game, state = play(method, execution)
    for number in range(4):
        named = game.networks["discriminator"].layout.named(state.players["discriminator"])
        for weight in (w for w in named.values() if w.dim() == 2):
            assert torch.linalg.svdvals(weight) == pytest.approx(1, abs=1e-12)
        moved = state
        for turn in method.dynamics.turns(number):
            moved, _ = method.dynamics.move(game, moved, turn, batch(game, seed=number))
        assert (moved.players["discriminator"] - state.players["discriminator"]).norm() > 1e-3
        state = moved


# -- numbers that begin late ------------------------------


def test_delayed_is_zero_and_then_the_number() -> None:
    late: Callable[[int], float] = lambda step: Delayed(0.8, 10).at({"step": step})  # noqa: E731
    assert [late(0), late(9), late(10), late(11)] == [0, 0, 0.8, 0.8]
    assert Delayed(Linear(1.0, 0.0, over=100), 2).at({"step": 2, "images": 50}) == 0.5
    assert Delayed(Linear(1.0, 0.0), 2).needs_end
    assert Delayed(1.0, 3).at({"step": torch.tensor(3)}).item() == 1
