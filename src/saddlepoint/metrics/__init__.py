"""Metrics as pure functions of features or samples, `real=` and `fake=` by keyword, and scores with their
identity."""

from saddlepoint.metrics.controls import (
    averages_of_two,
    copies_of_training,
    fake_controls,
    fitted_gaussian,
    independent_pixels,
)
from saddlepoint.metrics.frechet import frechet_distance, frechet_interval
from saddlepoint.metrics.labels import class_shares, entropies, mean_entropy
from saddlepoint.metrics.manifold import PrecisionRecall, inside, precision_recall
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.modes import ModeCoverage, mode_coverage
from saddlepoint.metrics.neighbours import (
    nearest_distances,
    nearest_neighbour_accuracy,
    nearest_neighbour_distance_ratio,
    neighbour_hits,
)
from saddlepoint.metrics.quantities import Model, Quantities, Reference
from saddlepoint.metrics.score import Difference, Score, bootstrap_interval, difference, over_runs
from saddlepoint.metrics.table import Acceptance, Column, Row, TrustTable, trust_table

__all__ = [
    "Acceptance",
    "Column",
    "Difference",
    "Measured",
    "Metric",
    "ModeCoverage",
    "Model",
    "PrecisionRecall",
    "Quantities",
    "Reference",
    "Row",
    "Score",
    "TrustTable",
    "averages_of_two",
    "bootstrap_interval",
    "class_shares",
    "copies_of_training",
    "difference",
    "entropies",
    "fake_controls",
    "fitted_gaussian",
    "frechet_distance",
    "frechet_interval",
    "independent_pixels",
    "inside",
    "mean_entropy",
    "mode_coverage",
    "nearest_distances",
    "nearest_neighbour_accuracy",
    "nearest_neighbour_distance_ratio",
    "neighbour_hits",
    "over_runs",
    "precision_recall",
    "trust_table",
]
