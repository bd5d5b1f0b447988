"""The regulariser of the Jensen–Shannon GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from saddlepoint.penalties.base import Critic, Point, Term, judged, squared_norm
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class Roth(Term):
    """(γ/2)(E_P (1 − σ(s))²‖∇s‖² + E_Q σ(s)²‖∇s‖²): what smoothing data and samples with noise of variance γ does to a
    Jensen–Shannon GAN (Roth et al. 2017).

    The gradient is that of the logit, the weights are probabilities, and both are differentiated. Annealed over the run
    from γ₀ = 2 to .01 γ₀: `Roth(Exponential(2.0, 0.02))`.
    """

    per_row: ClassVar[bool] = True

    gamma: float | Schedule = 0.1

    def __call__(  # type: ignore[override]
        self,
        real_judgement: Tensor,
        real_gradient: Point,
        fake_judgement: Tensor,
        fake_gradient: Point,
        clock: Clock | None = None,
    ) -> Tensor:
        real = (-real_judgement).sigmoid().square() * squared_norm(real_gradient)
        fake = fake_judgement.sigmoid().square() * squared_norm(fake_gradient)
        return now(self.gamma, clock) / 2 * (real.mean() + fake.mean())

    def of(self, discriminator: Critic, real: Point, fake: Point, clock: Clock | None = None) -> Tensor:
        """The penalty alone, for any training loop; `fake` is usually detached."""
        points = {"real_point": real, "fake_point": fake}
        return self(clock=clock, **judged(self, discriminator, points))
