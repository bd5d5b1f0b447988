"""What each player minimises, given scores. Pure functions of tensors; they need nothing but torch.

    from saddlepoint.objectives import Hinge
    loss = Hinge().discriminator(discriminator(x), discriminator(generator(z)))

Scores are raw outputs s(x); high means real, but for energies. A score is one number per point, a map of patches, or a
list of such (discriminators of several scales or periods); `Weighted(score, weight)` weighs its rows.
"""

from saddlepoint.objectives.base import Objective, Weighted, expect, mean
from saddlepoint.objectives.discrimination import Discrimination
from saddlepoint.objectives.divergences import (
    KL,
    Alpha,
    Divergence,
    GANDivergence,
    Jeffrey,
    JensenShannon,
    Neyman,
    Pearson,
    ReverseKL,
    SquaredHellinger,
    TotalVariation,
    WeightedJensenShannon,
)
from saddlepoint.objectives.encoders import (
    Autoencoding,
    Bernoulli,
    Bidirectional,
    ByKind,
    EvidenceBound,
    Likelihood,
    LogOdds,
    ManifoldDiffusion,
    Normal,
)
from saddlepoint.objectives.energy import BoundaryEquilibrium, EnergyMargin, LossSensitive, RealEnergy
from saddlepoint.objectives.fgan import FGAN
from saddlepoint.objectives.hinge import Hinge
from saddlepoint.objectives.judging import Judging
from saddlepoint.objectives.least_squares import LeastSquares
from saddlepoint.objectives.logistic import LabelSmoothing, MaximumLikelihood, Minimax, NonSaturating
from saddlepoint.objectives.metrics import (
    MMD,
    DistanceKernel,
    GaussianKernel,
    Kernel,
    Metric,
    RationalQuadratic,
    Sinkhorn,
)
from saddlepoint.objectives.noise_contrastive import NoiseContrastive, SelfContrastive
from saddlepoint.objectives.relativistic import (
    Logistic,
    Margin,
    Relativistic,
    RelativisticAverage,
    Squared,
)
from saddlepoint.objectives.semi_supervised import Classification, SemiSupervised
from saddlepoint.objectives.top_k import TopK
from saddlepoint.objectives.wasserstein import Wasserstein

__all__ = [
    "FGAN",
    "KL",
    "MMD",
    "Alpha",
    "Autoencoding",
    "Bernoulli",
    "Bidirectional",
    "BoundaryEquilibrium",
    "ByKind",
    "Classification",
    "Discrimination",
    "DistanceKernel",
    "Divergence",
    "EnergyMargin",
    "EvidenceBound",
    "GANDivergence",
    "GaussianKernel",
    "Hinge",
    "Jeffrey",
    "JensenShannon",
    "Judging",
    "Kernel",
    "LabelSmoothing",
    "LeastSquares",
    "Likelihood",
    "LogOdds",
    "Logistic",
    "LossSensitive",
    "ManifoldDiffusion",
    "Margin",
    "MaximumLikelihood",
    "Metric",
    "Minimax",
    "Neyman",
    "NoiseContrastive",
    "NonSaturating",
    "Normal",
    "Objective",
    "Pearson",
    "RationalQuadratic",
    "RealEnergy",
    "Relativistic",
    "RelativisticAverage",
    "ReverseKL",
    "SelfContrastive",
    "SemiSupervised",
    "Sinkhorn",
    "Squared",
    "SquaredHellinger",
    "TopK",
    "TotalVariation",
    "Wasserstein",
    "Weighted",
    "WeightedJensenShannon",
    "expect",
    "mean",
]
