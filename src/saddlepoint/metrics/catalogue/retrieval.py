"""Image retrieval: how near the nearest fake is to a held-out row (K26)."""

from torch import Tensor

from saddlepoint.metrics.intervals import mean
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.retrieval import retrieval_distances


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The interval is over real rows, the fakes being held fixed."""
    return {"retrieval-distance": mean(retrieval_distances(real=real, fake=fake))}


METRIC = Metric(
    id="retrieval",
    title="image retrieval distance",
    formula="mean over held-out rows of the distance to the nearest fake, in units of the features",
    paper="Wang, Zhang and van de Weijer, Ensembles of Generative Adversarial Networks, 2016",
    rows=("K26",),
    better={"retrieval-distance": "lower"},
    blind="copies of the training data; fakes far from all real rows, which are never retrieved; it falls with the number "
    "of fakes",
    measure=measure,
    unmoved=("copies",),
)
