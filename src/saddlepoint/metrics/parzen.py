"""Likelihood under a Parzen window of the samples (Breuleux et al. 2011; Goodfellow et al. 2014, section 5)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import GROUPS, groups_of, jackknife
from saddlepoint.metrics.samples import distances, matrices
from saddlepoint.metrics.score import Interval
from saddlepoint.random import generator

GRID = tuple(10 ** (exponent / 10) for exponent in range(-30, 4))
"""Widths tried, in standard deviations of a real number: 0.001 to 2, ten to a decade."""


def parzen_interval(*, real: Tensor, fake: Tensor, sigma: float) -> Interval:
    """95 % interval for the mean log-density over rows of both sides, the width held fixed: the jackknife over 20 groups
    of the real rows and as many of the fakes, a group of either at a time left out together."""
    source = generator("cpu", "Parzen groups")
    rows, centres = matrices(real, fake, least=2 * GROUPS)
    own, theirs = (groups_of(len(side), GROUPS, source) for side in (rows, centres))
    width = torch.tensor([sigma])
    parts = torch.stack([  # log of the sum over each group of fakes
        parzen_log_densities(points=rows, samples=centres[theirs == group], sigmas=width)[0]
        + math.log(int((theirs == group).sum()))
        for group in range(GROUPS)
    ])  # fmt: skip
    without = [_without(parts, own, theirs, group) for group in range(GROUPS)]
    value = float((torch.logsumexp(parts, 0) - math.log(len(centres))).mean())
    return jackknife(value, torch.tensor(without, dtype=torch.float64))


def _without(parts: Tensor, own: Tensor, theirs: Tensor, group: int) -> float:
    kept = torch.arange(len(parts)) != group
    sums = torch.logsumexp(parts[kept][:, own != group], 0)
    return float(sums.mean()) - math.log(int((theirs != group).sum()))


class Parzen(NamedTuple):
    """The log-density of each row judged, float64 in nats, and the width of the window by which it was taken."""

    log_densities: Tensor
    sigma: float


def parzen(*, real: Tensor, fake: Tensor, validation: Tensor, grid: tuple[float, ...] = GRID) -> Parzen:
    """Log-densities of the real rows under the window of the fakes whose width is the best for the validation rows.

    real [n, …], fake [m, …], validation [v, …]: training rows, as Goodfellow et al. have it, so that copies of these
    choose a window much too narrow for held-out rows. The widths tried are `grid` times the root of the mean variance
    of the validation rows; theirs are ten from 0.1 to 1, right for images in [0, 1].
    """
    rows, centres = matrices(validation, fake)
    scale = float(rows.var(0, correction=0).mean().sqrt())
    if not scale > 0:
        raise InputError("all validation rows are equal; a Parzen window has no scale to be chosen from.")
    widths = scale * torch.tensor(grid, dtype=torch.float64)
    sigma = widths[parzen_log_densities(points=rows, samples=centres, sigmas=widths).mean(1).argmax()]
    judged = parzen_log_densities(points=real, samples=centres, sigmas=sigma.view(1))
    return Parzen(judged[0], float(sigma))


def parzen_log_densities(*, points: Tensor, samples: Tensor, sigmas: Tensor) -> Tensor:
    """log (1/m) Σ_j N(x_i; y_j, σ²I) in nats: float64 [len(sigmas), len(points)]; σ is a standard deviation."""
    if not bool((sigmas > 0).all()):
        raise InputError("a Parzen window needs widths above 0.")
    rows, centres = matrices(points, samples)
    blocks = [
        _log_densities(block.square(), sigmas.double(), rows.shape[1])
        for _, block in distances(rows, centres)
    ]
    return torch.cat(blocks, 1)


def _log_densities(squares: Tensor, sigmas: Tensor, dimensions: int) -> Tensor:
    """The same for a block of squared distances [points, m]."""
    sums = torch.stack([torch.logsumexp(-squares / (2 * sigma**2), 1) for sigma in sigmas])
    return sums - math.log(squares.shape[1]) - dimensions / 2 * torch.log(2 * math.pi * sigmas[:, None] ** 2)
