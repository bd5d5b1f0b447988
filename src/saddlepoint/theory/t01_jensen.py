"""T01: an f-divergence is not negative, and 0 for equal laws alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.objectives import Divergence, TotalVariation
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.family import STRICT

ROOM = 6


@dataclass(frozen=True)
class Slack(Divergence):
    """max(|u − 1| − ½, 0): convex, but not strictly about 1."""

    def f(self, u: Tensor) -> Tensor:
        return ((u - 1).abs() - 0.5).clamp(min=0)


@dataclass(frozen=True)
class Bent(Divergence):
    """u log u − (u − 1)²: not convex."""

    def f(self, u: Tensor) -> Tensor:
        return torch.special.xlogy(u, u) - (u - 1).square()


def check() -> Sequence[Sides]:
    """On 6 points, 200 pairs of laws with log-weights N(0, 1.5²): all divergences are at least that of the two-point laws of
    {p > q} and its complement (Jensen's inequality within each), which is itself above f(1). The law nearest to P, found by a
    quasi-Newton descent in Q from three random starts, is P: to 1e-4, for slopes below 1e-8 and curvatures that are those
    of the weights of P, above 1e-2. 1e-12 in proportion is rounding.

    Needed: for f that is flat about 1 there are unequal laws with D_f = 0; for f that is not convex D_f falls below 0.
    """
    source = torch.Generator().manual_seed(0)
    pairs = torch.randn(200, 2, ROOM, generator=source, dtype=torch.float64).mul(1.5).softmax(2).unbind(1)
    inside = (pairs[0] > pairs[1]).double()
    coarse = [torch.stack([(law * inside).sum(1), (law * (1 - inside)).sum(1)], 1) for law in pairs]
    found: list[Sides] = []
    for kind in (*STRICT, TotalVariation()):
        least = float(kind.f(torch.ones((), dtype=torch.float64)))
        values, halves = divergence(kind, *pairs), divergence(kind, *coarse)
        short = float(((values - halves) / (1 + values.abs())).min())
        found += [
            Sides(f"{kind}, 200 pairs: least of D_f − D_f of two points", short, ">=", 0.0, 1e-12),
            Sides(f"{kind}, 200 pairs: least D_f of two points", float(halves.min()), ">=", least + 1e-4),
            Sides(
                f"{kind}: D_f(P‖P)",
                float(divergence(kind, pairs[0], pairs[0]).mean()),
                "=",
                least,
                1e-12,
            ),
        ]
    target = torch.tensor([0.05, 0.1, 0.1, 0.2, 0.25, 0.3], dtype=torch.float64)
    for kind in STRICT:
        off = max(
            float(
                (_nearest(kind, target, torch.randn(ROOM, generator=source, dtype=torch.float64)) - target)
                .abs()
                .max()
            )
            for _ in range(3)
        )
        found.append(Sides(f"{kind}: nearest law from P, largest difference", off, "=", 0.0, 1e-4))
    other = target[[0, 2, 1, 3, 5, 4]]  # ratios from 5/6 to 6/5
    spread = torch.tensor([[0.9, 0.1], [0.1, 0.9]], dtype=torch.float64)
    return [
        *found,
        Sides("f flat about 1, P ≠ Q: D_f", float(divergence(Slack(), target, other)), "=", 0.0),
        Sides("f not convex: D_f", float(divergence(Bent(), spread[0], spread[1])), "<=", -1.0),
    ]


def divergence(kind: Divergence, p: Tensor, q: Tensor) -> Tensor:
    """Σ q f(p/q) over the last axis."""
    return (q * kind.f(p / q)).sum(-1)


def _nearest(kind: Divergence, p: Tensor, start: Tensor) -> Tensor:
    from scipy.optimize import minimize

    def value(logits: Any) -> tuple[float, Any]:
        leaf = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
        distance = divergence(kind, p, leaf.softmax(0))
        return distance.item(), torch.autograd.grad(distance, leaf)[0].numpy()

    best = minimize(value, start.numpy(), jac=True, method="BFGS", options={"gtol": 1e-8})
    return torch.from_numpy(best.x).softmax(0)


CLAIM = Claim(
    id="T01",
    title="an f-divergence is not negative",
    statement="D_f(P‖Q) = E_Q f(p/q) ≥ f(1) for convex f, by Jensen's inequality; equal for P = Q alone where f is strictly "
    "convex at 1",
    source="Nowozin, Cseke & Tomioka, f-GAN, NIPS 2016",
    check=check,
)
