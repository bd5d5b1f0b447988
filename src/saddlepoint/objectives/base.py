"""The form of an objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from saddlepoint.parts import Part


@dataclass(frozen=True)
class Objective(Part):
    """One method per player, named after the player; its arguments are names of quantities, its result a scalar.

    What an objective needs follows from its argument names: a `generator(self, fake_score)` never runs the
    discriminator on real data.
    """

    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    low_is_real: ClassVar[bool] = False
    """Whether a low score means real (energies)."""
