"""Distances to the training data against those of fresh rows (K46)."""

from torch import Tensor

from saddlepoint.metrics.bins import k_means_bins
from saddlepoint.metrics.memorisation import RealSides, cells_variation, data_copying, distance_ratio, farther
from saddlepoint.metrics.metric import Measured, Metric

CELLS = 10


def measure(real: Tensor, fake: Tensor, train: Tensor, seed: int) -> dict[str, Measured]:
    sides, centres = RealSides(train, real), k_means_bins(training=train, bins=CELLS, seed=seed)
    return {
        "distance-ratio": distance_ratio(fake=fake, sides=sides),
        "farther-than-real": farther(fake=fake, sides=sides),
        "data-copying": data_copying(fake=fake, sides=sides, centres=centres),
        "cells-variation": cells_variation(fake=fake, sides=sides, centres=centres),
    }


METRIC = Metric(
    id="data-copying",
    title="data copying",
    formula="mean distance of a fake to its nearest training row over that of held-out rows; P(the first is larger) by "
    "Mann-Whitney; C_T: the mean over k-means cells of Mann-Whitney's z; total variation of the shares of the cells",
    paper="Meehan, Chaudhuri and Dasgupta, A Non-Parametric Test to Detect Data-Copying in Generative Models, AISTATS 2020",
    rows=("K46",),
    better={"distance-ratio": 1.0, "farther-than-real": 0.5, "data-copying": 0.0, "cells-variation": "lower"},
    blind="copies hidden among fakes that are too far off; modes dropped inside a cell",
    measure=measure,
)
