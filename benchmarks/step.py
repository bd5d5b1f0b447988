"""A training step against an ordinary hand-written loop: same networks, batch, penalty, noise and threads.

    python benchmarks/step.py [--rows mlp-ns,dcgan-r1] [--blocks 9] [--threads 1]

The sides take turns in blocks within one process, so that the machine's mood is shared; a ratio is the median over blocks
of hand time over our time, with quartiles: `ratio` to the ordinary loop, `ratio_to_frozen` to the one that spares the
discriminator's gradients in the generator's step, as we do. Compile time and peak memory (a process each) stand apart.
Results go to benchmarks/results/step.json with the machine line.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from hand import Hand
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.batches import Batches
from saddlepoint.compiled import Compiled
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.network import Functional, Plain, Precision
from saddlepoint.networks import DCGAN, MLP
from saddlepoint.optim import Adam
from saddlepoint.penalties import R1
from saddlepoint.plan import environment
from saddlepoint.surroundings import peak_memory

HANDS = (
    "hand",
    "frozen",
)  # the ordinary loop, and the one that freezes the discriminator in the generator's step
CHUNK = 8  # steps in a compiled graph


@dataclass(frozen=True)
class Row:
    """One comparison: `loss` for the hand-written side, a catalogue method for ours."""

    name: str
    loss: str
    method: str
    images: bool
    terms: tuple[Any, ...] | None = None
    norm: str = "batch"

    @property
    def rows(self) -> int:
        return 64 if self.images else 256

    @property
    def latent(self) -> int:
        return 128 if self.images else 16

    @property
    def sides(self) -> tuple[str, ...]:
        return ("hand", "frozen", "plain", *(("bf16", "shared") if self.images else ("compiled",)))

    def value(self) -> Method:
        """The method with the hand-written loop's optimiser and schedule."""
        base = methods.get(self.method)
        adam = Adam(2e-4, (0.5, 0.999))
        terms = base.terms if self.terms is None else self.terms
        dynamics = Alternating({"generator": adam, "discriminator": adam})
        return replace(base, terms=terms, latent=Gaussian(self.latent), dynamics=dynamics, averages={})

    def networks(self) -> dict[str, nn.Module]:
        torch.manual_seed(0)
        if self.images:
            return DCGAN(width=64, discriminator_norm=self.norm).build((3, 32, 32), self.latent)
        return MLP(width=64, depth=2).build((2,), self.latent)

    def data(self) -> Tensor:
        torch.manual_seed(1)
        return torch.randn(2000, 3, 32, 32).tanh() if self.images else torch.randn(100_000, 2)


ROWS = (
    Row("mlp-ns", "ns", "gan", False),
    Row("mlp-rpgan-r1", "rpgan-r1", "r3gan", False, terms=(R1(1.0),)),
    Row("mlp-wgan-gp", "wgan-gp", "wgan-gp", False),
    Row("mlp-sn", "sn", "sngan", False),
    Row("dcgan-ns", "ns", "gan", True),
    Row("dcgan-r1", "r1", "gan-r1", True, terms=(R1(1.0),), norm="none"),
)


class Table:
    """A tensor as a data set: rows drawn with replacement, keyed like any other."""

    name, classes, identity = "table", (), "benchmark"

    def __init__(self, real: Tensor) -> None:
        self.real, self.shape, self.size = real, tuple(real.shape[1:]), len(real)
        self.source = torch.Generator()

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        keyed = self.source.manual_seed(seed * 1_000_003 + start)
        return {"real": self.real[torch.randint(self.size, (count,), generator=keyed)]}


class Ours:
    """Our training step exactly as the training loop takes it, draws included."""

    def __init__(self, row: Row, side: str) -> None:
        precision = Precision("bf16" if side == "bf16" else "fp32")
        execution = Functional(precision) if side == "compiled" else Plain(precision)
        method, real = row.value(), row.data()
        if side == "shared":
            method = replace(method, dynamics=replace(method.dynamics, shared=True))
        self.dynamics, self.rows = method.dynamics, row.rows
        reference = {"real": real[:8]}
        self.game = method.game(row.networks(), reference, execution=execution, channels_last=row.images)
        self.batches = Batches(self.game, Table(real), 0, row.rows, torch.device("cpu"))
        self.state = method.dynamics.init(self.game, *self.game.init(0, reference))
        self.compiled = Compiled(self.game, method.dynamics, row.rows) if side == "compiled" else None

    def steps(self, count: int) -> None:
        chunk = CHUNK if self.compiled else 1
        for _ in range(count // chunk):
            turns, clock, batches = self.dynamics.turns(0), self.state.clock, []
            for _ in range(chunk):
                batches.append(self.batches.step(clock, turns, 0.0))
                clock = self.dynamics.advance(self.game, clock, turns, self.rows)
            if self.compiled is None:
                state, _ = self.dynamics.step(self.game, self.state, turns, batches[0].__getitem__, self.rows)
            else:
                state, _ = self.compiled(self.state, turns, batches)
            self.state = state._replace(clock=clock)


def side(row: Row, name: str) -> Callable[[int], None]:
    """A function that takes so many steps."""
    if name not in HANDS:
        return Ours(row, name).steps
    networks = copy.deepcopy(row.networks())
    pair = networks["generator"], networks["discriminator"]
    hand = Hand(*pair, row.loss, row.data(), row.latent, row.rows, frozen=name == "frozen")

    def steps(count: int) -> None:
        for _ in range(count):
            hand.step()

    return steps


def measure(row: Row, blocks: int, threads: int) -> dict[str, Any]:
    """Milliseconds a step of every side, and the ratio to the hand-written loop."""
    torch.set_num_threads(threads)
    count, runs, started = (3 if row.images else 40 * CHUNK), {}, {}
    for name in row.sides:
        runs[name] = side(row, name)
        start = time.perf_counter()
        runs[name](count)  # the first steps build kernels and graphs
        started[name] = time.perf_counter() - start
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(blocks):
        for name, steps in runs.items():
            start = time.perf_counter()
            steps(count)
            times[name].append((time.perf_counter() - start) / count * 1e3)
    result = {name: {"ms": quartiles(values)} for name, values in times.items()}
    for name in row.sides[len(HANDS) :]:
        for hand, label in zip(HANDS, ("ratio", "ratio_to_frozen"), strict=True):
            ratios = [theirs / ours for theirs, ours in zip(times[hand], times[name], strict=True)]
            result[name][label] = quartiles(ratios)
    if "compiled" in started:
        result["compiled"]["compile_seconds"] = round(started["compiled"], 1)
    return result


def quartiles(values: list[float]) -> list[float]:
    """Lower quartile, median, upper quartile."""
    return [round(q, 4) for q in statistics.quantiles(values, n=4, method="inclusive")]


def _peak(row: Row, name: str, threads: int, queue: Any) -> None:
    torch.set_num_threads(threads)
    steps = side(row, name)
    before = peak_memory(torch.device("cpu"))
    steps(2 * CHUNK if not row.images else 4)
    queue.put((peak_memory(torch.device("cpu")), before))


def memory(row: Row, threads: int) -> dict[str, float]:
    """Peak resident MiB of a process that does nothing but take a few steps."""
    peaks, context = {}, multiprocessing.get_context("spawn")
    for name in row.sides:
        queue = context.Queue()
        process = context.Process(target=_peak, args=(row, name, threads, queue))
        process.start()
        peaks[name] = round(queue.get()[0] / 2**20)
        process.join()
    return peaks


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default=",".join(row.name for row in ROWS))
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of both sides")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "step.json")
    given = parser.parse_args()
    results: dict[str, Any] = json.loads(given.out.read_text()) if given.out.is_file() else {"rows": {}}
    for row in ROWS:
        if row.name not in given.rows.split(","):
            continue
        found: dict[str, Any] = {"batch": row.rows, "threads": given.threads, "blocks": given.blocks}
        found |= {"sides": measure(row, given.blocks, given.threads)}
        if not given.no_memory:
            found["peak_mib"] = memory(row, given.threads)
        results["rows"][row.name] = found
        show(row.name, found)
        results["environment"] = environment()
        given.out.parent.mkdir(exist_ok=True)
        given.out.write_text(json.dumps(results, indent=1) + "\n")


def show(name: str, found: dict[str, Any]) -> None:
    for side_name, numbers in found["sides"].items():
        ratio = "".join(
            f"  {label} {{1:.2f}} [{{0:.2f}}, {{2:.2f}}]".format(*numbers[label])
            for label in ("ratio", "ratio_to_frozen")
            if label in numbers
        )
        peak = f"  peak {found['peak_mib'][side_name]} MiB" if "peak_mib" in found else ""
        print(f"{name:14} {side_name:9} {numbers['ms'][1]:8.3f} ms{ratio}{peak}", flush=True)


if __name__ == "__main__":
    main()
