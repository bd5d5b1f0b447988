"""Games of two numbers: bilinear, quadratic, and the Wasserstein game of two parallel lines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.game import Batch, Memory, Notes, Players
from saddlepoint.games.small import Small, vector
from saddlepoint.network import Execution, Plain


@dataclass(frozen=True)
class Quadratic(Small):
    """min_x max_y ½a x² + b xy − ½c y²: field (ax + by, cy − bx), eigenvalues of −J −(a + c)/2 ± √((a − c)²/4 − b²)."""

    a: float = 1.0
    b: float = 1.0
    c: float = 1.0
    begin: tuple[float, float] = (2.0, 0.5)
    execution: Execution = Plain()
    players = ("x", "y")

    def start(self) -> Players:
        return {"x": vector(self.begin[0]), "y": vector(self.begin[1])}

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        x, y = players["x"], players["y"]
        both = self.b * x.dot(y)
        made = {
            "x": self.a / 2 * x.square().sum() + both,
            "y": self.c / 2 * y.square().sum() - both,
        }
        return {player: made[player] for player in who}, Notes({}, {})

    def spectrum(self) -> tuple[complex, complex]:
        """The eigenvalues of −J, the same everywhere."""
        root = complex((self.a - self.c) ** 2 / 4 - self.b**2) ** 0.5
        return -(self.a + self.c) / 2 + root, -(self.a + self.c) / 2 - root

    def best_response(self, player: str, players: Players, memory: Memory, batch: Batch) -> Tensor:
        """x = −(b/a)y, y = (b/c)x, where a and c are positive."""
        if player == "x":
            return -self.b / self.a * players["y"]
        return self.b / self.c * players["x"]


@dataclass(frozen=True)
class Bilinear(Quadratic):
    """min_x max_y b xy: the field b(y, −x) turns about the origin, eigenvalues ±ib."""

    a: float = 0.0
    c: float = 0.0


@dataclass(frozen=True)
class ParallelLines(Small):
    """P uniform on {0} × [0, 1], Q on {θ} × [0, 1], and the 1-Lipschitz critics s(x) = ψx₁, |ψ| ≤ 1.

    L_D = ψθ, L_G = −ψθ (Arjovsky et al. 2017, example 1). The best critic −sign θ attains W₁ = |θ|, where the
    Jensen–Shannon divergence is log 2, total variation 1 and KL infinite as soon as θ ≠ 0.
    """

    begin: tuple[float, float] = (1.0, 0.5)
    execution: Execution = Plain()
    players = ("generator", "discriminator")

    def start(self) -> Players:
        return {"generator": vector(self.begin[0]), "discriminator": vector(self.begin[1])}

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        value = players["discriminator"].dot(players["generator"])
        return {p: value if p == "discriminator" else -value for p in who}, Notes({}, {})

    def after(self, player: str, vector: Tensor) -> Tensor:
        return vector.clamp(-1, 1) if player == "discriminator" else vector

    def best_response(self, player: str, players: Players, memory: Memory, batch: Batch) -> Tensor:
        if player != "discriminator":
            return super().best_response(player, players, memory, batch)
        return -torch.sign(players["generator"])

    @staticmethod
    def divergences(theta: float) -> dict[str, float]:
        """W₁, JSD (nats), TV and KL between the two lines."""
        apart = float(theta != 0)
        return {
            "wasserstein": abs(theta),
            "jensen-shannon": apart * math.log(2),
            "total variation": apart,
            "kullback-leibler": math.inf if theta else 0.0,
        }
