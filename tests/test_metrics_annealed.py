"""Annealed bounds of the likelihood, against generators whose likelihood is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import Annealing, annealed_lower_bounds, bidirectional_bounds

SIGMA = 0.3
QUICK = Annealing(temperatures=60, chains=8, leapfrogs=6)
MAP = torch.tensor([[1.0, 0.5], [-0.3, 0.8], [0.2, -0.6]])
OFFSET = torch.tensor([0.4, -1.0, 0.1])


def linear(z: Tensor) -> Tensor:
    return z @ MAP.to(z.dtype).T + OFFSET.to(z.dtype)


def truth(points: Tensor) -> Tensor:
    """ln N(x; b, AAᵀ + σ²I)."""
    covariance = (MAP @ MAP.T + SIGMA**2 * torch.eye(3)).double()
    return torch.distributions.MultivariateNormal(OFFSET.double(), covariance).log_prob(points.double())


def made(n: int, seed: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return linear(torch.randn(n, 2, generator=source)) + SIGMA * torch.randn(n, 3, generator=source)


def require_mean_one(logarithms: Tensor) -> None:
    """E e^a = 1 within 4 standard errors of its mean."""
    values = logarithms.exp()
    assert float(values.mean()) == pytest.approx(1, abs=4 * float(values.std()) / math.sqrt(len(values)))


@pytest.mark.parametrize("seed", range(3))
def test_the_lower_bound_of_a_linear_generator_is_below_and_near(seed: int) -> None:
    """The weights are unbiased, E e^{bound − truth} = 1, hence E bound ≤ truth by Jensen; and near."""
    points = made(200, seed)
    found = annealed_lower_bounds(
        generate=linear, points=points, sigma=SIGMA, latents=2, seed=seed, annealing=QUICK
    )
    missing = truth(points) - found
    require_mean_one(-missing)
    assert 0 < float(missing.mean()) < 0.3


@pytest.mark.parametrize("seed", range(3))
def test_truth_lies_between_the_bounds_of_what_the_model_made(seed: int) -> None:
    """Forward weights are unbiased of p(x) and backward ones of 1/p(x)."""
    found = bidirectional_bounds(generate=linear, n=200, sigma=SIGMA, latents=2, seed=seed, annealing=QUICK)
    known = truth(found.points)
    require_mean_one(found.lower - known)
    require_mean_one(known - found.upper)
    assert 0 < float((known - found.lower).mean()) < 0.3
    assert 0 < float((found.upper - known).mean()) < 0.5
    assert 0.5 < found.acceptance < 0.95


def test_weights_of_a_single_temperature_are_importance_weights() -> None:
    """T = 1: no transition, weights p(x|z) with z ~ p. Their mean estimates p(x) without bias: over many chains it is
    p(x) within a tenth."""
    points = made(3, 0)
    found = annealed_lower_bounds(
        generate=linear, points=points, sigma=SIGMA, latents=2, seed=0, annealing=Annealing(1, 60_000, 1)
    )
    torch.testing.assert_close(found.exp(), truth(points).exp(), rtol=0.1, atol=0)


def test_few_temperatures_are_loose_and_more_are_tighter() -> None:
    gaps = []
    for temperatures in (2, 10, 100):
        found = bidirectional_bounds(
            generate=linear, n=40, sigma=0.1, latents=2, seed=0, annealing=Annealing(temperatures, 4, 6)
        )
        gaps.append(float((found.upper - found.lower).mean()))
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 10 * gaps[2] > 0


def test_a_constant_generator_has_a_gaussian_likelihood_at_once() -> None:
    """G = b: ln N(x; b, σ²I) whatever the latents; every weight equals it."""
    points = made(5, 0)
    found = annealed_lower_bounds(
        generate=lambda z: 0 * z.sum(1, keepdim=True) + OFFSET,
        points=points,
        sigma=SIGMA,
        latents=2,
        seed=0,
        annealing=QUICK,
    )
    expected = torch.distributions.Normal(OFFSET.double(), SIGMA).log_prob(points.double()).sum(1)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_two_posterior_modes_are_both_counted() -> None:
    """G(z) = |z| in one dimension: p(x) is twice the density of the half line, by quadrature."""
    from scipy.integrate import quad
    from scipy.stats import norm

    points = torch.tensor([[0.5], [1.0], [2.0]])
    expected = [
        math.log(quad(lambda z, x=x: 2 * norm.pdf(z) * norm.pdf(x, z, 0.2), 0, 8)[0]) for x in (0.5, 1.0, 2.0)
    ]
    found = annealed_lower_bounds(
        generate=lambda z: z.abs(),
        points=points,
        sigma=0.2,
        latents=1,
        seed=0,
        annealing=Annealing(60, 64, 6),
    )
    assert found.tolist() == pytest.approx(expected, abs=0.15)


def test_the_schedule_runs_from_the_prior_to_the_posterior() -> None:
    betas = Annealing(50).betas()
    assert (float(betas[0]), float(betas[-1]), len(betas)) == (0, 1, 51)
    assert bool((betas.diff() > 0).all())
    torch.testing.assert_close(betas + betas.flip(0), torch.ones(51, dtype=torch.float64))


def test_no_noise_has_no_likelihood() -> None:
    with pytest.raises(InputError, match="sigma is 0"):
        annealed_lower_bounds(generate=linear, points=torch.zeros(2, 3), sigma=0, latents=2, seed=0)
