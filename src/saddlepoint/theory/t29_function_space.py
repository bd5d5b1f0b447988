"""T29: small steps in the space of densities against the optimal discriminator lead to the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.objectives import JensenShannon, Minimax, Weighted
from saddlepoint.theory.claim import Claim, Sides

ATOMS = 20


def best(p: Tensor, q: Tensor) -> Tensor:
    """The score log p/q of the optimal discriminator σ(log p/q) = p/(p + q)."""
    return p.log() - q.log()


def value(p: Tensor, q: Tensor, score: Tensor) -> Tensor:
    """V = Σ p log D + Σ q log(1 − D), D = σ(score)."""
    return -Minimax().discriminator(Weighted(score, p), Weighted(score, q))


def slope(p: Tensor, q: Tensor, score: Tensor) -> Tensor:
    """∂V/∂q along the simplex, the discriminator held."""
    given = q.clone().requires_grad_()
    return torch.autograd.grad(value(p, given, score), given)[0]


def played(p: Tensor, q: Tensor, step: float, steps: int, held: Tensor | None = None) -> list[Tensor]:
    """q before the first step and after each: mirror descent with the entropy, q ∝ q exp(−η ∂V/∂q), on the score of the
    optimal discriminator of the present q, or on one that is `held`."""
    seen = [q]
    for _ in range(steps):
        gradient = slope(p, q, best(p, q) if held is None else held)
        q = (q.log() - step * gradient).softmax(0)
        seen.append(q)
    return seen


def excess(p: Tensor, q: Tensor) -> float:
    """max over D of V, less its least value −log 4 at q = p."""
    return float(value(p, q, best(p, q))) + math.log(4)


def apart(p: Tensor, q: Tensor) -> float:
    return float((p - q).abs().sum()) / 2


def check() -> Sequence[Sides]:
    """The slope at the optimal D, held, against that of Σ q f(p/q) through both densities.

    The excess U(q) = 2 JSD is convex with ∂²U = p/(q(p + q)) ≤ 1/q, the curvature of the entropy: with η ≤ 1 T steps leave
    at most KL(p‖q₀)/(ηT). Beside p, ∂²U = 1/(2p), so that a step takes η/2 of what is left: measured over one step from
    |log q/p| < 10⁻⁴, which is also the size of the next order; for η > 4 it overshoots. A discriminator that is held sends
    all mass to the atom of highest score."""
    source = torch.Generator().manual_seed(0)
    found: list[Sides] = []
    for number in range(4):
        p, q = (
            torch.randn(2, ATOMS, generator=source, dtype=torch.float64)
            .mul((1, 3, 0.3, 2)[number])
            .softmax(1)
        )
        through = q.clone().requires_grad_()
        whole = torch.autograd.grad((through * JensenShannon().f(p / through)).sum(), through)[0]
        off = (slope(p, q, best(p, q)) - slope(p, q, best(p, q)).mean()) - (whole - whole.mean())
        found.append(
            Sides(
                f"pair {number}: sup |slope at D* − slope of 2 JSD|", float(off.abs().max()), "=", 0.0, 1e-9
            )
        )
        start = float(torch.special.xlogy(p, p / q).sum())
        for step in (0.25, 0.5, 1.0):
            seen = played(p, q, step, 300)
            found += [
                Sides(
                    f"pair {number}, η = {step:g}: 2 JSD after {t} steps",
                    excess(p, seen[t]),
                    "<=",
                    start / (step * t),
                    1e-13,
                )
                for t in (1, 10, 100)
            ]
            near = next((t for t in range(299) if float(best(p, seen[t]).abs().max()) < 1e-4), 299)
            factor = apart(p, seen[near + 1]) / apart(p, seen[near])
            found += [
                Sides(f"pair {number}, η = {step:g}: TV after 300 steps", apart(p, seen[-1]), "<=", 1e-9),
                Sides(
                    f"pair {number}, η = {step:g}: factor of TV in a step", factor, "=", 1 - step / 2, 1e-4
                ),
            ]
        beside = (p.log() + 1e-3 * (q.log() - p.log())).softmax(0)
        wide = played(p, beside, 4.4, 1)
        found.append(
            Sides(f"pair {number}, η = 4.4: factor of TV", apart(p, wide[1]) / apart(p, wide[0]), ">=", 1.0)
        )
        score = best(p, q)
        last = played(p, q, 1.0, 2000, held=score)[-1]
        found.append(
            Sides(f"pair {number}, D held: TV", apart(p, last), "=", 1 - float(p[score.argmax()]), 1e-6)
        )
    return found


def figure(axes: Any) -> None:
    source = torch.Generator().manual_seed(0)
    p, q = torch.randn(2, ATOMS, generator=source, dtype=torch.float64).softmax(1)
    for step in (0.25, 0.5, 1.0):
        axes.semilogy(
            [apart(p, one) for one in played(p, q, step, 100)], label=f"optimal D at each step, η = {step:g}"
        )
    axes.semilogy(
        [apart(p, one) for one in played(p, q, 0.5, 100, held=best(p, q))], "k--", label="D held, η = 0.5"
    )
    axes.set(xlabel="step of the generator", ylabel="total variation from the data", ylim=(1e-10, 2))
    axes.legend(loc="lower left")


CLAIM = Claim(
    id="T29",
    title="convergence in the space of densities",
    statement="with the optimal discriminator at each step and small steps of the density p_g itself, p_g converges to p: "
    "max over D of V is convex in p_g, and the slope at D* is its slope",
    source="Goodfellow et al., Generative Adversarial Nets, NIPS 2014, proposition 2",
    check=check,
    figure=figure,
)
