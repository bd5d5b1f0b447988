"""Birthday-paradox test of the support (K19)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.support import birthday_batch, collision_threshold, effective_support

QUANTILE = 0.1


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """Fakes collide when they are closer than nine tenths of the held-out rows are to their nearest other row; the note
    has the batch in which a collision is as likely as not."""
    found = effective_support(samples=fake, threshold=collision_threshold(real=real, quantile=QUANTILE))
    batch = f"a batch of {birthday_batch(support=found.value)} holds two alike as likely as not"
    note = "; ".join(part for part in (found.note, batch) if part)
    return {"support-size": Measured(found.value, found.interval, note)}


METRIC = Metric(
    id="birthday",
    title="birthday-paradox support",
    formula="pairs of fakes / pairs closer than the 10 % point of the nearest-neighbour distances of real rows",
    paper="Arora and Zhang, Do GANs actually learn the distribution? An empirical study, 2017; Arora, Risteski and Zhang, "
    "Do GANs learn the distribution? Some theory and empirics, ICLR 2018",
    rows=("K19",),
    better={"support-size": "higher"},
    blind="where the fakes lie: it looks for duplicates among them alone, and noise hides these; rare samples hardly "
    "count; the size depends on what counts as alike, so it is read against its floor",
    measure=measure,
    unmoved=("shift", "noise", "copies"),
)
