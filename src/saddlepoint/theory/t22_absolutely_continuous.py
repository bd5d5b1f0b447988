"""T22: zero-sum GANs between densities are locally stable without any remedy, the Wasserstein GAN is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from saddlepoint.objectives import FGAN, KL, Minimax, Objective, Wasserstein, Weighted
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.stability import descent, growth, rate

STEPS = 120
STEP = 0.1
NODES = tuple(torch.from_numpy(side) for side in np.polynomial.hermite_e.hermegauss(20))


class Moments(NamedTuple):
    """P = N(0, 1), Q the law of θ₁ + θ₂z (or of θ₁z), s(x) = Σ φ_i x^{k_i}. `linear` and `bent` say what the objective has
    at equilibrium, where s is `level` everywhere: J = [[0, −linear Kᵀ], [linear K, bent M]]."""

    objective: Objective
    powers: tuple[int, ...]
    linear: float
    bent: float
    level: float = 0.0
    shifts: bool = True

    @property
    def equilibrium(self) -> Tensor:
        generator = [0.0, 1.0] if self.shifts else [1.0]
        return torch.tensor([*generator, *(self.level * (k == 0) for k in self.powers)], dtype=torch.float64)

    def field(self, at: Tensor) -> Tensor:
        """Of the losses as they stand, by differentiation; expectations are Gauss–Hermite sums of 20 nodes."""
        z, weights = NODES
        count = 2 if self.shifts else 1

        def loss(own: Tensor, others: Tensor, player: str) -> Tensor:
            theta, phi = (own, others) if player == "generator" else (others, own)
            fake = theta[0] + theta[1] * z if self.shifts else theta[0] * z
            scores = [
                Weighted(sum(p * x**k for p, k in zip(phi, self.powers, strict=True)), weights)
                for x in (z, fake)
            ]
            if player == "generator":
                return self.objective.generator(scores[1])  # type: ignore[attr-defined]
            return self.objective.discriminator(*scores)  # type: ignore[attr-defined]

        slope: Callable[..., Tensor] = torch.func.grad(loss)
        theta, phi = at[:count], at[count:]
        return torch.cat([slope(theta, phi, "generator"), slope(phi, theta, "discriminator")])

    def seen(self) -> Tensor:
        """K = ∂E_Q x^k / ∂θ at equilibrium: kE x^{k−1} for the shift, kE x^k for the scale."""
        shift, scale = ([k * moment(k - lag) for k in self.powers] for lag in (1, 0))
        return torch.tensor([shift, scale] if self.shifts else [scale], dtype=torch.float64).T

    def second(self) -> Tensor:
        """M = E_P x^{i + j}."""
        return torch.tensor([[moment(i + j) for j in self.powers] for i in self.powers], dtype=torch.float64)

    def jacobian(self) -> Tensor:
        across = self.linear * self.seen()
        none = torch.zeros(across.shape[1], across.shape[1], dtype=torch.float64)
        return torch.cat([torch.cat([none, -across.T], 1), torch.cat([across, self.bent * self.second()], 1)])


def moment(order: int) -> float:
    """E x^k under N(0, 1): (k − 1)!! for even k."""
    return float(math.prod(range(order - 1, 0, -2))) if order >= 0 and order % 2 == 0 else 0.0


def bound(across: Tensor, own: Tensor) -> float:
    """An upper bound of Re λ over the eigenvalues of −[[0, −Kᵀ], [K, Q]], Q positive definite: with (x, y) an eigenvector
    Re λ (|x|² + |y|²) = −y*Qy. A complex λ has |x| = |y|, so that Re λ ≤ −λ_min(Q)/2. A real −μ above −λ_min(Q) has
    μ|x|² = xᵀKᵀ(Q − μ)⁻¹Kx ≥ λ_min(KᵀK)|x|²/λ_max(Q)."""
    values = torch.linalg.eigvalsh(own)
    least = float(torch.linalg.eigvalsh(across.T @ across)[0])
    return -min(float(values[0]) / 2, least / float(values[-1]))


GAMES = {
    "minimax, x and x²": Moments(Minimax(), (1, 2), 1 / 2, 1 / 2),
    "minimax, x, x² and x³": Moments(Minimax(), (1, 2, 3), 1 / 2, 1 / 2),
    "minimax, scale alone": Moments(Minimax(), (2,), 1 / 2, 1 / 2, shifts=False),
    "KL, 1, x and x²": Moments(FGAN(KL()), (0, 1, 2), 1.0, 1.0, level=1.0),
    "Wasserstein, x and x²": Moments(Wasserstein(), (1, 2), 1.0, 0.0),
    "Wasserstein, x, x² and x³": Moments(Wasserstein(), (1, 2, 3), 1.0, 0.0),
}
BLIND = Moments(Minimax(), (1, 3), 1 / 2, 1 / 2)


def check() -> Sequence[Sides]:
    """Left the Jacobian of the field by automatic differentiation of the objectives, and growth on orbits of the field; right
    the matrix [[0, −aKᵀ], [aK, bM]] from moments of the normal law, its eigenvalues and the bound by K and M. Tolerances:
    rounding; for growth that of `stability.rate`, and 1e-4 since
    orbits begin 1e-5 away. Needed is that the scores see the generator: x and x³ do not see its
    scale, K loses rank and 0 is an eigenvalue."""
    found: list[Sides] = []
    for name, game in GAMES.items():
        field, at = game.field, game.equilibrium
        jacobian: Tensor = torch.func.jacfwd(field)(at)
        values = torch.linalg.eigvals(-jacobian)
        found += [
            Sides(f"{name}: sup |v| at equilibrium", float(field(at).abs().max()), "=", 0.0, 1e-12),
            Sides(
                f"{name}: sup |J − by moments|",
                float((jacobian - game.jacobian()).abs().max()),
                "=",
                0.0,
                1e-9,
            ),
        ]
        expected = rate(descent(game.jacobian(), STEP), STEPS)
        measured = growth(partial(_descended, torch.func.vmap(field), STEP), at, STEPS, 1e-5)
        found.append(expected.sides(name, measured, 1e-4))
        top = float(values.real.max())
        if game.bent:
            limit = bound(game.linear * game.seen(), game.bent * game.second())
            found += [
                Sides(f"{name}: largest Re λ", top, "<=", limit, 1e-12),
                Sides(f"{name}: growth", measured, "<=", 0.0),
            ]
        else:
            found += [
                Sides(f"{name}: largest |Re λ|", float(values.real.abs().max()), "=", 0.0, 1e-7),
                Sides(f"{name}: growth", measured, ">=", 0.0),
            ]
    values = torch.linalg.eigvals(-torch.func.jacfwd(BLIND.field)(BLIND.equilibrium))
    found.append(Sides("minimax, x and x³: largest Re λ", float(values.real.max()), "=", 0.0, 1e-9))
    return [*found, *_bounds()]


def _descended(field: Callable[[Tensor], Tensor], step: float, rows: Tensor) -> Tensor:
    return rows - step * field(rows)


def _bounds() -> list[Sides]:
    """100 random pairs of K of full rank and Q positive definite."""
    source, found = torch.Generator().manual_seed(0), []
    for number in range(100):
        across, root = (torch.randn(4, width, generator=source, dtype=torch.float64) for width in (2, 4))
        own = root @ root.T * 10 ** (number % 5 - 2.0)
        none = torch.zeros(2, 2, dtype=torch.float64)
        matrix = torch.cat([torch.cat([none, -across.T], 1), torch.cat([across, own], 1)])
        top = float(torch.linalg.eigvals(-matrix).real.max())
        found.append(Sides(f"random pair {number}: largest Re λ", top, "<=", bound(across, own), 1e-12))
    return found


CLAIM = Claim(
    id="T22",
    title="GANs between densities are locally stable",
    statement="where the data have a density, a zero-sum GAN with an objective strictly concave in the score is locally "
    "exponentially stable if the discriminator sees every direction of the generator; the Wasserstein GAN is not",
    source="Nagarajan & Kolter, Gradient Descent GAN Optimization is Locally Stable, NIPS 2017",
    check=check,
)
