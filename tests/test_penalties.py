"""Gradient penalties: closed forms, second derivatives, each sample by itself, and use in a stranger's
loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.network import Functional, Plain
from saddlepoint.penalties import R1, R2, GradientPenalty, Interpolates, score_and_gradient
from saddlepoint.schedules import Linear
from small_games import ROWS, batch, directions, networks, play, slope, small

pytestmark = pytest.mark.usefixtures("double")

Penalty = Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]


def at_points(penalty: R1 | R2 | GradientPenalty) -> Penalty:
    """A penalty as a function of score and points; interpolates of equal ends are those ends."""
    if isinstance(penalty, GradientPenalty):
        return lambda score, x: penalty.of(score, x, x)
    return penalty.of


EVERY = [R1(3.0), R2(3.0), GradientPenalty(3.0), GradientPenalty(3.0, target=0.0)]
PENALTIES = pytest.mark.parametrize("penalty", EVERY, ids=repr)


def points(rows: int = 6, *shape: int) -> Tensor:
    return torch.randn(rows, *(shape or (3,)), generator=torch.Generator().manual_seed(0))


def test_a_linear_critic_has_a_closed_form() -> None:
    """s = w·x + b: R1 = (γ/2)|w|², with the ½; gradient penalty = λ(|w| − g)²; slopes γw and 2λ(|w| −
    g)w/|w|."""
    x, w = points(), torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
    size = w.detach().norm()
    cases = [
        (R1(3.0), 1.5 * size**2, 3 * w.detach()),
        (R2(3.0), 1.5 * size**2, 3 * w.detach()),
        (GradientPenalty(10.0), 10 * (size - 1) ** 2, 20 * (size - 1) * w.detach() / size),
        (GradientPenalty(10.0, target=0.5), 10 * (size - 0.5) ** 2, 20 * (size - 0.5) * w.detach() / size),
    ]
    for penalty, value, gradient in cases:
        found = at_points(penalty)(lambda x: x @ w + 0.7, x)
        torch.testing.assert_close(found, value, rtol=1e-10, atol=0)
        torch.testing.assert_close(torch.autograd.grad(found, w)[0], gradient, rtol=1e-10, atol=0)


def test_each_point_has_its_own_norm() -> None:
    """s = ½|x|², ∇s = x. A norm over the whole batch would make (|x₁|² + …)^½ out of the |x_i|."""
    x = torch.tensor([[3.0, 4.0], [0.6, 0.8], [0.0, 2.0]])  # norms 5, 1, 2

    def score(x: Tensor) -> Tensor:
        return x.square().sum(1) / 2

    assert R1(2.0).of(score, x).item() == pytest.approx((25 + 1 + 4) / 3)
    assert GradientPenalty(10.0).of(score, x, x).item() == pytest.approx(10 * (16 + 0 + 1) / 3)


def test_images_and_tuples_of_points() -> None:
    """The norm is over all coordinates of a point, however they are arranged."""
    flat = points(4, 12)
    score = lambda x: (x.flatten(1) ** 3).sum(1)  # noqa: E731
    for penalty in EVERY:
        expected = at_points(penalty)(score, flat)
        torch.testing.assert_close(at_points(penalty)(score, flat.view(4, 3, 2, 2)), expected)
        pair = (flat[:, :5], flat[:, 5:].reshape(4, 7, 1))
        both = at_points(penalty)(lambda p: score(p[0]) + score(p[1]), pair)  # type: ignore[arg-type]
        torch.testing.assert_close(both, expected)


@PENALTIES
def test_the_second_derivative_is_there(penalty: R1 | R2 | GradientPenalty) -> None:
    """d(penalty)/d(weights) of a curved network against finite differences, and not zero."""
    net = networks(small(methods.get("gan-r1")))["discriminator"]
    start, x = nn.utils.parameters_to_vector(net.parameters()).detach(), points(5, 2)

    def value(vector: Tensor) -> Tensor:
        nn.utils.vector_to_parameters(vector, net.parameters())
        return at_points(penalty)(net, x)

    parts = torch.autograd.grad(
        value(start), list(net.parameters()), materialize_grads=True, allow_unused=True
    )
    gradient = torch.cat([part.flatten() for part in parts])
    assert gradient.norm() > 0.1
    for along in directions(start, 4):
        found = slope(lambda t, along=along: value(start + t * along).detach())
        assert found.item() == pytest.approx(gradient.dot(along).item(), rel=1e-7, abs=1e-8)


@PENALTIES
def test_duplicated_rows_change_nothing(penalty: R1 | R2 | GradientPenalty) -> None:
    net, x = networks(small(methods.get("gan-r1")))["discriminator"], points(5, 2)
    once, twice = (at_points(penalty)(net, rows) for rows in (x, torch.cat([x, x, x])))
    torch.testing.assert_close(once, twice, rtol=1e-12, atol=0)


@PENALTIES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_flat_critic_has_a_finite_gradient(penalty: R1 | R2 | GradientPenalty, dtype: torch.dtype) -> None:
    """√ has no derivative at 0: (0 − g)² λ and zero, not NaN."""
    w, x = torch.zeros(3, dtype=dtype, requires_grad=True), points().to(dtype)
    value = at_points(penalty)(lambda x: x @ w, x)
    target = penalty.target if isinstance(penalty, GradientPenalty) else 0.0
    assert value.item() == pytest.approx(3.0 * target**2, abs=1e-5)
    assert torch.autograd.grad(value, w)[0].abs().max() == 0


def test_interpolates_lie_where_the_mixing_number_says() -> None:
    """x̂ = εx + (1 − ε)x̃ with one ε a row."""
    real, fake = points(4, 1, 2, 2), -3 * points(4, 1, 2, 2) + 1
    mix = torch.tensor([0.0, 1.0, 0.25, 0.5])
    found = Interpolates().points(real, fake, mix)
    torch.testing.assert_close(found[0], fake[0])
    torch.testing.assert_close(found[1], real[1])
    torch.testing.assert_close(found[2], 0.25 * real[2] + 0.75 * fake[2])
    pair = Interpolates().points((real, fake), (fake, real), mix)
    torch.testing.assert_close(pair[0] + pair[1], real + fake)


def test_the_penalty_is_taken_between_data_and_samples() -> None:
    """s = ½|x|²: at ε = ¼ the slope is |¼x + ¾x̃|."""
    real, fake, mix = points(5), points(5) * 2 - 1, torch.full((5,), 0.25)
    expected = 7 * ((0.25 * real + 0.75 * fake).norm(dim=1) - 1).square().mean()
    found = GradientPenalty(7.0).of(lambda x: x.square().sum(1) / 2, real, fake, mix)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


def test_a_point_of_a_graph_keeps_its_graph() -> None:
    """The penalty at G(z) is differentiable with respect to G; a point without a graph is left without
    one."""
    theta, x = torch.tensor(2.0, requires_grad=True), points()
    value = R2(2.0).of(lambda x: x.square().sum(1) / 2, theta * x)  # θ²|x|² on average
    expected = 2 * theta.detach() * x.square().sum(1).mean()
    torch.testing.assert_close(torch.autograd.grad(value, theta)[0], expected)
    score, gradient = score_and_gradient(lambda x: x.square().sum(1), x)
    assert not x.requires_grad
    torch.testing.assert_close(gradient, 2 * x)
    torch.testing.assert_close(score, x.square().sum(1))


@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
def test_a_strangers_penalty_is_the_one_in_the_game(execution: Plain | Functional) -> None:
    """`.of(...)` with an ordinary module equals the term in the method's own loss, value and gradient."""
    terms = (R1(0.7), R2(1.3), GradientPenalty(5.0))
    method = replace(small(methods.get("gan")), terms=terms)
    game, state = play(method, execution)
    critic = networks(method)["discriminator"]  # the very weights that the game starts from
    data = batch(game)
    fake = game.sample(state.players, state.memory, data)
    strange = (
        terms[0].of(critic, data["real"]),
        terms[1].of(critic, fake),
        terms[2].of(critic, data["real"], fake, data["mix"]),
    )
    who = ("discriminator",)
    info = game.losses(who, state.players, state.memory, data)[1].info
    torch.testing.assert_close(
        [info[f"term/{type(t).__name__}"] for t in terms], [s.detach() for s in strange]
    )
    bare, _ = play(replace(method, terms=()), execution)
    found = [g.gradients(who, state.players, state.memory, data)[0]["discriminator"] for g in (game, bare)]
    parts = torch.autograd.grad(
        sum(strange), list(critic.parameters()), materialize_grads=True, allow_unused=True
    )
    torch.testing.assert_close(found[0] - found[1], torch.cat([part.flatten() for part in parts]))


def test_mixing_numbers_are_drawn_when_none_are_given() -> None:
    real, fake = points(ROWS), points(ROWS) + 100
    slopes = [
        GradientPenalty(1.0, target=0.0).of(lambda x: x.square().sum(1) / 2, real, fake) for _ in range(3)
    ]
    assert len({value.item() for value in slopes}) == 3


def test_a_changing_weight_needs_a_clock() -> None:
    with pytest.raises(ValueError, match="needs a clock"):
        R1(Linear(1.0, 0.0)).of(lambda x: x.sum(1), points())
