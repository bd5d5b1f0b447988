"""Where a penalty looks: points made from data, samples and noise, as values."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.penalties.base import Point, for_points, tensors


class Points:
    """The form: `points` asks for quantities by argument name, `draws` names the noise among them."""

    side: ClassVar[str] = ""
    """"real" or "fake" for points that are judged anyway: score and gradient there come from one forward pass."""
    couples_rows: ClassVar[bool] = False
    """Whether a point depends on the other rows of its batch."""
    names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.names = tuple(inspect.signature(cls.points).parameters)[1:]  # once: asked at every evaluation

    def draws(self) -> dict[str, Draw]:
        return {}

    def asks(self) -> tuple[str, ...]:
        return self.names

    def points(self, *quantities: Any) -> Point:
        raise NotImplementedError


@dataclass(frozen=True)
class Real(Points):
    """The data."""

    side: ClassVar[str] = "real"

    def points(self, real_point: Point) -> Point:  # type: ignore[override]
        return real_point


@dataclass(frozen=True)
class Fake(Points):
    """The samples."""

    side: ClassVar[str] = "fake"

    def points(self, fake_point: Point) -> Point:  # type: ignore[override]
        return fake_point


@dataclass(frozen=True)
class Interpolates(Points):
    """x̂ = εx + (1 − ε)x̃ with one ε ~ U(0, 1) per row (Gulrajani et al. 2017, Algorithm 1, line 6)."""

    def draws(self) -> dict[str, Draw]:
        return {"mix": Draw("uniform")}

    def points(self, real_point: Point, fake_point: Point, mix: Tensor) -> Point:  # type: ignore[override]
        mixed = tuple(
            torch.lerp(f, r, _wide(for_points(mix, r), r))
            for r, f in zip(tensors(real_point), tensors(fake_point), strict=True)
        )
        return mixed if isinstance(real_point, tuple) else mixed[0]


@dataclass(frozen=True)
class NoiseBall(Points):
    """x̂ = x + α·size·std·u around the data, α ~ U(0, 1) per row, u ~ U(0, 1) per coordinate (Kodali et al. 2017).

    One-sided, as in the authors' code: images are only made brighter. `symmetric`: u ~ U(−1, 1). std is one number, the
    standard deviation of all coordinates of the batch (divided by their number), so a row sees the others.
    """

    couples_rows: ClassVar[bool] = True

    size: float = 0.5
    symmetric: bool = False

    def draws(self) -> dict[str, Draw]:
        return {"mix": Draw("uniform"), "ball": Draw("symmetric" if self.symmetric else "uniform", "real")}

    def points(self, real_point: Point, mix: Tensor, ball: Tensor) -> Point:  # type: ignore[override]
        if isinstance(real_point, tuple) or ball.shape != real_point.shape:
            raise InputError("NoiseBall lies around single points shaped like the data, not pairs or packs")
        radius = self.size * real_point.std(correction=0)
        return real_point + _wide(for_points(mix, real_point), real_point) * radius * for_points(
            ball, real_point
        )


def _wide(number: Tensor, like: Tensor) -> Tensor:
    """One number a row, to be multiplied with rows of any shape."""
    return number.view(-1, *[1] * (like.dim() - 1))
