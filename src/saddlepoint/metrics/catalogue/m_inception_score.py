"""Diversity inside the classes, as the classifier sees it (K03)."""

from torch import Tensor

from saddlepoint.metrics.intervals import normal
from saddlepoint.metrics.labels import class_diversity
from saddlepoint.metrics.metric import Measured, Metric


def measure(fake_probabilities: Tensor, real_probabilities: Tensor) -> dict[str, Measured]:
    """Classes are the predicted ones, so that samples not made by class have it too."""
    fake, real = (
        class_diversity(probabilities=side, labels=side.argmax(1))
        for side in (fake_probabilities, real_probabilities)
    )
    relative = _error(fake) ** 2 + _error(real) ** 2
    ratio = fake.value / real.value
    return {
        "m-inception-score": fake,
        "m-inception-score-ratio": Measured(ratio, normal(ratio, ratio * relative**0.5)),
    }


def _error(found: Measured) -> float:
    """Relative standard error."""
    low, high = found.interval or (found.value, found.value)
    return (high - low) / (2 * 1.96 * found.value)


METRIC = Metric(
    id="m-inception-score",
    title="modified inception score",
    formula="mean over classes of exp(E_i E_j KL(p(y|x_i) || p(y|x_j))), i and j of one predicted class; and its ratio to "
    "that of held-out rows",
    paper="Gurumurthy et al., DeLiGAN: Generative Adversarial Networks for Diverse and Limited Data, CVPR 2017",
    rows=("K03",),
    better={"m-inception-score": "higher", "m-inception-score-ratio": 1.0},
    blind="missing classes; copies of the training data; samples that confuse the classifier raise it as variety does, "
    "for which reason the ratio to real rows stands beside it",
    measure=measure,
    unmoved=("dropped", "copies"),
)
