"""Zero-centred gradient penalties at the data and at the samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from saddlepoint.penalties.base import Point, Term, score_and_gradient, squared_norm
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class R1(Term):
    """(γ/2) E_P ‖∇s(x)‖² (Mescheder et al. 2018, eq. 9), on raw scores.

    With the ½ of the paper: the authors' code leaves it out, so its weight 10 is γ = 20 here.
    """

    per_row: ClassVar[bool] = True

    gamma: float | Schedule = 10.0

    def __call__(self, real_gradient: Point, clock: Clock | None = None) -> Tensor:  # type: ignore[override]
        return now(self.gamma, clock) / 2 * squared_norm(real_gradient).mean()

    def of(self, discriminator: Callable[[Any], Tensor], real: Point) -> Tensor:
        """The penalty alone, for any training loop: one forward pass of `discriminator` at `real`."""
        return self(score_and_gradient(discriminator, real)[1])


@dataclass(frozen=True)
class R2(Term):
    """(γ/2) E_Q ‖∇s(x)‖²: as `R1`, at the samples (Mescheder et al. 2018, eq. 10)."""

    per_row: ClassVar[bool] = True

    gamma: float | Schedule = 10.0

    def __call__(self, fake_gradient: Point, clock: Clock | None = None) -> Tensor:  # type: ignore[override]
        return now(self.gamma, clock) / 2 * squared_norm(fake_gradient).mean()

    def of(self, discriminator: Callable[[Any], Tensor], fake: Point) -> Tensor:
        """The penalty alone, for any training loop; `fake` is usually detached."""
        return self(score_and_gradient(discriminator, fake)[1])
