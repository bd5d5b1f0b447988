"""Zero-centred gradient penalties at the data and at the samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.penalties.base import Critic, Point, Term, judged
from saddlepoint.penalties.points import Fake, Points, Real
from saddlepoint.penalties.slopes import Exact, Slope
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class _ZeroCentred(Term):
    """(γ/2) E‖∇s‖² at points `at`."""

    per_row: ClassVar[bool] = True
    at: ClassVar[Points]

    gamma: float | Schedule = 10.0
    by: Slope = Exact()

    def draws(self) -> dict[str, Draw]:
        return self.by.draws()

    def asks(self) -> tuple[str, ...]:
        return (*self.by.asks(self.at), "clock")

    def __call__(self, clock: Clock | None = None, **given: Any) -> Tensor:
        return now(self.gamma, clock) / 2 * self.by.squared(self.at, given).mean()


@dataclass(frozen=True)
class R1(_ZeroCentred):
    """(γ/2) E_P ‖∇s(x)‖² (Mescheder et al. 2018, eq. 9), on raw scores.

    With the ½ of the paper: the authors' code leaves it out, so its weight 10 is γ = 20 here.
    `by=FiniteDifference(eps)` estimates it without a second derivative.
    """

    at: ClassVar[Points] = Real()

    def of(self, discriminator: Critic, real: Point, clock: Clock | None = None) -> Tensor:
        """The penalty alone, for any training loop: one forward pass of `discriminator` at `real`."""
        return self(clock=clock, **judged(self, discriminator, {"real_point": real}))


@dataclass(frozen=True)
class R2(_ZeroCentred):
    """(γ/2) E_Q ‖∇s(x)‖²: as `R1`, at the samples (Mescheder et al. 2018, eq. 10)."""

    at: ClassVar[Points] = Fake()

    def of(self, discriminator: Critic, fake: Point, clock: Clock | None = None) -> Tensor:
        """The penalty alone, for any training loop; `fake` is usually detached."""
        return self(clock=clock, **judged(self, discriminator, {"fake_point": fake}))


@dataclass(frozen=True)
class ApproximateR1(Term):
    """λ E_P (s(x + σn) − s(x))², n ~ N(0, I): R1 without a gradient, as the distillation of large models uses it.

    (s(x + σn) − s(x))² = σ²(n·∇s)² + O(σ³) has the expectation σ²‖∇s‖² + O(σ⁴): λ = γ/(2σ²) is R1(γ). One forward
    pass besides that of the score. Networks of 16 bits need a σ whose difference they can tell. `at`: Real() or Fake().
    """

    per_row: ClassVar[bool] = True

    weight: float | Schedule = 100.0
    sigma: float = 0.01
    at: Points = Real()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.sigma > 0 and self.at.side):
            raise InputError(
                f"ApproximateR1 needs sigma above 0 and Real() or Fake(), not {self.sigma}, {self.at}"
            )

    def draws(self) -> dict[str, Draw]:
        return {"direction": Draw("normal", "real")}

    def asks(self) -> tuple[str, ...]:
        return ("score", f"{self.at.side}_point", f"{self.at.side}_judgement", "direction", "clock")

    def __call__(  # type: ignore[override]
        self, score: Callable[[Point], Tensor], direction: Tensor, clock: Clock | None = None, **given: Any
    ) -> Tensor:
        there = score(given[f"{self.at.side}_point"] + self.sigma * direction)
        return now(self.weight, clock) * (there - given[f"{self.at.side}_judgement"]).square().mean()

    def of(self, discriminator: Critic, points: Tensor, clock: Clock | None = None) -> Tensor:
        """The penalty alone, for any training loop; the noise is drawn here."""
        return self(clock=clock, **judged(self, discriminator, {f"{self.at.side}_point": points}))
