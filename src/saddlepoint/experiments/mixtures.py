"""Data sets whose modes are known, and how samples of them are judged: modes found, share of high quality, variance within
the modes, KL of their shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from saddlepoint.data import Data, load
from saddlepoint.data.densities import Density, Grid, Ring
from saddlepoint.data.named import Stack
from saddlepoint.data.split import by_position, fingerprint
from saddlepoint.data.table import Table
from saddlepoint.metrics import mode_coverage
from saddlepoint.metrics.modes import class_coverage, divergence_floor, expected_class_coverage, triples
from saddlepoint.metrics.samples import distances
from saddlepoint.networks import MLP
from saddlepoint.random import key

PERFECT = 1 - math.exp(-4.5)  # share of a Gaussian in the plane within 3σ of its mean
ROWS = 2500  # samples that are judged, as in the papers


class Judged(NamedTuple):
    """modes found; share of high quality; variance within the modes over the true one (nan: no mode has two samples);
    KL(shares of the modes ‖ uniform) in nats."""

    modes: float
    quality: float
    variance: float
    divergence: float


@dataclass(frozen=True)
class Task:
    """A data set of `modes` equally likely modes, the perceptrons that play on it, and who judges `rows` samples."""

    name: str
    data: Callable[[], Data]
    modes: int
    judge: Callable[[Tensor], Judged]
    latent: int
    rows: int = ROWS
    networks: MLP = MLP(width=128)

    def perfect(self) -> Judged:
        """Means of what `rows` independent points of the truth are given."""
        return Judged(
            expected_class_coverage(classes=self.modes, n=self.rows),
            PERFECT,
            1.0,
            divergence_floor(classes=self.modes, n=self.rows),
        )


# -- the plane -----------------------------------------------------------------------------------------

RING = Ring(radius=2.0, sigma=0.02)
GRID = Grid(spacing=2.0, sigma=0.05)


def in_the_plane(data: Ring | Grid, samples: Tensor) -> Judged:
    """High quality: within 3σ of the nearest centre."""
    found = mode_coverage(samples=samples, centres=data.centres, sigma=data.sigma)
    ratio = math.nan if found.variance_ratio is None else found.variance_ratio
    return Judged(found.covered, found.high_quality, ratio, found.divergence)


# -- 1200 dimensions -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deep(Density):
    """Ten modes in equal weight on the diagonal of 1200 dimensions, N(0, I) about each in the first 700 of them and
    nothing in the rest (Srivastava et al. 2017; means of Lin et al. 2018)."""

    name: ClassVar[str] = "deep"
    shape: ClassVar[tuple[int, ...]] = (1200,)
    means: tuple[float, ...] = (-1, -0.5, 0, 0.5, -2, -2.5, 10, 0.25, -13, -5.5)
    varying: int = 700

    @property
    def centres(self) -> Tensor:
        return torch.tensor(self.means)[:, None].expand(-1, *self.shape)

    def draw(self, count: int, source: Generator) -> Tensor:
        rows = self.centres[torch.randint(len(self.means), (count,), generator=source)].clone()
        rows[:, : self.varying] += torch.randn(count, self.varying, generator=source)
        return rows

    def radius(self) -> float:
        """The distance within which a true point lies with the probability that it has in the plane within 3σ."""
        from scipy.stats import chi2

        return math.sqrt(chi2.ppf(PERFECT, self.varying))


DEEP = Deep()


def in_1200_dimensions(samples: Tensor) -> Judged:
    """High quality: no farther from the nearest centre than `radius`. Variances are those of the dimensions that vary."""
    from scipy.stats import chi2

    radius, centres = DEEP.radius(), DEEP.centres
    distance, mode = torch.cat([block for _, block in distances(samples, centres)]).min(1)
    good = distance <= radius
    shares = torch.bincount(mode, minlength=len(centres)).double() / len(samples)
    cut_off = (
        chi2.cdf(radius**2, DEEP.varying + 2) / PERFECT
    )  # variance of the true Gaussian within the radius
    return Judged(
        len(mode[good].unique()),
        float(good.double().mean()),
        within(samples[good, : DEEP.varying], mode[good], len(centres)) / float(cut_off),
        float(torch.special.xlogy(shares, shares * len(centres)).sum()),
    )


def within(rows: Tensor, group: Tensor, groups: int) -> float:
    """Variance of a coordinate about the mean of its group, pooled over the groups and averaged over the coordinates;
    nan where no group has two rows. rows [n, d], group int64 [n]."""
    counts = torch.bincount(group, minlength=groups)
    freedom = len(rows) - int((counts > 0).sum())
    if not freedom:
        return math.nan
    wide = rows.double()
    sums = wide.new_zeros(groups, wide.shape[1]).index_add_(0, group, wide)
    return float((wide - sums[group] / counts[group, None]).square().sum()) / (freedom * wide.shape[1])


# -- stacked digits ------------------------------------------------------------------------------------

STACKS = 100_000, 26_000  # that train, that are held out


@lru_cache(maxsize=1)
def stacked_digits() -> Table:
    """Three 8x8 digits each, drawn independently with replacement, as three channels: 1,000 classes."""
    digits = load("digits")
    assert isinstance(digits, Table)
    random = np.random.default_rng(key("stacked digits"))
    drawn = [
        random.choice(side, (count, 3))
        for side, count in zip((digits.split.training, digits.split.held_out), STACKS, strict=True)
    ]
    planes: Any = digits.values
    return Table(
        name="stacked-digits",
        shape=(3, *digits.shape[1:]),
        identity=fingerprint("stacked digits 1", digits.identity, *drawn),
        values=Stack(planes, np.concatenate(drawn)),
        split=by_position(*STACKS),
    )


class Judge(NamedTuple):
    """Who judges planes [n, 1, 8, 8]: `classes` of them, distances to the nearest training digit, the distance within which
    all three planes of a true stack lie with probability 98.89 %, and the variance within the true classes."""

    classes: Callable[[Tensor], Tensor]
    far: Callable[[Tensor], Tensor]
    reach: float
    variance: float


@lru_cache(maxsize=1)
def judge() -> Judge:
    from saddlepoint.features import classifier

    digits = load("digits")
    known, trained = digits.training()["real"].flatten(1), classifier(digits)

    def classes(planes: Tensor) -> Tensor:
        return trained.probabilities(planes).argmax(1)

    def far(planes: Tensor) -> Tensor:
        return torch.cdist(planes.flatten(1), known).amin(1)

    true = stacked_digits().held_out(ROWS)["real"].flatten(0, 1)[:, None]
    reach = far(true).view(-1, 3).amax(1).quantile(PERFECT)
    return Judge(classes, far, float(reach), within(true.flatten(1), classes(true), 10))


def in_stacks(samples: Tensor) -> Judged:
    """Modes and shares from the predicted triples of all samples; quality and variance from the first 2,500. High quality: no
    plane farther from its nearest training digit than `reach`. The variance is that of pixels within a digit's class."""
    who = judge()
    planes = samples.flatten(0, 1)[:, None]
    digits = who.classes(planes)
    found = class_coverage(labels=triples(digits.view(-1, 3)), classes=1000)
    first = planes[: 3 * ROWS]
    good = (who.far(first).view(-1, 3).amax(1) <= who.reach).repeat_interleave(3)
    spread = within(first[good].flatten(1), digits[: len(first)][good], 10)
    return Judged(
        found.covered.value, float(good.double().mean()), spread / who.variance, found.divergence.value
    )


TASKS = {
    task.name: task
    for task in (
        Task("ring", lambda: RING, 8, partial(in_the_plane, RING), latent=16),
        Task("grid", lambda: GRID, 25, partial(in_the_plane, GRID), latent=16),
        Task("1200-D", lambda: DEEP, 10, in_1200_dimensions, latent=64),
        Task("stacked digits", stacked_digits, 1000, in_stacks, latent=64, rows=STACKS[1]),
    )
}
