"""A look at a game in training: a few numbers from a few hundred rows, cheap enough to be taken now and then.

    vitals = Vitals(game, data, seed)
    vitals(players, memory, gradients)      {"separation": .83, "coverage": .61, …}

What the numbers say together is read by `saddlepoint.diagnostics.signs`. Readings that a game or its data cannot give (a
discriminator's, training rows of a density that never repeats any, what is relative to a distance that is 0 among rows
that stand twice) are left out, and so are numbers that are not finite, of which `"finite": False` tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from saddlepoint.bound import MethodGame
from saddlepoint.data.few_labels import complete
from saddlepoint.data.protocol import Data
from saddlepoint.forward import record
from saddlepoint.game import Memory, Players
from saddlepoint.metrics.tournament import fooling_rate
from saddlepoint.penalties.base import per_point
from saddlepoint.random import generator
from saddlepoint.sampling import conditions, latents, samples

ROWS = 256  # fakes, training rows and held-out rows of a look
POOL = 2048  # training rows among which copies are sought
SIDE = 16  # images are compared at this side at most
LEAST = 32  # held-out rows without which nothing is compared
CELLS = 16  # regions of the data, of which is looked how many hold samples
ROUNDS = 10  # of Lloyd's iteration that finds them
NEIGHBOUR = 5  # coverage: balls reach to this neighbour among the training rows
WAVES = 16  # random Fourier features in a sketch

Reading = dict[str, Any]


class Vitals:
    """Looks at the players as they train, without averaged weights. The rows and the noise are the same at every look."""

    def __init__(self, game: MethodGame, data: Data, seed: int) -> None:
        self.game, self.data, self.seed = game, complete(data), seed

    @cached_property
    def possible(self) -> bool:
        """Whether there are rows to compare with, and not all the same."""
        return len(self.held_out["real"]) >= LEAST and self.scale > 0

    def __call__(self, players: Players, memory: Memory, gradients: Players | None = None) -> Reading:
        """One look.

        spread, distinct   mean distance between fakes, and to their nearest other fake (median), over those of real rows
        distance           energy distance 2E|x−y| − E|x−x'| − E|y−y'| of fakes and training rows, over E|x−x'|;
                           `distance/floor` with held-out rows in the place of the fakes
        coverage           share of training rows with a fake in the ball to their fifth neighbour; `coverage/floor` likewise
        cells              share of 16 cells of the data (k-means) that hold a quarter of their share of the fakes at least
        precision          share of fakes in a ball of a training row; `precision/floor` likewise
        nearness           median distance of a fake to its nearest training row over that of a held-out row
        separation         P(score of a training row > score of a fake): ½ means that D cannot tell
        overfit            P(score of a training row > score of a held-out row): ½ where D has learnt none by heart
        gradient/p, size/p norm of player p's gradient, where it is given, and of its parameters
        sketch             means of 16 random Fourier features of the fakes: where the samples are, to be compared over time
        """
        noise = latents(self.game.method, ROWS, self.seed, "vitals")
        given = conditions(self.game, self.data, ROWS, self.seed)
        made = samples(self.game, players, memory, {**noise, **given})
        found: Reading = {f"size/{name}": float(vector.norm()) for name, vector in players.items()}
        found |= {f"gradient/{name}": float(vector.norm()) for name, vector in (gradients or {}).items()}
        finite = {name: value for name, value in found.items() if math.isfinite(value)}
        if len(finite) < len(found) or not torch.isfinite(made).all():
            return {**finite, "finite": False}
        return {
            **finite,
            "finite": True,
            **self.compared(made),
            **self.judged(players, memory, {**noise, **given, "fake": made}),
        }

    # -- samples ---------------------------------------------------------------------------------------

    def compared(self, made: Tensor) -> Reading:
        fakes = seen(made)
        repeats = self.data.size is not None
        distances = torch.cdist(fakes, self.pool if repeats else self.real)
        between, within = distances[:, : len(self.real)], torch.cdist(fakes, fakes)
        spread = _mean(within)
        found = {
            "spread": spread / self.scale,
            "distinct": _over(_nearest(within), self.lone),
            "distance": (2 * float(between.mean()) - spread - self.scale) / self.scale,
            "distance/floor": self.floors["distance"],
            "coverage": self._covered(between),
            "coverage/floor": self.floors["coverage"],
            "cells": self._reached(fakes),
            "precision": self._precise(between),
            "precision/floor": self.floors["precision"],
        }
        if repeats:
            found["nearness"] = _over(float(distances.amin(1).median()), self.floors["nearest"])
        told = {name: round(value, 6) for name, value in found.items() if math.isfinite(value)}
        return {**told, "sketch": self._sketch(fakes)}

    def _covered(self, between: Tensor) -> float:
        return float((between <= self.reach).any(0).double().mean())

    def _precise(self, between: Tensor) -> float:
        return float((between <= self.reach).any(1).double().mean())

    def _reached(self, rows: Tensor) -> float:
        centres, share = self.cells
        hit = torch.bincount(torch.cdist(rows, centres).argmin(1), minlength=len(centres)) / len(rows)
        return float((hit >= share / 4).double().mean())

    def _sketch(self, rows: Tensor) -> list[float]:
        """E cos(w·x + b) with Gaussian w: means of the features of the kernel exp(−|x − y|²/2s²), s the mean distance of
        real rows (Rahimi & Recht 2007)."""
        source = generator("cpu", self.seed, "sketch")
        waves = torch.randn(rows.shape[1], WAVES, generator=source, dtype=rows.dtype) / self.scale
        phases = 2 * math.pi * torch.rand(WAVES, generator=source, dtype=rows.dtype)
        return [round(value, 4) for value in (rows @ waves + phases).cos().mean(0).tolist()]

    # -- the discriminator ----------------------------------------------------------------------------

    def judged(self, players: Players, memory: Memory, fakes: Mapping[str, Tensor]) -> Reading:
        """What the discriminator's scores say, in evaluation mode and untreated. fakes: samples with what they were made
        of and for."""
        if "discriminator" not in self.game.networks or "discriminator" not in players:
            return {}
        training = self._scores(players, memory, self.training, "real")
        scores = {"separation": self._scores(players, memory, fakes, "fake")}
        if self.data.size is not None:
            scores["overfit"] = self._scores(players, memory, self.held_out, "real")
        if not all(bool(torch.isfinite(side).all()) for side in (training, *scores.values())):
            return {"finite": False}
        return {n: round(1 - fooling_rate(real=training, fake=side), 4) for n, side in scores.items()}

    @torch.no_grad()
    def _scores(self, players: Players, memory: Memory, rows: Mapping[str, Tensor], side: str) -> Tensor:
        device = next(iter(players.values())).device
        there = min(ROWS, *map(len, rows.values()))
        whole = {
            name: tensor[: there - there % self.game.method.pack].to(device) for name, tensor in rows.items()
        }
        forward = self.game.evaluation(players, memory, whole)
        output = forward["discriminator"](forward[f"{side}_point"], *forward["condition"])
        score = per_point(record(output)["score"]).float().cpu()
        forward.clear()
        return -score if self.game.method.objective.low_is_real else score

    # -- the real side, looked at once ----------------------------------------------------------------

    @cached_property
    def training(self) -> dict[str, Tensor]:
        return self.data.training(POOL, self.seed)

    @cached_property
    def held_out(self) -> dict[str, Tensor]:
        return self.data.held_out(ROWS, self.seed)

    @cached_property
    def pool(self) -> Tensor:
        return seen(self.training["real"])

    @cached_property
    def real(self) -> Tensor:
        return self.pool[:ROWS]

    @cached_property
    def within(self) -> Tensor:
        return torch.cdist(self.real, self.real)

    @cached_property
    def scale(self) -> float:
        return _mean(self.within)

    @cached_property
    def lone(self) -> float:
        return _nearest(self.within)

    @cached_property
    def reach(self) -> Tensor:
        """Distance of each real row to its fifth neighbour: [rows]."""
        return self.within.kthvalue(min(NEIGHBOUR + 1, len(self.within)), 1).values

    @cached_property
    def cells(self) -> tuple[Tensor, Tensor]:
        """Centres [16, d] by k-means (Lloyd's iteration) on the training rows, and the share of the rows in each cell."""
        centres = self.pool[:CELLS].clone()
        for _ in range(ROUNDS):
            nearest = torch.cdist(self.pool, centres).argmin(1)
            member = torch.nn.functional.one_hot(nearest, len(centres)).to(self.pool)
            count = member.sum(0)
            centres = torch.where(
                count[:, None] > 0, member.T @ self.pool / count.clamp(min=1)[:, None], centres
            )
        nearest = torch.cdist(self.pool, centres).argmin(1)
        return centres, torch.bincount(nearest, minlength=len(centres)) / len(self.pool)

    @cached_property
    def floors(self) -> dict[str, float]:
        """The readings with held-out rows in the place of the fakes."""
        fresh = seen(self.held_out["real"])
        distances = torch.cdist(fresh, self.pool)
        between = distances[:, : len(self.real)]
        spread = _mean(torch.cdist(fresh, fresh))
        return {
            "distance": (2 * float(between.mean()) - spread - self.scale) / self.scale,
            "coverage": self._covered(between),
            "precision": self._precise(between),
            "nearest": float(distances.amin(1).median()),
        }


def seen(rows: Tensor) -> Tensor:
    """Rows as they are compared: images at a side of 16 at most, everything as one row of numbers, float32 [n, d]."""
    if rows.dim() == 4 and max(rows.shape[2:]) > SIDE:
        rows = adaptive_avg_pool2d(rows, (min(rows.shape[2], SIDE), min(rows.shape[3], SIDE)))
    return rows.flatten(1).float()


def _over(value: float, base: float) -> float:
    return value / base if base > 0 else math.nan


def _mean(within: Tensor) -> float:
    """Mean distance between two different rows, of the distances within a set."""
    return float(within.sum()) / (len(within) * (len(within) - 1))


def _nearest(within: Tensor) -> float:
    """Median distance to the nearest other row."""
    return float(within.clone().fill_diagonal_(math.inf).amin(1).median())
