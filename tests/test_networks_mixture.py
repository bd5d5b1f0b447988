"""The mixture density: its integral, its samples, and estimation that finds the truth."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from saddlepoint import Budget, Settings, methods
from saddlepoint.data import Data, load
from saddlepoint.errors import InputError
from saddlepoint.method import Method
from saddlepoint.networks import Mixture
from saddlepoint.networks.mixture import MixtureDensity
from saddlepoint.optim import Adam
from saddlepoint.plan import Plan
from saddlepoint.schedules import Linear
from workers.games import Played


@pytest.fixture
def density() -> MixtureDensity:
    model = Mixture(3).build((2,), 3)["model"]
    with torch.no_grad():
        model.means.copy_(torch.tensor([[-2.0, 0.0], [1.0, 1.0], [1.5, -1.0]]))
        model.log_scales.copy_(torch.tensor([[0.3, -0.5], [-1.0, 0.2], [0.0, -0.7]]))
        model.weights.copy_(torch.tensor([0.5, -0.3, 0.2]))
        model.log_c.fill_(0.7)
    assert isinstance(model, MixtureDensity)
    return model


def test_log_density_is_that_of_the_mixture_times_its_constant(density: MixtureDensity) -> None:
    points = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)) * 2
    shares = density.weights.softmax(0).tolist()
    expected = sum(
        share * multivariate_normal(mean, scale.exp().square().tolist()).pdf(points.numpy())
        for share, mean, scale in zip(
            shares, density.means.tolist(), density.log_scales.detach(), strict=True
        )
    )
    found = (density(points) - 0.7).exp().detach()
    torch.testing.assert_close(found.double(), torch.tensor(expected), rtol=2e-5, atol=1e-9)


def test_samples_fall_where_the_density_is(density: MixtureDensity) -> None:
    """Shares of samples in cells of the plane against the integral of the density over them, within 5 standard errors."""
    n = 40_000
    samples = density(torch.randn(n, 3, generator=torch.Generator().manual_seed(1)), True).detach()
    edges = torch.linspace(-6, 6, 9)
    fine = torch.linspace(-6, 6, 8 * 60 + 1)[:-1] + 6 / 480
    grid = torch.cartesian_prod(fine, fine)
    mass = (density(grid) - 0.7).exp().detach().double().view(8, 60, 8, 60).sum((1, 3)) * (12 / 480) ** 2
    counts = torch.histogramdd(samples, [edges, edges]).hist.double() / n
    error = (mass * (1 - mass) / n).sqrt() + 1e-5
    assert ((counts - mass).abs() / error).max() < 5
    assert mass.sum() == pytest.approx(1, abs=2e-3)


def fitted(method: Method, data: Data, components: int, seed: int) -> MixtureDensity:
    """The model after 3,000 steps."""
    plan = Plan(method, data, Mixture(components), Budget(steps=3000), Settings(seed=seed))
    played = Played(plan)
    for _ in range(3000):
        played.step()
    named = played.game.networks["model"].layout.named(played.state.players["model"])
    found = MixtureDensity(components, 2)
    found.load_state_dict({key: value.detach() for key, value in named.items()})
    return found.requires_grad_(False)


@pytest.mark.parametrize("name", ["nce", "sce"])
def test_the_density_of_the_ring_is_found(name: str) -> None:
    """From two starts: held-out points are likelier than under eight Gaussians of twice the true deviation, which are
    2 (ln 2 + 1/8 − 1/2) = .636 nats below the truth −ln 8 − ln(2πσ²) − 1."""
    ring, sigma = load("ring"), 0.02 / math.sqrt(2)
    truth = -(math.log(8) + math.log(math.tau * sigma**2) + 1)
    for seed in (0, 1):
        found = fitted(methods.get(name), ring, 16, seed)
        likelihood = (found(ring.held_out(2000)["real"]) - found.log_c).mean().item()
        assert truth - 0.636 < likelihood < truth + 0.05


def test_noise_contrastive_estimation_finds_the_normalisation(tmp_path: Path) -> None:
    """M18: mean, deviation and log-partition of a Gaussian under a rate that falls to 0, to the error of 20,000 draws
    seen through noise (about .02; 5 of them allowed)."""
    points = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(3)) * 0.8 + torch.tensor(
        [0.5, -0.3]
    )
    np.save(tmp_path / "points.npy", points.numpy())
    method = methods.get("nce")
    method = replace(
        method,
        dynamics=replace(method.dynamics, optimizers={"model": Adam(Linear(0.02, 0.0, over=3000 * 256))}),
    )
    for seed in (0, 1):
        found = fitted(method, load(str(tmp_path / "points.npy")), 1, seed)
        wanted = torch.tensor([0.5, -0.3, math.log(0.8), math.log(0.8), 0.0])
        got = torch.cat([found.means.flatten(), found.log_scales.flatten(), found.log_c.view(1)])
        assert (got - wanted).abs().max() < 0.1


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1 component"):
        Mixture(0)
    with pytest.raises(InputError, match="density of vectors"):
        Mixture().build((1, 8, 8), 3)
    with pytest.raises(InputError, match="latents of 3, not 2"):
        Mixture().build((2,), 2)
