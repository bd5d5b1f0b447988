"""How the slope of a score is found: by automatic differentiation, or by differences along random directions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.penalties.base import squared_norm, tensors
from saddlepoint.penalties.points import Points

TINY = 1e-12  # under a root: its second derivative stays finite where the slope is 0


class Slope:
    """The form: ‖∇s‖² at points, and how far its root is from a target."""

    one_sided: ClassVar[bool] = True
    """Whether the root is the norm itself, so that it can be compared with a bound."""

    def draws(self) -> dict[str, Draw]:
        return {}

    def asks(self, at: Points) -> tuple[str, ...]:
        raise NotImplementedError

    def squared(self, at: Points, given: Mapping[str, Any]) -> Tensor:
        """‖∇s‖² of each point: [rows]. `given` holds what was asked for."""
        raise NotImplementedError

    def distance(self, squared: Tensor, target: float) -> Tensor:
        """(‖∇s‖ − g)² of each point: [rows]."""
        return ((squared + TINY).sqrt() - target).square()


@dataclass(frozen=True)
class Exact(Slope):
    """∇s by automatic differentiation, differentiable once more. At data or samples it shares the forward pass with
    the scores there."""

    def asks(self, at: Points) -> tuple[str, ...]:
        return (f"{at.side}_gradient",) if at.side else ("score_and_gradient", *at.asks())

    def squared(self, at: Points, given: Mapping[str, Any]) -> Tensor:
        if at.side:
            return squared_norm(given[f"{at.side}_gradient"])
        return squared_norm(given["score_and_gradient"](at.points(**_own(at, given)))[1])


@dataclass(frozen=True)
class FiniteDifference(Slope):
    """δ = (s(x + εu) − s(x − εu))/2ε along one u ~ N(0, I) a point: two forward passes and no second derivative.

    δ → u·∇s with an error of order ε², and E_u(u·∇s)² = ‖∇s‖²: δ² estimates the squared norm without bias, with a
    relative standard deviation of √2 a point. E_u|u·∇s| = √(2/π)‖∇s‖, so δ² − 2g√(π/2)|δ| + g² estimates
    (‖∇s‖ − g)² (a single draw may be negative); a one-sided distance has no such estimate and is refused. `eps` is in
    units of a coordinate: points move by about eps·√dimension. The scores need all their digits: not for 16 bits.
    """

    one_sided: ClassVar[bool] = False

    eps: float = 1e-2

    def __post_init__(self) -> None:
        if not self.eps > 0:
            raise InputError(f"FiniteDifference needs eps above 0, not {self.eps}")

    def draws(self) -> dict[str, Draw]:
        return {"direction": Draw("normal", "real")}

    def asks(self, at: Points) -> tuple[str, ...]:
        return ("score", *at.asks(), *self.draws())

    def squared(self, at: Points, given: Mapping[str, Any]) -> Tensor:
        point, direction = at.points(**_own(at, given)), given["direction"]
        if len(tensors(point)) > 1 or tensors(point)[0].shape != direction.shape:
            raise InputError("FiniteDifference is for single points shaped like the data, not pairs or packs")
        ahead, behind = (given["score"](point + step * direction) for step in (self.eps, -self.eps))
        return ((ahead - behind) / (2 * self.eps)).square()

    def distance(self, squared: Tensor, target: float) -> Tensor:
        return squared - 2 * target * math.sqrt(math.pi / 2) * (squared + TINY).sqrt() + target**2


def _own(at: Points, given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in at.asks()}
