"""Simultaneous descent."""

from __future__ import annotations

from dataclasses import dataclass

from saddlepoint.dynamics.base import Dynamics


@dataclass(frozen=True)
class Simultaneous(Dynamics):
    """All players move together from one evaluation at the same point: x ← x − h v(x) under plain descent.

    (Nowozin et al. 2016, Algorithm 1.) On the bilinear game the norm grows by (1 + h²)^½ each step.
    """
