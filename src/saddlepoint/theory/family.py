"""The f-divergences that claims go over."""

from __future__ import annotations

from saddlepoint.objectives import (
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
    WeightedJensenShannon,
)

STRICT: tuple[Divergence, ...] = (
    KL(),
    ReverseKL(),
    Pearson(),
    Neyman(),
    SquaredHellinger(),
    Jeffrey(),
    JensenShannon(),
    WeightedJensenShannon(0.3),
    GANDivergence(),
    Alpha(-1.0),
    Alpha(0.3),
    Alpha(1.5),
)
"""The rows of the table whose f is strictly convex: all but total variation."""
