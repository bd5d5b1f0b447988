"""T21: the eigenvalues of the field decide whether descent converges beside an equilibrium."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.stability import descent, growth, rate
from saddlepoint.theory.t15_step_bound import longest

STEPS = 300


class Played(NamedTuple):
    """Losses ½xᵀPx + xᵀBy + (a·z)³ of x and ½yᵀRy + yᵀCx + (b·z)³ of y, z = (x, y): `linear` is [[P, B], [C, R]], P and R
    symmetric, `cubic` the rows a and b."""

    linear: Tensor
    cubic: Tensor

    def field(self, rows: Tensor) -> Tensor:
        """By hand: rows [n, 4] to (∂_x, ∂_y of the own loss) [n, 4]."""
        heights = 3 * (rows @ self.cubic.T).square()
        own = torch.cat([self.cubic[0, :2].expand(len(rows), 2), self.cubic[1, 2:].expand(len(rows), 2)], 1)
        return rows @ self.linear.T + heights.repeat_interleave(2, 1) * own

    def descended(self, step: float, rows: Tensor) -> Tensor:
        return rows - step * self.field(rows)

    def differentiated(self, z: Tensor) -> Tensor:
        """The same field at one point [4], from the losses."""
        return torch.cat(
            [torch.func.grad(self._loss, argnums=player)(z[:2], z[2:], player) for player in (0, 1)]
        )

    def jacobian(self) -> Tensor:
        """Of the field at 0, by differentiating the losses twice."""
        return torch.func.jacfwd(self.differentiated)(torch.zeros(4, dtype=torch.float64))

    def _loss(self, x: Tensor, y: Tensor, player: int) -> Tensor:
        z, own = torch.cat([x, y]), (x, y)[player]
        chosen = slice(2 * player, 2 * player + 2)
        across = own @ self.linear[chosen] @ z
        return across - own @ self.linear[chosen, chosen] @ own / 2 + (self.cubic[player] @ z) ** 3


def check() -> Sequence[Sides]:
    """Growth over 300 steps within 1e-6 of the equilibrium, on the field by hand, against the spectral radius of I − hJ, J by
    differentiation: between log ρ and log ρ + log κ/300 (`stability.rate`), and 1e-5 for the curvature of the field.

    12 random games that are shifted so that all Re λ < 0, at half the longest step of T15 and above it; 4 without
    the players' own terms, where Re λ = 0: no step is short enough."""
    source = torch.Generator().manual_seed(0)
    at, found = torch.zeros(4, dtype=torch.float64), []
    for number in range(16):
        drawn = torch.randn(4, 4, generator=source, dtype=torch.float64)
        cubic = torch.randn(2, 4, generator=source, dtype=torch.float64)
        turning = number >= 12
        game = Played(_only_across(drawn) if turning else _stable(drawn), cubic)
        jacobian = game.jacobian()
        values = torch.linalg.eigvals(-jacobian)
        off = float((game.field(cubic[:1]) - game.differentiated(cubic[0])).abs().max())
        found.append(Sides(f"game {number}: sup |v by hand − by differentiation|", off, "=", 0.0, 1e-9))
        if turning:
            steps = {f"Re λ = 0, h = {h:g}": h for h in (0.3, 0.1, 0.03)}
            found.append(
                Sides(f"game {number}: largest |Re λ|", float(values.real.abs().max()), "=", 0.0, 1e-12)
            )
        else:
            limit = min(longest(complex(value)) for value in values)
            steps = {"half the longest step": limit / 2, "1.1 times the longest step": 1.1 * limit}
        for name, h in steps.items():
            expected = rate(descent(jacobian, h), STEPS)
            size = 1e-6 * math.exp(-STEPS * max(expected.value, 0.0))  # the ends shall lie near, too
            measured = growth(partial(game.descended, h), at, STEPS, size)
            found.append(expected.sides(f"game {number}, {name}", measured))
            if turning:
                exact = math.log(1 + (h * float(values.abs().max())) ** 2) / 2
                found.append(Sides(f"game {number}, {name}: ½ log(1 + h²|λ|²)", measured, "=", exact, 1e-5))
            relation: Literal["<=", ">="] = "<=" if "half" in name else ">="
            found.append(Sides(f"game {number}, {name}: growth", measured, relation, 0.0))
    return found


def _stable(drawn: Tensor) -> Tensor:
    own = torch.block_diag(*(drawn[i : i + 2, i : i + 2] for i in (0, 2)))
    matrix = drawn - own + (own + own.T) / 2
    return matrix + (0.3 - torch.linalg.eigvals(matrix).real.min()) * torch.eye(4, dtype=torch.float64)


def _only_across(drawn: Tensor) -> Tensor:
    """Zero-sum and bilinear to first order."""
    matrix = torch.zeros_like(drawn)
    matrix[:2, 2:], matrix[2:, :2] = drawn[:2, 2:], -drawn[:2, 2:].T
    return matrix


CLAIM = Claim(
    id="T21",
    title="eigenvalues and local convergence",
    statement="x ← x − hv(x) converges beside an equilibrium where all eigenvalues of −v' have Re λ < 0 and h is small; with "
    "Re λ = 0 it does for no h, the distance growing by √(1 + h²|λ|²) a step",
    source="Mescheder, Nowozin & Geiger, The Numerics of GANs, NIPS 2017, section 3",
    check=check,
)
