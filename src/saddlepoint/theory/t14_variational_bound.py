"""T14: the variational bound of an f-divergence is tight, and how fast the single-step method converges."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from saddlepoint.dynamics import Simultaneous
from saddlepoint.games import Bilinear, Quadratic, jacobian, orbit
from saddlepoint.objectives import (
    KL,
    Alpha,
    Divergence,
    GANDivergence,
    Jeffrey,
    JensenShannon,
    Neyman,
    Pearson,
    ReverseKL,
    SquaredHellinger,
    TotalVariation,
    WeightedJensenShannon,
)
from saddlepoint.optim import SGD
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import GRID, integral, jensen_shannon, normal, relative_entropy
from saddlepoint.theory.search import variational

SHIFTS = (0.3, 1.0, 1.7)
HALF = GRID[GRID.abs() <= 12]
GAMES = ((1.0, 0.5, 1.0), (1.0, 3.0, 2.0), (0.3, 1.0, 2.0), (2.0, 0.1, 0.5), (1.5, 4.0, 1.5))


def check() -> Sequence[Sides]:
    """Tightness, P = N(0, 1) and Q = N(θ, 1). Left: the supremum of E_P g(v) − E_Q f*(g(v)) over scores, found point by point
    by golden sections that know neither f nor f′, and the bound at T* = f′(p/q). Right: closed forms (relative entropies by
    quadrature for the Jensen–Shannon family). 1e-9 in proportion for sums and tails beyond 12 deviations; total variation
    has a corner, which costs at most the squared spacing. At 0.9 T* the bound is lower.

    Rate: J = ½‖∇F‖² along `Simultaneous` at step δ/L, L = ‖H²‖ for the constant Hessian H of F, against (1 − δ²/L)^t J₀;
    equal where a = c. Rounding is 1e-12 of J₀. With L of ∇F in the place of that of ∇J it grows, as it does without
    curvature: ‖π_t‖ = (1 + h²)^(t/2) on the bilinear game.
    """
    found: list[Sides] = []
    for shift in SHIFTS:
        for kind, exact in _exact(shift).items():
            found += _tightness(kind, exact, shift)
    for a, b, c in GAMES:
        found += _rate(Quadratic(a, b, c))
    energy, _ = _energies(Quadratic(1.0, 3.0, 1.0), share=10**0.5)
    grown = orbit(Bilinear(), Simultaneous({p: SGD(0.3) for p in ("x", "y")}), 50).norm(dim=1)
    return [
        *found,
        Sides(
            "F = ½x² + 3xy − ½y², L of ∇F: J after 60 steps by J₀", float(energy[-1] / energy[0]), ">=", 100.0
        ),
        Sides("bilinear, h = 0.3: ‖π₅₀‖ by ‖π₀‖", float(grown[-1] / grown[0]), "=", 1.09**25, 1e-10),
    ]


def _tightness(kind: Divergence, exact: float, shift: float) -> list[Sides]:
    p, q = normal(0.0, at=HALF), normal(shift, at=HALF)

    def bound(t: Tensor) -> float:
        return integral(p * t - q * kind.conjugate(t), HALF)

    best = kind.optimum(p / q)
    within = 0.004**2 if kind == TotalVariation() else 1e-9 * (1 + abs(exact))
    at = f"{kind}, θ = {shift:g}"
    return [
        Sides(f"supremum of the bound, {at}", integral(variational(kind, p, q), HALF), "=", exact, within),
        Sides(f"bound at T*, {at}", bound(best), "=", exact, within),
        Sides(f"bound at 0.9 T*, {at}", bound(0.9 * best), "<=", exact - 1e-4 * shift**2),
    ]


def _exact(shift: float) -> dict[Divergence, float]:
    """The divergences of N(0, 1) from N(θ, 1): ∫ p^α q^(1 − α) = exp(α(α − 1)θ²/2)."""

    def power(alpha: float) -> float:
        return math.expm1(alpha * (alpha - 1) * shift**2 / 2)

    p, q = normal(0.0), normal(shift)
    shared, mixture = jensen_shannon(p, q), 0.3 * p + 0.7 * q
    return {
        KL(): shift**2 / 2,
        ReverseKL(): shift**2 / 2,
        Jeffrey(): shift**2,
        Pearson(): power(2),
        Neyman(): power(-1),
        SquaredHellinger(): -2 * power(0.5),
        Alpha(-1.0): power(-1) / 2,
        Alpha(0.3): power(0.3) / (0.3 * -0.7),
        Alpha(1.5): power(1.5) / 0.75,
        TotalVariation(): math.erf(shift / 2 / math.sqrt(2)),
        JensenShannon(): 2 * shared,
        GANDivergence(): 2 * shared - math.log(4),
        WeightedJensenShannon(0.3): 0.3 * relative_entropy(p, mixture) + 0.7 * relative_entropy(q, mixture),
    }


def _rate(game: Quadratic) -> list[Sides]:
    energy, factor = _energies(game)
    promised = energy[0] * factor ** torch.arange(len(energy), dtype=energy.dtype)
    over = float(((energy - promised) / energy[0]).max())
    at = f"F = {game.a / 2:g}x² + {game.b:g}xy − {game.c / 2:g}y²"
    found = [Sides(f"{at}: J above the bound, at most, by J₀", over, "<=", 0.0, 1e-12)]
    if game.a == game.c:
        ratio = float((energy[20] / energy[0]) ** (1 / 20))
        found.append(Sides(f"{at}: J a step", ratio, "=", factor, 1e-10))
    return found


def _energies(game: Quadratic, share: float = 1.0) -> tuple[Tensor, float]:
    """J along 60 steps of length `share` · δ/L, and 1 − δ²/L."""
    field = jacobian(game)  # of (∂F/∂x, −∂F/∂y): H up to signs of rows, which no norm feels
    largest = float(torch.linalg.matrix_norm(field, 2)) ** 2
    modulus = min(game.a, game.c)
    step = share * modulus / largest
    seen = orbit(game, Simultaneous({player: SGD(step) for player in game.players}), 60)
    return (seen @ field.T).square().sum(1) / 2, 1 - modulus**2 / largest


CLAIM = Claim(
    id="T14",
    title="the variational bound and the single-step method",
    statement="sup over T of E_P T − E_Q f*(T) is D_f(P‖Q), at T* = f′(p/q); simultaneous steps of δ/L have "
    "J_t ≤ (1 − δ²/L)^t J₀, J = ½‖∇F‖², for F of moduli δ of convexity in x and concavity in y, ∇J L-Lipschitz",
    source="Nowozin, Cseke & Tomioka, f-GAN, NIPS 2016, theorem 1",
    check=check,
)
