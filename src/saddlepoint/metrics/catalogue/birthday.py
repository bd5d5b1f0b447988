"""Birthday-paradox test of the support (K19)."""

import math

from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.support import (
    birthday_batch,
    collision_threshold,
    effective_support,
    support_overlap,
)

QUANTILE = 0.5


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """Two rows collide when they are closer than half of the held-out rows are to their nearest other row; the note has
    the batch in which a collision is as likely as not."""
    threshold = collision_threshold(real=real, quantile=QUANTILE)
    found = effective_support(samples=fake, threshold=threshold)
    (size,) = intervals.halved(_logarithm, real, fake, least=3)
    interval = found.interval and intervals.exponentiated(size).interval
    batch = f"a batch of {birthday_batch(support=found.value)} holds two alike as likely as not"
    note = "; ".join(part for part in (found.note, batch) if part)
    return {
        "support-size": Measured(found.value, interval, note),
        "support-overlap": support_overlap(real=real, fake=fake, threshold=threshold),
    }


def _logarithm(real: Tensor, fake: Tensor) -> tuple[float]:
    """Of the size, by the threshold that these rows give: halves lie farther apart, and their size is smaller."""
    threshold = collision_threshold(real=real, quantile=QUANTILE)
    return (math.log(effective_support(samples=fake, threshold=threshold).value),)


METRIC = Metric(
    id="birthday",
    title="birthday-paradox support",
    formula="pairs of fakes / pairs of fakes that collide; rate of collisions of a real row with a fake over the geometric "
    "mean of those of two real rows and of two fakes",
    paper="Arora and Zhang, Do GANs actually learn the distribution? An empirical study, 2017; Arora, Risteski and Zhang, "
    "Do GANs learn the distribution? Some theory and empirics, ICLR 2018",
    rows=("K19",),
    better={"support-size": "higher", "support-overlap": 1.0},
    blind="copies of the training data; the support alone is no matter of where the fakes lie, and noise hides "
    "duplicates; rare samples hardly count; the size depends on what counts as alike, so it is read against its floor",
    measure=measure,
    unmoved=("copies",),
)
