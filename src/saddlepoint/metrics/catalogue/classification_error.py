"""The discriminator as a classifier: what semi-supervised learning is for."""

from collections.abc import Callable

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import classified
from saddlepoint.metrics.score import bootstrap_interval


def measure(
    classify: Callable[[Tensor], Tensor], real_samples: Tensor, real_labels: Tensor, seed: int
) -> dict[str, Measured]:
    """The interval is over rows, the discriminator held fixed."""
    wrong = (classified(classify, real_samples) != real_labels).double()
    return {"classification-error": Measured(float(wrong.mean()), bootstrap_interval(wrong, seed=seed))}


METRIC = Metric(
    id="classification-error",
    title="classification error of the discriminator",
    formula="share of held-out rows x with argmax_k l_k(x) != y, l the logits of the run's own discriminator",
    paper="Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 5 and table 1",
    rows=("K37",),
    better={"classification-error": "lower"},
    blind="the samples: a classifier may gain from a generator whose samples are poor",
    measure=measure,
)
