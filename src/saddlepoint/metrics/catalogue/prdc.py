"""Density and coverage, with precision and recall by the same balls (K29, K40)."""

from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.manifold import ball_counts
from saddlepoint.metrics.metric import Measured, Metric


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The intervals are over the rows counted, the other side and its balls being held fixed."""
    found = ball_counts(real=real, fake=fake, k=5)
    return {
        "prdc-precision": intervals.share(found.precise),
        "prdc-recall": intervals.share(found.recalled),
        "density": intervals.mean(found.dense),
        "coverage": Measured(float(found.covered.double().mean()), note=DEPENDENT),
    }


DEPENDENT = (
    "no interval: balls that overlap hold the same fakes, so that the rows counted are not independent"
)
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
