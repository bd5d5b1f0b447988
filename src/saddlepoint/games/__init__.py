"""Small games with known answers: oracles for dynamics, and places to watch them. They are ordinary games."""

from saddlepoint.games.bilinear import Bilinear, ParallelLines, Quadratic
from saddlepoint.games.convergence import Convergence, convergence
from saddlepoint.games.intervals import Intervals, open_intervals
from saddlepoint.games.networks import DiracGAN, LinearQuadratic
from saddlepoint.games.shift import GaussianShift
from saddlepoint.games.small import Small, eigenvalues, jacobian, joined, onwards, orbit, parted, timed

__all__ = [
    "Bilinear",
    "Convergence",
    "DiracGAN",
    "GaussianShift",
    "Intervals",
    "LinearQuadratic",
    "ParallelLines",
    "Quadratic",
    "Small",
    "convergence",
    "eigenvalues",
    "jacobian",
    "joined",
    "onwards",
    "open_intervals",
    "orbit",
    "parted",
    "timed",
]
