"""Where a penalty looks and how it finds the slope: points, exact slopes and differences, one-sided and centred."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.errors import InputError
from saddlepoint.network import Functional, Plain
from saddlepoint.penalties import (
    R1,
    R2,
    ApproximateR1,
    Consistency,
    Exact,
    Fake,
    FiniteDifference,
    GradientPenalty,
    Interpolates,
    Jitter,
    NoiseBall,
    Real,
    Roth,
    Term,
)
from saddlepoint.penalties.base import score_and_gradient
from saddlepoint.vocabulary import read
from small_games import batch, directions, networks, play, slope, small

pytestmark = pytest.mark.usefixtures("double")
EXECUTIONS = pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])

EVERY: list[Term] = [
    R1(3.0),
    R2(3.0),
    R1(3.0, by=FiniteDifference(1e-3)),
    R2(3.0, by=FiniteDifference(1e-3)),
    GradientPenalty(3.0, at=Real()),
    GradientPenalty(3.0, at=Fake()),
    GradientPenalty(3.0, target=0.0),
    GradientPenalty(3.0, target=0.3, side="above"),
    GradientPenalty(3.0, at=NoiseBall()),
    GradientPenalty(3.0, at=NoiseBall(0.3, symmetric=True)),
    GradientPenalty(3.0, target=0.5, by=FiniteDifference(1e-3)),
    Roth(3.0),
    ApproximateR1(30.0, 0.1),
    ApproximateR1(30.0, 0.1, Fake()),
    Consistency(30.0, Jitter(0.1)),
    Consistency(30.0, Jitter(0.1), Fake()),
]
TERMS = pytest.mark.parametrize("term", EVERY, ids=repr)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def given(term: Term, critic: Callable[[Tensor], Tensor], rows: int = 6, size: int = 2) -> dict[str, Any]:
    """Everything that a term may ask for, with noise keyed by its name."""
    real, fake = noise(rows, size), 0.5 * noise(rows, size, seed=1) + 1
    drawn = {
        name: draw.sample(rows, torch.Generator().manual_seed(7), {"real": (size,)})
        for name, draw in term.draws().items()
    }
    return quantities(term, critic, {"real_point": real, "fake_point": fake, **drawn})


def quantities(term: Term, critic: Callable[[Tensor], Tensor], data: dict[str, Any]) -> dict[str, Any]:
    made = {**data, "score": critic, "score_and_gradient": lambda point: score_and_gradient(critic, point)}
    for side in ("real", "fake"):
        made[f"{side}_judgement"], made[f"{side}_gradient"] = score_and_gradient(
            critic, data[f"{side}_point"]
        )
    return {name: made[name] for name in term.asks() if name != "clock"}


def critic() -> nn.Module:
    return networks(small(methods.get("gan-r1")))["discriminator"]


# -- points ------------------------------


def test_real_and_fake_are_the_points_themselves() -> None:
    real, fake = noise(3, 2), noise(3, 2, seed=1)
    assert Real().points(real) is real
    assert Fake().points(fake) is fake
    assert (Real().side, Fake().side, Interpolates().side, NoiseBall().side) == ("real", "fake", "", "")


def test_noise_ball_by_hand() -> None:
    """P05: x + α·.5·std·u, std over all numbers of the batch divided by their count, one α a row, one u a
    number."""
    real = torch.tensor([[0.0, 2.0], [4.0, 6.0]])  # mean 3, variance (9 + 1 + 1 + 9)/4 = 5
    mix, ball = torch.tensor([0.5, 1.0]), torch.tensor([[1.0, 0.0], [0.25, 0.75]])
    expected = real + 0.5 * 5**0.5 * torch.tensor([[0.5, 0.0], [0.25, 0.75]])
    torch.testing.assert_close(NoiseBall().points(real, mix, ball), expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("symmetric", [False, True])
def test_the_noise_of_the_reference_only_brightens(symmetric: bool) -> None:
    """P05: u ~ U(0, 1) in the authors' code; the symmetric variant spreads to both sides, |u| ≤ 1."""
    ball = NoiseBall(symmetric=symmetric)
    drawn = {
        n: d.sample(4000, torch.Generator().manual_seed(0), {"real": (3,)}) for n, d in ball.draws().items()
    }
    real = noise(4000, 3)
    moved = (ball.points(real, **drawn) - real) / (0.5 * real.std(correction=0))
    assert moved.abs().max() <= 1
    assert (moved.min() < -0.9) == symmetric
    assert moved.max() > 0.9
    # E αu = ¼ or 0, each within five standard errors of at most 1/√12000.
    assert moved.mean().item() == pytest.approx(0.0 if symmetric else 0.25, abs=5 / 12000**0.5)


def test_which_points_couple_rows() -> None:
    """A part that couples rows cannot be split into micro-batches, and says so."""
    assert NoiseBall.couples_rows
    assert GradientPenalty(at=NoiseBall()).couples_rows
    for points in (Real(), Fake(), Interpolates()):
        assert not points.couples_rows
        assert not GradientPenalty(at=points).couples_rows
    real = noise(6, 2)
    half = {"mix": torch.ones(3), "ball": torch.ones(3, 2)}
    parts = torch.cat([NoiseBall().points(real[:3], **half), NoiseBall().points(real[3:], **half)])
    whole = NoiseBall().points(real, torch.ones(6), torch.ones(6, 2))
    assert (parts - whole).abs().max() > 1e-3


def test_pairs_and_packs_are_refused_where_noise_has_the_shape_of_the_data() -> None:
    pair = (noise(4, 2), noise(4, 3))
    with pytest.raises(InputError, match="not pairs or packs"):
        GradientPenalty(at=NoiseBall()).of(lambda p: p[0].sum(1) + p[1].sum(1), pair)
    with pytest.raises(InputError, match="not pairs or packs"):
        R1(by=FiniteDifference()).of(lambda p: p[0].sum(1) + p[1].sum(1), pair)


# -- closed forms ------------------------------


def test_a_linear_critic_has_a_closed_form_at_all_points_and_sides() -> None:
    """P05, P26: s = w·x + b, on the score and not on σ(s): λ(|w| − g)², λ max(0, |w| − g)², λ|w|²; slopes
    2λ(|w| − g)w/|w|."""
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    size = w.detach().norm()
    for at in (Real(), Fake(), Interpolates(), NoiseBall()):
        for target, side in ((1.0, "both"), (0.0, "both"), (1.0, "above"), (5.0, "above"), (5.0, "both")):
            term = GradientPenalty(7.0, target, at, side)  # type: ignore[arg-type]
            found = term(**given(term, lambda x: x @ w + 0.7))
            excess = (size - target).clamp(min=0) if side == "above" else size - target
            torch.testing.assert_close(found, 7 * excess**2, rtol=1e-10, atol=0)
            expected = 14 * excess * w.detach() / size
            torch.testing.assert_close(torch.autograd.grad(found, w)[0], expected, rtol=1e-10, atol=0)


def test_the_one_sided_penalty_is_squared() -> None:
    """Slip 2 of popular write-ups: λE max(0, ‖∇s‖ − 1)², not its root; flat below the target."""
    for size, value in ((3.0, 40.0), (1.5, 2.5), (0.5, 0.0)):
        w = torch.tensor([0.0, size], requires_grad=True)
        found = GradientPenalty(side="above").of(lambda x, w=w: x @ w, noise(4, 2), noise(4, 2))
        assert found.item() == pytest.approx(value, rel=1e-9)


def test_differences_along_a_direction_of_a_linear_critic() -> None:
    """δ = u·w exactly: (γ/2) E(u·w)² with the slope γ E(u·w)u; two-sided λE[(u·w)² − 2g√(π/2)|u·w| + g²]."""
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    u = given(R1(by=FiniteDifference()), lambda x: x @ w)["direction"]
    along = (u @ w).detach()
    for eps in (1e-2, 1.0):
        for term in (R1(3.0, by=FiniteDifference(eps)), R2(3.0, by=FiniteDifference(eps))):
            found = term(**given(term, lambda x: x @ w + 0.7))
            torch.testing.assert_close(found, 1.5 * along.square().mean(), rtol=1e-10, atol=0)
            expected = 3.0 * (along[:, None] * u).mean(0)
            torch.testing.assert_close(torch.autograd.grad(found, w)[0], expected, rtol=1e-10, atol=0)
        two_sided = GradientPenalty(2.0, 1.5, Real(), by=FiniteDifference(eps))
        expected = 2 * (along**2 - 3 * (np.pi / 2) ** 0.5 * along.abs() + 2.25).mean()
        found = two_sided(**given(two_sided, lambda x: x @ w))
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


def test_roth_weighs_by_probabilities_and_differentiates_logits() -> None:
    """M46: s = w·x: (γ/2)|w|²(E σ(−s(x))² + E σ(s(x̃))²), what is judged well counts little."""
    w, real, fake = torch.tensor([1.0, -2.0]), noise(6, 2), 0.5 * noise(6, 2, seed=1) + 1
    weights = 1 / (1 + (real @ w).exp()).square() + 1 / (1 + (-fake @ w).exp()).square()
    expected = 1.5 * w.square().sum() * weights.mean()
    torch.testing.assert_close(Roth(3.0).of(lambda x: x @ w, real, fake), expected, rtol=1e-12, atol=0)
    good = Roth(3.0).of(lambda x: x @ w, 10 * w.expand(4, 2), -10 * w.expand(4, 2))
    assert good.item() < 1e-12


@pytest.mark.parametrize("target", [0.0, 1.0, 4.0])
def test_differences_estimate_without_bias(target: float) -> None:
    """The mean over directions is the exact penalty, below and above the target; 5 standard errors of 10⁵ rows."""
    w, rows = torch.tensor([1.0, -2.0, 0.5]), 100_000
    u = noise(rows, 3)
    term = GradientPenalty(1.0, target, Real(), by=FiniteDifference(0.1))
    each = term.by.distance((u @ w).square(), target)
    found = term(score=lambda x: x @ w, real_point=noise(rows, 3, seed=1), direction=u)
    torch.testing.assert_close(found, each.mean(), rtol=1e-9, atol=1e-9)
    assert found.item() == pytest.approx(
        (w.norm() - target).item() ** 2, abs=5 * each.std().item() / rows**0.5
    )


def test_differences_reach_the_slope_at_the_stated_rate() -> None:
    """Central: error ε², so halving ε divides it by 4; forward, without a gradient: by 2."""
    net, x, u = critic(), noise(5, 2), noise(5, 2, seed=3)
    exact = (score_and_gradient(net, x)[1] * u).sum(1).square()

    def error(term: Term, factor: float) -> float:
        drawn = {"score": net, "real_point": x, "direction": u, "real_judgement": net(x)}
        value = term(**{n: v for n, v in drawn.items() if n in term.asks()})
        return abs((factor * value - exact.mean()).item())

    steps = [0.02, 0.01, 0.005]
    central = [error(R1(2.0, by=FiniteDifference(eps)), 1.0) for eps in steps]
    forward = [error(ApproximateR1(1.0, sigma), 1 / sigma**2) for sigma in steps]
    for errors, ratio in ((central, 4.0), (forward, 2.0)):
        assert errors[0] / errors[1] == pytest.approx(ratio, rel=0.1)
        assert errors[1] / errors[2] == pytest.approx(ratio, rel=0.05)


def test_approximate_r1_is_r1_with_another_weight() -> None:
    """s = w·x: λσ²E(n·w)² with λ = γ/(2σ²) is (γ/2)E(n·w)², whose mean over n is R1(γ)."""
    gamma, sigma, rows = 5.0, 0.1, 100_000
    w, n = torch.tensor([1.0, -2.0]), noise(rows, 2)
    term = ApproximateR1(gamma / (2 * sigma**2), sigma)
    found = term(score=lambda x: x @ w, real_point=0 * n, real_judgement=torch.zeros(rows), direction=n)
    torch.testing.assert_close(found, gamma / 2 * (n @ w).square().mean(), rtol=1e-9, atol=0)
    error = 5 * gamma / 2 * (n @ w).square().std().item() / rows**0.5
    assert found.item() == pytest.approx(R1(gamma).of(lambda x: x @ w, n).item(), abs=error)


def test_consistency_is_zero_for_an_invariant_discriminator() -> None:
    """M71: s(|x|²) does not see a turn; s = w·x has λE(w·(T(x) − x))²."""
    x, w = noise(6, 2), torch.tensor([1.0, -2.0])
    turned = torch.stack([-x[:, 1], x[:, 0]], 1)
    assert Consistency(10.0).of(lambda x: x.square().sum(1), x, turned).item() == pytest.approx(0, abs=1e-20)
    expected = 10 * ((turned - x) @ w).square().mean()
    torch.testing.assert_close(Consistency(10.0).of(lambda x: x @ w, x, turned), expected)
    term = Consistency(10.0, Jitter(0.3))
    jitter = noise(6, 2, seed=4)
    found = term(score=lambda x: x @ w, real_point=x, real_judgement=x @ w, jitter=jitter)
    torch.testing.assert_close(found, 10 * 0.09 * (jitter @ w).square().mean())


# -- laws of all of them ------------------------------


@TERMS
def test_the_gradient_is_the_derivative(term: Term) -> None:
    """P27: through the slope and back to the weights, against finite differences, and not zero."""
    net = critic()
    start = nn.utils.parameters_to_vector(net.parameters()).detach()

    def value(vector: Tensor) -> Tensor:
        nn.utils.vector_to_parameters(vector, net.parameters())
        return term(**given(term, net))

    parts = torch.autograd.grad(
        value(start), list(net.parameters()), materialize_grads=True, allow_unused=True
    )
    gradient = torch.cat([part.flatten() for part in parts])
    assert gradient.norm() > 1e-2
    for along in directions(start, 3):
        found = slope(lambda t, along=along: value(start + t * along).detach())
        assert found.item() == pytest.approx(gradient.dot(along).item(), rel=1e-6, abs=1e-7)


@TERMS
def test_duplication_and_order_of_rows_change_nothing(term: Term) -> None:
    """A norm over the whole batch, or a standard deviation over n − 1, would."""
    net = critic()
    noisy = {
        n: d.sample(6, torch.Generator().manual_seed(7), {"real": (2,)}) for n, d in term.draws().items()
    }
    data = {"real_point": noise(6, 2), "fake_point": noise(6, 2, seed=1), **noisy}
    value = term(**quantities(term, net, data))
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    for change in (lambda rows: torch.cat([rows, rows]), lambda rows: rows[order]):
        changed = term(**quantities(term, net, {name: change(rows) for name, rows in data.items()}))
        torch.testing.assert_close(changed, value, rtol=1e-12, atol=0)


@TERMS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_flat_critic_has_a_finite_gradient(term: Term, dtype: torch.dtype) -> None:
    """P26: √ has no derivative at 0."""
    w = torch.zeros(2, dtype=dtype, requires_grad=True)
    asked = {
        n: v.to(dtype) if isinstance(v, Tensor) else v
        for n, v in given(term, lambda x: x.to(dtype) @ w).items()
    }
    gradient = torch.autograd.grad(term(**asked), w, materialize_grads=True, allow_unused=True)[0]
    assert gradient.abs().max() < 1e-6


@TERMS
def test_values_are_read_back(term: Term) -> None:
    assert read(repr(term)) == term
    assert read(repr(replace(term, every=4))).every == 4


@EXECUTIONS
@TERMS
def test_the_term_in_a_game_is_the_one_by_hand(term: Term, execution: Plain | Functional) -> None:
    """Value, and gradient by difference to the game without it."""
    method = replace(small(methods.get("gan")), terms=(term,))
    game, state = play(method, execution)
    net, data, who = networks(method)["discriminator"], batch(game), ("discriminator",)
    fake = game.sample(state.players, state.memory, data)
    expected = term(**quantities(term, net, {**data, "real_point": data["real"], "fake_point": fake}))
    info = game.losses(who, state.players, state.memory, data)[1].info
    torch.testing.assert_close(info[f"term/{type(term).__name__}"], expected.detach(), rtol=1e-9, atol=1e-12)
    bare, _ = play(replace(method, terms=()), execution)
    found = [g.gradients(who, state.players, state.memory, data)[0]["discriminator"] for g in (game, bare)]
    parts = torch.autograd.grad(expected, list(net.parameters()), materialize_grads=True, allow_unused=True)
    torch.testing.assert_close(
        found[0] - found[1], torch.cat([part.flatten() for part in parts]), rtol=1e-8, atol=1e-10
    )


class Counting(nn.Sequential):
    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        Counting.calls += 1
        return super().forward(x)


@pytest.mark.parametrize(
    ("term", "more"),
    [
        (R1(), 0),
        (Roth(), -1),  # with both gradients, reals and fakes are judged in one pass
        (GradientPenalty(at=Real()), 0),
        (GradientPenalty(), 1),
        (ApproximateR1(), 1),
        (Consistency(), 1),
        (R1(by=FiniteDifference()), 2),
    ],
    ids=repr,
)
def test_what_a_term_costs_in_passes_of_the_discriminator(term: Term, more: int) -> None:
    """Slopes at data and samples share the forward pass of the score. The base, R1, needs two passes."""
    base = replace(small(methods.get("gan")), terms=(R1(),))
    counts = []
    for terms in ((R1(),), (R1(), term) if more > 0 else (term,)):
        method = replace(base, terms=terms)
        made = networks(method)
        made["discriminator"] = Counting(made["discriminator"], nn.Identity())
        game = method.game(made, {"real": noise(8, 2)})
        players, memory = game.init(0, {"real": noise(8, 2)})
        data = batch(game)
        Counting.calls = 0
        game.losses(("discriminator",), players, memory, data)
        counts.append(Counting.calls)
    assert counts == [2, 2 + more]


# -- refusals ------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: R1(every=0), "R1 every 0 steps is never"),
        (lambda: GradientPenalty(every=-1), "never"),
        (lambda: FiniteDifference(0.0), "eps above 0"),
        (lambda: ApproximateR1(1.0, 0.0), "sigma above 0"),
        (lambda: ApproximateR1(at=NoiseBall()), "Real() or Fake()"),
        (lambda: Consistency(at=Interpolates()), "Real() or Fake()"),
        (lambda: GradientPenalty(side="above", by=FiniteDifference()), "take by=Exact()"),
        (lambda: GradientPenalty().of(lambda x: x.sum(1), noise(3, 2)), "looks at fake_point"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert sentence in str(caught.value)


def test_every_is_a_keyword_and_one_by_default() -> None:
    assert R1(2.0).every == 1
    assert R1(2.0, every=16) != R1(2.0)
    assert GradientPenalty(1.0, 0.0, Real(), "both", Exact(), every=3).every == 3
    with pytest.raises(TypeError):
        R1(2.0, Exact(), 16)  # type: ignore[call-arg]
