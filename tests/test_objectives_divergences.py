"""The table of f-divergences: conjugates, optimal functions, bounds by quadrature, scores far out, exact gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import wrightomega
from torch import Tensor

from saddlepoint.objectives import (
    FGAN,
    KL,
    Alpha,
    Divergence,
    GANDivergence,
    Jeffrey,
    JensenShannon,
    MaximumLikelihood,
    Minimax,
    Neyman,
    NonSaturating,
    Pearson,
    ReverseKL,
    SquaredHellinger,
    TotalVariation,
    WeightedJensenShannon,
)
from saddlepoint.objectives.wright import log_omega

pytestmark = pytest.mark.usefixtures("double")

TABLE: list[Divergence] = [
    KL(),
    ReverseKL(),
    Pearson(),
    Neyman(),
    SquaredHellinger(),
    Jeffrey(),
    JensenShannon(),
    WeightedJensenShannon(0.3),
    WeightedJensenShannon(0.5),
    GANDivergence(),
    TotalVariation(),
    Alpha(-1.0),
    Alpha(0.5),
    Alpha(1.5),
    Alpha(3.0),
]
every = pytest.mark.parametrize("divergence", TABLE, ids=repr)
RATIOS = np.geomspace(1e-3, 1e3, 41)
SCORES = np.linspace(-6, 6, 49)


def tensor(x: np.ndarray | float) -> Tensor:
    return torch.tensor(x, dtype=torch.float64)


def slope(function: Callable[[Tensor], Tensor], at: np.ndarray) -> np.ndarray:
    leaf = tensor(at).requires_grad_()
    return torch.autograd.grad(function(leaf).sum(), leaf)[0].numpy()


@every
def test_f_is_convex_and_zero_at_one(divergence: Divergence) -> None:
    offset = -2 * math.log(2) if divergence == GANDivergence() else 0.0
    assert divergence.f(tensor(1.0)).item() == pytest.approx(offset, abs=1e-15)
    a, b = (tensor(x) for x in np.meshgrid(RATIOS, RATIOS))
    chord = (divergence.f(a) + divergence.f(b)) / 2
    assert (divergence.f((a + b) / 2) <= chord + 1e-12 * chord.abs()).all()


@every
def test_the_optimal_function_is_the_slope_of_f_and_lies_in_the_domain(divergence: Divergence) -> None:
    away = RATIOS[RATIOS != 1]  # total variation has a corner at 1
    optimum = divergence.optimum(tensor(away)).numpy()
    np.testing.assert_allclose(optimum, slope(divergence.f, away), rtol=1e-9, atol=1e-12)
    low, high = divergence.domain
    assert ((optimum >= low) & (optimum <= high)).all()
    assert divergence.optimum(tensor(1.0)).item() == pytest.approx(divergence.threshold, abs=1e-15)


@every
def test_equality_of_fenchel_and_young(divergence: Divergence) -> None:
    """f*(f′(u)) = u f′(u) − f(u)."""
    u = tensor(RATIOS)
    t = divergence.optimum(u)
    torch.testing.assert_close(divergence.conjugate(t), u * t - divergence.f(u), rtol=1e-10, atol=1e-11)


@every
def test_conjugates_by_brute_force(divergence: Divergence) -> None:
    """sup over u > 0 of ut − f(u), for T from scores on both sides."""
    for v in np.linspace(-3, 3, 13):
        t = divergence.activation(tensor(v)).item()

        def short(log_u: float, t: float = t) -> float:
            u = math.exp(log_u)
            return divergence.f(tensor(u)).item() - u * t

        grid = np.linspace(-30, 12, 400)
        best = grid[np.argmin([short(x) for x in grid])]
        found = minimize_scalar(
            short, bounds=(best - 0.2, best + 0.2), method="bounded", options={"xatol": 1e-10}
        )
        assert divergence.conjugate(tensor(t)).item() == pytest.approx(-found.fun, rel=1e-7, abs=1e-7)


@every
def test_activations_increase_inside_the_domain(divergence: Divergence) -> None:
    """P16: the table in which a high score means real throughout; an older notebook has falling maps for three rows."""
    t = divergence.activation(tensor(SCORES))
    assert (t.diff() > 0).all()
    low, high = divergence.domain
    assert (t > low).all()
    assert (t < high).all()


@every
def test_the_composite_is_the_conjugate_of_the_activation(divergence: Divergence) -> None:
    v = tensor(SCORES)
    plain = divergence.conjugate(divergence.activation(v))
    torch.testing.assert_close(divergence.composite(v), plain, rtol=1e-9, atol=1e-10)


@every
def test_slopes_of_the_composite(divergence: Divergence) -> None:
    """d f*(g(v))/dv = u(g(v)) g′(v), u the ratio whose optimal function is g(v): the conjugate's slope, found by
    bisection; second derivatives against finite differences of the first, for updates that differentiate twice."""
    if divergence == TotalVariation():
        np.testing.assert_allclose(slope(divergence.composite, SCORES), 0.5 / np.cosh(SCORES) ** 2, rtol=1e-9)
    else:
        for v in (-1.3, -0.4, 0.2, 1.1):
            t = divergence.activation(tensor(v)).item()
            low, high = -40.0, 40.0
            for _ in range(200):
                middle = (low + high) / 2
                over = divergence.optimum(tensor(math.exp(middle))).item() > t
                low, high = (low, middle) if over else (middle, high)
            expected = math.exp(middle) * slope(divergence.activation, np.array([v]))[0]
            assert slope(divergence.composite, np.array([v]))[0] == pytest.approx(
                expected, rel=1e-7, abs=1e-12
            )
    v = tensor(SCORES + 0.01).requires_grad_()
    first = torch.autograd.grad(divergence.composite(v).sum(), v, create_graph=True)[0]
    second = torch.autograd.grad(first.sum(), v)[0].numpy() if first.requires_grad else np.zeros(len(SCORES))
    h = 1e-5
    numeric = (
        slope(divergence.composite, SCORES + 0.01 + h) - slope(divergence.composite, SCORES + 0.01 - h)
    ) / (2 * h)
    np.testing.assert_allclose(second, numeric, rtol=1e-5, atol=1e-8)


def exact(divergence: Divergence, v: float) -> float:
    """f*(g(v)) with long floats, from the table."""
    from mpmath import exp, lambertw, log, mp, mpf, sqrt, tanh

    mp.dps = 80
    x = mpf(v)
    match divergence:
        case KL():
            return exp(x - 1)
        case ReverseKL():
            return -1 - log(exp(-x))
        case Pearson():
            return x**2 / 4 + x if x > -2 else mpf(-1)
        case Neyman():
            return 2 - 2 * sqrt(exp(-x))
        case SquaredHellinger():
            return (1 - exp(-x)) / exp(-x)
        case Jeffrey():
            w = lambertw(exp(1 - x)).real
            return w + 1 / w + x - 2
        case JensenShannon():
            return -log(2 - exp(log(2) - log(1 + exp(-x))))
        case WeightedJensenShannon(pi=p):
            t = -mpf(p) * log(mpf(p)) - log(1 + exp(-x))
            return (1 - mpf(p)) * log((1 - mpf(p)) / (1 - mpf(p) * exp(t / mpf(p))))
        case GANDivergence():
            return log(1 + exp(x))
        case TotalVariation():
            return tanh(x) / 2
        case Alpha(alpha=a):
            a = mpf(a)
            t = x if a > 1 else 1 / (1 - a) - log(1 + exp(-x))
            base = t * (a - 1) + 1
            return (max(base, 0) ** (a / (a - 1)) if base > 0 or a > 1 else base ** (a / (a - 1))) / a - 1 / a
    raise AssertionError(divergence)


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("v", [-60.0, -20.0, -1.0, 0.5, 20.0, 60.0])
def test_scores_far_out(divergence: Divergence, dtype: torch.dtype, v: float) -> None:
    """No overflow, and no lost digits, where the true value is representable; slopes likewise."""
    pytest.importorskip("mpmath")
    import mpmath

    true, h = exact(divergence, v), mpmath.mpf(10) ** -25
    rate = (exact(divergence, mpmath.mpf(v) + h) - exact(divergence, mpmath.mpf(v) - h)) / (2 * h)
    leaf = torch.tensor(v, dtype=dtype, requires_grad=True)
    value = divergence.composite(leaf)
    (found,) = torch.autograd.grad(value, leaf)
    rounding = 200 * torch.finfo(dtype).eps
    for mine, theirs in ((value, true), (found, rate)):
        if abs(theirs) < torch.finfo(dtype).max:
            assert mine.item() == pytest.approx(float(theirs), rel=rounding, abs=rounding)
    assert divergence.activation(leaf).isfinite()


def test_wrights_omega_and_its_derivatives() -> None:
    """x = log ω(y): dx/dy = 1/(1 + ω), d²x/dy² = −ω/(1 + ω)³, to rounding, from far below 0 to far above."""
    y = torch.cat([torch.linspace(-700, 700, 281), torch.linspace(-3, 3, 61)]).requires_grad_()
    x = log_omega(y)
    omega = wrightomega(y.detach().numpy())
    assert np.isreal(omega).all()
    np.testing.assert_allclose(x.detach().exp().numpy(), omega.real, rtol=2e-13)
    first = torch.autograd.grad(x.sum(), y, create_graph=True)[0]
    np.testing.assert_allclose(first.detach().numpy(), 1 / (1 + omega), rtol=1e-12)
    second = torch.autograd.grad(first.sum(), y)[0]
    np.testing.assert_allclose(second.numpy(), -omega / (1 + omega) ** 3, rtol=1e-8, atol=1e-13)


# -- between two Gaussians ------------------------------

P, Q = (0.0, 1.0), (0.7, 1.2)  # means and standard deviations; p/q is bounded, as χ² wants


def density(at: Tensor, mean: float, deviation: float) -> Tensor:
    return (-0.5 * ((at - mean) / deviation) ** 2).exp() / (deviation * math.sqrt(2 * math.pi))


def grid(
    p: tuple[float, float], q: tuple[float, float], count: int = 40_001
) -> tuple[Tensor, Tensor, Tensor, float]:
    """Points, densities, and the weight of the trapezoidal rule, exact to rounding for smooth integrands."""
    x = torch.linspace(-11, 11, count)
    return x, density(x, *p), density(x, *q), 22 / (count - 1)


CLOSED: dict[Divergence, float] = {
    KL(): math.log(1.2) + (1 + 0.49) / (2 * 1.44) - 0.5,
    ReverseKL(): -math.log(1.2) + (1.44 + 0.49) / 2 - 0.5,
    SquaredHellinger(): 2 * (1 - math.sqrt(2 * 1.2 / 2.44) * math.exp(-0.49 / (4 * 2.44))),
}


@every
def test_the_bound_is_the_divergence_at_the_optimal_function(divergence: Divergence) -> None:
    """E_P T* − E_Q f*(T*) = ∫ q f(p/q) by quadrature; less for any other T; closed forms where there are."""
    p, q = (Q, P) if divergence in (Neyman(), Alpha(-1.0)) else (P, Q)  # q²/p has heavier tails than p²/q
    x, p_x, q_x, weight = grid(p, q)
    u = p_x / q_x
    value = (q_x * divergence.f(u)).sum().item() * weight
    for expected in (CLOSED[divergence],) if divergence in CLOSED else ():
        assert value == pytest.approx(expected, rel=1e-10)

    def bound(t: Tensor) -> float:
        return (p_x * t - q_x * divergence.conjugate(t)).sum().item() * weight

    optimum = divergence.optimum(u)
    assert bound(optimum) == pytest.approx(value, rel=1e-8, abs=1e-10)
    v = 0.3 * torch.sin(x)
    assert bound(divergence.activation(v)) < value


def smooth(divergence: Divergence) -> bool:
    return divergence != TotalVariation()  # whose optimal score is infinite


def raw(divergence: Divergence, u: Tensor) -> Tensor:
    """The score v with g(v) = T*(u), by bisection."""
    low, high = torch.full_like(u, -2e4), torch.full_like(u, 2e4)
    t = divergence.optimum(u)
    for _ in range(100):
        middle = (low + high) / 2
        over = divergence.activation(middle) > t
        low, high = torch.where(over, low, middle), torch.where(over, middle, high)
    return (low + high) / 2


@pytest.mark.parametrize("divergence", [d for d in TABLE if smooth(d)], ids=repr)
def test_the_game_at_the_optimal_discriminator(divergence: Divergence) -> None:
    """−L_D is the divergence, its slope in every score vanishes, and the generator's gradient is that of the divergence:
    for Q = N(θ, σ²), ∂/∂θ ∫ q f(p/q) = ∫ ∂q/∂θ (f(u) − u f′(u)) = −∫ ∂q/∂θ f*(T*)."""
    p, q = (Q, P) if divergence in (Neyman(), Alpha(-1.0)) else (P, Q)
    x = torch.linspace(-5, 5, 2001)
    p_x, q_x, weight = density(x, *p), density(x, *q), 10 / 2000
    u = p_x / q_x
    scores = raw(divergence, u).requires_grad_()
    activated, composed = divergence.activation(scores), divergence.composite(scores)
    loss = -(p_x * activated).sum() + (q_x * composed).sum()
    assert -loss.item() * weight == pytest.approx((q_x * divergence.f(u)).sum().item() * weight, rel=1e-7)
    residue = torch.autograd.grad(loss, scores)[0] / q_x
    assert (residue.abs() < 1e-6 * u.clamp(min=1)).all()

    def value(theta: float) -> float:
        moved = density(x, theta, q[1])
        return (moved * divergence.f(p_x / moved)).sum().item() * weight

    h = 1e-4
    by_density = (density(x, q[0] + h, q[1]) - density(x, q[0] - h, q[1])) / (2 * h)
    along = -(by_density * composed.detach()).sum().item() * weight
    assert along == pytest.approx((value(q[0] + h) - value(q[0] - h)) / (2 * h), rel=1e-5)


# -- the objective ------------------------------

REAL, FAKE = torch.tensor([-2.0, -0.3, 0.4, 3.0]), torch.tensor([1.5, -1.7, 0.2, -0.6])


@every
def test_losses_and_slopes_of_the_objective(divergence: Divergence) -> None:
    objective = FGAN(divergence)
    real, fake = (scores.double().requires_grad_() for scores in (REAL, FAKE))
    loss = objective.discriminator(real, fake)
    expected = -divergence.activation(real).mean() + divergence.conjugate(divergence.activation(fake)).mean()
    torch.testing.assert_close(loss, expected)
    on_real, on_fake = torch.autograd.grad(loss, (real, fake))
    np.testing.assert_allclose(on_real, -slope(divergence.activation, REAL.numpy()) / 4, rtol=1e-12)
    np.testing.assert_allclose(on_fake, slope(divergence.composite, FAKE.numpy()) / 4, rtol=1e-12)
    by_generator = torch.autograd.grad(objective.generator(fake), fake)[0]
    torch.testing.assert_close(by_generator, -on_fake)  # zero-sum
    tricky = torch.autograd.grad(FGAN(divergence, tricky=True).generator(fake), fake)[0]
    np.testing.assert_allclose(tricky, -slope(divergence.activation, FAKE.numpy()) / 4, rtol=1e-12)


def test_the_gan_row_is_the_original_game_and_its_tricky_generator_the_non_saturating_one() -> None:
    fakes = torch.linspace(-80, 80, 33)
    game, tricky = FGAN(GANDivergence()), FGAN(GANDivergence(), tricky=True)
    assert torch.equal(game.discriminator(fakes + 1, fakes), Minimax().discriminator(fakes + 1, fakes))
    assert torch.equal(game.generator(fakes), Minimax().generator(fakes))
    assert torch.equal(
        tricky.discriminator(fakes + 1, fakes), NonSaturating().discriminator(fakes + 1, fakes)
    )
    assert torch.equal(tricky.generator(fakes), NonSaturating().generator(fakes))


def test_relations_within_the_table() -> None:
    u = tensor(RATIOS)
    for left, factor, right in (
        (Alpha(0.5), 2.0, SquaredHellinger()),
        (Alpha(2.0), 0.5, Pearson()),
        (Alpha(-1.0), 0.5, Neyman()),
        (WeightedJensenShannon(0.5), 0.5, JensenShannon()),
    ):
        torch.testing.assert_close(left.f(u), factor * right.f(u), rtol=1e-9, atol=1e-12)
        t = right.optimum(u)
        torch.testing.assert_close(
            left.conjugate(factor * t), factor * right.conjugate(t), rtol=1e-9, atol=1e-11
        )
    for alpha, limit in ((1 + 1e-6, KL()), (1 - 1e-6, KL()), (1e-6, ReverseKL()), (-1e-6, ReverseKL())):
        linear = u - 1 if limit == KL() else 1 - u  # f is defined up to multiples of u − 1
        torch.testing.assert_close(Alpha(alpha).f(u), limit.f(u) - linear, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("alpha", [1.5, 2.5, 3.0])
def test_the_power_is_cut_at_zero(alpha: float) -> None:
    """M03: uncut, a power that is no integer is NaN for v < −1/(α − 1); gradients of every order stay finite."""
    v = torch.tensor([-100.0, -1 / (alpha - 1), -1e-3], requires_grad=True)
    value = Alpha(alpha).composite(v)
    first = torch.autograd.grad(value.sum(), v, create_graph=True)[0]
    second = torch.autograd.grad(first.sum(), v)[0]
    assert value[0].item() == pytest.approx(-1 / alpha)
    assert first[0] == 0
    assert all(x.isfinite().all() for x in (value, first, second))


def test_total_variation_has_no_gradient_where_tanh_saturates() -> None:
    assert abs(slope(TotalVariation().composite, np.array([-30.0]))[0]) < 1e-20


@pytest.mark.parametrize("theta", [0.3, 1.0, 2.0])
def test_maximum_likelihood_follows_the_kl_divergence(theta: float) -> None:
    """M20: at s = log p/q held fixed ∂L_G/∂θ = ½ ∂KL(P‖Q)/∂θ = θ/2, for P = N(0, 1) and Q = N(θ, 1)."""
    z = torch.linspace(-12, 12, 20_001)
    shift = torch.tensor(theta, requires_grad=True)
    at = z + shift
    score = (0.5 * (at - theta) ** 2 - 0.5 * at**2).reshape(-1)  # log p/q of the q at θ, θ held fixed
    each = -0.5 * score.exp()
    loss = (each * density(z, 0.0, 1.0)).sum() * (24 / 20_000)
    assert torch.autograd.grad(loss, shift)[0].item() == pytest.approx(theta / 2, rel=1e-8)
    few = score.detach()[:5]
    assert MaximumLikelihood().generator(few).item() == pytest.approx(-0.5 * few.exp().mean().item())
    assert MaximumLikelihood().discriminator(REAL, FAKE) == NonSaturating().discriminator(REAL, FAKE)
