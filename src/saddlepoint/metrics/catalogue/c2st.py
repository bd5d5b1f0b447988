"""Classifier two-sample test (K17)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.two_sample import classifier_two_sample_test


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    """The p-value stands in the note: it says whether the sets differ, and grades nothing."""
    found = classifier_two_sample_test(real=real, fake=fake, seed=seed)
    note = f"binomial p-value {found.p_value:.3g} on {found.n} test rows"
    note += f", {found.repeated} of which are also training rows" if found.repeated else ""
    return {"c2st-accuracy": Measured(found.accuracy, found.interval, note)}


METRIC = Metric(
    id="c2st",
    title="classifier two-sample test",
    formula="share of held-back rows that a perceptron trained on the others names rightly as real or fake",
    paper="Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017, section 3",
    rows=("K17",),
    better={"c2st-accuracy": 0.5},
    blind="copies of the training data; what one hidden layer of 32 does not learn from half of the rows",
    measure=measure,
    unmoved=("copies",),
)
