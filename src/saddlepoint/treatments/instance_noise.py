"""Instance noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.schedules import Schedule, now
from saddlepoint.treatments.base import Treatment


@dataclass(frozen=True)
class InstanceNoise(Treatment):
    """The discriminator sees x + σε, ε ~ N(0, I), fresh for reals and for fakes (Sønderby et al. 2017; Arjovsky & Bottou
    2017). `sigma` in units of the data; annealed to 0 by a schedule, `InstanceNoise(Linear(0.1, 0.0))`."""

    sigma: float | Schedule = 0.1

    def draws(self) -> dict[str, Draw]:
        return {"instance_noise": Draw("normal", "real")}

    def apply(
        self,
        point: Tensor,
        noise: Mapping[str, Tensor],
        memory: Mapping[str, Tensor],
        clock: Mapping[str, Any],
    ) -> Tensor:
        return point + now(self.sigma, clock) * noise["instance_noise"]
