"""Diversity inside the classes, as the classifier sees it (K03)."""

from torch import Tensor

from saddlepoint.metrics.labels import class_diversity, within_class_share
from saddlepoint.metrics.metric import Measured, Metric


def measure(fake_probabilities: Tensor) -> dict[str, Measured]:
    """Classes are the predicted ones, so that samples not made by class have it too."""
    labels = fake_probabilities.argmax(1)
    return {
        "m-inception-score": class_diversity(probabilities=fake_probabilities, labels=labels),
        "within-class-share": within_class_share(probabilities=fake_probabilities, labels=labels),
    }


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
