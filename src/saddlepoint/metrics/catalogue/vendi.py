"""Vendi score, and its ratio to that of real rows (K47)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.vendi import vendi_ratio, vendi_score


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    return {"vendi-score": vendi_score(samples=fake), "vendi-ratio": vendi_ratio(real=real, fake=fake)}


METRIC = Metric(
    id="vendi",
    title="Vendi score",
    formula="exp(-sum of l ln l), l the eigenvalues of the cosine similarities over n; and its ratio to that of "
    "real rows, both in units of the real rows with a 1 beside their numbers",
    paper="Friedman and Dieng, The Vendi Score: A Diversity Evaluation Metric for Machine Learning, TMLR 2023",
    rows=("K47",),
    better={"vendi-score": "higher", "vendi-ratio": 1.0},
    blind="what the samples are: noise is diverse too, for which reason the ratio to real rows stands beside it; copies of "
    "the training data; a few dropped modes; it is at most the number of features",
    measure=measure,
    unmoved=("dropped", "copies"),
)
