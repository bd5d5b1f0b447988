"""Metrics as pure functions of features or samples, `real=` and `fake=` by keyword, and scores with their
identity."""

from saddlepoint.metrics.bins import bin_counts, bin_of, bins_divergence, different_bins, k_means_bins
from saddlepoint.metrics.controls import (
    averages_of_two,
    copies_of_training,
    fake_controls,
    fitted_gaussian,
    independent_pixels,
)
from saddlepoint.metrics.frechet import frechet_distance, frechet_interval
from saddlepoint.metrics.labels import (
    am_score,
    class_diversity,
    class_shares,
    entropies,
    inception_score,
    inception_scores,
    label_shares,
    mean_entropy,
    mode_score,
    prior_mode_score,
    reversed_mode_score,
)
from saddlepoint.metrics.manifold import PrecisionRecall, inside, precision_recall
from saddlepoint.metrics.memorisation import (
    RealSides,
    authentic,
    cosine_gap,
    data_copying,
    distance_ratio,
    farther,
    mifid,
)
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.modes import (
    ClassCoverage,
    ModeCoverage,
    class_coverage,
    divergence_floor,
    expected_coverage,
    mode_coverage,
    triples,
)
from saddlepoint.metrics.neighbours import (
    nearest_distances,
    nearest_neighbour_accuracies,
    nearest_neighbour_accuracy,
    nearest_neighbour_distance_ratio,
    neighbour_hits,
)
from saddlepoint.metrics.quantities import Model, Quantities, Reference
from saddlepoint.metrics.retrieval import Retrieval, retrieval_comparison, retrieval_distances
from saddlepoint.metrics.score import Difference, Score, bootstrap_interval, difference
from saddlepoint.metrics.support import (
    birthday_batch,
    collision_threshold,
    duplicate_probability,
    effective_support,
    kde_coverage,
)
from saddlepoint.metrics.table import Acceptance, Column, Row, TrustTable, trust_table
from saddlepoint.metrics.transfer import Labelled, Task, Taught, boundary_distortion, boundary_spectrum
from saddlepoint.metrics.vendi import vendi_ratio, vendi_score

__all__ = [
    "Acceptance",
    "ClassCoverage",
    "Column",
    "Difference",
    "Labelled",
    "Measured",
    "Metric",
    "ModeCoverage",
    "Model",
    "PrecisionRecall",
    "Quantities",
    "RealSides",
    "Reference",
    "Retrieval",
    "Row",
    "Score",
    "Task",
    "Taught",
    "TrustTable",
    "am_score",
    "authentic",
    "averages_of_two",
    "bin_counts",
    "bin_of",
    "bins_divergence",
    "birthday_batch",
    "bootstrap_interval",
    "boundary_distortion",
    "boundary_spectrum",
    "class_coverage",
    "class_diversity",
    "class_shares",
    "collision_threshold",
    "copies_of_training",
    "cosine_gap",
    "data_copying",
    "difference",
    "different_bins",
    "distance_ratio",
    "divergence_floor",
    "duplicate_probability",
    "effective_support",
    "entropies",
    "expected_coverage",
    "fake_controls",
    "farther",
    "fitted_gaussian",
    "frechet_distance",
    "frechet_interval",
    "inception_score",
    "inception_scores",
    "independent_pixels",
    "inside",
    "k_means_bins",
    "kde_coverage",
    "label_shares",
    "mean_entropy",
    "mifid",
    "mode_coverage",
    "mode_score",
    "nearest_distances",
    "nearest_neighbour_accuracies",
    "nearest_neighbour_accuracy",
    "nearest_neighbour_distance_ratio",
    "neighbour_hits",
    "precision_recall",
    "prior_mode_score",
    "retrieval_comparison",
    "retrieval_distances",
    "reversed_mode_score",
    "triples",
    "trust_table",
    "vendi_ratio",
    "vendi_score",
]
