"""The norm of the discriminator's gradient as a term of the generator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from saddlepoint.penalties.base import Term, full
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class NagarajanKolter(Term):
    """η‖∇_{θ_D} L_D‖² in the generator's loss alone (Nagarajan & Kolter 2017): the generator avoids samples that would
    move the discriminator far.

    The gradient is that of the whole batch, so its squared norm is no mean over rows, and small batches bias it upwards.
    """

    players: ClassVar[tuple[str, ...]] = ("generator",)
    couples_rows: ClassVar[bool] = True

    eta: float | Schedule = 0.5

    def __call__(self, discriminator_gradient: Tensor, clock: Clock | None = None) -> Tensor:  # type: ignore[override]
        return now(self.eta, clock) * full(discriminator_gradient).square().sum()

    def of(self, objective: Tensor, parameters: Iterable[Tensor], clock: Clock | None = None) -> Tensor:
        """The term alone, for any training loop: `objective` is the discriminator's loss on this batch, whose graph reaches
        the samples, `parameters` are the discriminator's. Step the generator only: the term has a gradient there too."""
        parts = torch.autograd.grad(
            objective, list(parameters), create_graph=True, materialize_grads=True, allow_unused=True
        )
        return self(torch.cat([part.flatten() for part in parts]), clock)
