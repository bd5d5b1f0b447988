"""Metrics as pure functions of features or samples, `real=` and `fake=` by keyword, and scores with their
identity."""

from saddlepoint.metrics.controls import (
    averages_of_two,
    copies_of_training,
    fake_controls,
    fitted_gaussian,
    independent_pixels,
)
from saddlepoint.metrics.critic import CriticDistance, critic_distance
from saddlepoint.metrics.frechet import (
    frechet_distance,
    frechet_infinity,
    frechet_interval,
    gaussian_wasserstein,
    rank_note,
)
from saddlepoint.metrics.histogram import histogram_divergence
from saddlepoint.metrics.kernels import (
    KID,
    MMDTest,
    OfDistance,
    Polynomial,
    gaussian_scales,
    kernel_inception_distance,
    kid_interval,
    median_distance,
    mmd_squared,
    mmd_test,
)
from saddlepoint.metrics.labels import class_shares, entropies, mean_entropy
from saddlepoint.metrics.manifold import PrecisionRecall, inside, precision_recall
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.modes import ModeCoverage, mode_coverage
from saddlepoint.metrics.moments import Moments
from saddlepoint.metrics.neighbours import (
    nearest_distances,
    nearest_neighbour_accuracy,
    nearest_neighbour_distance_ratio,
    neighbour_hits,
)
from saddlepoint.metrics.quantities import Model, Quantities, Reference
from saddlepoint.metrics.score import Difference, Score, bootstrap_interval, difference, normal_interval
from saddlepoint.metrics.sliced import (
    directions,
    sliced_wasserstein,
    sliced_wasserstein_interval,
    wasserstein_1d,
)
from saddlepoint.metrics.table import Acceptance, Column, Row, TrustTable, trust_table
from saddlepoint.metrics.transport import Sinkhorn, Transport, earth_mover, sinkhorn_divergence
from saddlepoint.metrics.two_sample import TwoSampleTest, classifier_two_sample_test

__all__ = [
    "KID",
    "Acceptance",
    "Column",
    "CriticDistance",
    "Difference",
    "MMDTest",
    "Measured",
    "Metric",
    "ModeCoverage",
    "Model",
    "Moments",
    "OfDistance",
    "Polynomial",
    "PrecisionRecall",
    "Quantities",
    "Reference",
    "Row",
    "Score",
    "Sinkhorn",
    "Transport",
    "TrustTable",
    "TwoSampleTest",
    "averages_of_two",
    "bootstrap_interval",
    "class_shares",
    "classifier_two_sample_test",
    "copies_of_training",
    "critic_distance",
    "difference",
    "directions",
    "earth_mover",
    "entropies",
    "fake_controls",
    "fitted_gaussian",
    "frechet_distance",
    "frechet_infinity",
    "frechet_interval",
    "gaussian_scales",
    "gaussian_wasserstein",
    "histogram_divergence",
    "independent_pixels",
    "inside",
    "kernel_inception_distance",
    "kid_interval",
    "mean_entropy",
    "median_distance",
    "mmd_squared",
    "mmd_test",
    "mode_coverage",
    "nearest_distances",
    "nearest_neighbour_accuracy",
    "nearest_neighbour_distance_ratio",
    "neighbour_hits",
    "normal_interval",
    "precision_recall",
    "rank_note",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "sliced_wasserstein_interval",
    "trust_table",
    "wasserstein_1d",
]
