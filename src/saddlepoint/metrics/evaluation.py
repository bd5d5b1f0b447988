"""Scores of generated samples against a data set, complete with identity, interval and floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from saddlepoint.features import Extractor
from saddlepoint.metrics.frechet import frechet_distance, frechet_interval
from saddlepoint.metrics.manifold import inside
from saddlepoint.metrics.modes import ModeCoverage, mode_coverage
from saddlepoint.metrics.score import Interval, Score, bootstrap_interval
from saddlepoint.random import generator

if TYPE_CHECKING:
    from saddlepoint.data.protocol import Data

SPLIT = "held-out"
RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class Reference:
    """Real features, computed once, against which the samples of any number of checkpoints are scored.

    real: features of at most n held-out rows, which neither the generator nor the extractor was trained on.
    other: features of at most n training rows. The floor of a score is the same metric between `real` and as
    many of these as there are fakes: what a generator that had learnt the training rows by heart would get.
    """

    extractor: Extractor
    data: str
    seed: int
    real: Tensor
    other: Tensor

    @classmethod
    def of(cls, data: Data, extractor: Extractor, n: int = 2000, seed: int = 0) -> Reference:
        real, other = data.held_out(n, seed)["real"], data.training(n, seed)["real"]
        return cls(extractor, data.identity, seed, extractor(real), extractor(other))

    def scores(self, samples: Tensor) -> tuple[Score, ...]:
        """Fréchet distance, precision and recall of the first samples, as many as the floor has rows.

        The intervals of precision and recall are over the rows counted, the balls being held fixed.
        """
        fake = self.extractor(samples[: len(self.other)])
        return self._frechet(fake), self._precision(fake), self._recall(fake)

    def _frechet(self, fake: Tensor) -> Score:
        return Score(
            metric="frechet-distance",
            value=frechet_distance(real=self.real, fake=fake),
            interval=frechet_interval(real=self.real, fake=fake),
            floor=frechet_distance(real=self.real, fake=self.other[: len(fake)]),
            **self._identity(fake),
        )

    def _precision(self, fake: Tensor) -> Score:
        hits, floor = (inside(points=rows, reference=self.real) for rows in (fake, self.other[: len(fake)]))
        return self._share("precision", fake, hits, floor)

    def _recall(self, fake: Tensor) -> Score:
        hits, floor = (inside(points=self.real, reference=rows) for rows in (fake, self.other[: len(fake)]))
        return self._share("recall", fake, hits, floor)

    def _share(self, metric: str, fake: Tensor, hits: Tensor, floor: Tensor) -> Score:
        return Score(
            metric=metric,
            value=float(hits.double().mean()),
            interval=bootstrap_interval(hits, seed=self.seed),
            floor=float(floor.double().mean()),
            **self._identity(fake),
        )

    def _identity(self, fake: Tensor) -> dict[str, Any]:
        return {
            "extractor": self.extractor.name,
            "hash": self.extractor.hash,
            "data": self.data,
            "split": SPLIT,
            "n_real": len(self.real),
            "n_fake": len(fake),
            "seed": self.seed,
        }


def mode_scores(
    *, samples: Tensor, data: Data, centres: Tensor, sigma: float, seed: int = 0
) -> tuple[Score, ...]:
    """Mode coverage of the samples; the floor is that of as many held-out rows of the data.

    The intervals are percentiles over 200 sets of rows drawn anew from the samples. A rare mode is often
    missed when drawing, so that of the modes covered reaches down from the value. A variance ratio that no
    mode allows is left out.
    """
    real = data.held_out(len(samples), seed)["real"]
    judged = partial(mode_coverage, centres=centres, sigma=sigma)
    source = generator("cpu", "mode bootstrap", seed)
    drawn = [torch.randint(len(samples), (len(samples),), generator=source) for _ in range(RESAMPLES)]
    redrawn = [_numbers(judged(samples=samples[rows])) for rows in drawn]
    floor = _numbers(judged(samples=real))
    return tuple(
        Score(
            metric, value, "none", "none", data.identity, SPLIT, len(real), len(samples), seed,
            interval=_middle([one[metric] for one in redrawn if metric in one]),
            floor=floor.get(metric),
        )
        for metric, value in _numbers(judged(samples=samples)).items()
    )  # fmt: skip


def _numbers(found: ModeCoverage) -> dict[str, float]:
    """The numbers of a coverage under the names of their scores."""
    numbers = {
        "modes-covered": float(found.covered),
        "high-quality-share": found.high_quality,
        "mode-divergence": found.divergence,
    }
    return (
        numbers if found.variance_ratio is None else numbers | {"mode-variance-ratio": found.variance_ratio}
    )


def _middle(values: Sequence[float]) -> Interval | None:
    """From the 2.5 % to the 97.5 % point; None of no values."""
    if not values:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
