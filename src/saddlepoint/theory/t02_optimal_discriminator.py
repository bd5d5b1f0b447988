"""T02: the optimal discriminator and the value of the game at it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn.functional import softplus

from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import GRID, integral, jensen_shannon, normal

SHIFTS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0)


def check() -> Sequence[Sides]:
    """Left: max over D of E_P log D + E_Q log(1 − D), found pointwise by Newton's method on the score s, D = σ(s), which
    knows neither p/(p + q) nor the divergence. Tolerances: rounding of sums, and the stop of Newton's method."""
    found: list[Sides] = []
    for shift in SHIFTS:
        inside = GRID.abs() < 12
        p, q = normal(0.0)[inside], normal(shift)[inside]
        score = torch.zeros_like(p)
        for _ in range(200):  # damped: steps of at most 1
            sigma = score.sigmoid()
            slope, bend = p * (1 - sigma) - q * sigma, -(p + q) * sigma * (1 - sigma)
            score = score - (slope / bend).clamp(-1, 1)
        value = integral(-p * softplus(-score) - q * softplus(score), GRID[inside])
        exact = 2 * jensen_shannon(normal(0.0), normal(shift)) - math.log(4)
        found.append(Sides(f"V at θ = {shift:g}", value, "=", exact, 1e-9))
        off = float((score.sigmoid() - p / (p + q)).abs().max())
        found.append(Sides(f"sup |D − p/(p + q)| at θ = {shift:g}", off, "=", 0.0, 1e-9))
    return found


CLAIM = Claim(
    id="T02",
    title="the optimal discriminator",
    statement="max over D of E_P log D + E_Q log(1 - D) is 2 JSD(P, Q) - log 4, at D* = p/(p + q); N(0, 1) against N(θ, 1)",
    source="Goodfellow et al., Generative Adversarial Nets, NIPS 2014, proposition 1 and theorem 1",
    check=check,
)
