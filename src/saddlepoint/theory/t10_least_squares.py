"""T10: for which targets the least-squares game is Pearson's χ²."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from saddlepoint.objectives import LeastSquares, Pearson
from saddlepoint.objectives.base import Weighted
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import GRID, divergence, integral, normal

X = GRID[GRID.abs() <= 16]
EQUAL = ((-1.0, 1.0, 0.0), (0.0, 2.0, 1.0), (3.0, 5.0, 4.0), (1.0, -1.0, 0.0))  # (a, b, c)
OTHERS = ((0.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (0.0, 1.0, 0.0), (-1.0, 1.0, 0.2), (-1.2, 1.0, 0.0))
FITS = ((0.5, 1.0), (2.0, 1.0), (-1.0, 0.7), (1.0, 1.6))  # mean and deviation of Q; P = N(0, 1)


def check() -> Sequence[Sides]:
    """Left: 2C = E_P(D − c)² + E_Q(D − c)² at the D that one step of Newton's method finds for the discriminator's loss,
    which is quadratic in every score. Right: ∫(2q − (p + q))²/(p + q), Pearson's f at 2q/(p + q), by quadrature; 1e-9 for
    rounding and tails beyond 16. With α = b − c, β = b − a, 2C = 2α² − 2αβ + ½β² + ¼β²χ² always, so it is χ² for
    (α, β) = ±(1, 2) alone; for others it is off, though by a constant and a factor: its least is at Q = P for a ≠ b.

    C is not what a generator descends that holds D fixed, E_Q(D* − c)²: for (−1, 1, 0) both slopes add up to −2∫D* ∂q,
    and differ. 1e-5 for differences of step 1e-3.
    """
    found: list[Sides] = []
    p = normal(at=X)
    for fit in FITS:
        q = normal(*fit, at=X)
        chi = divergence(Pearson(), 2 * q, p + q, X)
        for targets in EQUAL:
            found.append(
                Sides(f"(a, b, c) = {targets}, Q = N{fit}: 2C", twice(targets, p, q), "=", chi, 1e-9)
            )
        for a, b, c in OTHERS:
            value, alpha, beta = twice((a, b, c), p, q), b - c, b - a
            line = 2 * alpha**2 - 2 * alpha * beta + beta**2 / 2 + beta**2 / 4 * chi
            at = f"(a, b, c) = {(a, b, c)}, Q = N{fit}"
            found += [
                Sides(f"{at}: 2C by χ²", value, "=", line, 1e-9),
                Sides(f"{at}: |2C − χ²|", abs(value - chi), ">=", 0.005),
            ]
    for targets in (*EQUAL, *OTHERS):
        least = twice(targets, p, p)
        above = min(twice(targets, p, normal(*fit, at=X)) - least for fit in FITS)
        found.append(Sides(f"(a, b, c) = {targets}: 2C at Q ≠ P less that at Q = P", above, ">=", 0.005))
    return found + _descended()


def twice(targets: tuple[float, float, float], p: Tensor, q: Tensor) -> float:
    """2C(G): both sides judged by the generator's loss at the best discriminator."""
    objective, score = LeastSquares(*targets), best(targets, p, q)
    return 2 * float(sum(objective.generator(Weighted(score, law)) for law in (p, q)))


def best(targets: tuple[float, float, float], p: Tensor, q: Tensor) -> Tensor:
    """The scores at which the discriminator's loss is least."""
    score = torch.zeros_like(p, requires_grad=True)
    loss = LeastSquares(*targets).discriminator(Weighted(score, p), Weighted(score, q))
    (slope,) = torch.autograd.grad(loss, score, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), score)
    return torch.where(bend > 0, -slope.detach() / bend, 0.0)


def _descended() -> list[Sides]:
    """The slopes in the mean m of Q = N(m, 1): of E_Q(D* − c)² with D* fixed, by differences, and of χ²."""
    step, found, p = 1e-3, [], normal(at=X)
    for mean in (1.0, 2.0, 3.0):
        before, after = normal(mean - step, at=X), normal(mean + step, at=X)
        fixed = best(EQUAL[0], p, normal(mean, at=X))
        moved = (after - before) / (2 * step)
        seen = integral(moved * fixed.square(), X)
        exact = sum(
            sign * divergence(Pearson(), 2 * q, p + q, X) for sign, q in ((1, after), (-1, before))
        ) / (2 * step)
        found += [
            Sides(f"both slopes, m = {mean:g}", seen + exact, "=", -2 * integral(moved * fixed, X), 1e-5),
            Sides(f"slope of χ² from that with D* fixed, m = {mean:g}", abs(exact - seen), ">=", 0.1 * exact),
        ]
    return found


CLAIM = Claim(
    id="T10",
    title="least squares and Pearson's χ²",
    statement="with D optimal, E_P(D − c)² + E_Q(D − c)² = ∫(2q − (p + q))²/(p + q) exactly where b − c = 1 and b − a = 2, "
    "up to a common sign; for other a ≠ b it is a growing affine function of that",
    source="Mao et al., Least Squares Generative Adversarial Networks, ICCV 2017, section 3.2",
    check=check,
)
