"""T32: the capacity of the discriminator bounds the divergence that it sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from saddlepoint.objectives import KL, Divergence, JensenShannon, Pearson, ReverseKL, SquaredHellinger
from saddlepoint.theory.claim import Claim, Sides

X = torch.linspace(-6, 6, 601, dtype=torch.float64)
KINDS: tuple[Divergence, ...] = (KL(), ReverseKL(), JensenShannon(), SquaredHellinger(), Pearson())
DEGREES = tuple(range(9))
KNOTS = (0, 1, 3, 7, 15, 31)  # each set holds the one before


def check() -> Sequence[Sides]:
    """P, a mixture of two normals, and Q, a wider one, as laws on 601 points, so that D_f is an exact sum. Left: the supremum
    of E_P g(v) − E_Q f*(g(v)) over v in a family, concave in its coefficients, by Newton's method from 0, anew for each,
    until no step along it gains: at quadratic convergence that is rounding, far below 1e-9.

    Known: constants see f(1) = 0; between N(½, 0.8²) and N(0, 1) linear functions see of KL what the means tell, ½·½² (of
    the laws cut at 6, to 1e-7), quadratic ones all of D_f, since the best score is log p/q (for KL 1 more). With 31 knots
    99 % is seen. Families that are not nested may see less with a higher degree: of laws that are symmetric about 0,
    a + bx³ sees nothing.
    """
    p, q = _laws()
    found: list[Sides] = []
    for kind in KINDS:
        exact = float((q * kind.f(p / q)).sum())
        for name, families in (("degree", polynomials()), ("knots", hinges())):
            seen = {size: bound(kind, p, q, family) for size, family in families.items()}
            sizes = tuple(seen)
            gains = [(size, seen[size] - seen[less]) for less, size in pairwise(sizes)]
            found += [Sides(f"{kind}: gain by {name} {size}", gain, ">=", 0.0, 1e-9) for size, gain in gains]
            found += [
                Sides(f"{kind}: bound at {name} {size}", seen[size], "<=", exact, 1e-9) for size in sizes
            ]
            if name == "degree":
                found.append(Sides(f"{kind}: bound of constants", seen[0], "=", 0.0, 1e-9))
                found.append(Sides(f"{kind}: bound at degree 1", seen[1], "<=", 0.5 * exact))
            else:
                found.append(Sides(f"{kind}: bound at 31 knots", seen[31], ">=", 0.99 * exact))
    return found + _normals() + _apart(p, q)


def _normals() -> list[Sides]:
    p, q = _normal(0.5, 0.8), _normal(0.0, 1.0)
    families = polynomials()
    found = [Sides("normals, KL by linear functions", bound(KL(), p, q, families[1]), "=", 0.125, 1e-6)]
    for kind in (KL(), JensenShannon()):
        exact = float((q * kind.f(p / q)).sum())
        found += [
            Sides(
                f"normals, {kind} by quadratic functions", bound(kind, p, q, families[2]), "=", exact, 1e-9
            ),
            Sides(
                f"normals, {kind} by linear functions", bound(kind, p, q, families[1]), "<=", exact - 0.005
            ),
        ]
    return found


def _apart(p: Tensor, q: Tensor) -> list[Sides]:
    even, odd = (torch.stack([torch.ones_like(X), X**power], dim=1) for power in (2, 3))
    law = (p + p.flip(0)) / 2
    return [
        Sides("symmetric laws, KL by a + bx²", bound(KL(), law, q, even), ">=", 0.01),
        Sides("symmetric laws, KL by a + bx³", bound(KL(), law, q, odd), "=", 0.0, 1e-9),
    ]


def bound(kind: Divergence, p: Tensor, q: Tensor, family: Tensor) -> float:
    """sup over v in the span of the columns of `family` [points, functions] of E_P g(v) − E_Q f*(g(v)); p, q [points]."""
    weight = ((p + q) / 2).sqrt()[:, None]
    basis = torch.linalg.qr(weight * family).Q / weight

    def losses(at: Tensor) -> Tensor:
        return q * kind.composite(at) - p * kind.activation(at)

    at = torch.zeros(family.shape[1], dtype=torch.float64)
    value = float(losses(basis @ at).sum())
    for _ in range(100):
        v = (basis @ at).requires_grad_()
        slope = torch.autograd.grad(losses(v).sum(), v, create_graph=True)[0]
        bend = torch.autograd.grad(slope.sum(), v)[0]
        uphill = basis.T @ slope.detach()
        step = torch.linalg.solve(basis.T @ (bend[:, None] * basis), uphill)
        length, moved = 2.0, math.inf
        while not moved <= value - length * float(uphill @ step) / 4 and length > 1e-6:
            length /= 2
            moved = float(losses(basis @ (at - length * step)).sum())
        if not moved < value:
            break
        at, value = at - length * step, moved
    return -value


def polynomials() -> dict[int, Tensor]:
    """Columns x^0 to x^k over the points, by degree k."""
    return {degree: torch.stack([(X / 6) ** k for k in range(degree + 1)], dim=1) for degree in DEGREES}


def hinges() -> dict[int, Tensor]:
    """Columns 1, x and max(x − c, 0), by the number of knots c: a layer of rectified units."""
    return {
        count: torch.stack(
            [torch.ones_like(X), X]
            + [(X - c).clamp(min=0) for c in torch.linspace(-4, 4, count + 2)[1:-1].tolist()],
            dim=1,
        )
        for count in KNOTS
    }


def _laws() -> tuple[Tensor, Tensor]:
    return 0.4 * _normal(-1.5, 0.6) + 0.6 * _normal(1.2, 0.8), _normal(0.0, 1.8)


def _normal(mean: float, deviation: float) -> Tensor:
    return (-((X - mean) / deviation).square() / 2).softmax(0)


def figure(axes: Any) -> None:
    p, q = _laws()
    for kind in KINDS:
        exact = float((q * kind.f(p / q)).sum())
        shares = [bound(kind, p, q, family) / exact for family in polynomials().values()]
        axes.plot(DEGREES, shares, "o-", markersize=4, label=type(kind).__name__)
    axes.axhline(1, color="grey", linestyle=":", label="D_f")
    axes.set(xlabel="degree of the polynomials that judge", ylabel="share of the divergence that is seen")
    axes.legend()


CLAIM = Claim(
    id="T32",
    title="the capacity of the discriminator",
    statement="sup over T in a family of E_P T − E_Q f*(T): for nested families it grows with them, and is at most D_f",
    source="Nowozin, Cseke & Tomioka, f-GAN, NIPS 2016",
    check=check,
    figure=figure,
)
