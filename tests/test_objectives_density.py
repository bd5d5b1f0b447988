"""Noise contrastive and self-contrastive estimation on a Gaussian with a free normalisation, by quadrature."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from saddlepoint.objectives import Minimax, NoiseContrastive, SelfContrastive, Weighted

pytestmark = pytest.mark.usefixtures("double")

X = torch.linspace(-30, 30, 12_001, dtype=torch.float64)
STEP = 60 / 12_000


def log_normal(mean: Tensor | float, log_deviation: Tensor | float) -> Tensor:
    deviation = torch.as_tensor(log_deviation, dtype=torch.float64).exp()
    return -0.5 * ((X - mean) / deviation) ** 2 - deviation.log() - 0.5 * math.log(math.tau)


def log_model(parameters: Tensor) -> Tensor:
    """mean, log σ, and the logarithm c by which the density is wrongly normalised."""
    return log_normal(parameters[0], parameters[1]) + parameters[2]


LOG_DATA = log_normal(0.5, math.log(0.8))
DATA = LOG_DATA.exp()


def nce(parameters: Tensor, noise: Tensor) -> Tensor:
    score = log_model(parameters) - noise
    return NoiseContrastive().model(Weighted(score, DATA), Weighted(score, noise.exp()))


def slope(loss: Tensor, parameters: Tensor) -> Tensor:
    return torch.autograd.grad(loss, parameters)[0]


def test_the_truth_is_where_noise_contrastive_estimation_rests_for_any_noise() -> None:
    """M18: the gradient vanishes at the true parameters, c = 0 among them, and nowhere near."""
    for mean, spread in ((0.0, 0.5), (2.0, 0.0), (-1.0, 1.0)):
        noise = log_normal(mean, spread)
        truth = torch.tensor([0.5, math.log(0.8), 0.0], requires_grad=True)
        assert slope(nce(truth, noise), truth).abs().max() < 1e-10
        off = torch.tensor([0.6, math.log(0.8), 0.1], requires_grad=True)
        assert slope(nce(off, noise), off).norm() > 1e-2


def test_noise_contrastive_estimation_finds_the_gaussian_and_its_normalisation() -> None:
    parameters = torch.tensor([-1.0, 0.7, 1.5], requires_grad=True)
    optimizer = torch.optim.LBFGS([parameters], max_iter=200, line_search_fn="strong_wolfe")
    noise = log_normal(0.0, 0.5)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nce(parameters, noise)
        loss.backward()
        return loss

    optimizer.step(closure)
    expected = torch.tensor([0.5, math.log(0.8), 0.0])
    torch.testing.assert_close(parameters.detach(), expected, rtol=0, atol=1e-3)


def test_noise_far_from_the_data_teaches_nothing() -> None:
    """M18: its slopes are flat where those of near noise are not."""
    wrong = torch.tensor([0.9, 0.0, 0.0], requires_grad=True)
    near, far = (slope(nce(wrong, log_normal(mean, math.log(0.7))), wrong)[0].abs() for mean in (0.5, 8.0))
    assert far < 1e-3 * near


def test_the_loss_is_that_of_the_best_classifier() -> None:
    """At the truth, log 4 − 2 JSD(P, noise) (Goodfellow et al. 2014, theorem 1)."""
    noise = log_normal(0.0, 0.5)
    q, mixture = noise.exp(), torch.logaddexp(LOG_DATA, noise) - math.log(2)
    jsd = 0.5 * ((DATA * (LOG_DATA - mixture)).sum() + (q * (noise - mixture)).sum()) * STEP
    truth = torch.tensor([0.5, math.log(0.8), 0.0])
    assert nce(truth, noise).item() == pytest.approx(math.log(4) - 2 * jsd.item(), abs=1e-9)


@pytest.mark.parametrize("parameters", [[0.0, 0.0], [1.5, 0.4], [-2.0, -0.3]])
def test_the_self_contrastive_gradient_is_half_of_maximum_likelihood(parameters: list[float]) -> None:
    """M19, T24: ∇L = −½(E_P − E_model)∇log p, for a normalised density −½ E_P ∇log p."""
    at = torch.tensor([*parameters, 0.0], requires_grad=True)
    log_density = log_model(at)
    model = log_density.detach().exp()
    loss = SelfContrastive().model(Weighted(log_density, DATA), Weighted(log_density, model))
    likelihood = -(DATA * log_normal(at[0], at[1])).sum() * STEP
    found, expected = slope(loss, at), slope(likelihood, at)
    torch.testing.assert_close(found[:2], expected[:2] / 2, rtol=1e-6, atol=1e-9)
    assert abs(found[2]) < 1e-9  # the constant is not seen
    assert loss.item() == pytest.approx(2 * math.log(2))


def test_a_generator_does_not_follow_the_likelihood() -> None:
    """The contrast: for Q = N(θ, σ²) at the optimal discriminator the minimax gradient is not along that of maximum
    likelihood; its direction in (mean, log σ) is another one."""
    at = torch.tensor([2.0, 0.0], requires_grad=True)
    z = torch.linspace(-10, 10, 4001)
    points = at[0] + at[1].exp() * z
    with torch.no_grad():
        fixed = at.clone()

    def score(x: Tensor) -> Tensor:
        log_p = -0.5 * ((x - 0.5) / 0.8) ** 2 - math.log(0.8)
        return log_p + 0.5 * ((x - fixed[0]) / fixed[1].exp()) ** 2 + fixed[1]

    loss = Minimax().generator(Weighted(score(points), (-0.5 * z**2).exp()))
    likelihood = -(DATA * log_normal(at[0], at[1])).sum() * STEP
    ours, theirs = slope(loss, at), slope(likelihood, at)
    mean, deviation = (ours / theirs).tolist()
    assert abs(mean / deviation - 1) > 0.2
