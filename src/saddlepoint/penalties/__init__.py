"""Terms of the players' losses; a penalty is a term on gradients. They need nothing but torch.

from saddlepoint.penalties import R1
loss = loss + R1(gamma=1.0).of(discriminator, real)
"""

from saddlepoint.penalties.base import Term, score_and_gradient
from saddlepoint.penalties.interpolates import GradientPenalty, Interpolates
from saddlepoint.penalties.zero_centred import R1, R2

__all__ = ["R1", "R2", "GradientPenalty", "Interpolates", "Term", "score_and_gradient"]
