"""The weights of a player: how they are distributed, and how many of them stand at a bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.bound import MethodGame
from saddlepoint.errors import InputError
from saddlepoint.game import Players


@dataclass(frozen=True, eq=False)
class Histogram:
    """`edges` [bins + 1], float64, ascending; `counts` int64 [bins] of each named parameter. The last bin is closed."""

    edges: Tensor
    counts: Mapping[str, Tensor]

    @property
    def total(self) -> Tensor:
        """Of all parameters together: int64 [bins]."""
        return torch.stack(list(self.counts.values())).sum(0)


def weight_histogram(game: MethodGame, player: str, players: Players, bins: int = 50) -> Histogram:
    """Bins of equal width from the smallest to the largest weight of the player, the same for all its parameters."""
    if bins < 1:
        raise InputError(f"a histogram has at least 1 bin, not {bins}")
    whole = vector(game, player, players)
    low, high = float(whole.min()), float(whole.max())
    half = 0 if high > low else 0.5  # weights that are all equal stand in the middle
    edges = torch.linspace(low - half, high + half, bins + 1, dtype=torch.float64)
    named = game.bound().networks[player].layout.named(whole)
    return Histogram(edges, {name: _counts(weights.flatten(), edges) for name, weights in named.items()})


def clipped_share(game: MethodGame, player: str, players: Players, c: float, within: float = 0.05) -> float:
    """Share of the player's numbers w with ||w| − c| ≤ within · c, in [0, 1].

    Weight clipping to [−c, c] drives most weights to ±c, and the critic to very simple functions (Gulrajani et al. 2017,
    section 3 and figure 1b).
    """
    if not c > 0 or not 0 <= within < 1:
        raise InputError(f"the bound c is above 0 and within from 0 to below 1, not c={c}, within={within}")
    size = vector(game, player, players).abs()
    return float(((size - c).abs() <= within * c).double().mean())


def vector(game: MethodGame, player: str, players: Players) -> Tensor:
    """The vector of a player, float64 on the CPU; refused where it is not finite."""
    if player not in game.players:
        raise InputError(f"the game has no player {player!r}; it has {', '.join(game.players)}")
    whole = players[player].detach().double().cpu()
    if not whole.isfinite().all():
        raise InputError(f"the weights of the {player} are not all finite")
    return whole


def _counts(weights: Tensor, edges: Tensor) -> Tensor:
    place = torch.searchsorted(edges, weights.contiguous(), right=True) - 1
    return torch.bincount(place.clamp(0, len(edges) - 2), minlength=len(edges) - 1)
