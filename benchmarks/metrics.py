"""Metrics of large feature sets: time and peak memory beside the public way of computing the same number.

    python benchmarks/metrics.py [--rows frechet,kid] [--count 10000] [--width 2048] [--blocks 3]

A row is a function `row(given) -> dict` in ROWS: the sides of a row run one after the other in one process, in alternated
blocks where they are quick, and their values are compared. One thread: `seconds` are those of the processor in it, whatever
else the machine does, and `elapsed` those of the clock; both [lower quartile, median, upper quartile].
`peak` is the largest growth of the resident set in MiB while a side runs, its features excluded. Rows are written to
benchmarks/results/metrics.json one at a time; rows measured before and not asked for stay.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from saddlepoint import metrics
from saddlepoint.plan import environment

MIB = 2**20
Side = Callable[[], float]


@dataclass(frozen=True)
class Given:
    """Sizes of the sets, and how often a side is timed."""

    count: int
    width: int
    blocks: int

    def features(self, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Rows like those of a network: correlated, of falling variance, not negative."""
        source = torch.Generator().manual_seed(seed)
        mixing = torch.randn(self.width, self.width, generator=torch.Generator().manual_seed(99))
        scale = torch.linspace(1, 0.05, self.width) / self.width**0.5
        noise = torch.randn(self.count, self.width, generator=source)
        return ((noise * scale) @ mixing + 0.02 * seed).relu().to(dtype)


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


class Peak:
    """Largest resident set while it is open, over that at its beginning, in MiB; looked at every 5 ms."""

    def __enter__(self) -> Peak:
        self.before = self.most = resident()
        self.done = threading.Event()
        self.watch = threading.Thread(target=self._look)
        self.watch.start()
        return self

    def _look(self) -> None:
        while not self.done.wait(0.005):
            self.most = max(self.most, resident())

    def __exit__(self, *raised: object) -> None:
        self.done.set()
        self.watch.join()

    @property
    def mib(self) -> int:
        return round((self.most - self.before) / MIB)


def timed(sides: dict[str, Side], blocks: int) -> dict[str, Any]:
    """Seconds, peak and value of every side; the sides alternate."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    elapsed: dict[str, list[float]] = {name: [] for name in sides}
    found: dict[str, Any] = {}
    for _ in range(blocks):
        for name, side in sides.items():
            with Peak() as peak:
                start, begun = time.thread_time(), time.perf_counter()
                value = side()
                seconds[name].append(time.thread_time() - start)
                elapsed[name].append(time.perf_counter() - begun)
            found[name] = {"value": value, "peak": max(peak.mib, found.get(name, {}).get("peak", 0))}
    for name, values in seconds.items():
        found[name] |= {"seconds": quartiles(values), "elapsed": quartiles(elapsed[name])}
    return found


def quartiles(values: list[float]) -> list[float]:
    if len(values) == 1:
        return [round(values[0], 3)] * 3
    return [round(q, 3) for q in statistics.quantiles(values, n=4, method="inclusive")]


def beside(sides: dict[str, Side], blocks: int, other_blocks: int | None = None) -> dict[str, Any]:
    """Side "ours" and one other: ratio of the medians and relative difference of the values."""
    (other,) = sides.keys() - {"ours"}
    if other_blocks is None:
        found = timed(sides, blocks)
    else:
        found = timed({"ours": sides["ours"]}, blocks) | timed({other: sides[other]}, other_blocks)
    found["ratio"] = round(found[other]["seconds"][1] / found["ours"]["seconds"][1], 2)
    difference = abs(found[other]["value"] - found["ours"]["value"]) / abs(found[other]["value"])
    return found | {"difference": difference}


def frechet(given: Given) -> dict[str, Any]:
    """The Fréchet distance from features, against numpy's covariances and scipy.linalg.sqrtm of their product."""
    from scipy.linalg import sqrtm

    real, fake = given.features(0), given.features(1)

    def matrix_root() -> float:
        first, second = (np.cov(side.numpy(), rowvar=False) for side in (real, fake))
        cross = np.trace(sqrtm(first @ second)).real
        moved = (real.mean(0) - fake.mean(0)).square().sum().item()
        return float(moved + np.trace(first) + np.trace(second) - 2 * cross)

    sides = {"ours": lambda: metrics.frechet_distance(real=real, fake=fake), "scipy sqrtm": matrix_root}
    return beside(sides, given.blocks, other_blocks=1)


def frechet_moments(given: Given) -> dict[str, Any]:
    """The same from covariances that are at hand, as for a reference seen before: what the matrix root itself costs."""
    from scipy.linalg import sqrtm

    moments = [metrics.Moments.of(given.features(seed)) for seed in (0, 1)]

    def matrix_root() -> float:
        first, second = (side.covariance.numpy() for side in moments)
        moved = (moments[0].mean - moments[1].mean).square().sum().item()
        return float(moved + np.trace(first) + np.trace(second) - 2 * np.trace(sqrtm(first @ second)).real)

    def ours() -> float:
        return metrics.frechet_distance(real=moments[0], fake=moments[1])

    return beside({"ours": ours, "scipy sqrtm": matrix_root}, given.blocks, other_blocks=1)


def streaming(given: Given) -> dict[str, Any]:
    """Moments of a million rows of 64 features, made and let go block by block; held at once they would be 488 MiB."""

    def blocks() -> Iterator[Tensor]:
        source = torch.Generator().manual_seed(0)
        for _ in range(1000):
            yield torch.randn(1000, 64, generator=source, dtype=torch.float64)

    return timed({"ours": lambda: float(metrics.Moments.over(blocks()).covariance.trace())}, given.blocks)


def kid(given: Given) -> dict[str, Any]:
    """KID with 50 subsets of 1000 rows, against torchmetrics; both draw subsets of their own, so values differ a little."""
    from torch import nn
    from torchmetrics.image.kid import KernelInceptionDistance

    class Features(nn.Module):
        num_features = given.width

        def forward(self, rows: Tensor) -> Tensor:
            return rows

    real, fake = given.features(0), given.features(1)

    def library() -> float:
        torch.manual_seed(0)
        metric = KernelInceptionDistance(Features(), subsets=50, subset_size=1000).set_dtype(torch.float64)
        metric.update(real, real=True)
        metric.update(fake, real=False)
        return float(metric.compute()[0])

    def ours() -> float:
        return metrics.kernel_inception_distance(real=real, fake=fake, seed=0).value

    return beside({"ours": ours, "torchmetrics": library}, 1)


def sliced(given: Given) -> dict[str, Any]:
    """Sliced W₁ along 256 equal directions, against POT."""
    import ot

    real, fake = given.features(0), given.features(1)
    along = metrics.directions(width=given.width, seed=0)

    def library() -> float:
        lines = along.numpy()
        return float(ot.sliced_wasserstein_distance(real.numpy(), fake.numpy(), projections=lines, p=1))

    def ours() -> float:
        return metrics.sliced_wasserstein(real=real, fake=fake, along=along)

    return beside({"ours": ours, "POT": library}, given.blocks)


def c2st(given: Given) -> dict[str, Any]:
    """The two-sample test, splitting, scaling and training included."""
    real, fake = given.features(0), given.features(1)

    def ours() -> float:
        return metrics.classifier_two_sample_test(real=real, fake=fake, seed=0).accuracy

    return timed({"ours": ours}, 1)


ROWS: dict[str, Callable[[Given], dict[str, Any]]] = {
    "frechet": frechet,
    "frechet-moments": frechet_moments,
    "streaming": streaming,
    "kid": kid,
    "sliced": sliced,
    "c2st": c2st,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "metrics.json")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    threadpool_limits(1)
    given = Given(asked.count, asked.width, asked.blocks)
    results = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    for name in asked.rows.split(","):
        found = ROWS[name](given)
        results[name] = {"count": given.count, "width": given.width} | found | {"environment": environment()}
        asked.out.parent.mkdir(exist_ok=True)
        asked.out.write_text(json.dumps(results, indent=1) + "\n")
        print(name, json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
