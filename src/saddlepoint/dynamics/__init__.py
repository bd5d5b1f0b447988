"""The rules by which players move. Only dynamics update parameters."""

from saddlepoint.dynamics.alternating import Alternating
from saddlepoint.dynamics.base import Dynamics, Turn
from saddlepoint.dynamics.simultaneous import Simultaneous

__all__ = ["Alternating", "Dynamics", "Simultaneous", "Turn"]
