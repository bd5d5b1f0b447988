"""Leave-one-out 1-nearest-neighbour test (K18)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.neighbours import nearest_neighbour_accuracies


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The larger set is cut to the number of the smaller."""
    n = min(len(real), len(fake))
    found = nearest_neighbour_accuracies(real=real[:n], fake=fake[:n])
    return {
        "nn-accuracy": found["both"],
        "nn-accuracy-real": found["real"],
        "nn-accuracy-fake": found["fake"],
    }


METRIC = Metric(
    id="nn-accuracy",
    title="1-nearest-neighbour accuracy",
    formula="share of rows whose nearest other row is of their own set: of all, of the real and of the fake",
    paper="Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017; Xu et al., An empirical study on "
    "evaluation metrics of generative adversarial networks, 2018",
    rows=("K18",),
    better={"nn-accuracy": 0.5, "nn-accuracy-real": 0.5, "nn-accuracy-fake": 0.5},
    blind="copies of training rows that are not among the rows it compares with, which are held out; collapse and noise "
    "can cancel in the accuracy of both sides, so that the sides stand apart",
    measure=measure,
    unmoved=("copies",),
)
