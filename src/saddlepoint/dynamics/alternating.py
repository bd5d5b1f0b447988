"""Alternating descent."""

from __future__ import annotations

from dataclasses import dataclass, field

from saddlepoint.dynamics.base import Dynamics, Turn


@dataclass(frozen=True)
class Alternating(Dynamics):
    """Players move one after the other, `steps[player]` times each, in the order in which `steps` lists them.

    The convention of this package is one generator step, then n discriminator steps on the moved generator (Mescheder
    et al. 2018); algorithms that print the discriminator first differ by the very first generator step only. Players
    joined by "+" move together. Every turn draws a fresh batch, as published algorithms do; with `shared=True` a step
    uses one batch for all its turns (a deviation).
    """

    steps: dict[str, int] = field(default_factory=lambda: {"generator": 1, "discriminator": 1})
    shared: bool = False

    def turns(self, step: int) -> tuple[Turn, ...]:
        order = [tuple(who.split("+")) for who, times in self.steps.items() for _ in range(times)]
        return tuple(Turn(who, fresh=index == 0 or not self.shared) for index, who in enumerate(order))
