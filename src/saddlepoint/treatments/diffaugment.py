"""Differentiable augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.treatments import operations
from saddlepoint.treatments.base import Treatment

KINDS = ("color", "translation", "cutout")


@dataclass(frozen=True)
class DiffAugment(Treatment):
    """The same random policy for reals and fakes, in both players' losses (Zhao et al. 2020, eq. 4–6).

    color: brightness x + (u − ½), saturation times 2u, contrast times u + ½; translation: up to 1/8 of a side each way;
    cutout: a box of half of each side set to 0. Images only.
    """

    policy: tuple[str, ...] = KINDS
    shift: float = 0.125
    box: float = 0.5

    images: ClassVar[bool] = True
    numbers: ClassVar[int] = 7

    def __post_init__(self) -> None:
        if strange := [kind for kind in self.policy if kind not in KINDS]:
            raise InputError(f"DiffAugment knows no {strange[0]!r}: accepted are {', '.join(KINDS)}")

    def draws(self) -> dict[str, Draw]:
        return {"diffaugment": Draw("uniform", (self.numbers,))}

    def apply(
        self,
        point: Tensor,
        noise: Mapping[str, Tensor],
        memory: Mapping[str, Tensor],
        clock: Mapping[str, Any],
    ) -> Tensor:
        u = noise["diffaugment"].unbind(1)
        if "color" in self.policy:
            point = operations.brightness(point, u[0])
            point = operations.contrast(operations.saturation(point, u[1]), u[2])
        if "translation" in self.policy:
            point = operations.translated(point, u[3], u[4], self.shift)
        return operations.cut(point, u[5], u[6], self.box) if "cutout" in self.policy else point
