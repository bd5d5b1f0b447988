"""Skill rating by Glicko-2 (Glickman 2012), and tournaments of generators against discriminators.

Olsson et al., Skill Rating for Generative Models, 2018: generators and discriminators are players, and a generator
beats a discriminator as far as it fools it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from saddlepoint.errors import InputError

SCALE = 173.7178  # points of rating to one unit of Glicko-2, 400/ln 10
TAU = 0.5  # how fast volatility may change; Glickman recommends 0.3 to 1.2


class Rating(NamedTuple):
    """value on the scale of chess (1500 at the start), its standard deviation, and the volatility of the player."""

    value: float = 1500.0
    deviation: float = 350.0
    volatility: float = 0.06


class Match(NamedTuple):
    """What `first` made of a match against `second`, by their numbers: 1 won, 0 lost, anything between a part."""

    first: int
    second: int
    score: float


def rated(players: Sequence[Rating], matches: Sequence[Match], tau: float = TAU) -> list[Rating]:
    """All players after one rating period of simultaneous matches, in whatever order these are listed.

    Steps 2 to 8 of Glickman's description; a player without a match becomes less certain only.
    """
    games: list[list[tuple[Rating, float]]] = [[] for _ in players]
    for first, second, score in matches:
        if not 0 <= score <= 1:
            raise InputError(f"a match has the score {score}; from 0 for lost to 1 for won is possible.")
        games[first].append((players[second], score))
        games[second].append((players[first], 1 - score))
    return [_after(player, own, tau) for player, own in zip(players, games, strict=True)]


def _after(player: Rating, games: Sequence[tuple[Rating, float]], tau: float) -> Rating:
    own, phi, volatility = (player.value - 1500) / SCALE, player.deviation / SCALE, player.volatility
    if not games:
        return player._replace(deviation=SCALE * math.hypot(phi, volatility))
    theirs = np.array([((rival.value - 1500) / SCALE, rival.deviation / SCALE) for rival, _ in games])
    certainty = 1 / np.sqrt(1 + 3 * theirs[:, 1] ** 2 / math.pi**2)
    expected = 1 / (1 + np.exp(-certainty * (own - theirs[:, 0])))
    variance = 1 / float((certainty**2 * expected * (1 - expected)).sum())
    surprise = float((certainty * (np.array([score for _, score in games]) - expected)).sum())
    volatility = _volatility(variance * surprise, phi, variance, (volatility, tau))
    phi = 1 / math.sqrt(1 / (phi**2 + volatility**2) + 1 / variance)
    return Rating(1500 + SCALE * (own + phi**2 * surprise), SCALE * phi, volatility)


def _volatility(delta: float, phi: float, variance: float, known: tuple[float, float]) -> float:
    """The root of Glickman's f (step 5), by bracketing in ln σ²."""
    from scipy.optimize import brentq

    (volatility, tau), spread = known, phi**2 + variance
    start = math.log(volatility**2)

    def slope(x: float) -> float:
        wide = spread + math.exp(x)
        likelihood = math.exp(x) * (delta**2 - wide) / (2 * wide**2)
        return likelihood - (x - start) / tau**2

    high = max(start, math.log(delta**2 - spread)) if delta**2 > spread else start
    low = start - tau
    while slope(low) < 0:
        low -= tau
    while slope(high) > 0:
        high += tau
    return math.exp(brentq(slope, low, high, xtol=1e-12) / 2) if low < high else volatility


class Ratings(NamedTuple):
    generators: list[Rating]
    discriminators: list[Rating]


def skill_ratings(wins: Tensor) -> Ratings:
    """Ratings of both sides from wins [periods, generators, discriminators], or of one period without the first axis.

    How far generator i fools discriminator j: 1 wholly, 0 not at all, ½ a draw; NaN where they do not meet. Each period
    should hold samples of its own, since the deviations take matches as independent.
    """
    table = _wins(wins if wins.dim() != 2 else wins[None])
    _, n, m = table.shape
    players = [Rating()] * (n + m)
    for period in table:
        met = [(i, j) for i in range(n) for j in range(m) if not math.isnan(period[i, j])]
        players = rated(players, [Match(i, n + j, float(period[i, j])) for i, j in met])
    return Ratings(players[:n], players[n:])


def _wins(wins: Tensor) -> np.ndarray:
    if wins.dim() != 3 or not wins.numel():
        raise InputError(
            f"wins have shape {tuple(wins.shape)}; [periods, generators, discriminators] is needed."
        )
    table: np.ndarray = wins.detach().cpu().double().numpy()
    if ((table < 0) | (table > 1)).any():
        raise InputError("wins lie outside [0, 1]; each is the share of a match that the generator won.")
    return table
