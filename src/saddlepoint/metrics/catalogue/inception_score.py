"""Inception score with the data set's own classifier (K01)."""

import torch
from torch import Tensor

from saddlepoint.metrics.labels import inception_score, inception_scores
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.random import generator

SPLITS = 10


def measure(fake_probabilities: Tensor, seed: int) -> dict[str, Measured]:
    """Over all rows at once; the note has the published form."""
    found = inception_score(probabilities=fake_probabilities)
    order = torch.randperm(len(fake_probabilities), generator=generator("cpu", "splits", seed))
    parts = inception_scores(probabilities=fake_probabilities[order], splits=min(SPLITS, len(order)))
    note = f"{float(parts.mean()):.4g} ± {float(parts.std(correction=0)):.2g} over {len(parts)} splits"
    return {"inception-score": Measured(found.value, found.interval, note)}


METRIC = Metric(
    id="inception-score",
    title="inception score",
    formula="exp(E_x KL(p(y|x) || p(y)))",
    paper="Salimans et al., Improved Techniques for Training GANs, NIPS 2016",
    rows=("K01",),
    better={"inception-score": "higher"},
    blind="copies of the training data; collapse inside the classes; classes that the classifier does not know; it never "
    "looks at real data",
    measure=measure,
    unmoved=("copies", "collapse"),
)
