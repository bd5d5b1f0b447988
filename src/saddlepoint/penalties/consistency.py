"""Consistency regularisation: the same judgement of a point and of what a transformation makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.penalties.base import Critic, Point, Term, judged, per_point
from saddlepoint.penalties.points import Points, Real
from saddlepoint.schedules import Clock, Schedule, now


@runtime_checkable
class Transformation(Protocol):
    """What is done to points, differentiably: every treatment without a memory is one."""

    def draws(self) -> dict[str, Draw]: ...

    def apply(
        self, point: Any, noise: Mapping[str, Tensor], memory: Mapping[str, Tensor], clock: Mapping[str, Any]
    ) -> Any: ...


@dataclass(frozen=True)
class Jitter:
    """T(x) = x + σn, n ~ N(0, I)."""

    sigma: float = 0.05

    def draws(self) -> dict[str, Draw]:
        return {"jitter": Draw("normal", "real")}

    def apply(
        self, point: Any, noise: Mapping[str, Tensor], memory: Mapping[str, Tensor], clock: Mapping[str, Any]
    ) -> Any:
        return point + self.sigma * noise["jitter"]


@dataclass(frozen=True)
class Consistency(Term):
    """λ E (s(T(x)) − s(x))² on the data (Zhang et al. 2020, CR-GAN), T a transformation that should not matter.

    A second term with `at=Fake()` makes the balanced form (Zhao et al. 2021, bCR). Both judgements are differentiated.
    """

    per_row: ClassVar[bool] = True

    weight: float | Schedule = 10.0
    by: Transformation = Jitter()
    at: Points = Real()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.at.side:
            raise InputError(f"Consistency compares judgements at Real() or Fake(), not {self.at}")

    def draws(self) -> dict[str, Draw]:
        return self.by.draws()

    def asks(self) -> tuple[str, ...]:
        return ("score", f"{self.at.side}_point", f"{self.at.side}_judgement", *self.draws(), "clock")

    def __call__(  # type: ignore[override]
        self, score: Callable[[Point], Tensor], clock: Clock | None = None, **given: Any
    ) -> Tensor:
        noise = {name: given[name] for name in self.draws()}
        changed = self.by.apply(given[f"{self.at.side}_point"], noise, {}, clock or {})
        return now(self.weight, clock) * (score(changed) - given[f"{self.at.side}_judgement"]).square().mean()

    def of(
        self, discriminator: Critic, points: Point, changed: Point = None, clock: Clock | None = None
    ) -> Tensor:
        """The term alone, for any training loop; `changed` is T(points), made by `by` when it is not given."""
        if changed is None:
            return self(clock=clock, **judged(self, discriminator, {f"{self.at.side}_point": points}))
        gap = per_point(discriminator(changed)) - per_point(discriminator(points))
        return now(self.weight, clock) * gap.square().mean()
