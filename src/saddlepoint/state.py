"""All that a run carries from step to step, and hence all that a checkpoint holds."""

from __future__ import annotations

from typing import Any, NamedTuple

from saddlepoint.game import Memory, Players


class State(NamedTuple):
    """`players`: a vector each; `optimizer`: slots by player; `memory`: nested tensors by part; `average`: averaged
    vectors and buffers by player; `clock`: step, images, gradients, rows (whole numbers)."""

    players: Players
    optimizer: dict[str, Any]
    memory: Memory
    average: dict[str, Any]
    clock: dict[str, Any]


def start_clock() -> dict[str, int]:
    """step: completed steps; images: training rows shown to the player that moves most often in a step, summed;
    gradients: gradient evaluations; rows: training rows drawn, which is the position in the data stream."""
    return {"step": 0, "images": 0, "gradients": 0, "rows": 0}
