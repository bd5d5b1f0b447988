"""What each player minimises, given scores. Pure functions of tensors; they need nothing but torch.

    from saddlepoint.objectives import Hinge
    loss = Hinge().discriminator(discriminator(x), discriminator(generator(z)))

Scores are raw outputs s(x), one number per point; high means real.
"""

from saddlepoint.objectives.base import Objective
from saddlepoint.objectives.discrimination import Discrimination
from saddlepoint.objectives.hinge import Hinge
from saddlepoint.objectives.least_squares import LeastSquares
from saddlepoint.objectives.logistic import Minimax, NonSaturating
from saddlepoint.objectives.relativistic import Relativistic, RelativisticAverage
from saddlepoint.objectives.wasserstein import Wasserstein

__all__ = [
    "Discrimination",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Objective",
    "Relativistic",
    "RelativisticAverage",
    "Wasserstein",
]
