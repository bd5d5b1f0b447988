"""What a step costs under each update rule and under lazy penalties, relative to alternating descent.

    python benchmarks/dynamics.py [--blocks 9]

The same pair (MLP of width 64 on points, batch 256, Adam), plain execution, one thread; sides in alternated blocks within one
process. A ratio is the time of a side over that of alternating descent, median over blocks with quartiles; `declared` is the
ratio of the gradient evaluations that the rules declare. Results go to benchmarks/results/dynamics.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from saddlepoint import methods
from saddlepoint.batches import Batches
from saddlepoint.data import load
from saddlepoint.dynamics import (
    Alternating,
    CompetitiveGradientDescent,
    Consensus,
    Extragradient,
    PastExtragradient,
    Simultaneous,
    SymplecticAdjustment,
    Unrolled,
)
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam, Optimistic
from saddlepoint.penalties import R1
from saddlepoint.plan import environment

ROWS, STEPS = 256, 48
ADAM = {player: Adam(1e-4) for player in ("generator", "discriminator")}
PLAIN = replace(methods.get("gan"), latent=Gaussian(16), dynamics=Alternating(ADAM), averages={}, terms=())


def sides() -> dict[str, Method]:
    rules: dict[str, Any] = {
        "simultaneous": Simultaneous(ADAM),
        "optimistic": Alternating({player: Optimistic(adam) for player, adam in ADAM.items()}),
        "extragradient": Extragradient(ADAM),
        "extragradient from the past": PastExtragradient(ADAM),
        "consensus": Consensus(ADAM),
        "symplectic adjustment": SymplecticAdjustment(ADAM),
        "competitive": CompetitiveGradientDescent(ADAM),
        "unrolled, 1 step": Unrolled(ADAM, ahead=1),
        "unrolled, 5 steps": Unrolled(ADAM, ahead=5),
        "unrolled, 5 steps, held": Unrolled(ADAM, ahead=5, through=False),
    }
    found = {"alternating": PLAIN} | {name: replace(PLAIN, dynamics=rule) for name, rule in rules.items()}
    found |= {f"R1 every {k} steps": replace(PLAIN, terms=(R1(1.0, every=k),)) for k in (1, 4, 16)}
    return found


class Side:
    """Steps of one method, draws included."""

    def __init__(self, method: Method) -> None:
        torch.manual_seed(0)
        reference = load("ring").training(8)
        self.dynamics = method.dynamics
        self.game = method.game(MLP(width=64).build((2,), 16), reference)
        self.batches = Batches(self.game, load("ring"), 0, ROWS, torch.device("cpu"))
        self.state = self.dynamics.init(self.game, *self.game.init(0, reference))

    def steps(self, count: int) -> None:
        for _ in range(count):
            clock = self.state.clock
            turns = self.dynamics.turns(clock["step"])
            batches = self.batches.step(clock, turns, 0.0)
            game = self.game.at(clock["step"])
            state, _ = self.dynamics.step(game, self.state, turns, batches.__getitem__, ROWS)
            self.state = state._replace(clock=self.dynamics.advance(self.game, clock, turns, ROWS))

    def cost(self) -> int:
        return sum(self.dynamics.cost(turn) for turn in self.dynamics.turns(0))


def measure(blocks: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    made = {name: Side(method) for name, method in sides().items()}
    runs: dict[str, Callable[[int], None]] = {name: side.steps for name, side in made.items()}
    for steps in runs.values():
        steps(STEPS)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(blocks):
        for name, steps in runs.items():
            start = time.perf_counter()
            steps(STEPS)
            times[name].append((time.perf_counter() - start) / STEPS * 1e3)
    base, found = times["alternating"], {}
    for name, values in times.items():
        ratios = [own / other for own, other in zip(values, base, strict=True)]
        found[name] = {
            "ms": round(statistics.median(values), 3),
            "ratio": [round(q, 3) for q in statistics.quantiles(ratios, n=4, method="inclusive")],
            "declared": round(made[name].cost() / made["alternating"].cost(), 2),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "dynamics.json")
    given = parser.parse_args()
    found = measure(given.blocks)
    results = {
        "batch": ROWS,
        "threads": 1,
        "blocks": given.blocks,
        "sides": found,
        "environment": environment(),
    }
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(results, indent=1) + "\n")
    for name, row in found.items():
        low, middle, high = row["ratio"]
        print(
            f"{name:28} {row['ms']:7.3f} ms  {middle:.2f} [{low:.2f}, {high:.2f}]  declared {row['declared']:.2f}"
        )


if __name__ == "__main__":
    main()
