"""Distances to the training data against those of fresh rows (K46)."""

from torch import Tensor

from saddlepoint.metrics.bins import bin_counts, bins_divergence, k_means_bins
from saddlepoint.metrics.memorisation import RealSides, data_copying, distance_ratio, farther
from saddlepoint.metrics.metric import Measured, Metric

CELLS = 10


def measure(real: Tensor, fake: Tensor, train: Tensor, seed: int) -> dict[str, Measured]:
    sides, centres = RealSides(train, real), k_means_bins(training=train, bins=CELLS, seed=seed)
    counts = [bin_counts(rows=rows, centres=centres) for rows in (real, fake)]
    return {
        "distance-ratio": distance_ratio(fake=fake, sides=sides),
        "farther-than-real": farther(fake=fake, sides=sides),
        "data-copying": data_copying(fake=fake, sides=sides, centres=centres),
        "cells-divergence": bins_divergence(real=counts[0], fake=counts[1]),
    }


METRIC = Metric(
    id="data-copying",
    title="data copying",
    formula="mean distance of a fake to its nearest training row over that of held-out rows; P(the first is larger) by "
    "Mann-Whitney; C_T: the mean over k-means cells of Mann-Whitney's z; Jensen-Shannon divergence of "
    "the shares of the cells, which C_T leaves out",
    paper="Meehan, Chaudhuri and Dasgupta, A Non-Parametric Test to Detect Data-Copying in Generative Models, AISTATS 2020",
    rows=("K46",),
    better={
        "distance-ratio": 1.0,
        "farther-than-real": 0.5,
        "data-copying": 0.0,
        "cells-divergence": "lower",
    },
    blind="copies hidden among fakes that are too far off; modes dropped inside a cell",
    measure=measure,
)
