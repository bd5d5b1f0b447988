"""A number and all that it depends on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from torch import Tensor

from saddlepoint.errors import InputError

Interval = tuple[float, float]
IDENTITY = (
    "metric", "version", "data", "extractor", "hash", "split", "n_real", "n_fake", "seed",
    "real_resizing", "fake_resizing",
)  # fmt: skip
INCEPTION = (
    "inception-2015"  # with the original weights; only between its features a Fréchet distance is an FID
)


@dataclass(frozen=True)
class Score:
    """The value of a metric with its identity: scores compare only when all of IDENTITY agrees.

    metric, version: which definition. extractor, hash: what turned samples into features. data: identity of
    the real side, and split which part of it. n_real, n_fake: rows on each side. seed: of the rows drawn and
    of the resampling. real_resizing, fake_resizing: what was done to the size of the images of each side before
    the extractor saw them. interval: 95 % interval over samples, or over runs where `runs` > 1. floor: the same
    metric between real and real at the same n. note: why an interval or a floor is missing, or what else is to be
    known.
    """

    metric: str
    value: float
    extractor: str
    hash: str
    data: str
    split: str
    n_real: int
    n_fake: int
    seed: int
    interval: Interval | None = None
    floor: float | None = None
    version: int = 1
    note: str = ""
    real_resizing: str = "none"
    fake_resizing: str = "none"
    runs: int = 1

    @property
    def label(self) -> str:
        """The metric with its extractor, as in "FD[digits-cnn]"; the metric alone where it needs none."""
        if self.metric == "frechet-distance":
            return "FID" if self.extractor == INCEPTION else f"FD[{self.extractor}]"
        return self.metric if self.extractor == "none" else f"{self.metric}[{self.extractor}]"

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`; infinity and NaN, which JSON does not know, as text."""
        ends = None if self.interval is None else [_plain(end) for end in self.interval]
        return {**asdict(self), "value": _plain(self.value), "floor": _plain(self.floor), "interval": ends}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Score:
        """The score that `to_json` wrote; a record with other fields is refused."""
        known = {field.name for field in fields(cls)}
        if set(record) != known:
            wrong = ", ".join(sorted(set(record) ^ known))
            raise InputError(
                f"a score record has exactly the fields {', '.join(sorted(known))}; differing: {wrong}."
            )
        value, floor, ends = (record[name] for name in ("value", "floor", "interval"))
        interval = None if ends is None else (float(ends[0]), float(ends[1]))
        numbers = {
            "value": float(value),
            "floor": None if floor is None else float(floor),
            "interval": interval,
        }
        return cls(**{**record, **numbers})


def _plain(number: float | None) -> float | str | None:
    return number if number is None or math.isfinite(number) else str(number)


@dataclass(frozen=True)
class Difference:
    """value of one score minus another's, with a 95 % interval where both have one."""

    value: float
    interval: Interval | None


def difference(first: Score, second: Score) -> Difference:
    """first − second; scores of different identity are refused with the field that differs.

    The half-widths of the intervals add in quadrature, as for independent samples. Both scores share their
    real rows, whose part cancels, so the interval is on the wide side.
    """
    require_same_identity(first, second)
    value = first.value - second.value
    if first.interval is None or second.interval is None:
        return Difference(value, None)
    below = np.hypot(first.value - first.interval[0], second.interval[1] - second.value)
    above = np.hypot(first.interval[1] - first.value, second.value - second.interval[0])
    return Difference(value, (float(value - below), float(value + above)))


def require_same_identity(first: Score, second: Score) -> None:
    """Raise InputError naming the first field of IDENTITY in which the scores differ."""
    for name in IDENTITY:
        ours, theirs = getattr(first, name), getattr(second, name)
        if ours != theirs:
            raise InputError(f"scores of different {name} do not compare: {ours!r} and {theirs!r}.")


def over_runs(scores: Sequence[Score]) -> Score:
    """The mean over runs, which differ in their seeds alone, with Student's 95 % interval: x̄ ± t_{.975, k−1} s/√k
    for k runs. Scores of different identity are refused."""
    from scipy.stats import t

    if len(scores) < 2:
        raise InputError(f"a mean over runs is taken of at least 2, and there are {len(scores)}.")
    for other in scores[1:]:
        require_same_identity(scores[0], other)
    values = np.array([score.value for score in scores])
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
    mean = float(values.mean())
    note = "runs: " + ", ".join(f"{value:.6g}" for value in values)
    return replace(scores[0], value=mean, interval=(mean - half, mean + half), note=note, runs=len(values))


def bootstrap_interval(
    *samples: Tensor, seed: int, statistic: Callable[..., Any] = np.mean, resamples: int = 1000
) -> Interval:
    """95 % percentile bootstrap over the rows of each sample (numbers [n]), drawn anew independently of each
    other.

    `statistic(*samples, axis=…)` is the mean by default.
    """
    from scipy.stats import bootstrap

    data = tuple(sample.double().numpy() for sample in samples)
    options: dict[str, Any] = {
        "n_resamples": resamples,
        "method": "percentile",
        "batch": 50,
        "vectorized": True,
    }
    found = bootstrap(data, statistic, rng=np.random.default_rng(seed), **options).confidence_interval
    return float(found.low), float(found.high)
