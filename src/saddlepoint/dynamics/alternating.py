"""Alternating descent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from saddlepoint.dynamics.base import Dynamics, Turn
from saddlepoint.errors import InputError


@dataclass(frozen=True)
class Burst:
    """`player` moves `moves` times in each of the first `first` steps and in every step divisible by `every`.

    The values are those of Arjovsky et al.'s script for the Wasserstein GAN: it lets the critic come close to its
    optimum before the generator follows it.
    """

    player: str = "discriminator"
    moves: int = 100
    first: int = 25
    every: int = 500

    def __post_init__(self) -> None:
        if self.moves < 1 or self.first < 0 or self.every < 1:
            raise InputError(f"{self} is not possible: moves and every are at least 1, first at least 0")

    def due(self, step: int) -> bool:
        """Whether step number `step` (from 0) is one of them."""
        return step < self.first or step % self.every == 0


@dataclass(frozen=True)
class Alternating(Dynamics):
    """Players move one after the other, `steps[player]` times each, in the order in which `steps` lists them.

    The convention of this package is one generator step, then n discriminator steps on the moved generator (Mescheder
    et al. 2018); algorithms that print the discriminator first differ by the very first generator step only. Players
    joined by "+" move together. Every turn draws a fresh batch, as published algorithms do; with `shared=True` a step
    uses one batch for all its turns (a deviation). In the steps of a `burst` its player moves more often.
    """

    steps: dict[str, int] = field(default_factory=lambda: {"generator": 1, "discriminator": 1})
    shared: bool = False
    burst: Burst | None = None

    def __post_init__(self) -> None:
        if self.burst and self.burst.player not in self.steps:
            raise InputError(
                f"the burst names {self.burst.player!r}, and the steps are of {', '.join(self.steps)}"
            )

    def turns(self, step: int) -> tuple[Turn, ...]:
        steps = self.steps
        if self.burst and self.burst.due(step):
            steps = {**steps, self.burst.player: self.burst.moves}
        return in_turn(steps, self.shared)


def in_turn(steps: Mapping[str, int], shared: bool) -> tuple[Turn, ...]:
    """`steps[who]` turns of each in the order of `steps`; "+" joins players; `shared`: one batch for all."""
    order = [tuple(who.split("+")) for who, times in steps.items() for _ in range(times)]
    return tuple(Turn(who, fresh=index == 0 or not shared) for index, who in enumerate(order))
