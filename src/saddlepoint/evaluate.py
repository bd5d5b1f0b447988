"""The evaluation of a run: which extractor, which scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

from torch import Tensor

from saddlepoint.data.protocol import Data
from saddlepoint.errors import InputError
from saddlepoint.metrics import Metric, Model, Score, catalogue
from saddlepoint.metrics.quantities import Progress, Quantities, Reference
from saddlepoint.model import Trained
from saddlepoint.settings import LEAST


class Evaluator:
    """Scores generated samples against the data; the real side is looked at once, at the first call.

    extractor: a name of `features.NAMES` or the path of a file; by default what suits the data. tell: how far a long
    metric is.
    """

    def __init__(
        self,
        data: Data,
        n: int,
        seed: int,
        say: Callable[[str], None] = lambda text: None,
        extractor: str | None = None,
        tell: Progress = lambda done, total: None,
    ) -> None:
        self.data, self.n, self.seed, self.say, self.extractor, self.tell = (
            data,
            n,
            seed,
            say,
            extractor,
            tell,
        )
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

    @cached_property
    def reference(self) -> Reference:
        from saddlepoint.features import by_name, default_extractor

        self.say(f"looking at {self.data.name} for evaluation")
        if self.extractor is None:
            extractor = default_extractor(self.data, progress=self._told)
        else:
            extractor = by_name(self.extractor, self.data, progress=self._told)
        return Reference(self.data, extractor, self.n, self.seed, self.tell)

    def __call__(
        self, samples: Tensor, labels: Tensor | None = None, run: Trained | None = None
    ) -> tuple[Score, ...]:
        """Fréchet distance, precision and recall; for densities with known modes their coverage too; for a run whose
        discriminator names classes or codes what it knows of them."""
        found = self.quantities(samples, labels, run)
        return tuple(score for metric in self.usual(found) for score in found.scores(metric))

    def quantities(
        self,
        samples: Tensor,
        labels: Tensor | None = None,
        run: Trained | None = None,
        rivals: Sequence[Model] = (),
        resizing: str = "none",
    ) -> Quantities:
        """What metrics may ask for, of as many samples as the floor has rows. labels: int64 [n], of samples that were made
        by class. run: what made them; a metric looks into it as a model where it makes samples of noise alone."""
        if not self.possible:
            raise InputError(
                f"{self.data.name} holds out fewer than {LEAST} rows; scores compare at least {LEAST}"
            )
        fitting = len(self.reference.train_samples)
        alone = run is not None and not run.game.bound().found.given
        return Quantities(
            self.reference,
            samples[:fitting],
            None if labels is None else labels[:fitting],
            run if alone else None,
            tuple(rivals),
            classify=run.classify if run else None,
            recognition=run.recognition if run else None,
            resizing=resizing,
        )

    @staticmethod
    def usual(found: Quantities) -> tuple[Metric, ...]:
        """The metrics that are taken unless others are asked for, as far as they can be."""
        return tuple(m for m in map(catalogue.get, catalogue.DEFAULT) if not found.lacks(m))

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
