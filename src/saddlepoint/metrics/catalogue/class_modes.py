"""Classes as modes: of stacked MNIST the thousand triples of digits (K35)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.modes import class_coverage, divergence_floor, expected_coverage
from saddlepoint.metrics.samples import matrix


def measure(
    fake_probabilities: Tensor, real_probabilities: Tensor, real_labels: Tensor
) -> dict[str, Measured]:
    """The notes have what a perfect generator would score, and noise that is scattered over the classes with it, at this
    number of fakes; and how often the classifier is right, without which a class covered says nothing."""
    n, classes = matrix("fake_probabilities", fake_probabilities).shape
    found = class_coverage(labels=fake_probabilities.argmax(1), classes=classes)
    right = 100 * float((real_probabilities.argmax(1) == real_labels).double().mean())
    judge = f"the classifier is right on {right:.2f} % of held-out rows"
    hit, floor = expected_coverage(classes=classes, n=n), divergence_floor(classes=classes, n=n)
    return {
        "classes-covered": Measured(
            found.covered.value,
            found.covered.interval,
            f"uniform draws cover {hit:.4g} of {classes}; {judge}",
        ),
        "class-divergence": Measured(
            found.divergence.value, found.divergence.interval, f"uniform draws have {floor:.4g}; {judge}"
        ),
    }


METRIC = Metric(
    id="class-modes",
    title="classes covered",
    formula="number of classes predicted for some fake; KL(shares of the predicted classes || uniform) in nats",
    paper="Metz et al., Unrolled Generative Adversarial Networks, ICLR 2017; Srivastava et al., VEEGAN, NIPS 2017; Lin et "
    "al., PacGAN, NeurIPS 2018",
    rows=("K35",),
    better={"classes-covered": "higher", "class-divergence": "lower"},
    blind="copies of the training data; collapse inside the classes; noise, which a classifier may scatter over all "
    "classes; the true shares, where they are not equal",
    measure=measure,
    unmoved=("copies", "collapse"),
)
