"""Diversity inside the classes, as the classifier sees it (K03)."""

import math

from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.labels import class_diversity, within_class_share
from saddlepoint.metrics.metric import Measured, Metric

FEW = "no interval: it is an exponential that few samples between classes decide, which one of 95 % would miss too often"


def measure(fake_probabilities: Tensor) -> dict[str, Measured]:
    """Classes are the predicted ones, so that samples not made by class have it too. The interval of the share is taken on
    its logarithm."""
    (logarithm,) = intervals.halved(_logarithm, fake_probabilities, least=2)
    return {
        "m-inception-score": Measured(_diversity(fake_probabilities), note=FEW),
        "within-class-share": intervals.exponentiated(logarithm),
    }


def _diversity(probabilities: Tensor) -> float:
    return class_diversity(probabilities=probabilities, labels=probabilities.argmax(1)).value


def _logarithm(probabilities: Tensor) -> tuple[float]:
    found = within_class_share(probabilities=probabilities, labels=probabilities.argmax(1))
    return (math.log(found.value) if found.value > 0 else -math.inf,)


METRIC = Metric(
    id="m-inception-score",
    title="modified inception score",
    formula="mean over classes of exp(E_i E_j KL(p(y|x_i) || p(y|x_j))), i and j of one predicted class; E_i E_j KL within "
    "the classes over that of all pairs",
    paper="Gurumurthy et al., DeLiGAN: Generative Adversarial Networks for Diverse and Limited Data, CVPR 2017",
    rows=("K03",),
    better={"m-inception-score": "higher", "within-class-share": "lower"},
    blind="missing classes; copies of the training data; samples that confuse the classifier raise it as variety does, "
    "which is what the share of the divergence within classes tells",
    measure=measure,
    unmoved=("dropped", "copies"),
)
