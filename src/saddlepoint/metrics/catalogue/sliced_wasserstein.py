"""Sliced Wasserstein distance (K16)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.sliced import directions, sliced_wasserstein_interval


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    """Scores of equal seed are along the same directions."""
    along = directions(width=real.flatten(1).shape[1], seed=seed)
    return {"sliced-wasserstein": sliced_wasserstein_interval(real=real, fake=fake, along=along)}


METRIC = Metric(
    id="sliced-wasserstein",
    title="sliced Wasserstein distance",
    formula="mean over 256 random directions of W_1 between the projections, mean |x_(i) - y_(i)|",
    paper="Bonneel et al., Sliced and Radon Wasserstein Barycenters of Measures, JMIV 2015",
    rows=("K16",),
    better={"sliced-wasserstein": "lower"},
    blind="copies of the training data; in many dimensions, structure that few directions show",
    measure=measure,
    unmoved=("copies",),
)
