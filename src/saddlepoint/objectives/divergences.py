"""f-divergences as values, D_f(P‖Q) = ∫ q f(p/q), and everything that their variational game needs (Nowozin et al. 2016).

    D_f(P‖Q) ≥ E_P T − E_Q f*(T), with equality at T* = f′(p/q).

A discriminator returns raw scores v; T = g(v) lies in the domain of f* and grows with v: high means real. Everything is
a function of tensors, any number of times differentiable. `composite` is f*(g(v)) in a form that overflows only where its
value does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from saddlepoint.errors import InputError
from saddlepoint.objectives.wright import log_omega

LOG2 = math.log(2)


@dataclass(frozen=True)
class Divergence:
    """A row of the table. `u` stands for the density ratio p/q > 0, `t` for T, `v` for a raw score."""

    def f(self, u: Tensor) -> Tensor:
        """Convex, f(1) = 0 (the GAN row: −2 log 2)."""
        raise NotImplementedError

    def conjugate(self, t: Tensor) -> Tensor:
        """f*(t) = sup over u ≥ 0 of ut − f(u), for t in the domain."""
        raise NotImplementedError

    def activation(self, v: Tensor) -> Tensor:
        """T = g(v), increasing."""
        return v

    def composite(self, v: Tensor) -> Tensor:
        """f*(g(v)), stable."""
        return self.conjugate(self.activation(v))

    def optimum(self, u: Tensor) -> Tensor:
        """T* = f′(u), the optimal variational function."""
        raise NotImplementedError

    @property
    def domain(self) -> tuple[float, float]:
        """The interval in which T lies; f* is infinite outside of its closure."""
        return -math.inf, math.inf

    @property
    def threshold(self) -> float:
        """f′(1): a point with a higher T is taken for real."""
        return 0.0


@dataclass(frozen=True)
class KL(Divergence):
    """KL(P‖Q): f = u log u."""

    def f(self, u: Tensor) -> Tensor:
        return torch.special.xlogy(u, u)

    def conjugate(self, t: Tensor) -> Tensor:
        return (t - 1).exp()

    def optimum(self, u: Tensor) -> Tensor:
        return 1 + u.log()

    @property
    def threshold(self) -> float:
        return 1.0


@dataclass(frozen=True)
class ReverseKL(Divergence):
    """KL(Q‖P): f = −log u, g = −e^(−v)."""

    def f(self, u: Tensor) -> Tensor:
        return -u.log()

    def conjugate(self, t: Tensor) -> Tensor:
        return -1 - (-t).log()

    def activation(self, v: Tensor) -> Tensor:
        return -(-v).exp()

    def composite(self, v: Tensor) -> Tensor:
        return v - 1

    def optimum(self, u: Tensor) -> Tensor:
        return -1 / u

    @property
    def domain(self) -> tuple[float, float]:
        return -math.inf, 0.0

    @property
    def threshold(self) -> float:
        return -1.0


@dataclass(frozen=True)
class Pearson(Divergence):
    """Pearson χ²: f = (u − 1)².

    The conjugate over u ≥ 0 is −1 below t = −2, where no ratio of densities is; the paper prints t²/4 + t everywhere,
    whose slope there would send the generator's samples away.
    """

    def f(self, u: Tensor) -> Tensor:
        return (u - 1).square()

    def conjugate(self, t: Tensor) -> Tensor:
        return (t.clamp(min=-2) / 2 + 1).square() - 1

    def composite(self, v: Tensor) -> Tensor:
        inside = v.clamp(min=-2)
        return inside * (inside / 4 + 1)

    def optimum(self, u: Tensor) -> Tensor:
        return 2 * (u - 1)


@dataclass(frozen=True)
class Neyman(Divergence):
    """Neyman χ²: f = (1 − u)²/u, g = 1 − e^(−v)."""

    def f(self, u: Tensor) -> Tensor:
        return (1 - u).square() / u

    def conjugate(self, t: Tensor) -> Tensor:
        return 2 - 2 * (1 - t).sqrt()

    def activation(self, v: Tensor) -> Tensor:
        return -torch.expm1(-v)

    def composite(self, v: Tensor) -> Tensor:
        return -2 * torch.expm1(-v / 2)

    def optimum(self, u: Tensor) -> Tensor:
        return 1 - u.pow(-2)

    @property
    def domain(self) -> tuple[float, float]:
        return -math.inf, 1.0


@dataclass(frozen=True)
class SquaredHellinger(Divergence):
    """∫(√p − √q)²: f = (√u − 1)², g = 1 − e^(−v)."""

    def f(self, u: Tensor) -> Tensor:
        return (u.sqrt() - 1).square()

    def conjugate(self, t: Tensor) -> Tensor:
        return t / (1 - t)

    def activation(self, v: Tensor) -> Tensor:
        return -torch.expm1(-v)

    def composite(self, v: Tensor) -> Tensor:
        return torch.expm1(v)

    def optimum(self, u: Tensor) -> Tensor:
        return 1 - u.rsqrt()

    @property
    def domain(self) -> tuple[float, float]:
        return -math.inf, 1.0


@dataclass(frozen=True)
class Jeffrey(Divergence):
    """KL(P‖Q) + KL(Q‖P): f = (u − 1) log u, f*(t) = W(e^(1−t)) + 1/W(e^(1−t)) + t − 2, W Lambert's function."""

    def f(self, u: Tensor) -> Tensor:
        return (u - 1) * u.log()

    def conjugate(self, t: Tensor) -> Tensor:
        log_w = log_omega(1 - t)  # w + log w = 1 − t takes t out, and with it a cancellation
        return torch.expm1(-log_w) - log_w

    def optimum(self, u: Tensor) -> Tensor:
        return 1 + u.log() - 1 / u


@dataclass(frozen=True)
class JensenShannon(Divergence):
    """Twice the Jensen–Shannon divergence: f = u log u − (u + 1) log((1 + u)/2), g = log 2 − sp(−v)."""

    def f(self, u: Tensor) -> Tensor:
        return torch.special.xlogy(u, u) - (u + 1) * (torch.log1p(u) - LOG2)

    def conjugate(self, t: Tensor) -> Tensor:
        return -(2 - t.exp()).log()

    def activation(self, v: Tensor) -> Tensor:
        return LOG2 - softplus(-v)

    def composite(self, v: Tensor) -> Tensor:
        return softplus(v) - LOG2

    def optimum(self, u: Tensor) -> Tensor:
        return LOG2 + u.log() - torch.log1p(u)

    @property
    def domain(self) -> tuple[float, float]:
        return -math.inf, LOG2


@dataclass(frozen=True)
class WeightedJensenShannon(Divergence):
    """π KL(P‖M) + (1 − π) KL(Q‖M), M = πP + (1 − π)Q: f = πu log u − (1 − π + πu) log(1 − π + πu).

    g = −π log π − sp(−v). π = ½ is the Jensen–Shannon divergence itself, half of the row `JensenShannon`.
    """

    pi: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.pi < 1:
            raise InputError(f"WeightedJensenShannon has a weight between 0 and 1, not {self.pi}")

    def f(self, u: Tensor) -> Tensor:
        mixture = 1 - self.pi + self.pi * u
        return self.pi * torch.special.xlogy(u, u) - torch.special.xlogy(mixture, mixture)

    def conjugate(self, t: Tensor) -> Tensor:
        rest = 1 - self.pi
        return rest * (math.log(rest) - torch.log1p(-self.pi * (t / self.pi).exp()))

    def activation(self, v: Tensor) -> Tensor:
        return -self.pi * math.log(self.pi) - softplus(-v)

    def composite(self, v: Tensor) -> Tensor:
        # π exp(t/π) = σ(v)^(1/π), and log(1 − σ^(1/π)) is −v − log π to rounding for large v.
        far = v > 30
        power = softplus(-torch.where(far, 0, v)) / self.pi
        large = power > LOG2
        unlikely = torch.log1p(-torch.where(large, -power, -1).exp())
        likely = (-torch.expm1(torch.where(large, -1, -power))).log()
        near = torch.where(large, unlikely, likely)
        return (1 - self.pi) * (math.log(1 - self.pi) - torch.where(far, -v - math.log(self.pi), near))

    def optimum(self, u: Tensor) -> Tensor:
        return self.pi * (u / (1 - self.pi + self.pi * u)).log()

    @property
    def domain(self) -> tuple[float, float]:
        return -math.inf, -self.pi * math.log(self.pi)


@dataclass(frozen=True)
class GANDivergence(Divergence):
    """The original game, 2 JSD(P‖Q) − log 4: f = u log u − (u + 1) log(u + 1), g = −sp(−v) = log σ(v)."""

    def f(self, u: Tensor) -> Tensor:
        return torch.special.xlogy(u, u) - (u + 1) * torch.log1p(u)

    def conjugate(self, t: Tensor) -> Tensor:
        return -(-torch.expm1(t)).log()

    def activation(self, v: Tensor) -> Tensor:
        return -softplus(-v)

    def composite(self, v: Tensor) -> Tensor:
        return softplus(v)

    def optimum(self, u: Tensor) -> Tensor:
        return u.log() - torch.log1p(u)

    @property
    def domain(self) -> tuple[float, float]:
        return -math.inf, 0.0

    @property
    def threshold(self) -> float:
        return -LOG2


@dataclass(frozen=True)
class TotalVariation(Divergence):
    """½∫|p − q|: f = ½|u − 1|, g = ½ tanh v; saturated scores have no gradient."""

    def f(self, u: Tensor) -> Tensor:
        return (u - 1).abs() / 2

    def conjugate(self, t: Tensor) -> Tensor:
        return t

    def activation(self, v: Tensor) -> Tensor:
        return torch.tanh(v) / 2

    def optimum(self, u: Tensor) -> Tensor:
        return (u - 1).sign() / 2

    @property
    def domain(self) -> tuple[float, float]:
        return -0.5, 0.5


@dataclass(frozen=True)
class Alpha(Divergence):
    """f = (u^α − 1 − α(u − 1))/(α(α − 1)); α → 1 is KL, α → 0 reverse KL, α = ½ twice the squared Hellinger, α = 2 half
    of Pearson.

    α < 1: g = 1/(1 − α) − sp(−v), f* = (((α − 1)t + 1)^k − 1)/α, k = α/(α − 1). α > 1: g = v, and the base of the power
    is cut at 0: the conjugate over u ≥ 0. The paper prints it uncut, which is NaN below v = −1/(α − 1).
    """

    alpha: float = 0.5

    def __post_init__(self) -> None:
        if self.alpha in (0, 1):
            raise InputError(
                f"Alpha divides by α(α − 1): for α = {self.alpha} take {'ReverseKL' if self.alpha == 0 else 'KL'}()"
            )

    @property
    def exponent(self) -> float:
        return self.alpha / (self.alpha - 1)

    def f(self, u: Tensor) -> Tensor:
        a = self.alpha
        return (u.pow(a) - 1 - a * (u - 1)) / (a * (a - 1))

    def conjugate(self, t: Tensor) -> Tensor:
        base = (self.alpha - 1) * t + 1
        positive = base > 0  # a power of 0 would have an infinite second derivative
        power = torch.where(positive, torch.where(positive, base, 1).pow(self.exponent), 0)
        return (power - 1) / self.alpha

    def activation(self, v: Tensor) -> Tensor:
        return v if self.alpha > 1 else 1 / (1 - self.alpha) - softplus(-v)

    def composite(self, v: Tensor) -> Tensor:
        if self.alpha > 1:
            return self.conjugate(v)
        log_base = math.log(1 - self.alpha) + _log_softplus(-v)
        return torch.expm1(self.exponent * log_base) / self.alpha

    def optimum(self, u: Tensor) -> Tensor:
        return (u.pow(self.alpha - 1) - 1) / (self.alpha - 1)

    @property
    def domain(self) -> tuple[float, float]:
        return -math.inf, math.inf if self.alpha > 1 else 1 / (1 - self.alpha)


def _log_softplus(x: Tensor) -> Tensor:
    """log sp(x), which is x to rounding for x < −40."""
    far = x < -40
    return torch.where(far, x, softplus(torch.where(far, 0, x)).log())
