"""The form of a treatment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from saddlepoint.parts import Part


@dataclass(frozen=True)
class Treatment(Part):
    """What is done to every point before the discriminator judges it, for both players and inside penalties.

    A penalty differentiates with respect to the point before its treatment. `draws` names the noise of one set of points;
    reals, fakes and other points (interpolates) get their own.
    """

    images: ClassVar[bool] = False
    """Whether it is for images only."""

    def apply(
        self, point: Any, noise: Mapping[str, Tensor], memory: Mapping[str, Tensor], clock: Mapping[str, Any]
    ) -> Any:
        raise NotImplementedError
