"""What a step costs under each update rule and under lazy penalties, relative to alternating descent.

    python benchmarks/dynamics.py [--blocks 9]

The same pair (MLP of width 64 on points, batch 256, Adam), one thread, every rule in the plain execution and compiled, a step
a graph; sides in alternated blocks within one process. A ratio is the time of a side over that of alternating descent in the
same execution, median over blocks with quartiles; `gain` is plain over compiled time; `declared` is the ratio of the gradient
evaluations that the rules declare. Results go to benchmarks/results/dynamics.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from saddlepoint import methods
from saddlepoint.batches import Batches
from saddlepoint.compiled import Compiled
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
from saddlepoint.network import Functional, Plain
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam, Optimistic
from saddlepoint.penalties import R1
from saddlepoint.plan import environment

ROWS, STEPS = 256, 48
SLOW = {"competitive": 3}  # steps a block; its ten iterations take minutes to compile, so it is not
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

    def __init__(self, method: Method, compiled: bool) -> None:
        torch.manual_seed(0)
        reference = load("ring").training(8)
        self.dynamics = method.dynamics
        execution = Functional() if compiled else Plain()
        self.game = method.game(MLP(width=64).build((2,), 16), reference, execution=execution)
        self.graph = Compiled(self.game, self.dynamics, ROWS) if compiled else None
        self.batches = Batches(self.game, load("ring"), 0, ROWS, torch.device("cpu"))
        self.state = self.dynamics.init(self.game, *self.game.init(0, reference))

    def steps(self, count: int) -> None:
        for _ in range(count):
            clock = self.state.clock
            turns = self.dynamics.turns(clock["step"])
            batches = self.batches.step(clock, turns, 0.0)
            if self.graph is None:
                game = self.game.at(clock["step"])
                state, _ = self.dynamics.step(game, self.state, turns, batches.__getitem__, ROWS)
            else:
                state, _ = self.graph(self.state, turns, [batches])
            self.state = state._replace(clock=self.dynamics.advance(self.game, clock, turns, ROWS))

    def cost(self) -> int:
        return sum(self.dynamics.cost(turn) for turn in self.dynamics.turns(0))


Key = tuple[str, str]  # a rule and an execution


def measure(blocks: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    made: dict[Key, Side] = {}
    for name, method in sides().items():
        for execution in ("plain",) if name in SLOW else ("plain", "compiled"):
            side = made[name, execution] = Side(method, execution == "compiled")
            print(
                f"{name:28} {execution:9} first steps {seconds(side, SLOW.get(name, STEPS)):.1f} s",
                flush=True,
            )
    times: dict[Key, list[float]] = {key: [] for key in made}
    for _ in range(blocks):
        for key, side in made.items():
            steps = SLOW.get(key[0], STEPS)
            times[key].append(seconds(side, steps) / steps * 1e3)
    return {name: row(name, made, times) for name in sides()}


def row(name: str, made: dict[Key, Side], times: dict[Key, list[float]]) -> dict[str, Any]:
    """What is known of one rule."""
    cost = made[name, "plain"].cost() / made["alternating", "plain"].cost()
    found: dict[str, Any] = {"declared": round(cost, 2)}
    for execution in ("plain", "compiled"):
        if (name, execution) in times:
            values = times[name, execution]
            ratio = quotients(values, times["alternating", execution])
            found[execution] = {"ms": round(statistics.median(values), 3), "ratio": ratio}
    if "compiled" in found:
        found["compiled"]["gain"] = quotients(times[name, "plain"], times[name, "compiled"])
    return found


def seconds(side: Side, steps: int) -> float:
    start = time.perf_counter()
    side.steps(steps)
    return time.perf_counter() - start


def quotients(above: list[float], below: list[float]) -> list[float]:
    """Lower quartile, median and upper quartile of the blocks' quotients."""
    made = [a / b for a, b in zip(above, below, strict=True)]
    return [round(q, 3) for q in statistics.quantiles(made, n=4, method="inclusive")]


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
        for execution in ("plain", "compiled"):
            if execution in row:
                low, middle, high = row[execution]["ratio"]
                spread = f"{row[execution]['ms']:7.3f} ms  {middle:.2f} [{low:.2f}, {high:.2f}]"
                print(f"{name:28} {execution:9} {spread}  declared {row['declared']:.2f}")


if __name__ == "__main__":
    main()
