"""Improved precision and recall (K38)."""

from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.manifold import precision_recall
from saddlepoint.metrics.metric import Measured, Metric

K = 3


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The intervals are over the rows of both sides, balls included."""

    def both(reals: Tensor, fakes: Tensor) -> tuple[float, float]:
        return precision_recall(real=reals, fake=fakes, k=K)

    found = intervals.halved(both, real, fake, least=K + 1)
    return {
        name: intervals.clipped(one, high=1.0)
        for name, one in zip(("precision", "recall"), found, strict=True)
    }


METRIC = Metric(
    id="precision-recall",
    title="improved precision and recall",
    formula="share of fakes in a ball around a real row with the distance to its 3rd neighbour as radius; the same with "
    "sides exchanged",
    paper="Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing Generative Models, NeurIPS 2019",
    rows=("K38",),
    better={"precision": "higher", "recall": "higher"},
    blind="copies of the training data; how often a region is hit; one outlier among the real rows makes a large ball",
    measure=measure,
    unmoved=("copies",),
)
