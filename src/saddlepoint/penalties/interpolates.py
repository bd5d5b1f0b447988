"""Penalties on the slope between data and samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.penalties.base import Point, Term, score_and_gradient, squared_norm, tensors
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class Interpolates:
    """x̂ = εx + (1 − ε)x̃ with one ε ~ U(0, 1) per row (Gulrajani et al. 2017, Algorithm 1, line 6)."""

    def draws(self) -> dict[str, Draw]:
        return {"mix": Draw("uniform")}

    def points(self, real: Point, fake: Point, mix: Tensor) -> Point:
        mixed = tuple(
            torch.lerp(f, r, mix.view(-1, *[1] * (r.dim() - 1)))
            for r, f in zip(tensors(real), tensors(fake), strict=True)
        )
        return mixed if isinstance(real, tuple) else mixed[0]


@dataclass(frozen=True)
class GradientPenalty(Term):
    """λ E(‖∇s(x̂)‖₂ − g)² at points x̂ between data and samples (Gulrajani et al. 2017, eq. 3), two-sided.

    The norm is each point's own. 1e-12 under the root keeps its second derivative finite where ∇s = 0.
    """

    per_row: ClassVar[bool] = True

    weight: float | Schedule = 10.0
    target: float = 1.0
    at: Interpolates = Interpolates()

    def draws(self) -> dict[str, Draw]:
        return self.at.draws()

    def __call__(  # type: ignore[override]
        self,
        score_and_gradient: Callable[[Point], tuple[Tensor, Point]],
        real_point: Point,
        fake_point: Point,
        mix: Tensor,
        clock: Clock | None = None,
    ) -> Tensor:
        slope = (
            squared_norm(score_and_gradient(self.at.points(real_point, fake_point, mix))[1]) + 1e-12
        ).sqrt()
        return now(self.weight, clock) * (slope - self.target).square().mean()

    def of(
        self, critic: Callable[[Any], Tensor], real: Point, fake: Point, mix: Tensor | None = None
    ) -> Tensor:
        """The penalty alone, for any training loop; `mix` [rows] in (0, 1) is drawn when it is not given."""
        rows = tensors(real)[0]
        epsilon = torch.rand(len(rows), device=rows.device, dtype=rows.dtype) if mix is None else mix
        return self(lambda point: score_and_gradient(critic, point), real, fake, epsilon)
