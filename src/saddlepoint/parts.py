"""What every part of a method may have besides its numbers: noise that is drawn for it, and a memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from saddlepoint.draws import Draw

Kept = dict[str, Tensor]
Gather = Callable[[Any], Any]  # rows of a process to those of all


def own(rows: Any) -> Any:
    """The rows of this process."""
    return rows


class Part:
    """The hooks of objectives, terms and treatments. None has to be written.

    A part with a memory writes `start` and `remember`, and gets what it keeps under the argument name `memory`. What
    moves the memory is looked at by `observe`, which asks for quantities by argument name and returns means over
    rows, so that processes and micro-batches can be averaged. Memory moves once per committed move of a player in
    `observed`; an evaluation never changes it.
    """

    couples_rows: ClassVar[bool] = False
    """Whether it is something else than a mean over rows: what it looks at is gathered from all processes, and
    micro-batches are refused."""
    observed: ClassVar[tuple[str, ...]] = ("discriminator",)

    def draws(self) -> dict[str, Draw]:
        """The noise that the part wants, by name."""
        return {}

    def start(self, players: Mapping[str, Tensor]) -> Kept:
        """The memory before the first step, given the vectors of the players."""
        return {}

    def observe(self) -> Kept:
        """What a move in `observed` shows."""
        return {}

    def remember(self, memory: Kept, seen: Kept, players: Mapping[str, Tensor]) -> Kept:
        """The memory after a committed move of `players` (vectors after the move)."""
        return memory


def remembers(part: Part) -> bool:
    """Whether the part has a memory of its own."""
    return type(part).start is not Part.start
