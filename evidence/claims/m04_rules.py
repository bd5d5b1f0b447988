"""M04, M52, M53, M67 to M70: update rules on the bilinear and the quadratic game, start (2, .5), rate .1."""

from __future__ import annotations

import math

import numpy as np

from claims.check import Check, Numbers, at_least, at_most
from saddlepoint.dynamics import (
    Alternating,
    CompetitiveGradientDescent,
    Extragradient,
    Lookahead,
    Simultaneous,
    SymplecticAdjustment,
)
from saddlepoint.games import Bilinear, Quadratic, convergence, jacobian, orbit
from saddlepoint.optim import SGD, Optimistic, Optimizer

H = 0.1
TURNS = {"x": 1, "y": 1}


def plain(h: float = H, momentum: float = 0.0) -> dict[str, Optimizer]:
    return {"x": SGD(h, momentum), "y": SGD(h, momentum)}


def norms(
    game: Quadratic, rule: Simultaneous | Alternating | Lookahead | Extragradient, steps: int
) -> np.ndarray:
    return orbit(game, rule, steps).norm(dim=1).numpy()


def off(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest relative error."""
    return float(np.abs(found / expected - 1).max())


def single_step(seed: int) -> Numbers:
    """Theorem 1 with δ = min(a, c), L the Lipschitz constant of ∇J, J = ½‖∇F‖², η = δ/L; and the bilinear game."""
    worst = []
    for a, b, c in ((1.0, 1.0, 1.0), (0.5, 2.0, 1.0), (2.0, 0.3, 0.4)):
        game = Quadratic(a, b, c)
        matrix = jacobian(game).numpy()
        modulus, lipschitz = min(a, c), float(np.linalg.norm(matrix.T @ matrix, 2))
        points = orbit(game, Simultaneous(plain(modulus / lipschitz)), 200).numpy()
        values = ((points @ matrix.T) ** 2).sum(1) / 2
        kept = values > 1e-280
        bound = (1 - modulus**2 / lipschitz) ** np.arange(len(values)) * values[0]
        worst.append(float((values[kept] / bound[kept]).max()))
    grown = norms(Bilinear(), Simultaneous(plain()), 1000)
    return {
        "most of J over its bound": max(worst),
        "error of the bilinear growth": off(grown / grown[0], (1 + H * H) ** (np.arange(1001) / 2)),
    }


def optimistic(seed: int) -> Numbers:
    rule = Simultaneous({"x": Optimistic(SGD(H)), "y": Optimistic(SGD(H))})
    grown = norms(Bilinear(), Simultaneous(plain()), 1000)
    found = orbit(Bilinear(), rule, 1000)
    return {
        "slope of the log-norm": convergence(found).slope,
        "norm after 1000 steps over the first": float(found[-1].norm() / found[0].norm()),
        "error of the growth without": off(grown / grown[0], (1 + H * H) ** (np.arange(1001) / 2)),
    }


def factor(rule: Simultaneous | Extragradient | CompetitiveGradientDescent, expected: float) -> float:
    """The largest error of the factor of a step, over 300 steps."""
    found = orbit(Bilinear(), rule, 300).norm(dim=1).numpy()
    return off(found[1:] / found[:-1], np.full(300, expected))


def extragradient(seed: int) -> Numbers:
    return {"error of the factor": factor(Extragradient(plain()), math.sqrt((1 - H * H) ** 2 + H * H))}


def symplectic(seed: int) -> Numbers:
    errors = [
        factor(SymplecticAdjustment(plain(), weight=w), math.sqrt((1 - H * w) ** 2 + H * H))
        for w in (0.1, 0.7, 1.0, 3.0)
    ]
    return {"error of the factor": max(errors)}


def competitive(seed: int) -> Numbers:
    errors = [
        factor(CompetitiveGradientDescent(plain(h), eta=h, iterations=2), (1 + h * h) ** -0.5)
        for h in (0.1, 0.5, 2.0)
    ]
    return {"error of the factor": max(errors)}


def heavy_ball(momentum: float, steps: int) -> np.ndarray:
    """x first, then y on the moved x; b ← βb + g, b = g at first."""
    x, y, bx, by, seen = 2.0, 0.5, 0.0, 0.0, [math.hypot(2.0, 0.5)]
    for _ in range(steps):
        bx = momentum * bx + y
        x = x - H * bx
        by = momentum * by - x
        y = y - H * by
        seen.append(math.hypot(x, y))
    return np.array(seen)


def negative_momentum(seed: int) -> Numbers:
    momenta = (-0.5, -0.3, -0.1, 0.0, 0.1)
    found = {m: orbit(Bilinear(), Alternating(plain(H, m), TURNS), 1000) for m in momenta}
    errors = [off(points.norm(dim=1).numpy(), heavy_ball(m, 1000)) for m, points in found.items()]
    rest = found[0.0].norm(dim=1)
    return {
        "error of the norms": max(errors),
        "slope of the log-norm, β = −.3": convergence(found[-0.3]).slope,
        "least norm with β = 0 over the first": float(rest.min() / rest[0]),
        "most norm with β = 0 over the first": float(rest.max() / rest[0]),
    }


def lookahead(seed: int) -> Numbers:
    """λ = 1 ± iη under simultaneous descent: a period multiplies the norm by |1 − α + αλ^k|."""
    errors = []
    for period, alpha in ((5, 0.5), (10, 0.3), (3, 0.9)):
        found = norms(Bilinear(), Lookahead(Simultaneous(plain()), period, alpha), 20 * period)[::period]
        expected = abs(1 - alpha + alpha * complex(1, H) ** period)
        errors.append(off(found[1:] / found[:-1], np.full(20, expected)))
    return {"error of the factor": max(errors)}


CHECKS = (
    Check(
        "M04",
        "simultaneous descent on three quadratic games, 200 steps, and on the bilinear one, 1000 steps",
        "J(t) ≤ (1 − δ²/L)^t J(0) with η = δ/L; growth (1 + η²)^{t/2}",
        "exact",
        {"most of J over its bound": at_most(1 + 1e-12), "error of the bilinear growth": at_most(1e-9)},
        single_step,
    ),
    Check(
        "M52",
        "optimistic descent on the bilinear game, η = .1",
        "converges (slope of the log-norm below −1e-3) where simultaneous descent grows as (1 + η²)^{t/2}",
        "exact",
        {"slope of the log-norm": at_most(-1e-3), "error of the growth without": at_most(1e-9)},
        optimistic,
    ),
    Check(
        "M53",
        "extragradient on the bilinear game, η = .1, 300 steps",
        "factor ((1 − η²)² + η²)^½ in every step",
        "exact",
        {"error of the factor": at_most(1e-9)},
        extragradient,
    ),
    Check(
        "M67",
        "symplectic adjustment on the bilinear game, λ from .1 to 3, 300 steps",
        "factor ((1 − ηλ)² + η²)^½ in every step",
        "exact",
        {"error of the factor": at_most(1e-9)},
        symplectic,
    ),
    Check(
        "M68",
        "competitive descent on the bilinear game, η from .1 to 2, 300 steps",
        "factor (1 + η²)^−½ in every step",
        "exact",
        {"error of the factor": at_most(1e-9)},
        competitive,
    ),
    Check(
        "M69",
        "alternating heavy ball on the bilinear game, β from −.5 to .1, 1000 steps",
        "norms of a float64 recursion; contracts where β = 0 cycles",
        "exact",
        {
            "error of the norms": at_most(1e-9),
            "slope of the log-norm, β = −.3": at_most(-1e-3),
            "least norm with β = 0 over the first": at_least(0.5),
            "most norm with β = 0 over the first": at_most(2),
        },
        negative_momentum,
    ),
    Check(
        "M70",
        "lookahead on the bilinear game, k of 3, 5, 10, 20 periods",
        "factor |1 − α + αλ^k| in every period",
        "exact",
        {"error of the factor": at_most(1e-9)},
        lookahead,
    ),
)
