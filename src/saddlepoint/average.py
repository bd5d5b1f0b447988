"""Averaged weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.schedules import Clock, Number, Schedule, now


@dataclass(frozen=True)
class EMA:
    """θ̄ ← βθ̄ + (1 − β)θ once per step, β = ½^(images of the step / half-life).

    `half_life` in training images. With `ramp` the half-life is at most `ramp` times the images seen so far, so that
    the initial weights are forgotten early (Karras et al. 2022, where it is .05). Running statistics (BatchNorm)
    are averaged by the same rule, whole numbers (counters) are copied.
    """

    half_life: float | Schedule = 10_000
    ramp: float | None = 0.05

    def decay(self, images: Number, clock: Clock) -> Number:
        """β for a step of `images` images."""
        half_life = now(self.half_life, clock)
        if self.ramp is not None:
            half_life = _least(half_life, (clock["images"] + images) * self.ramp)
        floor = half_life.clamp(min=1e-9) if isinstance(half_life, Tensor) else max(half_life, 1e-9)
        return 0.5 ** (images / floor)

    def update(
        self, average: Mapping[str, Any], now_: Mapping[str, Any], images: Number, clock: Clock
    ) -> dict[str, Any]:
        """The next average of {"vector": …, "buffers": {…}}."""
        beta = self.decay(images, clock)
        return {
            "vector": _mix(average["vector"], now_["vector"], beta),
            "buffers": {n: _mix(average["buffers"][n], b, beta) for n, b in now_["buffers"].items()},
        }


def _mix(average: Tensor, value: Tensor, beta: Number) -> Tensor:
    if not value.is_floating_point():
        return value.clone()
    weight = 1 - beta
    return torch.lerp(average, value, weight.to(value) if isinstance(weight, Tensor) else weight)


def _least(a: Number, b: Number) -> Number:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.minimum(torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64))
    return min(a, b)
