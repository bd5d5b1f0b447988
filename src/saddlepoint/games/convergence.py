"""Whether an orbit converges, by a rule."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from torch import Tensor

SLOPE = 1e-3  # of the log-norm a step: within it neither exponential decay nor growth
POWER = (
    -0.25
)  # of the step number: half way between a constant norm and t^-1/2, which third-order damping gives


class Convergence(NamedTuple):
    """What the second half of an orbit does. `slope` of log‖x_t‖ against t, `power` of ‖x_t‖ against t."""

    kind: Literal["converges", "sub-linear", "cycles", "diverges"]
    slope: float
    power: float


def convergence(orbit: Tensor) -> Convergence:
    """Least-squares slopes over the last half of an orbit [steps + 1, n] about its equilibrium at 0.

    slope > 1e-3: diverges; < −1e-3: converges, if the exponential fits better than a power law; in all other cases the
    power decides: below −¼ sub-linear decay, else the orbit cycles. (t^-1/2 has a slope of −1.4e-3 at 500 steps: the
    slope alone would call it exponential.) An orbit that reaches 0 to rounding converges.
    """
    norms = orbit.detach().norm(dim=1).numpy()
    if norms[-1] < 1e-12 * norms[0]:
        return Convergence("converges", -np.inf, -np.inf)
    steps = np.arange(len(norms))[len(norms) // 2 :]
    logs = np.log(norms[len(norms) // 2 :])
    (slope, exponential), (power, algebraic) = (_line(x, logs) for x in (steps, np.log(steps)))
    if slope > SLOPE:
        return Convergence("diverges", slope, power)
    if slope < -SLOPE and exponential <= algebraic:
        return Convergence("converges", slope, power)
    return Convergence("sub-linear" if power < POWER else "cycles", slope, power)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The slope of the least-squares line, and the sum of squares that it leaves."""
    fit = np.polynomial.Polynomial.fit(x, y, 1)
    return float(fit.convert().coef[1]), float(((y - fit(x)) ** 2).sum())
