"""Adaptive discriminator augmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.parts import Kept
from saddlepoint.treatments import operations
from saddlepoint.treatments.base import Treatment

Operation = Callable[[Tensor, Tensor], Tensor]  # the image, and four uniform numbers a row
OPERATIONS: tuple[Operation, ...] = (
    lambda x, u: operations.mirrored(x, u[:, 0]),
    lambda x, u: operations.turned(x, u[:, 0]),
    lambda x, u: operations.translated(x, u[:, 0], u[:, 1], 0.125),
    lambda x, u: operations.brightness(x, u[:, 0]),
    lambda x, u: operations.saturation(x, u[:, 0]),
    lambda x, u: operations.contrast(x, u[:, 0]),
)


@dataclass(frozen=True)
class ADA(Treatment):
    """Each augmentation is applied to each image with probability p, and p follows r = E sign(s(x)) on reals: every
    `every` moves of the discriminator p ← max(0, p + sign(r̄ − target)·images/speed), images those shown since (Karras et
    al. 2020, section 3).

    Deviations: mirroring, quarter turns, translation by whole pixels, brightness, saturation and contrast instead of the
    published eighteen; p is not capped at 1 while it is remembered (as published), and acts as min(p, 1).
    """

    images: ClassVar[bool] = True

    target: float = 0.6
    speed: int = 500_000
    every: int = 4

    def __post_init__(self) -> None:
        if self.every < 1 or self.speed < 1:
            raise InputError(f"ADA needs every and speed of at least 1, not {self.every} and {self.speed}")

    def draws(self) -> dict[str, Draw]:
        return {"ada": Draw("uniform", (len(OPERATIONS), 5))}

    def start(self, players: Mapping[str, Tensor]) -> Kept:
        device = next(iter(players.values())).device
        return {name: torch.zeros((), device=device) for name in ("p", "sign", "moves", "images")}

    def observe(self, real_score: Tensor, clock: Mapping[str, Any]) -> Kept:  # type: ignore[override]
        images = torch.as_tensor(clock["images"], dtype=torch.float32, device=real_score.device)
        return {"sign": real_score.sign().mean(), "images": images}

    def remember(self, memory: Kept, seen: Kept, players: Mapping[str, Tensor]) -> Kept:
        moves, sign = memory["moves"] + 1, memory["sign"] + seen["sign"]
        due = moves >= self.every
        step = (sign / self.every - self.target).sign() * (seen["images"] - memory["images"]) / self.speed
        return {
            "p": torch.where(due, (memory["p"] + step).clamp(min=0), memory["p"]),
            "sign": torch.where(due, torch.zeros_like(sign), sign),
            "moves": torch.where(due, torch.zeros_like(moves), moves),
            "images": torch.where(due, seen["images"], memory["images"]),
        }

    def apply(
        self,
        point: Tensor,
        noise: Mapping[str, Tensor],
        memory: Mapping[str, Tensor],
        clock: Mapping[str, Any],
    ) -> Tensor:
        for operation, u in zip(OPERATIONS, noise["ada"].unbind(1), strict=True):
            applied = (u[:, 4] < memory["p"]).view(-1, 1, 1, 1)
            point = torch.where(applied, operation(point, u[:, :4]), point)
        return point
