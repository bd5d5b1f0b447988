"""The trust table: generated images and five controls of known quality, judged by the same columns.

All columns compare with held-out images, which neither the generator nor the classifier has seen; the
training images set the floor. Nothing here is compared with itself: the control "held-out real" is one half
of the held-out images against the other half, with its own floor at its own n.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.features import Extractor
from saddlepoint.metrics.controls import fake_controls
from saddlepoint.metrics.frechet import frechet, frechet_distance
from saddlepoint.metrics.labels import class_shares, entropies
from saddlepoint.metrics.neighbours import nearest_distances, neighbour_hits
from saddlepoint.metrics.quantities import SPLIT
from saddlepoint.metrics.score import Score, bootstrap_interval

if TYPE_CHECKING:
    from saddlepoint.data.protocol import Data

LARGEST = 1 << 28  # numbers of training pixels held at once: 1 GiB
FLOOR_SETS = 8  # sets of training images over which the floor is averaged, where there are as many


class Judge(Extractor, Protocol):
    """A classifier of the data: features, and p(y|x)."""

    def probabilities(self, samples: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Acceptance:
    """What a generator must reach. A fake control must miss at least one of these, and held-out real images
    none."""

    min_share: float = 0.04
    max_entropy: float = 0.25
    max_relative_to_untrained: float = 1 / 40
    max_floors: float = 3.0
    max_nn_accuracy: float = 0.85
    ratio: tuple[float, float] = (0.8, 1.3)

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """Least and greatest accepted value of each limited column."""
        return {
            "share": (self.min_share, 1.0),
            "entropy": (0.0, self.max_entropy),
            "relative": (0.0, self.max_relative_to_untrained),
            "floors": (0.0, self.max_floors),
            "nn-accuracy": (0.0, self.max_nn_accuracy),
            "distance-ratio": self.ratio,
        }

    def failed(self, row: Row) -> tuple[str, ...]:
        """The columns whose limits the row misses."""
        return tuple(
            name for name, (low, high) in self.limits.items() if not low <= row.scores[name].value <= high
        )


@dataclass(frozen=True)
class Column:
    id: str
    label: str
    unit: str
    definition: str


COLUMNS = (
    Column(
        "share", "smallest class share", "",
        "Share of the rarest class, each image counted for its likeliest one.",
    ),
    Column(
        "entropy", "mean entropy", "nats",
        "Mean over the images of the entropy of p(y|x): 0 where the classifier is certain.",
    ),
    Column(
        "frechet", "Fréchet distance", "",
        "Between the images and held-out real ones, in the classifier's penultimate features.",
    ),
    Column(
        "relative", "over the untrained", "",
        "Fréchet distance over that of as many samples of the untrained generator.",
    ),
    Column(
        "floors", "over the floor", "",
        "Fréchet distance over that of as many training images: real against real, at the same numbers.",
    ),
    Column(
        "nn-accuracy", "1-NN accuracy", "",
        "Leave-one-out, pixels, as many images as held-out real ones: 0.5 when they cannot be told apart.",
    ),
    Column(
        "distance-ratio", "distance ratio", "",
        "Mean distance to the nearest training image, over that of held-out real ones, pixels: 0 for copies.",
    ),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Row:
    """One set of images; `scores` by column id, each with the numbers of rows it was taken at."""

    name: str
    kind: str  # "generated", "real" or "fake"
    images: Tensor = field(repr=False)
    shares: tuple[float, ...]
    scores: dict[str, Score]

    def to_json(self, acceptance: Acceptance) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "n": len(self.images),
            "shares": list(self.shares),
            "values": {column: score.value for column, score in self.scores.items()},
            "counts": {column: f"{score.n_fake} / {score.n_real}" for column, score in self.scores.items()},
            "scores": {column: score.to_json() for column, score in self.scores.items()},
            "failed": list(acceptance.failed(self)),
        }


@dataclass(frozen=True, eq=False)
class TrustTable:
    classes: tuple[str, ...]
    rows: tuple[Row, ...]

    def row(self, name: str) -> Row:
        """The row of that name."""
        return next(row for row in self.rows if row.name == name)

    def to_json(self, acceptance: Acceptance) -> dict[str, Any]:
        """Columns with their limits; rows with values, counts, complete scores, and columns failed."""
        limits = {name: _shown(low, high) for name, (low, high) in acceptance.limits.items()}
        labels = {column.id: column.label for column in COLUMNS}
        return {
            "acceptance": {labels[name]: limit for name, limit in limits.items()},
            "classes": list(self.classes),
            "columns": [{**asdict(column), "limit": limits.get(column.id)} for column in COLUMNS],
            "rows": [row.to_json(acceptance) for row in self.rows],
        }


def trust_table(
    *, generated: Tensor, untrained: Tensor, data: Data, classifier: Judge, n: int = 2000, seed: int = 0
) -> TrustTable:
    """Rows: the first n generated images, held-out real images, and the four fake controls of n images each.

    With T all training images (as many as fit 1 GiB), R at most n held-out ones, S the n images of a row:

    share, entropy   All of S.
    frechet          min(n, |T|) images of S against R, in features of the classifier.
    floors           frechet over the mean of the same between R and disjoint sets of as many images of T:
                     real against real, at the same numbers. The classifier was trained on T, so T may lie a
                     little farther from R than fresh images would. Copies of T are at about 1.
    relative         frechet over that of as many images of the untrained generator.
    nn-accuracy      R against as many images of S, mean over the disjoint sets of |R| images in S. In pixels,
                     which do not know T as the classifier does.
    distance-ratio   S to T over R to T, in pixels.

    The row "held-out real" takes for S and R one half each of at most 2n held-out images. Its numbers are
    smaller and so noisier than those of the other rows, and 1 floor, 1-NN accuracy 0.5 and distance ratio 1
    are expected of it. Raises `InputError` when there are too few images or no classes.
    """
    _require(generated, untrained, data, n)
    pool = data.held_out(2 * n, seed)["real"]
    training = data.training(LARGEST // pool[0].numel(), seed)["real"]
    bench = _Bench(
        real=_Images(pool[:n], classifier),
        training=training,
        trained=classifier(training[: FLOOR_SETS * n]),
        untrained=classifier(untrained[:n]),
        identity=Score(
            "", 0.0, classifier.name, classifier.hash, data.identity, SPLIT, min(n, len(pool)), n, seed
        ),
    )
    controls = fake_controls(training=training, n=n, seed=seed)
    rows = (
        bench.row("generated", "generated", generated[:n]),
        _held_out(bench, pool),
        *(bench.row(name, "fake", images) for name, images in controls.items()),
    )
    return TrustTable(tuple(data.classes), rows)


def _held_out(bench: _Bench, pool: Tensor) -> Row:
    half = len(pool) // 2
    halved = replace(
        bench, real=_Images(pool[:half], bench.real.judge), identity=replace(bench.identity, n_real=half)
    )
    return halved.row("held-out real", "real", pool[half:])


@dataclass(frozen=True, eq=False)
class _Images:
    """Images and what the classifier makes of them, once."""

    pixels: Tensor
    judge: Judge

    @cached_property
    def features(self) -> Tensor:
        return self.judge(self.pixels)

    @cached_property
    def probabilities(self) -> Tensor:
        return self.judge.probabilities(self.pixels)

    def __len__(self) -> int:
        return len(self.pixels)


def _sets(rows: Tensor, count: int) -> list[Tensor]:
    """The disjoint sets of `count` rows in order; what is left over is not used."""
    return [rows[start : start + count] for start in range(0, len(rows) - count + 1, count)]


@dataclass(frozen=True, eq=False)
class _Bench:
    """What a row is measured against: R, T and samples of the untrained generator; the identity of every
    score."""

    real: _Images
    training: Tensor  # pixels
    trained: Tensor  # features of the first of them
    untrained: Tensor  # features
    identity: Score

    def row(self, name: str, kind: str, pixels: Tensor) -> Row:
        images = _Images(pixels, self.real.judge)
        shares = class_shares(probabilities=images.probabilities)
        scores = {
            "share": self._share(images, shares),
            "entropy": self._entropy(images),
            **self._frechet(images),
            "nn-accuracy": self._nn_accuracy(images),
            "distance-ratio": self._distance_ratio(images),
        }
        return Row(name, kind, pixels, tuple(shares.tolist()), scores)

    def _share(self, images: _Images, shares: Tensor) -> Score:
        rarest = images.probabilities.argmax(1) == shares.argmin()
        return replace(
            self.identity,
            metric="smallest-class-share",
            value=float(shares.min()),
            n_fake=len(images),
            interval=bootstrap_interval(rarest, seed=self.identity.seed),
            floor=float(class_shares(probabilities=self.real.probabilities).min()),
        )

    def _entropy(self, images: _Images) -> Score:
        found, floor = (entropies(probabilities=side.probabilities) for side in (images, self.real))
        return replace(
            self.identity,
            metric="mean-entropy",
            value=float(found.mean()),
            n_fake=len(images),
            interval=bootstrap_interval(found, seed=self.identity.seed),
            floor=float(floor.mean()),
        )

    def _frechet(self, images: _Images) -> dict[str, Score]:
        count = min(len(images), len(self.trained), len(self.untrained))
        real, fake = self.real.features, images.features[:count]
        found = frechet(real=real, fake=fake)
        absolute = replace(
            self.identity,
            metric="frechet-distance",
            value=found.value,
            n_fake=count,
            interval=found.interval,
            floor=float(
                np.mean([frechet_distance(real=real, fake=one) for one in _sets(self.trained, count)])
            ),
        )
        untrained = frechet_distance(real=real, fake=self.untrained[:count])
        return {
            "frechet": absolute,
            "relative": _in_units(absolute, untrained, "relative-to-untrained"),
            "floors": _in_units(absolute, absolute.floor or 0.0, "in-floors"),
        }

    def _nn_accuracy(self, images: _Images) -> Score:
        count = min(len(images), len(self.real), len(self.training))
        real = self.real.pixels[:count]
        hits = torch.cat([neighbour_hits(real=real, fake=one) for one in _sets(images.pixels, count)])
        return replace(
            self.identity,
            metric="nn-accuracy",
            value=float(hits.mean()),
            n_real=count,
            n_fake=count,
            interval=bootstrap_interval(hits, seed=self.identity.seed),
            floor=float(neighbour_hits(real=real, fake=self.training[:count]).mean()),
            note=f"mean over {len(images) // count} disjoint sets of {count} fakes",
        )

    def _distance_ratio(self, images: _Images) -> Score:
        found = nearest_distances(rows=images.pixels, others=self.training)
        real = self._real_distances
        return replace(
            self.identity,
            metric="nn-distance-ratio",
            value=float(found.mean() / real.mean()),
            n_fake=len(images),
            interval=bootstrap_interval(found, real, seed=self.identity.seed, statistic=_ratio_of_means),
            floor=1.0,
            note=f"to {len(self.training)} training rows",
        )

    @cached_property
    def _real_distances(self) -> Tensor:
        return nearest_distances(rows=self.real.pixels, others=self.training)


def _in_units(score: Score, unit: float, name: str) -> Score:
    """A distance, its interval and its floor over a unit that is itself a distance (infinite over 0)."""
    value, floor = (
        amount / unit if unit > 0 else float("inf") for amount in (score.value, score.floor or 0.0)
    )
    low, high = score.interval or (value, value)
    interval = (low / unit, high / unit) if unit > 0 else None
    return replace(score, metric=f"frechet-distance-{name}", value=value, interval=interval, floor=floor)


def _ratio_of_means(first: Any, second: Any, axis: int) -> Any:
    return first.mean(axis) / second.mean(axis)


def _require(generated: Tensor, untrained: Tensor, data: Data, n: int) -> None:
    if not data.classes:
        raise InputError("the trust table needs labelled data, since four of its columns ask a classifier.")
    for name, images in (("generated", generated), ("untrained", untrained)):
        if len(images) < n or tuple(images.shape[1:]) != data.shape:
            raise InputError(
                f"{name} has the shape {tuple(images.shape)}; {n} or more rows of {data.shape} are needed."
            )


def _shown(low: float, high: float) -> str:
    """A limit in words. No share is below 0 or above 1 and no distance below 0: such ends are not said."""
    if low and high != 1.0:
        return f"{low:g} to {high:g}"
    return f"at least {low:g}" if low else f"at most {high:g}"
