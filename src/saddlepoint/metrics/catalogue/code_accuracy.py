"""Classes found by a code that nobody told of them (K49)."""

from torch import Tensor

from saddlepoint.metrics.information import Recognition, majority_hits
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import classified
from saddlepoint.metrics.score import bootstrap_interval


def measure(
    recognition: Recognition, real_samples: Tensor, real_labels: Tensor, seed: int
) -> dict[str, Measured]:
    """Of the first categorical code; nothing where all are continuous. The interval is over rows, head and matching held
    fixed."""
    if not recognition.categorical:
        return {}
    first = recognition.categorical[0]
    codes = classified(lambda rows: recognition.recognise(rows)[:, :first], real_samples)
    hits = majority_hits(codes=codes, labels=real_labels)
    note = f"{len(codes.unique())} of {first} values of the code are given to some held-out row"
    return {"code-accuracy": Measured(float(hits.mean()), bootstrap_interval(hits, seed=seed), note)}


METRIC = Metric(
    id="code-accuracy",
    title="classes matched by a categorical code",
    formula="share of held-out rows whose class is the most frequent one among the rows that get the same value of the "
    "first categorical code, argmax_k q(c = k|x), by the run's own recognition head",
    paper="Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial "
    "Nets, NIPS 2016, section 7.2",
    rows=("K49",),
    better={"code-accuracy": "higher"},
    blind="the samples; a class that two values of the code share",
    measure=measure,
)
