"""The gradients that players get: their size, how much of it is noise of the batch, and where in a network it is.

turns = (Turn(game.players),)
source = Batches(game, data, seed, rows, device)
batches = [source.step({"step": k, "images": 0, "rows": k * rows}, turns, 0.0)[0] for k in range(16)]
gradient_health(game, state.players, state.memory, batches)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.bound import MethodGame
from saddlepoint.errors import InputError
from saddlepoint.game import Batch, Memory, Players
from saddlepoint.metrics.tournament import fooling_rate


@dataclass(frozen=True)
class Gradient:
    """A player's gradient g over K batches, ḡ its mean over them and μ its expectation.

    norm          ‖ḡ‖
    noise         E‖g − μ‖², estimated by Σ‖g_k − ḡ‖²/(K − 1)
    signal        ‖μ‖², estimated by the mean of ⟨g_j, g_k⟩ over pairs j ≠ k; ‖ḡ‖² would be larger by noise/K
    cosine        the mean of cos(g_j, g_k) over pairs j ≠ k; NaN where a gradient is 0
    parameters    the norm of ḡ by named parameter
    """

    norm: float
    noise: float
    signal: float
    cosine: float
    parameters: Mapping[str, float]

    @property
    def variance(self) -> float:
        """E‖g − μ‖²/‖μ‖², both estimated without bias; infinite where the mean cannot be told from 0, and 0 where there is no
        noise."""
        if self.noise <= 0:
            return 0.0
        return self.noise / self.signal if self.signal > 0 else float("inf")


@dataclass(frozen=True)
class Confidence:
    """What the discriminator makes of the rows that trained it, all batches together: `separation` P(a real row scores
    higher than a fake) + ½ P(equal), the AUC; `real` and `fake` the means of D = σ(s) where the score is a logit."""

    separation: float
    real: float | None
    fake: float | None


@dataclass(frozen=True)
class GradientHealth:
    """By player; `confidence` beside them where reals and fakes are scored: a generator whose gradient vanishes while the
    discriminator is sure (D near 1 and 0, separation near 1) has lost it to saturation, not to an equilibrium."""

    players: Mapping[str, Gradient]
    confidence: Confidence | None
    batches: int


def gradient_health(
    game: MethodGame, players: Players, memory: Memory, batches: Iterable[Batch]
) -> GradientHealth:
    """Each player's gradient ∇_p L_p at the same point on every batch, at least 2 of them, drawn independently; batches
    hold what an evaluation of all players reads. Scores are those of that evaluation: treated, in training mode."""
    rows: dict[str, list[Tensor]] = {player: [] for player in game.players}
    scores: dict[str, list[Tensor]] = {"real": [], "fake": []}
    for batch in batches:
        found, notes = game.gradients(game.players, players, memory, batch)
        for player, gradient in found.items():
            rows[player].append(gradient.detach())
        for side, seen in scores.items():
            if f"score/{side}" in notes.info:
                seen.append(notes.info[f"score/{side}"].flatten().double().cpu())
    count = len(rows[game.players[0]])
    if count < 2:
        raise InputError(f"the noise of gradients shows on at least 2 batches, not on {count}")
    layouts = {player: game.bound().networks[player].layout for player in game.players}
    health = {}
    for player, each in rows.items():
        stacked = torch.stack(each)
        named = layouts[player].named(stacked.mean(0))
        health[player] = _gradient(stacked, {name: float(part.norm()) for name, part in named.items()})
    return GradientHealth(health, _confidence(game, scores), count)


def _gradient(rows: Tensor, parameters: dict[str, float]) -> Gradient:
    """All of it is in the inner products of the batches: E‖g‖² = noise + signal, E⟨g, g'⟩ = signal."""
    rows = rows.double()
    gram, count = rows @ rows.T, len(rows)
    pairs = ~torch.eye(count, dtype=torch.bool, device=rows.device)
    lengths = gram.diagonal().sqrt()
    centred = rows - rows.mean(0)
    return Gradient(
        norm=float(rows.mean(0).norm()),
        noise=float(centred.square().sum() / (count - 1)),
        signal=float(gram[pairs].mean()),
        cosine=float((gram / lengths.outer(lengths))[pairs].mean()),
        parameters=parameters,
    )


def _confidence(game: MethodGame, scores: Mapping[str, list[Tensor]]) -> Confidence | None:
    if not all(scores.values()):
        return None
    real, fake = (torch.cat(seen) for seen in scores.values())
    objective = game.bound().method.objective
    higher = fooling_rate(real=real, fake=fake)
    probability = objective.logit
    return Confidence(
        separation=higher if objective.low_is_real else 1 - higher,
        real=float(real.sigmoid().mean()) if probability else None,
        fake=float(fake.sigmoid().mean()) if probability else None,
    )
