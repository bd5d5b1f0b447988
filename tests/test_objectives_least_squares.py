"""Least squares at its optimal discriminator: the identity of Pearson's divergence."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from saddlepoint.objectives import LeastSquares

pytestmark = pytest.mark.usefixtures("double")


def density(at: Tensor, mean: float) -> Tensor:
    return (-0.5 * (at - mean) ** 2).exp() / math.sqrt(math.tau)


@pytest.mark.parametrize(("a", "b", "c"), [(-1.0, 1.0, 0.0), (0.0, 1.0, 1.0), (-1.0, 1.0, 1.0)])
def test_least_squares_at_its_optimal_discriminator(a: float, b: float, c: float) -> None:
    """M06: D* = (bp + aq)/(p + q) makes the slope of L_D vanish, and ½E_P(D* − c)² + L_G is
    ½∫((b − c)(p + q) − (b − a)q)²/(p + q): half of Pearson's χ²(P + Q‖2Q) for b − c = 1, b − a = 2."""
    x = torch.linspace(-11, 11, 40_001)
    p, q, weight = density(x, 0.0), density(x, 0.7), 22 / 40_000
    best = ((b * p + a * q) / (p + q)).requires_grad_()
    loss = (0.5 * p * (best - b) ** 2 + 0.5 * q * (best - a) ** 2).sum()
    assert torch.autograd.grad(loss, best)[0].abs().max() < 1e-15
    objective = LeastSquares(a, b, c)

    def expectation(of: Tensor, value: Callable[[Tensor], Tensor]) -> float:
        return sum(
            (of[i : i + 1] * value(best.detach()[i : i + 1])).item() * weight * 40
            for i in range(0, len(x), 40)
        )

    cost = expectation(p, objective.generator) + expectation(q, objective.generator)
    direct = quad(lambda at: _pearson(at, a, b, c), -11, 11, epsabs=1e-12, limit=200)[0]
    assert 2 * cost == pytest.approx(direct, abs=1e-6)
    if (a, b, c) == (-1.0, 1.0, 0.0):
        chi = quad(lambda at: _chi(at), -11, 11, epsabs=1e-12, limit=200)[0]
        assert direct == pytest.approx(chi, abs=1e-9)


def _pq(at: float) -> tuple[float, float]:
    p, q = density(torch.tensor(at), 0.0).item(), density(torch.tensor(at), 0.7).item()
    return p, q


def _pearson(at: float, a: float, b: float, c: float) -> float:
    p, q = _pq(at)
    return ((b - c) * (p + q) - (b - a) * q) ** 2 / (p + q)


def _chi(at: float) -> float:
    p, q = _pq(at)
    return (2 * q - (p + q)) ** 2 / (p + q)
