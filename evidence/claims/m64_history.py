"""M64: historical averaging on the bilinear game."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from claims.check import Check, Numbers, at_most
from saddlepoint import methods
from saddlepoint.dynamics import Alternating, Simultaneous
from saddlepoint.games import DiracGAN, orbit
from saddlepoint.objectives import Wasserstein
from saddlepoint.optim import SGD
from saddlepoint.penalties import HistoricalAveraging

H, START, STEPS = 0.1, (2.0, 0.5), 1000
WEIGHTS = (0.01, 0.03, 0.1, 0.3, 1.0)


def recursion(weight: float, together: bool) -> np.ndarray:
    """L_G = −xy + λ(x − x̄)², L_D = xy + λ(y − ȳ)²; the means hold the present number and are constants."""
    x, y = START
    xs, ys, seen = [x], [y], [np.hypot(x, y)]
    for _ in range(STEPS):
        moved = x - H * (-y + 2 * weight * (x - np.mean(xs)))
        against = x if together else moved
        y = y - H * (against + 2 * weight * (y - np.mean(ys)))
        x = moved
        xs.append(x)
        ys.append(y)
        seen.append(np.hypot(x, y))
    return np.array(seen)


def norms(weight: float, together: bool) -> np.ndarray:
    terms = (HistoricalAveraging("generator", weight), HistoricalAveraging("discriminator", weight))
    method = replace(methods.get("historical-averaging"), objective=Wasserstein(), terms=terms)
    rates = {"generator": SGD(H), "discriminator": SGD(H)}
    rule = Simultaneous(rates) if together else Alternating(rates)
    return orbit(DiracGAN(method, START), rule, STEPS).norm(dim=1).numpy()


def measure(seed: int) -> Numbers:
    errors = [
        abs(norms(w, together) / recursion(w, together) - 1).max()
        for w in WEIGHTS
        for together in (True, False)
    ]
    ratio = norms(1.0, True)
    return {
        "error of the norms": float(max(errors)),
        "last norm over the first, λ = 1": float(ratio[-1] / ratio[0]),
    }


CHECKS = (
    Check(
        "M64",
        "historical averaging on the bilinear game, λ from .01 to 1, 1000 steps, both orders of moves",
        "every norm equals a float64 recursion",
        "exact",
        {"error of the norms": at_most(1e-9)},
        measure,
    ),
)
