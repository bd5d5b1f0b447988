"""Mass of the data within reach of the fakes (K02)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.support import kde_coverage


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    """Beside the coverage the same with the sides exchanged, which sees fakes off the data."""
    return {
        "kde-coverage": kde_coverage(real=real, fake=fake, seed=seed),
        "kde-precision": kde_coverage(real=fake, fake=real, seed=seed),
    }


METRIC = Metric(
    id="kde-coverage",
    title="coverage by kernel density",
    formula="P_real(q(x) > t), q a Gaussian kernel density of the fakes with P_fake(q > t) = 0.95; "
    "and the same with real and fake exchanged",
    paper="Tolstikhin et al., AdaGAN: Boosting Generative Models, NIPS 2017",
    rows=("K02",),
    better={"kde-coverage": 0.95, "kde-precision": 0.95},
    blind="copies of the training data; how often a region is hit; in more than some ten dimensions the kernel density "
    "itself is poor",
    measure=measure,
    unmoved=("copies",),
)
