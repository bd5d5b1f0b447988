"""A mixture of Gaussians with a free normalisation: an explicit density that is also sampled exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import require


@dataclass(frozen=True)
class Mixture:
    """The player "model": log p(x) = log Σ_k softmax(a)_k N(x; μ_k, diag σ_k²) + c, for points of the plane and other
    short vectors. c is a parameter: estimators that do not know the normalisation have to find c = 0.

    Means start as N(0, 1) draws, deviations and weights equal. One latent of d + 1 Gaussian numbers is one sample: the
    last chooses the component through its distribution function, the others are the noise within it.
    """

    components: int = 16

    def __post_init__(self) -> None:
        require(self.components >= 1, f"Mixture needs at least 1 component, not {self.components}.")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """points [n, d] -> log-densities [n]; latents [n, d + 1] and True -> points [n, d]."""
        require(len(shape) == 1, f"Mixture is a density of vectors (numbers,), not of shape {tuple(shape)}.")
        require(
            latent == shape[0] + 1,
            f"Mixture of points with {shape[0]} numbers needs latents of {shape[0] + 1}, not {latent}.",
        )
        return {"model": MixtureDensity(self.components, shape[0])}


class MixtureDensity(nn.Module):
    def __init__(self, components: int, numbers: int) -> None:
        super().__init__()
        self.means = nn.Parameter(torch.randn(components, numbers))
        self.log_scales = nn.Parameter(torch.zeros(components, numbers))
        self.weights = nn.Parameter(torch.zeros(components))
        self.log_c = nn.Parameter(torch.zeros(()))

    def forward(self, rows: Tensor, sample: bool = False) -> Tensor:
        return self.samples(rows) if sample else self.log_density(rows)

    def log_density(self, points: Tensor) -> Tensor:
        off = (points.unsqueeze(1) - self.means) * (-self.log_scales).exp()
        within = -0.5 * off.square().sum(2) - self.log_scales.sum(1)
        constant = self.log_c - 0.5 * points.shape[1] * math.log(math.tau)
        return (within + self.weights.log_softmax(0)).logsumexp(1) + constant

    def samples(self, latents: Tensor) -> Tensor:
        """The component whose share of [0, 1] the last number falls in, and its Gaussian."""
        noise, place = latents[:, :-1], torch.special.ndtr(latents[:, -1:])
        passed = place > self.weights.softmax(0).cumsum(0)[:-1]
        chosen = passed.sum(1)
        return self.means[chosen] + self.log_scales[chosen].exp() * noise
