"""The Gaussian-mixture game of Li, Mądry, Peebles & Schmidt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from saddlepoint.game import Batch, Memory, Notes, Players
from saddlepoint.games.small import Small, vector
from saddlepoint.network import Execution, Plain

FAR = 40.0  # standard deviations: the end of an unbounded interval
GRID = 4001  # points on which the sign of p − q is looked at


@dataclass(frozen=True)
class Intervals(Small):
    """P = ½N(μ₁*, 1) + ½N(μ₂*, 1), Q likewise with means μ̂, D = 1[l₁, r₁] + 1[l₂, r₂].

    The value E_P D + E_Q(1 − D) is minimised over μ̂ and maximised over the ends (Li et al. 2018, arXiv:1706.09884).
    Generator vector (μ̂₁, μ̂₂), discriminator vector (l₁, r₁, l₂, r₂). With `collapsed="frozen"` an interval whose ends
    meet or cross (r ≤ l) is empty: it counts nothing, its gradient is 0 and it stays, which is discriminator collapse.
    With `collapsed="signed"` it counts as minus the interval between its ends, and can open again.
    """

    target: tuple[float, float] = (-2.0, 2.0)
    means: tuple[float, float] = (-1.0, 1.0)
    ends: tuple[float, float, float, float] = (-3.0, -1.0, 1.0, 3.0)
    collapsed: Literal["frozen", "signed"] = "frozen"
    execution: Execution = Plain()
    players = ("generator", "discriminator")

    def start(self) -> Players:
        return {"generator": vector(*self.means), "discriminator": vector(*self.ends)}

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        ends = players["discriminator"].view(2, 2)
        target = vector(*self.target).to(ends)
        masses = [_mass(means, ends) for means in (target, players["generator"])]
        counted = masses[0] - masses[1]
        if self.collapsed == "frozen":
            counted = torch.where(open_intervals(players["discriminator"]), counted, 0.0)
        value = 1 + counted.sum()
        return {player: value if player == "generator" else -value for player in who}, Notes({}, {})

    def best_response(self, player: str, players: Players, memory: Memory, batch: Batch) -> Tensor:
        """The intervals on which p > q, at most two: the value there is 1 + TV(P, Q)."""
        if player != "discriminator":
            return super().best_response(player, players, memory, batch)
        means = players["generator"].detach()
        roots = self._crossings(means)
        ends = torch.cat([means.new_tensor([-FAR]), roots, means.new_tensor([FAR])])
        # The sign of p − q may change once more far from all mass: an interval counts by its mass, not by a point in it.
        intervals = torch.stack([ends[:-1], ends[1:]], dim=1)
        gains = _mass(vector(*self.target), intervals) - _mass(means, intervals)
        intervals, gains = intervals[gains > 0], gains[gains > 0]
        best = intervals[gains.topk(min(2, len(gains))).indices.sort().values]
        return torch.cat([best, means.new_zeros(2 - len(best), 2)]).flatten()

    def total_variation(self, means: Tensor) -> float:
        """TV(P, Q), exact up to rounding."""
        at = {"generator": means, "discriminator": means.new_zeros(4)}
        best = self.best_response("discriminator", at, {}, {}).view(2, 2)
        gaps = _mass(vector(*self.target), best) - _mass(means, best)
        return float(gaps.sum())

    def _difference(self, x: Tensor, means: Tensor) -> Tensor:
        """(p − q)·2√(2π) at the points x."""
        target = vector(*self.target)
        bells = [torch.exp(-((x[:, None] - m) ** 2) / 2).sum(1) for m in (target, means)]
        return bells[0] - bells[1]

    def _crossings(self, means: Tensor) -> Tensor:
        """Where p = q, by bisection between neighbours of a grid on which the sign of p − q changes."""
        centres = torch.cat([vector(*self.target), means])
        grid = torch.linspace(float(centres.min()) - 8, float(centres.max()) + 8, GRID, dtype=torch.float64)
        positive = self._difference(grid, means) > 0
        changes = (positive[1:] != positive[:-1]).nonzero().flatten()
        low, high = grid[changes], grid[changes + 1]
        for _ in range(60):
            middle = (low + high) / 2
            same = (self._difference(middle, means) > 0) == positive[changes]
            low, high = torch.where(same, middle, low), torch.where(same, high, middle)
        return (low + high) / 2


def open_intervals(ends: Tensor) -> Tensor:
    """Which of the two intervals are not empty: [2]."""
    left, right = ends.view(2, 2).unbind(1)
    return right > left


def _mass(means: Tensor, ends: Tensor) -> Tensor:
    """Of each interval under the mixture, with sign: [2]."""
    below = torch.special.ndtr(ends[:, :, None] - means).mean(2)
    return below[:, 1] - below[:, 0]
