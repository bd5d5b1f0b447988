"""M18, M19: densities by telling data from noise, P = N(.5, .8²)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from claims.check import Check, Numbers, Range, at_least, at_most
from saddlepoint.objectives import Minimax, NoiseContrastive, SelfContrastive

ROWS = 200_000
MEAN, DEVIATION = 0.5, 0.8
TRUTH = torch.tensor(
    [MEAN, math.log(DEVIATION), math.log(DEVIATION * math.sqrt(math.tau))], dtype=torch.float64
)


def normal(source: torch.Generator, mean: float, deviation: float, rows: int = ROWS) -> Tensor:
    return mean + deviation * torch.randn(rows, dtype=torch.float64, generator=source)


def log_normal(x: Tensor, mean: float, deviation: float) -> Tensor:
    return -0.5 * ((x - mean) / deviation) ** 2 - math.log(deviation * math.sqrt(math.tau))


def log_model(x: Tensor, at: Tensor) -> Tensor:
    """−(x − μ)²/2σ² − c; at: μ, log σ, and the log-partition c, a parameter of its own."""
    return -0.5 * ((x - at[0]) / at[1].exp()) ** 2 - at[2]


def contrast(seed: int, mean: float, deviation: float) -> tuple[Tensor, float]:
    """The minimum over the parameters for a noise, and the norm of the gradient at a start that is wrong by 1."""
    source = torch.Generator().manual_seed(seed)
    data, noise = normal(source, MEAN, DEVIATION), normal(source, mean, deviation)
    at = torch.tensor([-0.5, 0.7, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([at], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        scores = [log_model(x, at) - log_normal(x, mean, deviation) for x in (data, noise)]
        optimizer.zero_grad()
        value = NoiseContrastive().model(*scores)
        value.backward()
        return value

    loss()
    wrong = torch.tensor(MEAN + 0.4, dtype=torch.float64, requires_grad=True)
    other = torch.stack([wrong, TRUTH[1], TRUTH[2]])
    found = NoiseContrastive().model(
        *(log_model(x, other) - log_normal(x, mean, deviation) for x in (data, noise))
    )
    flat = float(torch.autograd.grad(found, wrong)[0].abs())
    optimizer.step(loss)
    return at.detach(), flat


def noise_contrastive(seed: int) -> Numbers:
    near, steep = contrast(seed, 0.0, 1.5)
    flat = contrast(seed, 12.0, 0.8)[1]
    return {
        "relative error of μ": abs(float(near[0]) / MEAN - 1),
        "relative error of σ": abs(float(near[1].exp()) / DEVIATION - 1),
        "relative error of Z": abs(float((near[2] - TRUTH[2]).exp()) - 1),
        "slope with far noise over that with near": flat / steep,
    }


def self_contrastive(seed: int) -> Numbers:
    """Normalised model N(μ, σ²) at (2, 1): its draws against the data. The generator's gradient, at the optimal D, in
    the same two parameters is no multiple of the likelihood's."""
    source = torch.Generator().manual_seed(seed)
    data = normal(source, MEAN, DEVIATION)
    at = torch.tensor([2.0, 0.0], dtype=torch.float64, requires_grad=True)
    drawn = (at[0] + at[1].exp() * torch.randn(ROWS, dtype=torch.float64, generator=source)).detach()

    def log_density(x: Tensor) -> Tensor:
        return -0.5 * ((x - at[0]) / at[1].exp()) ** 2 - at[1] - 0.5 * math.log(math.tau)

    loss = SelfContrastive().model(log_density(data), log_density(drawn))
    ours = torch.autograd.grad(loss, at)[0]
    likelihood = torch.autograd.grad(-log_density(data).mean(), at)[0]
    moved = at[0] + at[1].exp() * (drawn - 2.0)
    score = log_normal(moved, MEAN, DEVIATION) - log_normal(moved, 2.0, 1.0)
    adversarial = torch.autograd.grad(Minimax().generator(score), at)[0] / likelihood
    ratio = ours / likelihood
    return {
        "ratio in μ": float(ratio[0]),
        "ratio in log σ": float(ratio[1]),
        "distance of the GAN's two ratios": abs(float(adversarial[0] / adversarial[1]) - 1),
    }


CHECKS = (
    Check(
        "M18",
        "μ, σ and partition of N(.5, .8²) by noise contrastive estimation with noise N(0, 1.5²), and N(12, .8²)",
        "within 2 % for near noise; flat for far (slope below 1e-3 of that with near: chosen)",
        "chosen",
        {
            "relative error of μ": at_most(0.02),
            "relative error of σ": at_most(0.02),
            "relative error of Z": at_most(0.02),
            "slope with far noise over that with near": at_most(1e-3),
        },
        noise_contrastive,
        seeds=5,
        budget="200,000 rows of data and of noise",
    ),
    Check(
        "M19",
        "self-contrastive over likelihood gradient; the GAN's at the optimal D for contrast",
        "½ within Monte Carlo error (4 standard deviations: .02); the GAN's is no multiple (off by 20 %: chosen)",
        "exact",
        {
            "ratio in μ": Range(0.48, 0.52),
            "ratio in log σ": Range(0.48, 0.52),
            "distance of the GAN's two ratios": at_least(0.2),
        },
        self_contrastive,
        seeds=5,
        budget="200,000 rows",
    ),
)
