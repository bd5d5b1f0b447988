"""Realism of the middle fake (K38)."""

import torch
from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.manifold import realism
from saddlepoint.metrics.metric import Measured, Metric

K = 3


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The interval is over the rows of both sides, balls included."""

    def median(reals: Tensor, fakes: Tensor) -> tuple[float]:
        return (float(torch.quantile(realism(real=reals, fake=fakes, k=K), 0.5)),)

    (found,) = intervals.halved(median, real, fake, least=K + 1)
    return {"realism": intervals.clipped(found)}


METRIC = Metric(
    id="realism",
    title="median realism",
    formula="median over the fakes of max_r radius(r) / (|fake - r| + 1e-5), radius(r) the distance of the real row r to its "
    "3rd neighbour; at least 1 inside the manifold of the reals",
    paper="Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing Generative Models, NeurIPS 2019, "
    "equation 3",
    rows=("K38",),
    better={"realism": "higher"},
    blind="everything but fidelity: modes that are missing, fakes that are all alike, copies of the training data",
    measure=measure,
    unmoved=("dropped", "collapse", "copies"),
)
