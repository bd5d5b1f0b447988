"""Image retrieval: how near the nearest fake is to a held-out row (K26)."""

from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.retrieval import retrieval_distances


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The interval is over the rows of both sides; of the logarithm, since halves of the rows lie farther apart."""

    def logarithm(reals: Tensor, fakes: Tensor) -> tuple[float]:
        return (float(retrieval_distances(real=reals, fake=fakes).mean().log()),)

    (found,) = intervals.halved(logarithm, real, fake, least=1)
    return {"retrieval-distance": intervals.exponentiated(found)}


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
