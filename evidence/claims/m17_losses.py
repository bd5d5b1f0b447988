"""M17: the non-parametric LS-GAN loss as a linear program, its bounds, and GLS-GAN with slope 1."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from claims.check import Check, Numbers, at_least, at_most
from saddlepoint.objectives import LossSensitive, Wasserstein

Array = NDArray[np.float64]
WEIGHT, KAPPA, COUNT = 2.0, 1.5, 12  # λ, κ, and samples on each side


def program(distance: Array) -> tuple[Array, Array, Array]:
    """min Σ_real l/n + λ/n² Σ ξ over (l, ξ) ≥ 0, subject to Δ_ij + l_i − l_j ≤ ξ_ij, l_i − l_j ≤ κΔ_ij: costs, rows,
    bounds."""
    n, total = COUNT, 2 * COUNT
    cost = np.concatenate([np.full(n, 1 / n), np.zeros(n), np.full(n * n, WEIGHT / n**2)])
    rows, bounds = [], []
    for i in range(n):
        for j in range(n):
            line = np.zeros(len(cost))
            line[i], line[n + j], line[total + n * i + j] = 1, -1, -1
            rows.append(line)
            bounds.append(-distance[i, n + j])
    for i in range(total):
        for j in range(total):
            line = np.zeros(len(cost))
            line[i] += 1
            line[j] -= 1
            rows.append(line)
            bounds.append(KAPPA * distance[i, j])
    return cost, np.array(rows), np.array(bounds)


def measure(seed: int) -> Numbers:
    """Primal by one solver and the dual program by another; bounds on 500 points; GLS with slope 1 against WGAN."""
    from scipy.optimize import linprog

    random = np.random.default_rng(seed)
    points = np.concatenate([random.normal(0, 1, (COUNT, 2)), random.normal(1, 1, (COUNT, 2))])
    distance = abs(points[:, None] - points).sum(2)
    cost, rows, bounds = program(distance)
    primal = linprog(cost, A_ub=rows, b_ub=bounds, method="highs-ds")
    dual = linprog(bounds, A_ub=-rows.T, b_ub=cost, method="highs-ipm")  # max −bᵀy, Aᵀy ≥ −c, y ≥ 0
    losses = primal.x[: 2 * COUNT]
    at = random.normal(0, 3, (500, 2))
    lower, upper = (side(losses, abs(at[:, None] - points).sum(2)) for side in (below, above))
    between = abs(at[:, None] - at).sum(2) + np.eye(500)
    steep = max(float((abs(v[:, None] - v) / between).max()) for v in (lower, upper))
    inside = max(float(abs(side(losses, distance) - losses).max()) for side in (below, above))
    return {
        "worst violation": float(max((rows @ primal.x - bounds).max(), -primal.x.min())),
        "gap of primal and dual": abs(float(primal.fun + dual.fun)),
        "least of upper − lower": float((upper - lower).min()),
        "steepness of the bounds": steep,
        "error at the samples": inside,
        "difference from WGAN's gradients": wasserstein(seed),
    }


def below(losses: Array, distance: Array) -> Array:
    return np.maximum(losses - KAPPA * distance, 0).max(1)


def above(losses: Array, distance: Array) -> Array:
    return (losses + KAPPA * distance).min(1)


def wasserstein(seed: int) -> float:
    """The gradient in the scores: slope 1 without the data term is that of a Wasserstein critic −s."""
    source = torch.Generator().manual_seed(seed)
    real, fake = (torch.randn(64, dtype=torch.float64, generator=source).requires_grad_() for _ in range(2))
    points = [torch.randn(64, 2, dtype=torch.float64, generator=source) for _ in range(2)]
    ours = LossSensitive(data=0.0, slope=1.0).discriminator(real, fake, *points)
    theirs = Wasserstein().discriminator(-real, -fake)
    pairs = zip(
        torch.autograd.grad(ours, [real, fake]), torch.autograd.grad(theirs, [real, fake]), strict=True
    )
    return max(float((a - b).abs().max()) for a, b in pairs)


CHECKS = (
    Check(
        "M17",
        "linear program of the non-parametric loss on 12 and 12 points, its lower and upper bound; GLS with ν = 1",
        "every constraint holds, primal = dual, lower ≤ upper, both κ-Lipschitz and through the losses; WGAN's gradients",
        "exact",
        {
            "worst violation": at_most(1e-9),
            "gap of primal and dual": at_most(1e-7),
            "least of upper − lower": at_least(-1e-9),
            "steepness of the bounds": at_most(KAPPA + 1e-9),
            "error at the samples": at_most(1e-9),
            "difference from WGAN's gradients": at_most(1e-15),
        },
        measure,
        seeds=5,
    ),
)
