"""Wasserstein distance as an independent critic sees it (K13)."""

from collections.abc import Callable

from torch import Tensor

from saddlepoint.metrics.critic import critic_distance
from saddlepoint.metrics.metric import Measured, Metric


def measure(
    real: Tensor, fake: Tensor, seed: int, progress: Callable[[int, int], None]
) -> dict[str, Measured]:
    found = critic_distance(real=real, fake=fake, seed=seed, progress=progress)
    note = (
        f"{found.trained:.3g} on the critic's own training rows; its steepest slope is {found.steepest:.3g}"
    )
    return {"critic-distance": Measured(found.value, found.interval, note)}


METRIC = Metric(
    id="wasserstein-critic",
    title="Wasserstein distance by a critic",
    formula="(E f(x) - E f(y)) / max(1, E|grad f|) on rows that f, trained with a gradient penalty, has not seen",
    paper="Danihelka et al., Comparison of Maximum Likelihood and GAN-Based Training of Real NVPs, 2017, section 3; Borji, "
    "Pros and Cons of GAN Evaluation Measures, 2019, measure 9",
    rows=("K13",),
    better={"critic-distance": "lower"},
    blind="copies of the training data; what a perceptron with two layers of 64 does not find in the time it has",
    measure=measure,
    unmoved=("copies",),
    slow=True,
)
