"""Neural-network distance on rows that the network was not trained on (K36)."""

from typing import Any

import numpy as np
from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.neural_distance import neural_distance
from saddlepoint.metrics.score import bootstrap_interval


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    """The interval is over all rows, the networks that measure them held fixed."""
    found = neural_distance(real=real, fake=fake, seed=seed)
    interval = bootstrap_interval(found.real_terms, found.fake_terms, seed=seed, statistic=_sum_of_means)
    note = f"{found.training:.3f} on rows that the networks were trained on"
    return {"neural-distance": Measured(found.held_out, interval, note)}


def _sum_of_means(first: Any, second: Any, axis: int) -> Any:
    return np.mean(first, axis=axis) + np.mean(second, axis=axis)


METRIC = Metric(
    id="neural-distance",
    title="neural-network distance",
    formula="sup_D E ln D(x) + E ln(1 - D(y)) + 2 ln 2 over networks of two hidden layers of 64, trained on "
    "others of the rows than they are measured on",
    paper="Arora et al., Generalization and Equilibrium in Generative Adversarial Nets, ICML 2017, definition 2",
    rows=("K36",),
    better={"neural-distance": "lower"},
    blind="copies of the training data; what a network of this size cannot learn from this many rows",
    measure=measure,
    unmoved=("copies",),
    slow=True,
    version=2,
)
