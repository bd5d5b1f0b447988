"""The rules by which players move. Only dynamics update parameters."""

from saddlepoint.dynamics.alternating import Alternating, Burst
from saddlepoint.dynamics.base import Dynamics, Turn
from saddlepoint.dynamics.best_response import BestResponse
from saddlepoint.dynamics.competitive import CompetitiveGradientDescent
from saddlepoint.dynamics.consensus import Consensus
from saddlepoint.dynamics.extragradient import Extragradient, PastExtragradient
from saddlepoint.dynamics.lookahead import Lookahead
from saddlepoint.dynamics.simultaneous import Simultaneous
from saddlepoint.dynamics.skipping import Skipping
from saddlepoint.dynamics.symplectic import Aligned, SymplecticAdjustment
from saddlepoint.dynamics.unrolled import Unrolled

__all__ = [
    "Aligned",
    "Alternating",
    "BestResponse",
    "Burst",
    "CompetitiveGradientDescent",
    "Consensus",
    "Dynamics",
    "Extragradient",
    "Lookahead",
    "PastExtragradient",
    "Simultaneous",
    "Skipping",
    "SymplecticAdjustment",
    "Turn",
    "Unrolled",
]
