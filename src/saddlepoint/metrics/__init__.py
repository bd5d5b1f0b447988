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
from saddlepoint.metrics.geometry import GeometryScore, Landmarks, geometry_score, living_times
from saddlepoint.metrics.labels import class_shares, entropies, mean_entropy
from saddlepoint.metrics.manifold import (
    BallCounts,
    Prdc,
    PrecisionRecall,
    ball_counts,
    expected_coverage,
    inside,
    prdc,
    precision_recall,
    realism,
)
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.modes import ModeCoverage, mode_coverage
from saddlepoint.metrics.neighbours import (
    nearest_distances,
    nearest_neighbour_accuracy,
    nearest_neighbour_distance_ratio,
    neighbour_hits,
)
from saddlepoint.metrics.prd import Curve, discrete_curve, prd_curve
from saddlepoint.metrics.quantities import Model, Quantities, Reference
from saddlepoint.metrics.score import Difference, Score, bootstrap_interval, difference
from saddlepoint.metrics.structure import (
    ms_ssim,
    psnr,
    random_pairs,
    sharpness_difference,
    similarity_within,
    ssim,
)
from saddlepoint.metrics.table import Acceptance, Column, Row, TrustTable, trust_table

__all__ = [
    "Acceptance",
    "BallCounts",
    "Column",
    "Curve",
    "Difference",
    "GeometryScore",
    "Landmarks",
    "Measured",
    "Metric",
    "ModeCoverage",
    "Model",
    "Prdc",
    "PrecisionRecall",
    "Quantities",
    "Reference",
    "Row",
    "Score",
    "TrustTable",
    "averages_of_two",
    "ball_counts",
    "bootstrap_interval",
    "class_shares",
    "copies_of_training",
    "difference",
    "discrete_curve",
    "entropies",
    "expected_coverage",
    "fake_controls",
    "fitted_gaussian",
    "frechet_distance",
    "frechet_interval",
    "geometry_score",
    "independent_pixels",
    "inside",
    "living_times",
    "mean_entropy",
    "mode_coverage",
    "ms_ssim",
    "nearest_distances",
    "nearest_neighbour_accuracy",
    "nearest_neighbour_distance_ratio",
    "neighbour_hits",
    "prd_curve",
    "prdc",
    "precision_recall",
    "psnr",
    "random_pairs",
    "realism",
    "sharpness_difference",
    "similarity_within",
    "ssim",
    "trust_table",
]
