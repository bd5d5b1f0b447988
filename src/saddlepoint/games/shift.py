"""Two Gaussians a shift apart, judged by a family that holds the exact optimal discriminator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from saddlepoint.forward import arguments
from saddlepoint.game import Batch, Memory, Notes, Players
from saddlepoint.games.small import Small, vector
from saddlepoint.network import Execution, Plain
from saddlepoint.objectives import Minimax, Objective


@dataclass(frozen=True)
class GaussianShift(Small):
    """P = N(0, 1), Q = N(θ, 1), s(x) = wx + b, discriminator vector (w, b).

    log p/q = −θx + θ²/2 lies in the family: the optimal logistic discriminator is w = −θ, b = θ²/2, where the minimax
    value is −log 4 + 2·JSD (Goodfellow et al. 2014, theorem 1) and the slope of the non-saturating generator that of
    KL(Q‖P) − 2·JSD, KL = θ²/2 (Arjovsky & Bottou 2017, theorem 2.5). Expectations are Gauss–Hermite sums of `nodes`
    points over losses of single pairs of scores: objectives that are means over rows, not those that pair or couple them.
    """

    objective: Objective = Minimax()
    begin: tuple[float, float, float] = (1.0, 0.0, 0.0)
    nodes: int = 100
    execution: Execution = Plain()
    players = ("generator", "discriminator")

    def start(self) -> Players:
        return {"generator": vector(self.begin[0]), "discriminator": vector(*self.begin[1:])}

    def data(self) -> dict[str, Tensor]:
        points, weights = np.polynomial.hermite_e.hermegauss(self.nodes)
        return {"nodes": torch.from_numpy(points), "weights": torch.from_numpy(weights / weights.sum())}

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        weight, offset = players["discriminator"].unbind()
        real = batch["nodes"] * weight + offset
        fake = real + players["generator"] * weight
        given = {"real_score": real[:, None], "fake_score": fake[:, None]}
        losses = {}
        for player in who:
            loss = getattr(self.objective, player)
            asked = [given[name] for name in arguments(loss)]
            losses[player] = torch.vmap(loss)(*asked).dot(batch["weights"])
        return losses, Notes({}, {})

    def best_response(self, player: str, players: Players, memory: Memory, batch: Batch) -> Tensor:
        """The log ratio of the densities, best for logistic objectives."""
        if player != "discriminator":
            return super().best_response(player, players, memory, batch)
        theta = players["generator"]
        return torch.cat([-theta, theta.square() / 2])
