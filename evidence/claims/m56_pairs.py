"""M06, M56, M57, M65, M71: closed forms of objectives and of the consistency term."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from claims.check import Check, Numbers, Range, at_least, at_most
from claims.exactly import GRID, STEP, THETAS, log_normal
from saddlepoint.objectives import (
    LabelSmoothing,
    LeastSquares,
    Margin,
    Minimax,
    Objective,
    Relativistic,
    RelativisticAverage,
    Squared,
    Weighted,
)
from saddlepoint.penalties import Consistency
from saddlepoint.penalties.consistency import Jitter

PAIRED: dict[str, Objective] = {
    "RpGAN": Relativistic(),
    "RaGAN": RelativisticAverage(),
    "RaLSGAN": RelativisticAverage(Squared()),
    "RaHinge": RelativisticAverage(Margin()),
}


def gradient(loss: Tensor, at: Tensor) -> Tensor:
    return torch.autograd.grad(loss, at)[0]


def least_squares(seed: int) -> Numbers:
    """2C(G) = ∫(2q − (p + q))²/(p + q) for (−1, 1, 0), from the losses at the best discriminator that LBFGS-free algebra
    gives, (bp + aq)/(p + q), whose gradient is checked to vanish; and slopes at a fake with s = −12."""
    objective, errors, rests = LeastSquares(-1.0, 1.0, 0.0), [], []
    for theta in THETAS:
        p, q = log_normal(GRID).exp(), log_normal(GRID, theta).exp()
        score = ((p - q) / (p + q)).nan_to_num().requires_grad_()
        loss = objective.discriminator(Weighted(score, p), Weighted(score, q))
        rests.append(float(gradient(loss, score).abs().max()))
        real = 0.5 * (p * score.square()).sum() * STEP  # the part that does not depend on G's samples
        cost = real + objective.generator(Weighted(score, q))
        identity = ((q - p).square() / (p + q)).nan_to_num().sum() * STEP
        errors.append(abs(float((2 * cost - identity).detach())))
    far = torch.tensor([-12.0], dtype=torch.float64, requires_grad=True)
    return {
        "error of the identity": max(errors),
        "gradient of L_D at its optimum": max(rests),
        "slope at a far fake": float(gradient(objective.generator(far), far).abs()),
        "minimax slope there": float(gradient(Minimax().generator(far), far).abs()),
    }


def relativistic(seed: int) -> Numbers:
    source = torch.Generator().manual_seed(0)
    real, fake = (3 * torch.randn(512, dtype=torch.float64, generator=source) for _ in range(2))
    found: Numbers = {"change when 5 is added to every score": 0.0}
    for name, objective in PAIRED.items():
        for player in objective.players:
            loss = getattr(objective, player)
            moved = abs(float(loss(real + 5, fake + 5) - loss(real, fake)))
            found["change when 5 is added to every score"] = max(
                found["change when 5 is added to every score"], moved
            )
            constant = abs(
                float(loss(real * 0 + 0.7, fake * 0 + 0.7))
                - (math.log(2) if "L" not in name and "H" not in name else 1)
            )
            found[f"error at a constant score, {name}"] = max(
                found.get(f"error at a constant score, {name}", 0.0), constant
            )
    return found


def smoothed(real: float, fake: float, p: Tensor, q: Tensor) -> Tensor:
    """The probabilities at which L_D rests, by Newton's method from 0, density by density."""
    score = torch.zeros_like(p)
    for _ in range(40):
        leaf = score.clone().requires_grad_()
        loss = LabelSmoothing(real, fake).discriminator(Weighted(leaf, p), Weighted(leaf, q))
        slope = torch.autograd.grad(loss, leaf)[0] * p.sum()
        curvature = (p + q) * leaf.sigmoid() * (1 - leaf.sigmoid())
        score = (leaf - slope / curvature.clamp(min=1e-300)).detach().clamp(-30, 30)
    return score.sigmoid()


def label_smoothing(seed: int) -> Numbers:
    """P = N(0, 1), Q = N(6, 1): the optimal D for (.9, 0) and for fakes smoothed too (.9, .1)."""
    inside = (GRID > -3) & (GRID < 9)
    p, q = log_normal(GRID[inside]).exp(), log_normal(GRID[inside], 6.0).exp()
    one, both = smoothed(0.9, 0.0, p, q), smoothed(0.9, 0.1, p, q)
    equal = smoothed(0.9, 0.0, p, p)
    exact = (0.9 * p + 0.1 * q) / (p + q)
    return {
        "error of D*, one-sided": float((one - 0.9 * p / (p + q)).abs().max()),
        "error of D*, both": float((both - exact).abs().max()),
        "D at the equilibrium": float(equal.mean()),
        "D at Q's mode, one-sided": float(one[(GRID[inside] - 6).abs().argmin()]),
        "D at Q's mode, both": float(both[(GRID[inside] - 6).abs().argmin()]),
    }


def consistency(seed: int) -> Numbers:
    """Zero for a discriminator that sees the norm alone when T turns; its gradient in a small network against central
    differences."""
    source = torch.Generator().manual_seed(0)
    points = torch.randn(64, 2, dtype=torch.float64, generator=source)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    term = Consistency(weight=10.0, by=Jitter(0.1))
    zero = float(term.of(lambda x: x.square().sum(1), points, points @ turn))
    weights = torch.randn(17, dtype=torch.float64, generator=source)
    changed = points + 0.1 * torch.randn(64, 2, dtype=torch.float64, generator=source)

    def loss(w: Tensor) -> Tensor:
        def score(x: Tensor) -> Tensor:
            return (x @ w[:8].view(2, 4) + w[8:12]).tanh() @ w[12:16] + w[16]

        return term.of(score, points, changed)

    leaf = weights.clone().requires_grad_()
    found = gradient(loss(leaf), leaf)
    axes = 1e-5 * torch.eye(17, dtype=torch.float64)
    expected = torch.stack([(loss(weights + a) - loss(weights - a)) / 2e-5 for a in axes])
    return {
        "term of an invariant D": zero,
        "relative error of the gradient": float((found - expected).norm() / expected.norm()),
        "norm of the gradient": float(found.norm()),
    }


CONSTANT = {f"error at a constant score, {name}": at_most(1e-12) for name in PAIRED}
CHECKS = (
    Check(
        "M06",
        "LSGAN (−1, 1, 0) at the best D, θ from .25 to 6; slopes at a fake with score −12",
        "2C(G) = ∫(2q − (p + q))²/(p + q); non-zero where the minimax slope is below 1e-3",
        "exact",
        {
            "error of the identity": at_most(1e-6),
            "gradient of L_D at its optimum": at_most(1e-12),
            "slope at a far fake": at_least(0.1),
            "minimax slope there": at_most(1e-3),
        },
        least_squares,
    ),
    Check(
        "M56",
        "relativistic losses of 512 scores (with M57)",
        "no change when a constant is added; log 2 at a constant score for RpGAN, RaGAN, 1 for RaLSGAN, RaHinge",
        "exact",
        {"change when 5 is added to every score": at_most(1e-12), **CONSTANT},
        relativistic,
    ),
    Check(
        "M65",
        "optimal D of smoothed labels, N(0, 1) against N(6, 1), found by Newton's method",
        "(rp + fq)/(p + q); (1 − α)/2 at the equilibrium; with f > 0 D is f and not 0 at Q's mode",
        "exact",
        {
            "error of D*, one-sided": at_most(1e-6),
            "error of D*, both": at_most(1e-6),
            "D at the equilibrium": Range(0.45 - 1e-9, 0.45 + 1e-9),
            "D at Q's mode, one-sided": at_most(1e-6),
            "D at Q's mode, both": Range(0.0999, 0.1001),
        },
        label_smoothing,
    ),
    Check(
        "M71",
        "consistency of an invariant D; gradient in a network of 17 weights by central differences",
        "0; equal",
        "exact",
        {
            "term of an invariant D": at_most(1e-24),
            "relative error of the gradient": at_most(1e-7),
            "norm of the gradient": at_least(1e-3),
        },
        consistency,
    ),
)
