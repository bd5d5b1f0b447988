"""Terms of the players' losses; a penalty is a term on gradients. They need nothing but torch.

from saddlepoint.penalties import R1
loss = loss + R1(gamma=1.0).of(discriminator, real)
"""

from saddlepoint.penalties.base import Term, score_and_gradient
from saddlepoint.penalties.consistency import Consistency, Jitter
from saddlepoint.penalties.encoders import CodeReconstruction, ModeRegulariser, Reconstruction
from saddlepoint.penalties.features import FeatureMatching, LayerMatching, PullingAway, frozen
from saddlepoint.penalties.gradient_penalty import GradientPenalty
from saddlepoint.penalties.heads import FakeClass, MutualInformation, RealClass
from saddlepoint.penalties.historical import HistoricalAveraging
from saddlepoint.penalties.nagarajan_kolter import NagarajanKolter
from saddlepoint.penalties.points import Fake, Interpolates, NoiseBall, Real
from saddlepoint.penalties.roth import Roth
from saddlepoint.penalties.slopes import Exact, FiniteDifference
from saddlepoint.penalties.zero_centred import R1, R2, ApproximateR1

__all__ = [
    "R1",
    "R2",
    "ApproximateR1",
    "CodeReconstruction",
    "Consistency",
    "Exact",
    "Fake",
    "FakeClass",
    "FeatureMatching",
    "FiniteDifference",
    "GradientPenalty",
    "HistoricalAveraging",
    "Interpolates",
    "Jitter",
    "LayerMatching",
    "ModeRegulariser",
    "MutualInformation",
    "NagarajanKolter",
    "NoiseBall",
    "PullingAway",
    "Real",
    "RealClass",
    "Reconstruction",
    "Roth",
    "Term",
    "frozen",
    "score_and_gradient",
]
