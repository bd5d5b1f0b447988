"""Geometry Score (Khrulkov and Oseledets 2018): how long the witness complexes of two sets have how many holes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.quantities import Progress
from saddlepoint.metrics.samples import matrix, silent
from saddlepoint.metrics.witness import holes
from saddlepoint.random import generator

LANDMARKS = 64
HELD = 1 << 25  # distances held at a time: 256 MiB
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Landmarks:
    """How the landmarks of a set of n rows are taken: `count` different rows, `draws` times. Relaxations go up to gamma
    times the largest distance between a row and a landmark; None for n / 5000 / 128, the rule of the paper."""

    count: int = LANDMARKS
    draws: int = 1000
    gamma: float | None = None

    def __post_init__(self) -> None:
        if self.count < 3 or self.draws < 1 or not (self.gamma is None or self.gamma > 0):
            raise InputError(
                f"{self} is refused; at least 3 landmarks, 1 draw and a gamma above 0 are needed."
            )


@dataclass(frozen=True)
class GeometryScore:
    """value: squared distance of the two mean living times, at least 0. `chance`: how much of it the finite number of
    draws alone gives, on average; values below it cannot be told from 0."""

    value: float
    chance: float


def geometry_score(
    *,
    real: Tensor,
    fake: Tensor,
    landmarks: Landmarks = Landmarks(),
    seed: int = 0,
    progress: Progress = silent,
) -> GeometryScore:
    """Σ_i (MRLT_real(i) − MRLT_fake(i))²; in [0, 2], 0 is best. Algorithm 2; features [n, …] and [n, …].

    The rule for gamma looks at n, so unequal numbers of rows need a gamma.
    """
    if len(real) != len(fake) and landmarks.gamma is None:
        raise InputError(
            f"real has {len(real)} rows and fake has {len(fake)}; the Geometry Score needs equal numbers, or a gamma."
        )
    total = 2 * landmarks.draws
    first = living_times(rows=real, landmarks=landmarks, seed=seed, progress=lambda i, n: progress(i, total))
    second = living_times(
        rows=fake, landmarks=landmarks, seed=seed + 1, progress=lambda i, n: progress(n + i, total)
    )
    longest = max(first.shape[1], second.shape[1])
    first, second = (np.pad(side, ((0, 0), (0, longest - side.shape[1]))) for side in (first, second))
    spread = (first.var(0).sum() + second.var(0).sum()) / landmarks.draws
    return GeometryScore(float(np.square(first.mean(0) - second.mean(0)).sum()), float(spread))


def living_times(
    *, rows: Tensor, landmarks: Landmarks = Landmarks(), seed: int = 0, progress: Progress = silent
) -> Floats:
    """RLT(i) of every draw [draws, most holes + 1]: share of [0, alpha] during which there are i holes (algorithm 1).

    Landmarks are drawn without replacement: with it, as the authors' program does, equal ones make holes of their own.
    Distances are not squared, as there. No number of holes is cut off, so that every row of the answer has sum 1.
    """
    points = matrix("rows", rows, least=landmarks.count).double()
    points = points / 2.0 ** math.frexp(float(points.abs().max()))[1]  # nothing changes but the unit
    gamma = len(points) / 5000 / 128 if landmarks.gamma is None else landmarks.gamma
    source, n = generator("cpu", "landmarks", seed), len(points)
    drawn = [torch.randperm(n, generator=source)[: landmarks.count] for _ in range(landmarks.draws)]
    found: list[Floats] = []
    for distances, farthest in _distances(points, torch.stack(drawn)):
        alpha = gamma * farthest
        found.append(living_time(holes(distances, alpha), alpha))
        progress(len(found), landmarks.draws)
    table = np.zeros((len(found), max(map(len, found))))
    for line, one in zip(table, found, strict=True):
        line[: len(one)] = one
    return table


def _distances(points: Tensor, drawn: Tensor) -> Iterator[tuple[Floats, float]]:
    """Of all points to the landmarks of each draw [n, landmarks], and the largest of them. A point that is drawn often is
    compared with the others once for as many draws as fit into memory."""
    n, count = len(points), drawn.shape[1]
    together = len(drawn) if n * n <= HELD else max(1, HELD // (n * count))
    for some in drawn.split(together):
        used, place = some.unique(return_inverse=True)
        apart = torch.cdist(points[used], points)
        apart[torch.arange(len(used)), used] = 0.0  # the product that cdist takes leaves 1e-8 of the scale
        farthest = apart.amax(1)
        for chosen in place:
            yield apart[chosen].T.contiguous().numpy(), float(farthest[chosen].max())


def living_time(intervals: Floats, alpha: float) -> Floats:
    """Share of [0, alpha] during which i = 0, 1, … of the intervals [n, 2] are open (equations 2 and 3)."""
    if not alpha > 0:
        return np.ones(1)
    ends = intervals.clip(max=alpha)
    times = np.concatenate([[0.0], ends.ravel()])
    change = np.concatenate([[0], np.tile([1, -1], len(ends))])
    order = np.argsort(times, kind="stable")
    alive = np.cumsum(change[order])
    lengths = np.diff(times[order], append=alpha)
    return np.bincount(alive.clip(min=0), weights=lengths) / alpha
