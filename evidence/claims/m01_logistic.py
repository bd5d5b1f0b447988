"""M01, M02, M05, M11, M20: objectives at the exact optimal discriminator of two Gaussians."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from claims.check import Check, Numbers, Range, at_least, at_most
from claims.exactly import GRID, STEP, THETAS, jensen_shannon, log_normal, slope
from saddlepoint.games import GaussianShift, timed
from saddlepoint.objectives import (
    FGAN,
    GANDivergence,
    Hinge,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
    Objective,
    Weighted,
)


def at_optimum(objective: Objective, theta: float) -> tuple[float, float]:
    """L_D and dL_G/dθ at D* = p/(p + q)."""
    game = GaussianShift(objective, begin=(theta, -theta, theta**2 / 2), nodes=170)
    players, memory = game.init(0, game.data())
    batch = timed(game, 0)
    losses, _ = game.losses(("discriminator",), players, memory, batch)
    return float(losses["discriminator"]), float(game.field(players, memory, batch)["generator"])


def minimax(seed: int) -> Numbers:
    value, gradient = [], []
    for theta in THETAS:
        loss, found = at_optimum(Minimax(), theta)
        divergence = float(jensen_shannon(torch.tensor(theta)))
        value.append(abs(-loss - (2 * divergence - math.log(4))))
        gradient.append(abs(found - 2 * slope(jensen_shannon, theta)))
    return {"error of V": max(value), "error of the gradient": max(gradient)}


def non_saturating(seed: int) -> Numbers:
    found = [at_optimum(NonSaturating(), theta)[1] for theta in THETAS]
    exact = [theta - 2 * slope(jensen_shannon, theta) for theta in THETAS]
    minimaxed = at_optimum(Minimax(), THETAS[-1])[1]
    return {
        "error of the gradient": max(abs(a - b) for a, b in zip(found, exact, strict=True)),
        "least growth from one θ to the next": min(b - a for a, b in pairwise(found)),
        "minimax gradient at θ = 6": minimaxed,
    }


def tricky(seed: int) -> Numbers:
    """The row GAN with the tricky generator's loss is the non-saturating game, bit for bit but for rounding."""
    source = torch.Generator().manual_seed(0)
    score = 8 * torch.randn(4096, dtype=torch.float64, generator=source)

    def both(objective: Objective) -> tuple[Tensor, Tensor]:
        leaf = score.clone().requires_grad_()
        loss = objective.generator(leaf)  # type: ignore[attr-defined]
        return loss.detach(), torch.autograd.grad(loss, leaf)[0]

    ours, theirs = both(FGAN(GANDivergence(), tricky=True)), both(NonSaturating())
    return {
        "difference of the loss": float((ours[0] - theirs[0]).abs()),
        "difference of the gradient": float((ours[1] - theirs[1]).abs().max()),
    }


def hinge(seed: int) -> Numbers:
    """L_D at sign(p − q) against 2(1 − TV), and how far 200 other discriminators stay above it."""
    source, errors, gaps = torch.Generator().manual_seed(0), [], []
    for theta in THETAS:
        p, q = log_normal(GRID).exp(), log_normal(GRID, theta).exp()
        best = torch.sign(p - q)
        variation = math.erf(theta / 2 / math.sqrt(2))

        def loss(score: Tensor, p: Tensor = p, q: Tensor = q) -> float:
            return float(Hinge().discriminator(Weighted(score, p), Weighted(score, q)))

        errors.append(abs(loss(best) - 2 * (1 - variation)))
        noise = torch.randn(200, 1, dtype=torch.float64, generator=source)
        gaps += [loss(best + size * torch.sin((1 + abs(size)) * GRID)) - loss(best) for size in noise]
    return {"error of V": max(errors), "least loss above the optimum": min(gaps)}


def likelihood(seed: int) -> Numbers:
    """Gradient against ½dKL/dθ = θ/2, and the variance of one sample's gradient over the non-saturating one's at θ = 2."""
    errors = [abs(at_optimum(MaximumLikelihood(), theta)[1] - theta / 2) for theta in THETAS]
    theta = 2.0
    q, score = log_normal(GRID, theta).exp(), theta**2 / 2 - theta * GRID
    samples = {"likelihood": 0.5 * theta * score.exp(), "non-saturating": theta * (-score).sigmoid()}
    spread = {n: (q * g**2).sum() * STEP - ((q * g).sum() * STEP) ** 2 for n, g in samples.items()}
    return {
        "error of the gradient": max(errors),
        "variance over the non-saturating one's": float(spread["likelihood"] / spread["non-saturating"]),
    }


CHECKS = (
    Check(
        "M01",
        "value and generator gradient at the optimal D, N(θ, 1) against N(0, 1), θ from .25 to 6",
        "V = −log 4 + 2 JSD; gradient 2 dJSD/dθ",
        "exact",
        {"error of V": at_most(1e-4), "error of the gradient": at_most(1e-4)},
        minimax,
    ),
    Check(
        "M02",
        "generator gradient at the optimal D, θ from .25 to 6",
        "d(KL(Q‖P) − 2 JSD)/dθ to 6 digits; grows with θ while the minimax one vanishes",
        "exact",
        {
            "error of the gradient": at_most(1e-6),
            "least growth from one θ to the next": at_least(0),
            "minimax gradient at θ = 6": at_most(0.1),
        },
        non_saturating,
    ),
    Check(
        "M05",
        "the GAN row's tricky generator against the non-saturating loss, 4096 scores",
        "equal",
        "exact",
        {"difference of the loss": Range(0, 0), "difference of the gradient": Range(0, 0)},
        tricky,
    ),
    Check(
        "M11",
        "hinge loss at D = sign(p − q), θ from .25 to 6, against 2(1 − TV), and at 200 perturbed D each",
        "2(1 − TV), and nothing is below",
        "exact",
        {"error of V": at_most(1e-6), "least loss above the optimum": at_least(0)},
        hinge,
    ),
    Check(
        "M20",
        "gradient at the optimal D, θ from .25 to 6; variance of one sample's gradient at θ = 2",
        "½ dKL(P‖Q)/dθ = θ/2; variance far above the non-saturating one's (10 times: chosen)",
        "exact",
        {"error of the gradient": at_most(1e-4), "variance over the non-saturating one's": at_least(10)},
        likelihood,
    ),
)
