"""Integral probability metrics and transport costs between batches: the generator minimises, a feature network maximises.

All speak of features [rows, …] of data and of samples; the points themselves are the simplest features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.objectives.base import Objective, Weighted
from saddlepoint.parts import Gather, own

Features = Any  # Tensor [rows, …], or Weighted


@dataclass(frozen=True)
class Kernel:
    """k(x, y) for every pair of rows, from the squared distances [n, m]."""

    def __call__(self, squared: Tensor) -> Tensor:
        raise NotImplementedError


@dataclass(frozen=True)
class GaussianKernel(Kernel):
    """Σ exp(−‖x − y‖²/(2σ²)) over the bandwidths σ (Li et al. 2015; 2017 with 1, 2, 4, 8, 16)."""

    bandwidths: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)

    def __call__(self, squared: Tensor) -> Tensor:
        return torch.stack([(-squared / (2 * width**2)).exp() for width in self.bandwidths]).sum(0)


@dataclass(frozen=True)
class RationalQuadratic(Kernel):
    """Σ (1 + ‖x − y‖²/(2α))^(−α) over the exponents α (Bińkowski et al. 2018)."""

    exponents: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0)

    def __call__(self, squared: Tensor) -> Tensor:
        return torch.stack([(-a * torch.log1p(squared / (2 * a))).exp() for a in self.exponents]).sum(0)


@dataclass(frozen=True)
class DistanceKernel(Kernel):
    """−‖x − y‖, whose MMD² is the energy distance 2E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖ (Székely & Rizzo 2013).

    1e-12 under the root keeps derivatives finite where two points meet.
    """

    def __call__(self, squared: Tensor) -> Tensor:
        return -(squared + 1e-12).sqrt()


@dataclass(frozen=True)
class Metric(Objective):
    """A distance between the features of data and of samples. L_G = distance;  L_D = −distance, for learned features.

    `gather` brings the rows of all processes together; on its own, a process has them all.
    """

    couples_rows: ClassVar[bool] = True

    def distance(self, real: Features, fake: Features) -> Tensor:
        """The distance of two batches."""
        raise NotImplementedError

    def generator(self, real_features: Features, fake_features: Features, gather: Gather = own) -> Tensor:
        return self.distance(gather(real_features), gather(fake_features))

    def discriminator(self, real_features: Features, fake_features: Features, gather: Gather = own) -> Tensor:
        return -self.generator(real_features, fake_features, gather)


@dataclass(frozen=True)
class MMD(Metric):
    """MMD² = E k(x, x′) + E k(y, y′) − 2 E k(x, y) (Gretton et al. 2012, lemma 6; MMD-GAN: Li et al. 2017).

    `unbiased` leaves the pairs of a row with itself out: right on average, and sometimes below
    zero; otherwise the squared distance of the two batches themselves, never below zero. With `DistanceKernel` it is the
    energy distance (Cramér GAN: Bellemare et al. 2017), in one dimension 2∫(F − G)².
    """

    kernel: Kernel = RationalQuadratic()
    unbiased: bool = True

    def distance(self, real: Features, fake: Features) -> Tensor:
        (x, p), (y, q) = measures(real, fake)
        across = (p[:, None] * self.kernel(squared_distances(x, y)) * q).sum()
        return self._within(x, p) + self._within(y, q) - 2 * across

    def _within(self, x: Tensor, p: Tensor) -> Tensor:
        kernel = self.kernel(squared_distances(x, x))
        if not self.unbiased:
            return (p[:, None] * kernel * p).sum()
        apart = 1 - torch.eye(len(x), dtype=x.dtype, device=x.device)
        return (p[:, None] * kernel * apart * p).sum() / (1 - p.square().sum())

    def witness(self, at: Features, real: Features, fake: Features) -> Tensor:
        """E k(at, x) − E k(at, y), the critic of which MMD² is the gain, high where the data are: [rows]."""
        (x, p), (y, q) = measures(real, fake)
        z = measures(real, at)[1][0]
        near_data, near_samples = (
            (self.kernel(squared_distances(z, points)) * weights).sum(1)
            for points, weights in ((x, p), (y, q))
        )
        return near_data - near_samples


@dataclass(frozen=True)
class Sinkhorn(Metric):
    """S_ε(P, Q) = OT_ε(P, Q) − ½OT_ε(P, P) − ½OT_ε(Q, Q) (Genevay et al. 2018) with the cost ‖x − y‖^power.

    OT_ε = min ⟨π, C⟩ + ε KL(π‖p⊗q): `iterations` pairs of Sinkhorn updates of the two potentials on the log scale, from
    zero, then the dual value ⟨p, f⟩ + ⟨q, g⟩; a lower bound until they have converged, for which a small ε needs more of
    them. Derivatives go through the iterations (as theirs): they are those of the value returned, of any order.
    """

    epsilon: float = 0.1
    iterations: int = 50
    power: float = 2.0

    def distance(self, real: Features, fake: Features) -> Tensor:
        (x, p), (y, q) = measures(real, fake)
        pairs = [(x, p, y, q), (x, p, x, p), (y, q, y, q)]
        if x.shape == y.shape:  # all three at once
            across, data, samples = self._transport(*map(torch.stack, zip(*pairs, strict=True)))
        else:
            across, data, samples = (self._transport(*pair) for pair in pairs)
        return across - (data + samples) / 2

    def _transport(self, x: Tensor, p: Tensor, y: Tensor, q: Tensor) -> Tensor:
        """Dual value of points [..., n, d] and [..., m, d] with weights: [...]."""
        squared = squared_distances(x, y)
        cost = squared if self.power == 2 else (squared + 1e-12).pow(self.power / 2)
        there = -cost / self.epsilon
        back = there.mT
        log_p, log_q = p.log(), q.log()
        f, g = torch.zeros_like(p), torch.zeros_like(q)  # potentials over ε
        for _ in range(self.iterations):
            f = -torch.logsumexp(there + (log_q + g).unsqueeze(-2), -1)
            g = -torch.logsumexp(back + (log_p + f).unsqueeze(-2), -1)
        return self.epsilon * ((p * f).sum(-1) + (q * g).sum(-1))


def measures(real: Features, fake: Features) -> list[tuple[Tensor, Tensor]]:
    """Both sides as points [n, d], moved together so that the data's mean is at 0 (distances lose fewer digits), and
    probabilities [n]."""
    sides = [_measure(real), _measure(fake)]
    centre = sides[0][0].detach().mean(0)
    return [(points - centre, weights) for points, weights in sides]


def _measure(features: Features) -> tuple[Tensor, Tensor]:
    weighted = isinstance(features, Weighted)
    points = (features.value if weighted else features).flatten(1)
    points = points if points.dtype == torch.float64 else points.float()
    uniform = points.new_full((len(points),), 1 / len(points))
    return points, features.weight / features.weight.sum() if weighted else uniform


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖x − y‖² of every pair, in full precision under autocast too: [..., n, d], [..., m, d] -> [..., n, m]."""
    with torch.autocast(x.device.type, enabled=False):
        products = x @ y.mT
    squares = x.square().sum(-1).unsqueeze(-1) + y.square().sum(-1).unsqueeze(-2)
    return (squares - 2 * products).clamp(min=0)
