"""The Dirac-GAN by hand: P = δ₀, Q = δ_θ, s(x) = ψx (Mescheder et al. 2018, section 2).

Slopes (∂L_G/∂θ, ∂L_D/∂ψ) of every method, derived on paper and in the numbers θ, ψ alone, and the recursion of descent on
them: what `saddlepoint.games.DiracGAN` finds by differentiation can be compared with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Slopes = Callable[[float, float], tuple[float, float]]

NODES = (-math.sqrt(3), 0.0, 0.0, 0.0, 0.0, math.sqrt(3))
"""Six equal rows: the three-point Gauss–Hermite rule for a standard normal."""


def sigma(t: float) -> float:
    return 1 / (1 + math.exp(-t)) if t > -700 else 0.0


def minimax(t: float, p: float) -> tuple[float, float]:
    return -sigma(p * t) * p, sigma(p * t) * t


def non_saturating(t: float, p: float) -> tuple[float, float]:
    return -sigma(-p * t) * p, sigma(p * t) * t


def wasserstein(t: float, p: float) -> tuple[float, float]:
    return -p, t


def hinge(t: float, p: float) -> tuple[float, float]:
    return -p, t * (p * t > -1)


def plus(base: Slopes, on_slope: Callable[[float], float]) -> Slopes:
    """With a penalty on ψ alone, given its derivative."""
    return lambda t, p: (base(t, p)[0], base(t, p)[1] + on_slope(p))


def zero_centred(gamma: float) -> Callable[[float], float]:
    """(γ/2)ψ²: R1, R2, and the penalty on interpolates, where γ is twice its weight."""
    return lambda p: gamma * p


def centred_at_one(weight: float) -> Callable[[float], float]:
    """λ(|ψ| − 1)², whatever the points, |ψ| = √(ψ² + 10⁻¹²) as the penalty has it."""
    return lambda p: 2 * weight * (1 - 1 / math.sqrt(p**2 + 1e-12)) * p


def above_one(weight: float) -> Callable[[float], float]:
    """λ max(0, |ψ| − 1)²."""
    return lambda p: 2 * weight * max(0.0, abs(p) - 1) * math.copysign(1, p)


def roth(gamma: float) -> Slopes:
    """Non-saturating, with (γ/2)(¼ + σ(ψθ)²)ψ²."""

    def field(t: float, p: float) -> tuple[float, float]:
        s = sigma(p * t)
        more = gamma * p * (0.25 + s**2) + gamma * p**2 * s**2 * (1 - s) * t
        return non_saturating(t, p)[0], non_saturating(t, p)[1] + more

    return field


def nagarajan_kolter(eta: float) -> Slopes:
    """Minimax, with η(σ(ψθ)θ)² for the generator."""

    def field(t: float, p: float) -> tuple[float, float]:
        s = sigma(p * t)
        return minimax(t, p)[0] + 2 * eta * s * t * (s + s * (1 - s) * p * t), minimax(t, p)[1]

    return field


def noisy(deviation: float) -> Slopes:
    """Non-saturating, data and sample with noise: E over ε of the slopes of sp(∓ψ(x + deviation ε)), ε on the nodes."""
    noise = [deviation * node for node in NODES]

    def field(t: float, p: float) -> tuple[float, float]:
        at_fake, at_real = ([sigma(p * (x + e)) for e in noise] for x in (t, 0.0))
        down = sum(f * (t + e) - (1 - r) * e for f, r, e in zip(at_fake, at_real, noise, strict=True))
        return -p * sum(1 - f for f in at_fake) / len(noise), down / len(noise)

    return field


def consensus(gamma: float) -> Slopes:
    """v + γ∇½‖v‖² of the non-saturating field, ½‖v‖² = ½((1 − s)²ψ² + s²θ²), s = σ(ψθ), s' = s(1 − s)."""

    def field(t: float, p: float) -> tuple[float, float]:
        s = sigma(p * t)
        by_score = s * (1 - s) * (s * t**2 - (1 - s) * p**2)
        g, d = non_saturating(t, p)
        return g + gamma * (by_score * p + s**2 * t), d + gamma * (by_score * t + (1 - s) ** 2 * p)

    return field


def play(
    slopes: Slopes,
    turns: int,
    step: float,
    steps: int,
    begin: tuple[float, float] = (1.0, 1.0),
    bound: float = math.inf,
) -> list[tuple[float, float]]:
    """(θ, ψ) before the first step of descent and after each. `turns`: 0, both players together; n, the generator first and
    then n moves of the discriminator. ψ is clipped to ±`bound` after each of its moves."""
    t, p = begin
    seen = [begin]
    for _ in range(steps):
        down, own = slopes(t, p)
        t -= step * down
        for _ in range(max(turns, 1)):
            p -= step * (own if turns == 0 else slopes(t, p)[1])
            p = min(bound, max(-bound, p))
        seen.append((t, p))
    return seen
