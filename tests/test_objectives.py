"""Objectives: values and gradients by hand, symmetries, and what they are at the optimal discriminator."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm
from torch import Tensor

from saddlepoint.objectives import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)

pytestmark = pytest.mark.usefixtures("double")

REAL = np.array([-2.0, -0.3, 0.4, 3.0])
FAKE = np.array([1.5, -1.7, 0.2, -0.6])
N = len(REAL)
EVERY = [
    Minimax(),
    NonSaturating(),
    LeastSquares(),
    LeastSquares(-1.0, 1.0, 0.0),
    Hinge(),
    Wasserstein(),
    Relativistic(),
    RelativisticAverage(),
]


def sp(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, x)


def mean(x: np.ndarray) -> float:
    return float(np.mean(x))


def losses(objective: Objective, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """L_G and L_D, the generator's loss given what it asks for."""
    relativistic = isinstance(objective, (Relativistic, RelativisticAverage))
    generator = objective.generator(real, fake) if relativistic else objective.generator(fake)  # type: ignore[attr-defined]
    return generator, objective.discriminator(real, fake)  # type: ignore[attr-defined]


# By hand: L_D, its slopes in the scores of reals and fakes; L_G and its slopes. e.g. d/ds sp(s) = σ(s).
CROSS = (mean(sp(-REAL)) + mean(sp(FAKE)), -expit(-REAL) / N, expit(FAKE) / N)
GAP = FAKE - REAL
ABOVE, BELOW = FAKE.mean() - REAL, FAKE - REAL.mean()
HAND: list[tuple[Objective, tuple, tuple]] = [
    (Minimax(), CROSS, (-mean(sp(FAKE)), 0 * REAL, -expit(FAKE) / N)),
    (NonSaturating(), CROSS, (mean(sp(-FAKE)), 0 * REAL, -expit(-FAKE) / N)),
    (
        LeastSquares(a=0.25, b=0.5, c=2.0),
        (0.5 * mean((REAL - 0.5) ** 2) + 0.5 * mean((FAKE - 0.25) ** 2), (REAL - 0.5) / N, (FAKE - 0.25) / N),
        (0.5 * mean((FAKE - 2) ** 2), 0 * REAL, (FAKE - 2) / N),
    ),
    (
        Hinge(),
        (
            mean(np.maximum(0, 1 - REAL)) + mean(np.maximum(0, 1 + FAKE)),
            -1.0 * (REAL < 1) / N,
            1.0 * (FAKE > -1) / N,
        ),
        (-mean(FAKE), 0 * REAL, -np.ones(N) / N),
    ),
    (
        Wasserstein(),
        (mean(FAKE) - mean(REAL), -np.ones(N) / N, np.ones(N) / N),
        (-mean(FAKE), 0 * REAL, -np.ones(N) / N),
    ),
    (
        Relativistic(),
        (mean(sp(GAP)), -expit(GAP) / N, expit(GAP) / N),
        (mean(sp(-GAP)), expit(-GAP) / N, -expit(-GAP) / N),
    ),
    (
        RelativisticAverage(),
        (
            (mean(sp(ABOVE)) + mean(sp(BELOW))) / 2,
            -(expit(ABOVE) + expit(BELOW).mean()) / (2 * N),
            (expit(BELOW) + expit(ABOVE).mean()) / (2 * N),
        ),
        (
            (mean(sp(-ABOVE)) + mean(sp(-BELOW))) / 2,
            (expit(-ABOVE) + expit(-BELOW).mean()) / (2 * N),
            -(expit(-BELOW) + expit(-ABOVE).mean()) / (2 * N),
        ),
    ),
]


@pytest.mark.parametrize(
    ("objective", "discriminator", "generator"), HAND, ids=lambda value: type(value).__name__
)
def test_losses_and_slopes_by_hand(objective: Objective, discriminator: tuple, generator: tuple) -> None:
    for index, expected in enumerate((generator, discriminator)):
        real, fake = (torch.tensor(scores, requires_grad=True) for scores in (REAL, FAKE))
        loss = losses(objective, real, fake)[index]
        slopes = torch.autograd.grad(loss, (real, fake), materialize_grads=True, allow_unused=True)
        for found, value in zip((loss, *slopes), expected, strict=True):
            np.testing.assert_allclose(found.detach().numpy(), value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("objective", "discriminator", "generator"), HAND, ids=lambda value: type(value).__name__
)
def test_a_linear_discriminator(objective: Objective, discriminator: tuple, generator: tuple) -> None:
    """s(x) = w·x + b: ∇_w L = Σ_i (dL/ds_i) x_i, ∇_b L = Σ_i dL/ds_i, and for G(z) = z + θ, ∇_θ L_G = (Σ
    dL/ds) w."""
    draws = torch.Generator().manual_seed(0)
    w, theta = torch.tensor([0.7, -1.2]), torch.zeros(2)
    # Points whose scores are REAL and FAKE: w·x + b with b = 0.1.
    points = []
    for scores in (REAL, FAKE):
        free = torch.randn(N, 2, generator=draws)
        points.append(free + ((torch.tensor(scores) - 0.1 - free @ w) / w.square().sum())[:, None] * w)
    x, z = points
    leaves = [leaf.requires_grad_() for leaf in (w.clone(), torch.tensor(0.1), theta)]
    weight, bias, shift = leaves
    made = losses(objective, x @ weight + bias, (z + shift) @ weight + bias)
    _, on_real, on_fake = (torch.as_tensor(value) for value in discriminator)
    by_weight, by_bias = torch.autograd.grad(
        made[1], (weight, bias), retain_graph=True, materialize_grads=True
    )
    torch.testing.assert_close(by_weight, on_real @ x + on_fake @ z)
    torch.testing.assert_close(by_bias, on_real.sum() + on_fake.sum())
    by_shift = torch.autograd.grad(made[0], shift)[0]
    torch.testing.assert_close(by_shift, torch.as_tensor(generator[2]).sum() * w)


def test_a_constant_score_costs_what_the_papers_say() -> None:
    """log 2 a half for the logistic objectives, whatever the constant for the relativistic ones."""
    log2, zeros = math.log(2), torch.zeros(5)
    assert losses(Minimax(), zeros, zeros) == (pytest.approx(-log2), pytest.approx(2 * log2))
    assert losses(NonSaturating(), zeros, zeros) == (pytest.approx(log2), pytest.approx(2 * log2))
    assert losses(Hinge(), zeros, zeros) == (0, 2)
    for objective in (Relativistic(), RelativisticAverage()):
        for constant in (zeros, zeros - 7.0):
            assert losses(objective, constant, constant) == (pytest.approx(log2), pytest.approx(log2))


@pytest.mark.parametrize("objective", EVERY, ids=repr)
def test_only_differences_of_scores_count_where_they_should(objective: Objective) -> None:
    """Adding a constant to the score leaves relativistic losses and the Wasserstein critic alone, and no
    others."""
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    before, after = (losses(objective, real + c, fake + c) for c in (0.0, 1.7))
    invariant = isinstance(objective, (Relativistic, RelativisticAverage))
    assert (abs(before[1] - after[1]) < 1e-12) == (invariant or isinstance(objective, Wasserstein))
    assert (abs(before[0] - after[0]) < 1e-12) == invariant


@pytest.mark.parametrize("objective", [Minimax(), Wasserstein()], ids=repr)
def test_zero_sum_games_sum_to_what_the_generator_cannot_change(objective: Objective) -> None:
    real, fake = torch.tensor(REAL), torch.tensor(FAKE, requires_grad=True)
    assert torch.autograd.grad(sum(losses(objective, real, fake)), fake)[0].abs().max() < 1e-15


@pytest.mark.parametrize("objective", EVERY, ids=repr)
def test_only_the_average_couples_rows(objective: Objective) -> None:
    """A loss that is a mean over rows is the mean of its halves; one that couples rows says so."""
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    whole = losses(objective, real, fake)
    halves = [losses(objective, real[part], fake[part]) for part in (slice(0, 2), slice(2, 4))]
    apart = max(abs(whole[i] - (halves[0][i] + halves[1][i]) / 2) for i in (0, 1))
    assert (apart > 1e-6) == objective.couples_rows


def test_large_scores_neither_overflow_nor_underflow() -> None:
    scores = torch.tensor([-1e4, 1e4], dtype=torch.float32, requires_grad=True)
    for objective in (Minimax(), NonSaturating(), Relativistic(), RelativisticAverage()):
        for loss in losses(objective, scores, -scores):
            assert loss.isfinite()
            assert torch.autograd.grad(loss, scores, retain_graph=True)[0].isfinite().all()
    # A hopeless fake: the saturating slope is gone, the non-saturating one is 1.
    fake = torch.tensor([-50.0], requires_grad=True)
    assert abs(torch.autograd.grad(Minimax().generator(fake), fake)[0].item()) < 1e-20
    assert torch.autograd.grad(NonSaturating().generator(fake), fake)[0].item() == pytest.approx(-1)


# -- N(0, 1) against N(θ, 1) at the optimal discriminator ------------------------------


def integral(function: Callable[[float, float], float], theta: float) -> float:
    """∫ f(p(x), q(x)) dx; the halves meet where p = q."""
    parts = ((-10.0, theta / 2), (theta / 2, theta + 10.0))
    return sum(
        quad(lambda x: function(norm.pdf(x), norm.pdf(x - theta)), *part, epsabs=1e-12, limit=200)[0]
        for part in parts
    )


def densities(theta: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """p and q at equally probable points of P, and of Q."""
    quantiles = norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    at = (quantiles, quantiles + theta)
    p_p, q_p, p_q, q_q = (torch.tensor(norm.pdf(x - shift)) for x in at for shift in (0.0, theta))
    return p_p, q_p, p_q, q_q


@pytest.mark.parametrize("theta", [0.3, 1.0, 2.5])
def test_values_at_the_optimal_discriminator(theta: float) -> None:
    """minimax: log 4 − 2 JSD with s = log p/q (Goodfellow et al. 2014, theorem 1); hinge: 2(1 − TV) with s =
    sign(p − q) (Lim & Ye 2017); least squares (−1, 1, 0): 2C(G) = ∫(2q − (p + q))²/(p + q) with s = (p −
    q)/(p + q) (Mao et al. 2017, section 3.2); a rule of 10⁵ equal weights, error of order 10⁻⁵."""
    p_p, q_p, p_q, q_q = densities(theta)
    jsd = integral(
        lambda p, q: (
            0.5 * p * math.log(2 * p / (p + q)) + 0.5 * q * math.log(2 * q / (p + q)) if p * q else 0.0
        ),
        theta,
    )
    value = Minimax().discriminator((p_p / q_p).log(), (p_q / q_q).log())
    assert value.item() == pytest.approx(math.log(4) - 2 * jsd, abs=1e-4)

    total_variation = integral(lambda p, q: abs(p - q) / 2, theta)
    value = Hinge().discriminator((p_p - q_p).sign(), (p_q - q_q).sign())
    assert value.item() == pytest.approx(2 * (1 - total_variation), abs=1e-4)

    objective = LeastSquares(a=-1.0, b=1.0, c=0.0)
    on_p, on_q = (p_p - q_p) / (p_p + q_p), (p_q - q_q) / (p_q + q_q)
    cost = objective.generator(on_p) + objective.generator(on_q)
    pearson = integral(lambda p, q: (q - p) ** 2 / (p + q), theta)
    assert 2 * cost.item() == pytest.approx(pearson, abs=1e-4)


def test_a_correctly_classified_far_fake_still_pulls_under_least_squares() -> None:
    """Where the saturating objective has lost its slope; on the raw score, not on σ(s)."""
    slopes = {}
    for objective in (Minimax(), LeastSquares()):
        fake = torch.tensor([-8.0], requires_grad=True)
        slopes[type(objective)] = abs(torch.autograd.grad(objective.generator(fake), fake)[0].item())
    assert slopes[Minimax] < 1e-3
    assert slopes[LeastSquares] == pytest.approx(9.0)
