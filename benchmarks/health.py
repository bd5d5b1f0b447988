"""What the default looks at the health of a run cost, as a share of the time of training.

    python benchmarks/health.py [--rows mlp-ns,dcgan-ns] [--blocks 15] [--threads 1]

Blocks of steps and looks alternate within one process. A look is everything that training does at one: gradients of all
players on a batch, the vitals, the line in the log forced to disk, the findings. Its share is its time over that of the
steps between two looks at the least distance (500 steps); given are the mean over blocks and its upper 95 % limit.
Results go to benchmarks/results/health.json with the machine line.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from step import ROWS, Ours, Row, Table, quartiles
from torch import Tensor

from saddlepoint.health import APART, Health
from saddlepoint.plan import environment
from saddlepoint.run import Folder
from saddlepoint.settings import Settings

LOOKS = 20  # a run has at most so many before its last


class Held(Table):
    """A table whose last rows are held out."""

    resizing = "none"

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": self.real[:-500][:count]}

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": self.real[-500:][:count]}


class Looking:
    """A run that looks at itself, as training does."""

    def __init__(self, row: Row, ours: Ours, folder: Path) -> None:
        self.ours, self.health = ours, Health(Folder(folder), Settings(looks=LOOKS), lambda text: None)
        self.health.see(ours.game, Held(row.data()))

    def __call__(self) -> None:
        ours, state, health = self.ours, self.ours.state, self.health
        batch = ours.batches.whole(state.clock, 0.0)
        gradients = ours.game.gradients(ours.game.players, state.players, state.memory, batch)[0]
        health.look({"step": len(health.looks) * APART, "phase": 0}, state.players, state.memory, gradients)
        health.looks = health.looks[-LOOKS:]


def measure(row: Row, side: str, blocks: int, place: Path) -> dict[str, Any]:
    ours = Ours(row, side)
    look = Looking(row, ours, place)
    count = 3 if row.images else 80
    ours.steps(count)
    look()  # the first one reads the rows that later ones are compared with
    steps, looks = [], []
    for _ in range(blocks):
        start = time.perf_counter()
        ours.steps(count)
        middle = time.perf_counter()
        look()
        steps.append((middle - start) / count * 1e3)
        looks.append((time.perf_counter() - middle) * 1e3)
    shares = [one / (APART * step) for one, step in zip(looks, steps, strict=True)]
    error = statistics.stdev(shares) / math.sqrt(blocks)
    return {
        "step_ms": quartiles(steps),
        "look_ms": quartiles(looks),
        "share": round(statistics.mean(shares), 5),
        "upper_95": round(statistics.mean(shares) + 1.761 * error, 5),  # Student's t at 14 degrees, one-sided
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default=",".join(row.name for row in ROWS))
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    found: dict[str, Any] = {}
    for row in (row for row in ROWS if row.name in given.rows.split(",")):
        for side in ("plain",) if row.images else ("plain", "compiled"):
            with tempfile.TemporaryDirectory() as place:
                found[f"{row.name} {side}"] = measure(row, side, given.blocks, Path(place))
            share, upper = (found[f"{row.name} {side}"][name] for name in ("share", "upper_95"))
            print(
                f"{row.name:<14}{side:<10}{share:.2%} of the time of training, at most {upper:.2%}",
                flush=True,
            )
    result = {"apart": APART, "threads": given.threads, "blocks": given.blocks, "rows": found}
    path = Path(__file__).parent / "results" / "health.json"
    path.write_text(json.dumps({**result, "environment": environment()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
