"""T27: conjugating twice gives the convex envelope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.family import STRICT
from saddlepoint.theory.search import variational

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "u²": torch.square,
    "exp u": torch.exp,
    "(u² − 1)²": lambda u: (u.square() - 1).square(),
    "u²/4 + sin 4u": lambda u: u.square() / 4 + (4 * u).sin(),
    "min((u + 1)², (u − 1)² + ½)": lambda u: torch.minimum((u + 1).square(), (u - 1).square() + 0.5),
}
CONVEX = ("u²", "exp u")
U = torch.linspace(-2, 2, 401, dtype=torch.float64)
SLOPES = torch.linspace(-30, 30, 15_001, dtype=torch.float64)  # wider than any slope of the functions on U


def conjugate(values: Tensor, at: Tensor, slopes: Tensor) -> Tensor:
    """f*(t) = max over the grid `at` of ut − f(u), for every slope t: [slopes]."""
    return torch.cat([(part[:, None] * at - values).amax(1) for part in slopes.split(1000)])


def check() -> Sequence[Sides]:
    """Functions on a grid of [−2, 2], conjugated twice by maxima over grids of u and t, against the lower side of the convex
    hull of their points (SciPy's Qhull), which knows nothing of conjugates. t is at most half a spacing from the best
    slope, and the line through t loses at most that times the width of the interval: 0.002 · 4. f** is nowhere above f;
    where f is convex it is f, elsewhere it is below by more than 0.1 somewhere.

    For (u² − 1)² the envelope is known, 0 between the wells. u² with f(0) raised to 1 is convex on [0, 2] but not lower
    semicontinuous: f**(0) is 0, up to slope · spacing + spacing² = 30 · 0.01 + 0.0001. For the table of divergences,
    f**(u) = sup over v of u g(v) − f*(g(v)), by golden section, is f(u), to rounding.
    """
    found: list[Sides] = []
    for name, function in FUNCTIONS.items():
        values = function(U)
        twice = conjugate(conjugate(values, U, SLOPES), SLOPES, U)
        hull = _hull(values)
        found += [
            Sides(f"f** from the hull, largest difference, {name}", _largest(twice - hull), "=", 0.0, 0.008),
            Sides(f"f** above f, at most, {name}", float((twice - values).max()), "<=", 0.0, 1e-12),
        ]
        below = float((values - twice).max())
        convex = name in CONVEX
        found.append(
            Sides(f"f above f**, at most, {name}", below, "<=" if convex else ">=", 0.008 if convex else 0.1)
        )
    found += _special()
    for kind in STRICT:
        ratios = torch.tensor([0.01, 0.2, 0.7, 1.0, 1.5, 4.0, 50.0], dtype=torch.float64)
        best = variational(kind, ratios, torch.ones_like(ratios))
        scale = 1 + kind.f(ratios).abs()
        found.append(
            Sides(
                f"sup of ut − f*(t) from f, {kind}", _largest((best - kind.f(ratios)) / scale), "=", 0.0, 1e-9
            )
        )
    return found


def _special() -> list[Sides]:
    """The known envelope, and a convex function that is not lower semicontinuous."""
    wells = FUNCTIONS["(u² − 1)²"](U)
    twice = conjugate(conjugate(wells, U, SLOPES), SLOPES, U)
    exact = torch.where(U.abs() < 1, 0.0, wells)
    half = torch.linspace(0, 2, 201, dtype=torch.float64)
    raised = half.square()
    raised[0] = 1.0
    closed = conjugate(conjugate(raised, half, SLOPES), SLOPES, half)
    return [
        Sides("f** of (u² − 1)² from its envelope, largest", _largest(twice - exact), "=", 0.0, 0.008),
        Sides("f**(0), f = u² above 0, f(0) = 1", float(closed[0]), "=", 0.0, 0.3001 + 1e-12),
        Sides("f** from f away from 0, largest", _largest((closed - raised)[1:]), "=", 0.0, 0.008),
    ]


def _hull(values: Tensor) -> Tensor:
    """The greatest convex function below the points (u, f(u)), on the grid."""
    import numpy as np
    from scipy.spatial import ConvexHull

    points = torch.stack([U, values], dim=1)
    roof = points.new_tensor(
        [[float(U[0]), float(values.max()) + 1], [float(U[-1]), float(values.max()) + 1]]
    )
    corners = ConvexHull(torch.cat([points, roof]).numpy()).vertices
    under = np.sort(corners[corners < len(U)])
    return torch.from_numpy(np.interp(U.numpy(), U[under].numpy(), values[under].numpy()))


def _largest(values: Tensor) -> float:
    return float(values.abs().max())


def figure(axes: Any) -> None:
    name = "u²/4 + sin 4u"
    values = FUNCTIONS[name](U)
    slopes = torch.linspace(-3, 3, 31, dtype=torch.float64)
    for index, (slope, offset) in enumerate(zip(slopes, conjugate(values, U, slopes), strict=True)):
        label = None if index else "lines ut − f*(t)"
        axes.plot(U, slope * U - offset, color="lightsteelblue", linewidth=0.8, label=label)
    axes.plot(U, values, color="black", label=f"f = {name}")
    twice = conjugate(conjugate(values, U, SLOPES), SLOPES, U)
    axes.plot(U, twice, color="crimson", linestyle="--", linewidth=2, label="f**, their upper envelope")
    axes.set(xlabel="u", ylabel="value", ylim=(-3, 2.5))
    axes.legend(loc="upper center")


CLAIM = Claim(
    id="T27",
    title="the conjugate of the conjugate",
    statement="f*(t) = sup over u of ut − f(u): f** is the convex envelope of f, f itself where that is convex and lower "
    "semicontinuous, and nowhere above it",
    source="Hiriart-Urruty & Lemaréchal, Fundamentals of Convex Analysis, 2001; Nowozin et al., f-GAN, NIPS 2016",
    check=check,
    figure=figure,
)
