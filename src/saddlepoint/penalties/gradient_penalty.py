"""Penalties on the distance of the slope from a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor
from torch.nn.functional import relu

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.penalties.base import Critic, Point, Term, judged
from saddlepoint.penalties.points import Interpolates, Points
from saddlepoint.penalties.slopes import TINY, Exact, Slope
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class GradientPenalty(Term):
    """λ E(‖∇s(x̂)‖₂ − g)² at points x̂, by default between data and samples (Gulrajani et al. 2017, eq. 3), two-sided.

    `side="above"` is one-sided, λ E max(0, ‖∇s‖ − g)², squared (Petzka et al. 2018); `target=0.0` is zero-centred;
    `at=NoiseBall()` is DRAGAN's. On raw scores, and each point has its own norm. 1e-12 under the root keeps its second
    derivative finite where ∇s = 0; with target 0 there is no root.
    """

    per_row: ClassVar[bool] = True

    weight: float | Schedule = 10.0
    target: float = 1.0
    at: Points = Interpolates()
    side: Literal["both", "above"] = "both"
    by: Slope = Exact()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.side == "above" and not self.by.one_sided:
            raise InputError(
                f"a one-sided GradientPenalty compares the norm itself with {self.target}, which {self.by} does not give: "
                "take by=Exact() or side='both'"
            )

    @property
    def couples_rows(self) -> bool:  # type: ignore[override]
        """Whether a point depends on the other rows."""
        return self.at.couples_rows

    def draws(self) -> dict[str, Draw]:
        return self.at.draws() | self.by.draws()

    def asks(self) -> tuple[str, ...]:
        return (*self.by.asks(self.at), "clock")

    def __call__(self, clock: Clock | None = None, **given: Any) -> Tensor:
        return now(self.weight, clock) * self._distance(self.by.squared(self.at, given)).mean()

    def _distance(self, squared: Tensor) -> Tensor:
        if self.target == 0:
            return squared
        if self.side == "above":
            return relu((squared + TINY).sqrt() - self.target).square()
        return self.by.distance(squared, self.target)

    def of(
        self,
        critic: Critic,
        real: Point,
        fake: Point = None,
        mix: Tensor | None = None,
        clock: Clock | None = None,
    ) -> Tensor:
        """The penalty alone, for any training loop; noise, such as `mix` [rows] in (0, 1), is drawn when it is not given."""
        points = {"real_point": real, "fake_point": fake, "mix": mix}
        return self(clock=clock, **judged(self, critic, points))
