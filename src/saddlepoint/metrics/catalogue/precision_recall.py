"""Improved precision and recall (K38)."""

from torch import Tensor

from saddlepoint.metrics.manifold import inside
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.score import bootstrap_interval


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    """The intervals are over the rows counted, the balls being held fixed."""
    hits = {
        "precision": inside(points=fake, reference=real),
        "recall": inside(points=real, reference=fake),
    }
    return {
        name: Measured(float(found.double().mean()), bootstrap_interval(found, seed=seed))
        for name, found in hits.items()
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
