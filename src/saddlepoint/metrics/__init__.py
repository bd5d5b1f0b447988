"""Metrics as pure functions of features or samples, `real=` and `fake=` by keyword, and scores with their
identity."""

from saddlepoint.metrics.annealed import Annealing, Bounds, annealed_lower_bounds, bidirectional_bounds
from saddlepoint.metrics.controls import (
    averages_of_two,
    copies_of_training,
    fake_controls,
    fitted_gaussian,
    independent_pixels,
)
from saddlepoint.metrics.convergence import (
    discriminator_accuracy,
    drift,
    duality_gap,
    gradient_norm,
    median_filter,
    regrets,
    spectral_radius,
)
from saddlepoint.metrics.dimension import dimension_interval, dimension_ratio, fractal_dimension, pair_radius
from saddlepoint.metrics.discrepancy import discrimination_curves, relative_scores
from saddlepoint.metrics.frechet import frechet_distance, frechet_interval
from saddlepoint.metrics.information import (
    Encoder,
    categorical_entropy,
    latent_information,
    majority_accuracy,
    majority_hits,
    mutual_information_bound,
    uniform_entropy,
)
from saddlepoint.metrics.judge import Judge
from saddlepoint.metrics.labels import class_shares, entropies, mean_entropy
from saddlepoint.metrics.latent import (
    Found,
    log_conditions,
    nearest_latents,
    path_lengths,
    singular_values,
)
from saddlepoint.metrics.manifold import PrecisionRecall, inside, precision_recall
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import from_normal, judged, made
from saddlepoint.metrics.modes import ModeCoverage, mode_coverage
from saddlepoint.metrics.neighbours import (
    nearest_distances,
    nearest_neighbour_accuracy,
    nearest_neighbour_distance_ratio,
    neighbour_hits,
)
from saddlepoint.metrics.neural_distance import (
    IDENTITY,
    LOGARITHM,
    Measuring,
    NeuralDistance,
    neural_distance,
)
from saddlepoint.metrics.panels import Walk, assignment_counts, latent_map, latent_walk, nearest_modes, sweep
from saddlepoint.metrics.parzen import Parzen, parzen, parzen_log_densities
from saddlepoint.metrics.quantities import Model, Quantities, Reference
from saddlepoint.metrics.score import Difference, Score, bootstrap_interval, difference
from saddlepoint.metrics.skill import Match, Rating, Ratings, rated, skill_ratings
from saddlepoint.metrics.table import Acceptance, Column, Row, TrustTable, trust_table
from saddlepoint.metrics.tournament import (
    Verdict,
    adversarial_metric,
    fooling_interval,
    fooling_rate,
    separating_threshold,
)

__all__ = [
    "IDENTITY",
    "LOGARITHM",
    "Acceptance",
    "Annealing",
    "Bounds",
    "Column",
    "Difference",
    "Encoder",
    "Found",
    "Judge",
    "Match",
    "Measured",
    "Measuring",
    "Metric",
    "ModeCoverage",
    "Model",
    "NeuralDistance",
    "Parzen",
    "PrecisionRecall",
    "Quantities",
    "Rating",
    "Ratings",
    "Reference",
    "Row",
    "Score",
    "TrustTable",
    "Verdict",
    "Walk",
    "adversarial_metric",
    "annealed_lower_bounds",
    "assignment_counts",
    "averages_of_two",
    "bidirectional_bounds",
    "bootstrap_interval",
    "categorical_entropy",
    "class_shares",
    "copies_of_training",
    "difference",
    "dimension_interval",
    "dimension_ratio",
    "discrimination_curves",
    "discriminator_accuracy",
    "drift",
    "duality_gap",
    "entropies",
    "fake_controls",
    "fitted_gaussian",
    "fooling_interval",
    "fooling_rate",
    "fractal_dimension",
    "frechet_distance",
    "frechet_interval",
    "from_normal",
    "gradient_norm",
    "independent_pixels",
    "inside",
    "judged",
    "latent_information",
    "latent_map",
    "latent_walk",
    "log_conditions",
    "made",
    "majority_accuracy",
    "majority_hits",
    "mean_entropy",
    "median_filter",
    "mode_coverage",
    "mutual_information_bound",
    "nearest_distances",
    "nearest_latents",
    "nearest_modes",
    "nearest_neighbour_accuracy",
    "nearest_neighbour_distance_ratio",
    "neighbour_hits",
    "neural_distance",
    "pair_radius",
    "parzen",
    "parzen_log_densities",
    "path_lengths",
    "precision_recall",
    "rated",
    "regrets",
    "relative_scores",
    "separating_threshold",
    "singular_values",
    "skill_ratings",
    "spectral_radius",
    "sweep",
    "trust_table",
    "uniform_entropy",
]
