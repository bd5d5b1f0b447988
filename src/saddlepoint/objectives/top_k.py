"""Only the best fakes teach the generator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.objectives.base import Objective, Scores, Weighted
from saddlepoint.objectives.logistic import NonSaturating
from saddlepoint.schedules import Clock, Decay, Schedule, now


@dataclass(frozen=True)
class TopK(Objective):
    """The generator's loss over the k fakes that look most real, k = ⌊share · rows⌋, at least 1 (Sinha et al. 2020).

    The rest of `objective` stays as it is. `share` falls from 1 by a factor a step to a floor; the paper multiplies k by
    .99 an epoch. Dropped rows are masked, not cut out: shapes stay as they are, and their gradient is exactly 0.
    """

    couples_rows: ClassVar[bool] = True

    objective: Objective = NonSaturating()
    share: float | Schedule = Decay(1.0, 0.9999, floor=0.5)

    @property
    def low_is_real(self) -> bool:  # type: ignore[override]
        return self.objective.low_is_real

    @property
    def logit(self) -> bool:  # type: ignore[override]
        return self.objective.logit

    @property
    def discriminator(self) -> Callable[..., Tensor]:
        return self.objective.discriminator  # type: ignore[attr-defined]

    @property
    def generator(self) -> Callable[..., Tensor]:
        """The generator's loss of `objective`, which asks for what that one asks for, and for the clock."""
        inner: Callable[..., Tensor] = self.objective.generator  # type: ignore[attr-defined]
        names = tuple(inspect.signature(inner).parameters)
        order = tuple(dict.fromkeys((*names, "clock")))

        def loss(*given: Any, **named: Any) -> Tensor:
            asked = {**dict(zip(order, given, strict=False)), **named}
            kept = self.kept(asked["fake_score"], asked.get("clock"))
            asked["fake_score"] = Weighted(asked["fake_score"], kept)
            return inner(**{name: value for name, value in asked.items() if name in names})

        asks = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in order]
        loss.__signature__ = inspect.Signature(asks)  # type: ignore[attr-defined]
        return loss

    def kept(self, fake_score: Scores, clock: Clock | None = None) -> Tensor:
        """1 for the k best rows and 0 for the others: [rows]. Maps and lists are ranked by their mean."""
        means = _row_means(fake_score)
        best_last = -means if self.low_is_real else means
        rank = best_last.detach().argsort(descending=True).argsort()
        count = (torch.as_tensor(now(self.share, clock)) * len(rank) + 1e-4).clamp(min=1)
        return (rank + 1 <= count).to(means.dtype)


def _row_means(scores: Scores) -> Tensor:
    if isinstance(scores, (list, tuple)):
        return torch.stack([_row_means(member) for member in scores]).mean(0)
    return scores.flatten(1).mean(1) if scores.dim() > 1 else scores
