"""Classifier two-sample test (K17)."""

from dataclasses import replace

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.two_sample import two_sample_accuracy


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    """The p-value of the first split stands in the note: it says whether the sets differ, and grades nothing."""
    accuracy, first = two_sample_accuracy(real=real, fake=fake, seed=seed)
    note = f"binomial p-value {first.p_value:.3g} on {first.n} test rows of one split"
    note += f", {first.repeated} of which are also training rows" if first.repeated else ""
    return {"c2st-accuracy": replace(accuracy, note=note)}


METRIC = Metric(
    id="c2st",
    title="classifier two-sample test",
    formula="share of one half of the rows that a perceptron trained on the other half names rightly as real or fake, mean "
    "of 8 halvings",
    paper="Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017, section 3",
    rows=("K17",),
    better={"c2st-accuracy": 0.5},
    blind="copies of the training data; what one hidden layer of 32 does not learn from half of the rows",
    measure=measure,
    unmoved=("copies",),
    version=2,
)
