"""Mixtures of Gaussians on the line, and a generator that is one Gaussian: the best for an f-divergence by quadrature, and
the one that an f-GAN finds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Generator, Tensor, nn

from saddlepoint import methods
from saddlepoint.data.densities import Density
from saddlepoint.dynamics import Dynamics
from saddlepoint.experiments.playing import Moment, play
from saddlepoint.latents import Gaussian
from saddlepoint.networks import MLP
from saddlepoint.objectives import FGAN, Divergence
from saddlepoint.theory.quadrature import integral, log_divergence, log_normal

AT = torch.linspace(-80, 80, 8001, dtype=torch.float64)  # spacing .02, a twelfth of the narrowest deviation


@dataclass(frozen=True)
class Gaussians(Density):
    """Σ_k weights_k N(means_k, deviations_k²) on the line, rows [n, 1]."""

    name: ClassVar[str] = "gaussians"
    shape: ClassVar[tuple[int, ...]] = (1,)
    weights: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def draw(self, count: int, source: Generator) -> Tensor:
        chosen = torch.multinomial(torch.tensor(self.weights), count, replacement=True, generator=source)
        noise = torch.randn(count, generator=source)
        return (torch.tensor(self.means)[chosen] + torch.tensor(self.deviations)[chosen] * noise)[:, None]

    def log_density(self, at: Tensor = AT) -> Tensor:
        parts = zip(self.weights, self.means, self.deviations, strict=True)
        return torch.logsumexp(
            torch.stack([math.log(w) + log_normal(m, math.log(s), at) for w, m, s in parts]), 0
        )


class Fit(NamedTuple):
    """N(mean, deviation²) and its divergence from the data."""

    value: float
    mean: float
    deviation: float


def distance(kind: Divergence, data: Gaussians, mean: float, deviation: float) -> float:
    """D_f(P‖N(mean, deviation²)) by quadrature."""
    return float(log_divergence(kind, data.log_density(), log_normal(mean, math.log(deviation), AT), AT))


def best(kind: Divergence, data: Gaussians, start: tuple[float, float]) -> Fit:
    """The Gaussian of least divergence, by descent (SciPy's L-BFGS-B) from (mean, deviation)."""
    from scipy.optimize import minimize

    log_p = data.log_density()

    def value(at: Any) -> tuple[float, Any]:
        leaf = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        found = log_divergence(kind, log_p, log_normal(leaf[0], leaf[1], AT), AT)
        return found.item(), torch.autograd.grad(found, leaf)[0].numpy()

    found = minimize(
        value,
        (start[0], math.log(start[1])),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-8},
    )
    return Fit(float(found.fun), float(found.x[0]), math.exp(found.x[1]))


class Affine(nn.Module):
    """x = μ + e^τ z of one number z."""

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.tensor([mean, math.log(deviation)]))

    def forward(self, latent: Tensor) -> Tensor:
        return self.place[0] + self.place[1].exp() * latent


@dataclass(frozen=True)
class OneGaussian:
    """Networks: a Gaussian as generator, which begins at N(mean, deviation²), and the discriminator of `judge`."""

    mean: float = 0.0
    deviation: float = 1.0
    judge: MLP = MLP(width=64, depth=2, activation="tanh")

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        pair = self.judge.build(shape, latent, classes)
        return {**pair, "generator": Affine(self.mean, self.deviation)}


def fitting(
    kind: Divergence,
    data: Gaussians,
    rule: Dynamics,
    steps: int,
    rows: int,
    seed: int,
    networks: OneGaussian = OneGaussian(),
) -> Iterator[Moment]:
    """The f-GAN of the divergence under a rule of moving."""
    method = replace(
        methods.get("fgan-kl"), objective=FGAN(kind), dynamics=rule, latent=Gaussian(1), averages={}
    )
    return play(method, data, networks, steps, seed, rows)


def reached(moment: Moment, kind: Divergence, data: Gaussians) -> Fit:
    mean, log_deviation = moment.state.players["generator"].double().tolist()
    deviation = math.exp(log_deviation)
    return Fit(distance(kind, data, mean, deviation), mean, deviation)


def bound(moment: Moment, kind: Divergence, data: Gaussians) -> float:
    """F = E_P g(v) − E_Q f*(g(v)) by the quadrature of `distance`, which it exceeds at no point, so that F ≤ D_f holds
    up to rounding however good the discriminator is. Where a density is 0 nothing counts."""
    v = moment.module("discriminator")(AT.float()[:, None]).double()
    mean, log_deviation = moment.state.players["generator"].double().tolist()
    p, q = data.log_density().exp(), log_normal(mean, log_deviation, AT).exp()
    gains = torch.where(p > 0, p * kind.activation(v), 0.0)
    return integral(gains - torch.where(q > 0, q * kind.composite(v), 0.0), AT)
