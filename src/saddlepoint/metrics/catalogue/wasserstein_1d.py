"""Closed forms of the Wasserstein distance: single features, and fitted Gaussians (K15)."""

from torch import Tensor, eye

from saddlepoint.metrics.frechet import frechet
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.sliced import sliced_wasserstein_interval


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The axes are the directions of a sliced distance; the interval of a root is the root of the interval."""
    squared = frechet(real=real, fake=fake)
    interval = squared.interval and (squared.interval[0] ** 0.5, squared.interval[1] ** 0.5)
    return {
        "wasserstein-1d": sliced_wasserstein_interval(
            real=real, fake=fake, along=eye(real.flatten(1).shape[1])
        ),
        "gaussian-wasserstein": Measured(squared.value**0.5, interval, squared.note),
    }


METRIC = Metric(
    id="wasserstein-1d",
    title="Wasserstein distances in closed form",
    formula="mean over features of the W_1 of that feature alone, mean |x_(i) - y_(i)|; and W_2 between the fitted "
    "Gaussians, (|mu_r - mu_f|^2 + Tr(C_r + C_f - 2 (C_r C_f)^(1/2)))^(1/2)",
    paper="Peyré and Cuturi, Computational Optimal Transport, 2019, remarks 2.30 and 2.31",
    rows=("K15",),
    better={"wasserstein-1d": "lower", "gaussian-wasserstein": "lower"},
    blind="copies of the training data; how features go together (the first), everything beyond means and covariances (the "
    "second)",
    measure=measure,
    unmoved=("copies",),
)
