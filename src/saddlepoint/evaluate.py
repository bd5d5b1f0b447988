"""The evaluation of a run: which extractor, which scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

from torch import Tensor

from saddlepoint.data.protocol import Data
from saddlepoint.errors import InputError
from saddlepoint.metrics import Score, catalogue
from saddlepoint.metrics.quantities import Quantities, Reference
from saddlepoint.model import Trained
from saddlepoint.settings import LEAST


class Evaluator:
    """Scores generated samples against the data; the real side is looked at once, at the first call."""

    def __init__(self, data: Data, n: int, seed: int, say: Callable[[str], None] = lambda text: None) -> None:
        self.data, self.n, self.seed, self.say = data, n, seed, say
        self._reference: Reference | None = None
        self._quarter = 0

    @cached_property
    def possible(self) -> bool:
        """Whether enough rows are held out; says so, once, where they are not."""
        rows = len(self.data.held_out(LEAST)["real"])
        if rows < LEAST:
            self.say(
                f"{self.data.name} has {rows} held-out rows, and scores compare at least {LEAST}: none are taken"
            )
        return rows >= LEAST

    @property
    def reference(self) -> Reference:
        if self._reference is None:
            from saddlepoint.features import default_extractor

            self.say(f"looking at {self.data.name} for evaluation")
            extractor = default_extractor(self.data, progress=self._told)
            self._reference = Reference(self.data, extractor, self.n, self.seed)
        return self._reference

    def __call__(
        self, samples: Tensor, labels: Tensor | None = None, model: Trained | None = None
    ) -> tuple[Score, ...]:
        """Fréchet distance, precision and recall; for densities with known modes their coverage too; for a run whose
        discriminator names classes its error. labels: int64 [n], of samples that were made by class."""
        if not self.possible:
            raise InputError(
                f"{self.data.name} holds out fewer than {LEAST} rows; scores compare at least {LEAST}"
            )
        found = Quantities(
            self.reference,
            samples[: self._fitting],
            None if labels is None else labels[: self._fitting],
            model,
            classify=model.classify if model else None,
            recognition=model.recognition if model else None,
        )
        taken = (catalogue.get(name) for name in catalogue.DEFAULT)
        return tuple(score for metric in taken if not found.lacks(metric) for score in found.scores(metric))

    @property
    def _fitting(self) -> int:
        """As many samples as the floor has rows."""
        return len(self.reference.train_samples)

    def _told(self, done: int, total: int) -> None:
        """A line at every quarter of an extractor's training."""
        quarter = 4 * done // total
        if quarter > self._quarter:
            self._quarter = quarter
            self.say(
                f"training a classifier of {self.data.name} as extractor, once for all runs: {quarter * 25} %"
            )

    @staticmethod
    def headline(scores: tuple[Score, ...]) -> float:
        """The score by which checkpoints are ranked: the Fréchet distance, lower is better."""
        return next((s.value for s in scores if s.metric == "frechet-distance"), math.inf)
