"""Precision, recall, density and coverage, and the Geometry Score, against the ways of their authors' programs.

    python benchmarks/manifold.py [--parts geometry,prdc] [--rows 10000] [--width 2048] [--draws 1000] [--witnesses 5000]

Each side runs once, after the other, one thread each, and must give the same numbers. Seconds are those of the processor,
so that other work on the machine does not count; memory is the most that this process held, over what it held before.

prdc: whole matrices of distances by scikit-learn, three of them, with numpy.partition for the neighbours.
Geometry Score: for the same landmarks a table of all distances by SciPy, sorted, a witness complex and its persistence by
GUDHI, and a loop over the intervals; that side makes as many draws as fit in a minute. Times are per draw.

Results go to benchmarks/results/manifold.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from saddlepoint.metrics import Landmarks, living_times, prdc
from saddlepoint.plan import environment
from saddlepoint.random import generator

Floats = NDArray[np.float64]
MINUTE = 60.0


def reference_prdc(real: Floats, fake: Floats, k: int = 5) -> list[float]:
    from sklearn.metrics import pairwise_distances

    def reach(rows: Floats) -> Floats:
        return np.partition(pairwise_distances(rows, metric="euclidean"), k, axis=1)[:, k]

    real_reach, fake_reach = reach(real), reach(fake)
    between = pairwise_distances(real, fake, metric="euclidean")
    in_real = between < real_reach[:, None]
    return [
        float(in_real.any(axis=0).mean()),
        float((between < fake_reach[None]).any(axis=1).mean()),
        float(in_real.sum(axis=0).mean() / k),
        float((between.min(axis=1) < real_reach).mean()),
    ]


def reference_living_time(points: Floats, chosen: NDArray[np.int64], gamma: float) -> Floats:
    from gudhi import WitnessComplex
    from scipy.spatial.distance import cdist

    distances = cdist(points, points[chosen])
    order = np.argsort(distances)
    table = np.dstack([order, distances[np.arange(len(points))[:, None], order]])
    alpha = distances.max() * gamma
    tree = WitnessComplex(table).create_simplex_tree(max_alpha_square=alpha, limit_dimension=2)
    tree.persistence(homology_coeff_field=2)
    return reference_share(tree.persistence_intervals_in_dimension(1), alpha)


def reference_share(intervals: Floats, alpha: float) -> Floats:
    """Between any two neighbouring ends, all intervals are looked through."""
    ends = [[birth, min(death, alpha)] for birth, death in intervals]
    switches = np.unique(np.array([*ends, [0, alpha]]).ravel())
    share = np.zeros(len(ends) + 1)
    for low, high in pairwise(switches):
        middle, alive = (low + high) / 2, 0
        for birth, death in ends:
            if birth <= middle < death:
                alive += 1
        share[alive] += high - low
    return share / alpha


class Timed:
    """Processor seconds of a call, and the memory it needed over what was held before, in MiB."""

    def __init__(self, call: Callable[[], Any]) -> None:
        held, self.most, done = _resident(), 0, threading.Event()

        def watch() -> None:
            while not done.wait(0.02):
                self.most = max(self.most, _resident() - held)

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.process_time()
        self.value = call()
        self.seconds = time.process_time() - start
        done.set()
        watcher.join()

    def record(self) -> dict[str, float]:
        return {"seconds": round(self.seconds, 3), "memory_mib": round(self.most / 2**20)}


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def features(rows: int, width: int, seed: int) -> Floats:
    """Correlated, as features are: variances fall like 1/(i + 1)."""
    scale = 1 / np.sqrt(1 + np.arange(width))
    return np.random.default_rng(seed).normal(size=(rows, width)) * scale


def measure_prdc(rows: int, width: int) -> dict[str, Any]:
    real = features(rows, width, 0).astype(np.float32)
    fake = (1.05 * features(rows, width, 1)).astype(np.float32)
    ours = Timed(lambda: prdc(real=torch.from_numpy(real), fake=torch.from_numpy(fake)))
    theirs = Timed(lambda: reference_prdc(real, fake))  # type: ignore[arg-type]
    return {
        "rows": rows,
        "width": width,
        "values": [round(value, 6) for value in ours.value],
        "disagreement": float(np.abs(np.array(ours.value) - theirs.value).max()),
        "ours": ours.record(),
        "reference": theirs.record(),
        "ratio": round(theirs.seconds / ours.seconds, 2),
    }


def measure_geometry(witnesses: int, width: int, draws: int) -> dict[str, Any]:
    points, gamma = features(witnesses, width, 2), witnesses / 5000 / 128
    rows, settings = torch.from_numpy(points), Landmarks(draws=draws)
    ours = Timed(lambda: living_times(rows=rows, landmarks=settings, seed=0))
    source = generator("cpu", "landmarks", 0)
    drawn = [torch.randperm(witnesses, generator=source)[:64].numpy() for _ in range(draws)]
    worst, begun, count = 0.0, time.process_time(), 0
    for chosen, own in zip(drawn, ours.value, strict=True):
        expected = reference_living_time(points, chosen, gamma)
        longest = max(len(expected), len(own))
        padded = [np.pad(side, (0, longest - len(side))) for side in (expected, own)]
        worst, count = max(worst, float(np.abs(padded[0] - padded[1]).max())), count + 1
        if time.process_time() - begun > MINUTE:
            break
    each = (time.process_time() - begun) / count
    return {
        "witnesses": witnesses,
        "width": width,
        "draws": draws,
        "reference_draws": count,
        "disagreement": worst,
        "ours": {
            "ms_a_draw": round(1e3 * ours.seconds / draws, 2),
            "memory_mib": ours.record()["memory_mib"],
        },
        "reference": {"ms_a_draw": round(1e3 * each, 2)},
        "ratio": round(each * draws / ours.seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default="geometry,prdc", help="the results of other parts are kept")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--witnesses", type=int, default=5000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "manifold.json")
    given = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, Any] = json.loads(given.out.read_text()) if given.out.exists() else {}
    results |= {"environment": environment(), "threads": 1}
    if "geometry" in given.parts:
        results["geometry"] = [
            measure_geometry(given.witnesses, width, given.draws) for width in (64, 784, 2048)
        ]
    if "prdc" in given.parts:
        results["prdc"] = measure_prdc(given.rows, given.width)
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
