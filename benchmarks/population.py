"""A population of small GANs against the same games one after the other.

    python benchmarks/population.py [--members 32] [--widths 8,32,128] [--blocks 7]

Members differ in start, learning rate and R1 weight. Sides, in alternated blocks within one process: the members one after the
other in the plain execution, and all at once under `torch.vmap` (plain, and compiled). Two processes with half the members each are
timed by themselves. A ratio is sequential time over population time, a step of all members, one thread each. The gradients of all
members are compared first. Results go to benchmarks/results/population.json with the machine line.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from saddlepoint import methods
from saddlepoint.batches import Batches
from saddlepoint.data import load
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.networks import MLP
from saddlepoint.optim import SGD
from saddlepoint.penalties import R1
from saddlepoint.plan import environment
from saddlepoint.population import Population
from saddlepoint.schedules import Own

ROWS = 128
Steps = Callable[[int], None]


def method(lr: Any, gamma: Any) -> Method:
    dynamics = Alternating({"generator": SGD(lr), "discriminator": SGD(lr)})
    base = methods.get("gan-r1")
    return replace(base, terms=(R1(gamma=gamma),), latent=Gaussian(8), dynamics=dynamics, averages={})


def numbers(members: int) -> dict[str, Tensor]:
    return {"lr": torch.logspace(-4, -2, members), "gamma": torch.logspace(-2, 1, members)}


def game(value: Method, width: int, execution: Execution) -> Any:
    torch.manual_seed(0)
    return value.game(MLP(width=width).build((2,), 8), load("ring").training(8), execution=execution)


def starts(members: int, width: int) -> list[dict[str, Tensor]]:
    value = method(0.1, 1.0)
    made = []
    for seed in range(members):
        torch.manual_seed(seed)
        networks = MLP(width=width).build((2,), 8)
        made.append(value.game(networks, load("ring").training(8)).init(0, load("ring").training(8))[0])
    return made


class Sequential:
    """Every member by itself, in the plain execution."""

    def __init__(self, members: range, width: int, of: int) -> None:
        own, begun = numbers(of), starts(of, width)
        self.members = []
        for index in members:
            value = method(own["lr"][index].item(), own["gamma"][index].item())
            bound = game(value, width, Plain())
            memory = bound.init(0, load("ring").training(8))[1]
            self.members.append([bound, value.dynamics, value.dynamics.init(bound, begun[index], memory)])
        self.batches = Batches(self.members[0][0], load("ring"), 0, ROWS, torch.device("cpu"))

    def steps(self, count: int) -> None:
        for step in range(count):
            for member in self.members:
                bound, dynamics, state = member
                turns = dynamics.turns(0)
                made = self.batches.step({"step": step, "images": 0, "rows": 0}, turns, 0.0)
                member[2], _ = dynamics.step(bound, state, turns, made.__getitem__, ROWS)

    def gradients(self, batch: dict[str, Any]) -> list[dict[str, Tensor]]:
        return [bound.field(state.players, state.memory, batch) for bound, _, state in self.members]


class Together:
    """All members in one evaluation."""

    def __init__(self, members: int, width: int, compiled: bool) -> None:
        value = method(Own("lr"), Own("gamma"))
        self.game, self.own = game(value, width, Functional()), numbers(members)
        self.population, self.dynamics = Population(self.game, value.dynamics), value.dynamics
        reference = load("ring").training(8)
        self.state = self.population.init(range(members), starts(members, width), reference)
        self.batches = Batches(self.game, load("ring"), 0, ROWS, torch.device("cpu"))
        self.step = torch.compile(self._step, fullgraph=True, dynamic=False) if compiled else self._step

    def _step(self, state: Any, made: list[Any]) -> Any:
        return self.population.step(state, self.dynamics.turns(0), made, ROWS, self.own)[0]

    def steps(self, count: int) -> None:
        turns = self.dynamics.turns(0)
        for step in range(count):
            made = self.batches.step({"step": step, "images": 0, "rows": 0}, turns, 0.0)
            still = [{**batch, "clock": {"step": 0, "images": 0, "progress": 0.0}} for batch in made]
            self.state = self.step(self.state._replace(clock={}), still)

    def gradients(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        def one(players: dict[str, Tensor], memory: Any, own: dict[str, Tensor]) -> dict[str, Tensor]:
            return self.game.field(players, memory, {**batch, "clock": {**batch["clock"], **own}})

        return torch.vmap(one)(self.state.players, self.state.memory, self.own)


def disagreement(sequential: Sequential, together: Together) -> float:
    """Largest difference of a member's gradients, relative to its largest entry."""
    made = sequential.batches.step({"step": 0, "images": 0, "rows": 0}, together.dynamics.turns(0), 0.0)
    batch = {**made[0], **made[1]}
    found, worst = together.gradients(batch), 0.0
    for index, expected in enumerate(sequential.gradients(batch)):
        for player, vector in expected.items():
            difference = (found[player][index] - vector).abs().max() / vector.abs().max().clamp(min=1)
            worst = max(worst, difference.item())
    return worst


def _worker(members: range, width: int, of: int, count: int, start: Any, ready: Any) -> None:
    torch.set_num_threads(1)
    side = Sequential(members, width, of)
    side.steps(3)
    ready.release()
    start.wait()
    side.steps(count)
    ready.release()


def two_processes(members: int, width: int, count: int) -> float:
    """Seconds a step of all members, half of them in each of two processes."""
    context = multiprocessing.get_context("spawn")
    start, ready = context.Event(), context.Semaphore(0)
    halves = (range(members // 2), range(members // 2, members))
    workers = [
        context.Process(target=_worker, args=(half, width, members, count, start, ready)) for half in halves
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    begun = time.perf_counter()
    start.set()
    for _ in workers:
        ready.acquire()
    elapsed = time.perf_counter() - begun
    for worker in workers:
        worker.join()
    return elapsed / count


def measure(members: int, width: int, blocks: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    sequential, together = Sequential(range(members), width, members), Together(members, width, False)
    compiled = Together(members, width, True)
    found: dict[str, Any] = {
        "width": width,
        "members": members,
        "disagreement": disagreement(sequential, together),
    }
    sides: dict[str, tuple[Steps, int]] = {
        "sequential": (sequential.steps, 2),
        "population": (together.steps, 10),
        "compiled": (compiled.steps, 20),
    }
    begun = time.perf_counter()
    for steps, count in sides.values():
        steps(count)
    found["compile_seconds"] = round(time.perf_counter() - begun, 1)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(blocks):
        for name, (steps, count) in sides.items():
            start = time.perf_counter()
            steps(count)
            times[name].append((time.perf_counter() - start) / count)
    for name, values in times.items():
        found[name] = {"ms": quartiles([1e3 * value for value in values])}
        if name != "sequential":
            ratios = [before / now for before, now in zip(times["sequential"], values, strict=True)]
            found[name]["ratio"] = quartiles(ratios)
    apart = two_processes(members, width, 5)
    found["two_processes"] = {
        "ms": round(1e3 * apart, 2),
        "ratio": round(found["sequential"]["ms"][1] / apart / 1e3, 2),
    }
    return found


def quartiles(values: list[float]) -> list[float]:
    return [round(q, 3) for q in statistics.quantiles(values, n=4, method="inclusive")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--widths", default="8,32,64,128,256")
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "population.json")
    given = parser.parse_args()
    results: dict[str, Any] = {"rows": [], "batch": ROWS, "threads": 1}
    for width in map(int, given.widths.split(",")):
        found = measure(given.members, width, given.blocks)
        results["rows"].append(found)
        results["environment"] = environment()
        given.out.parent.mkdir(exist_ok=True)
        given.out.write_text(json.dumps(results, indent=1) + "\n")
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
