"""T05: what the non-saturating generator descends at the optimal discriminator."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.objectives import Minimax, NonSaturating
from saddlepoint.objectives.base import Weighted
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import GRID, jensen_shannon, normal, relative_entropy

SHIFTS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
FITS = ((0.5, -0.2), (-1.5, 0.4), (2.0, -0.5), (0.0, 0.0))  # mean and log deviation of Q
STEP = 0.004

Density = Callable[[Tensor], Tensor]  # its logarithm


def check() -> Sequence[Sides]:
    """Left: the generator's loss at G(z) = m + e^l z, differentiated by (m, l) with D held fixed at σ(log p − log q).
    Right: differences of divergences between densities, P normal or a mixture of two. Their error, h⁴/30 times a fifth
    derivative (below 500) at h = 0.004, and that of sums over the grid, 1e-13/h, are together below 1e-8.

    Sharp: with the other sign of the JSD it is off by 4 dJSD/dθ, and with a D that is optimal for another θ by more.
    """
    found: list[Sides] = []
    for shift in SHIFTS:
        found += _pairs(f"θ = {shift:g}", _standard, (shift, 0.0))
    for fit in FITS:
        found += _pairs(f"{fit} against a mixture", _mixture, fit)
    for shift in (0.5, 1.0, 2.0):
        at = (shift, 0.0)
        own, stale = slopes(_standard, at)[0][0], slopes(_standard, at, judged=(shift / 2, 0.0))[0][0]
        entropy, shared = differences(_standard, at, 0)
        found += [
            Sides(
                f"off the slope of KL + 2 JSD at θ = {shift:g}", abs(own - entropy - 2 * shared), ">=", 0.1
            ),
            Sides(f"off with the D of θ/2 at θ = {shift:g}", abs(own - stale), ">=", 0.1),
        ]
    return found


def _pairs(at: str, p: Density, fit: tuple[float, float]) -> list[Sides]:
    alternative, minimax = slopes(p, fit)
    found: list[Sides] = []
    for index, name in enumerate(("mean", "log deviation")):
        entropy, shared = differences(p, fit, index)
        found += [
            Sides(
                f"slope of −E_Q log D in the {name}, {at}",
                alternative[index],
                "=",
                entropy - 2 * shared,
                1e-8,
            ),
            Sides(f"slope of E_Q log(1 − D) in the {name}, {at}", minimax[index], "=", 2 * shared, 1e-8),
        ]
    return found


def slopes(
    p: Density, fit: tuple[float, float], judged: tuple[float, float] | None = None
) -> tuple[list[float], list[float]]:
    """The gradients by (m, l) of the non-saturating and of the minimax generator, D optimal for Q or for `judged`."""
    moved = torch.tensor(fit, dtype=torch.float64, requires_grad=True)
    x = moved[0] + moved[1].exp() * GRID
    score = Weighted(p(x) - _log_normal(x, *(judged or fit)), normal())
    losses = (objective.generator(fake_score=score) for objective in (NonSaturating(), Minimax()))
    first, second = (torch.autograd.grad(loss, moved, retain_graph=True)[0].tolist() for loss in losses)
    return first, second


def differences(p: Density, fit: tuple[float, float], index: int) -> tuple[float, float]:
    """The slopes of KL(Q‖P) and JSD(P, Q) in the mean or the log deviation, by five points."""
    weights = {-2: 1 / 12, -1: -8 / 12, 1: 8 / 12, 2: -1 / 12}
    density, slope = p(GRID).exp(), [0.0, 0.0]
    for steps, weight in weights.items():
        moved = list(fit)
        moved[index] += steps * STEP
        q = _log_normal(GRID, *moved).exp()
        for which, value in enumerate((relative_entropy(q, density), jensen_shannon(density, q))):
            slope[which] += weight * value / STEP
    return slope[0], slope[1]


def _log_normal(x: Tensor, mean: float = 0.0, log_deviation: float = 0.0) -> Tensor:
    return -((x - mean) * math.exp(-log_deviation)).square() / 2 - log_deviation - math.log(math.tau) / 2


def _standard(x: Tensor) -> Tensor:
    return _log_normal(x)


def _mixture(x: Tensor) -> Tensor:
    return torch.logaddexp(_log_normal(x, -2.0, -0.4), _log_normal(x, 1.5, 0.1)) - math.log(2)


def figure(axes: Any) -> None:
    shifts = torch.linspace(0.05, 8, 80, dtype=torch.float64).tolist()
    both = [slopes(_standard, (shift, 0.0)) for shift in shifts]
    axes.semilogy(shifts, [first[0] for first, _ in both], label="−E_Q log D: slope of KL(Q‖P) − 2 JSD")
    axes.semilogy(shifts, [second[0] for _, second in both], label="E_Q log(1 − D): slope of 2 JSD")
    axes.semilogy(shifts, shifts, color="grey", linestyle=":", label="θ: slope of KL(Q‖P)")
    axes.set(
        xlabel="θ, Q = N(θ, 1) against P = N(0, 1)", ylabel="slope of the generator's loss in θ, D optimal"
    )
    axes.legend()


CLAIM = Claim(
    id="T05",
    title="the −log D alternative",
    statement="at D* = p/(p + q), held fixed: ∇ −E_Q log D* = ∇(KL(Q‖P) − 2 JSD(P, Q)); ∇ E_Q log(1 − D*) = ∇ 2 JSD(P, Q)",
    source="Arjovsky & Bottou, Towards Principled Methods for Training GANs, ICLR 2017, theorem 2.5",
    check=check,
    figure=figure,
)
