"""Density and coverage, with precision and recall by the same balls (K29, K40)."""

from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.manifold import prdc
from saddlepoint.metrics.metric import Measured, Metric

K = 5


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The intervals are over the rows of both sides, balls included."""

    def all_four(reals: Tensor, fakes: Tensor) -> tuple[float, ...]:
        return prdc(real=reals, fake=fakes, k=K)

    precision, recall, density, coverage = intervals.halved(all_four, real, fake, least=K + 1)
    return {
        "prdc-precision": intervals.clipped(precision, high=1.0),
        "prdc-recall": intervals.clipped(recall, high=1.0),
        "density": intervals.clipped(density),
        "coverage": intervals.clipped(coverage, high=1.0),
    }


METRIC = Metric(
    id="prdc",
    title="precision, recall, density and coverage",
    formula="balls reach to the 5th neighbour: share of fakes in a ball of a real, of reals in a ball of a fake; balls of "
    "reals that hold a fake, over 5, mean of the fakes; share of reals whose ball holds a fake",
    paper="Naeem et al., Reliable Fidelity and Diversity Metrics for Generative Models, ICML 2020",
    rows=("K29", "K40"),
    better={"prdc-precision": "higher", "prdc-recall": "higher", "density": 1.0, "coverage": "higher"},
    blind="copies of the training data; coverage depends on both numbers of rows",
    measure=measure,
    unmoved=("copies",),
)
