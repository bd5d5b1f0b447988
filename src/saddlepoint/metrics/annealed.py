"""Likelihood of a generator with Gaussian observations by annealed importance sampling (Wu et al. 2017).

z ~ N(0, I), x ~ N(G(z), σ²I). The path f_β(z) = p(z) p(x|z)^β leads from the prior to the posterior, whose integral
is the likelihood p(x). Forward the weights bound ln p(x) from below; backward from an exact sample of the
posterior, which is at hand for x that the model itself made, from above (bidirectional Monte Carlo, Grosse et al. 2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.models import Generate
from saddlepoint.metrics.samples import matrix
from saddlepoint.random import generator

Progress = Callable[[int, int], None]
WANTED = 0.65  # acceptance towards which the pilot moves the step sizes
GAIN = 0.2
STEEP = 4.0  # the schedule of β is a logistic curve from −4 to 4


@dataclass(frozen=True)
class Annealing:
    """Temperatures of the path, chains for each row, leapfrog steps of a Hamiltonian transition."""

    temperatures: int = 100
    chains: int = 8
    leapfrogs: int = 10

    def betas(self) -> Tensor:
        """0 = β_0 < … < β_T = 1, close together at both ends: float64 [temperatures + 1]."""
        curve = torch.linspace(-STEEP, STEEP, self.temperatures + 1, dtype=torch.float64).sigmoid()
        return (curve - curve[0]) / (curve[-1] - curve[0])


class Bounds(NamedTuple):
    """Of ln p(x) in nats for each of the points [n, …] that the model made, float64 [n]: E lower ≤ ln p(x) ≤ E upper.
    More than b above (below) the truth with probability at most e^{−b}. `acceptance`: share of the transitions taken,
    the step being right at about 0.65."""

    points: Tensor
    lower: Tensor
    upper: Tensor
    acceptance: float


def annealed_lower_bounds(
    *,
    generate: Generate,
    points: Tensor,
    sigma: float,
    latents: int,
    seed: int,
    annealing: Annealing = Annealing(),
) -> Tensor:
    """A stochastic lower bound of ln p(x) for each point [n, …], in nats: float64 [n].

    A pilot run over the same path finds the step sizes, which are then fixed: weights are only unbiased if
    transitions do not depend on their own chain.
    """
    path = _Path(generate, points, sigma, annealing, generator("cpu", "annealing", seed))
    start = path.prior(latents)
    steps = path.anneal(start, annealing.betas(), None).steps
    weights = path.anneal(path.prior(latents), annealing.betas(), steps).weights
    return _log_mean(weights)


def bidirectional_bounds(
    *, generate: Generate, n: int, sigma: float, latents: int, seed: int, annealing: Annealing = Annealing()
) -> Bounds:
    """Both bounds of ln p(x) for n rows that the model itself makes: their distance is what annealing misses."""
    source = generator("cpu", "bidirectional", seed)
    z = torch.randn(n, latents, generator=source)
    with torch.no_grad():
        clean = generate(z)
    points = clean + sigma * torch.randn(clean.shape, generator=source)
    path, betas = _Path(generate, points, sigma, annealing, source), annealing.betas()
    steps = path.anneal(path.prior(latents), betas, None).steps
    forward = path.anneal(path.prior(latents), betas, steps)
    backward = path.anneal(z.repeat(annealing.chains, 1), betas.flip(0), steps.flip(0))
    acceptance = (forward.acceptance + backward.acceptance) / 2
    return Bounds(points, _log_mean(forward.weights), -_log_mean(backward.weights), acceptance)


def _log_mean(weights: Tensor) -> Tensor:
    return weights.logsumexp(0) - math.log(len(weights))


class _Place(NamedTuple):
    """Latents of all chains, the log-likelihood there and its gradient."""

    z: Tensor
    likelihood: Tensor
    slope: Tensor


class _Annealed(NamedTuple):
    weights: Tensor  # logarithms, [chains, n]
    steps: Tensor  # [temperatures + 1, n]
    acceptance: float


class _Path:
    """The densities f_β of some points, and transitions that leave them invariant."""

    def __init__(
        self, generate: Generate, points: Tensor, sigma: float, annealing: Annealing, source: torch.Generator
    ) -> None:
        if not sigma > 0:
            raise InputError(f"sigma is {sigma}; the observation noise of a likelihood is above 0.")
        self.generate, self.sigma, self.annealing, self.source = generate, sigma, annealing, source
        self.points = matrix("points", points).repeat(annealing.chains, 1)
        self.n = len(points)

    def prior(self, latents: int) -> Tensor:
        return torch.randn(len(self.points), latents, generator=self.source)

    def at(self, z: Tensor) -> _Place:
        leaf = z.detach().requires_grad_()
        residual = (self.generate(leaf).flatten(1) - self.points).double()
        constant = residual.shape[1] / 2 * math.log(2 * math.pi * self.sigma**2)
        likelihood = -residual.square().sum(1) / (2 * self.sigma**2) - constant
        (slope,) = torch.autograd.grad(likelihood.sum(), leaf)
        return _Place(leaf.detach(), likelihood.detach(), slope)

    def anneal(self, z: Tensor, betas: Tensor, steps: Tensor | None) -> _Annealed:
        """Weights along the betas, in either direction. Without `steps` [len(betas), n] they are looked for."""
        place, weights = self.at(z), torch.zeros(len(z), dtype=torch.float64)
        used = [torch.full((self.n,), 0.3) if steps is None else steps[0]]
        taken = []
        for t in range(1, len(betas)):
            weights += (betas[t] - betas[t - 1]) * place.likelihood
            used.append(used[-1] if steps is None else steps[t])
            if t == len(betas) - 1:
                break
            place, moved = self.transition(place, float(betas[t]), used[-1])
            taken.append(float(moved.mean()))
            if steps is None:
                used[-1] = used[-1] * torch.exp(GAIN * (moved.view(-1, self.n).mean(0) - WANTED))
        return _Annealed(weights.view(-1, self.n), torch.stack(used), sum(taken) / max(1, len(taken)))

    def transition(self, start: _Place, beta: float, steps: Tensor) -> tuple[_Place, Tensor]:
        """Hamiltonian Monte Carlo with unit mass; whether each chain moved, as 0 or 1."""
        size = steps.repeat(self.annealing.chains)[:, None]
        speed = torch.randn(start.z.shape, generator=self.source)
        place, moving = start, speed
        for _ in range(self.annealing.leapfrogs):
            moving = moving + size / 2 * (beta * place.slope - place.z)
            place = self.at(place.z + size * moving)
            moving = moving + size / 2 * (beta * place.slope - place.z)
        gained = _energy(start, speed, beta) - _energy(place, moving, beta)
        luck = torch.rand(len(gained), generator=self.source, dtype=torch.float64).log()
        moved = luck < gained  # NaN of a diverged chain is refused
        kept = [
            torch.where(moved if a.dim() == 1 else moved[:, None], b, a)
            for a, b in zip(start, place, strict=True)
        ]
        return _Place(*kept), moved.float()


def _energy(place: _Place, speed: Tensor, beta: float) -> Tensor:
    return (place.z.double().square() + speed.double().square()).sum(1) / 2 - beta * place.likelihood
