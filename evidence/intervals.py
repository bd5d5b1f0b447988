"""How often a 95 % interval contains the truth: 200 repeats of every metric of the catalogue that gives one.

Each repeat draws real and fake rows anew from known densities. The truth that an interval is about is the mean of the
value at these numbers of rows, bias and all; the mean over the repeats stands for it, which is off by a fourteenth of the
standard deviation and lowers a coverage of 95 % by about .1 %.

    python evidence/intervals.py [--only ID ...] [--slow]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from saddlepoint.data.split import fingerprint
from saddlepoint.errors import InputError
from saddlepoint.features import Identity
from saddlepoint.metrics import Metric, Quantities, Reference, catalogue
from saddlepoint.metrics.quantities import IMAGES
from saddlepoint.paths import write_atomic
from saddlepoint.random import generator

RESULTS = Path(__file__).parent / "results" / "intervals.json"
REPEATS = 200
ROWS = 200
CENTRES = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.5]])


@dataclass(frozen=True)
class Blobs:
    """Three Gaussians of standard deviation `spread`, moved by `move`, with classes and weights; as points in the plane, or
    as 8x8 images whose brightness falls off from the point."""

    images: bool = False
    spread: float = 0.5
    move: float = 0.0
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    name: str = "blobs"
    classes: tuple[str, ...] = ("left", "right", "top")
    size: int | None = None
    resizing: str = "none"

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, 8, 8) if self.images else (2,)

    @property
    def identity(self) -> str:
        return fingerprint("blobs 1", repr(self))

    @property
    def centres(self) -> Tensor | None:
        return None if self.images else CENTRES

    @property
    def sigma(self) -> float | None:
        return None if self.images else self.spread

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        return self.drawn(count, "rows", seed, start)

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.drawn(count or 1000, "training", seed)

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.drawn(count or 1000, "held out", seed)

    def drawn(self, count: int, *key: int | str) -> dict[str, Tensor]:
        source = generator("cpu", "blobs", *key)
        label = torch.multinomial(torch.tensor(self.weights), count, replacement=True, generator=source)
        points = CENTRES[label] + self.spread * torch.randn(count, 2, generator=source) + self.move
        return {"real": pictures(points) if self.images else points, "label": label}


def pictures(points: Tensor) -> Tensor:
    """A spot of light at each point of the square [−5, 5]²: [n, 1, 8, 8] in [−1, 1]."""
    line = torch.linspace(-5, 5, 8)
    across, down = ((line - points[:, axis, None]).square() for axis in (0, 1))
    return (2 * torch.exp(-(across[:, None, :] + down[:, :, None]) / 8) - 1)[:, None]


def repeats(metric: Metric, times: int) -> Iterator[Quantities]:
    """Independent draws of both sides."""
    images = bool(set(metric.asks) & IMAGES)
    data, made = Blobs(images), Blobs(images, spread=0.6, move=0.2, weights=(1.5, 1.0, 0.5))
    for seed in range(times):
        rows = made.drawn(ROWS, "fake", seed)
        yield Quantities(Reference(data, Identity(), ROWS, seed), rows["real"], rows["label"])


def coverage(metric: Metric, times: int = REPEATS) -> dict[str, dict[str, float | None]]:
    """For each score with an interval: the share of intervals with the mean value inside, their mean width over the
    width that a normal variable of that spread would ask for, and the mean."""
    found = [made.measure(metric) for made in repeats(metric, times)]
    result = {}
    for name in metric.better:
        own = [one[name] for one in found if name in one]
        bounds = [one.interval for one in own if one.interval is not None]
        if len(bounds) < times:
            continue
        values, ends = np.array([one.value for one in own]), np.array(bounds)
        inside = (ends[:, 0] <= values.mean()) & (values.mean() <= ends[:, 1])
        wanted = 2 * 1.96 * values.std(ddof=1)
        width = float((ends[:, 1] - ends[:, 0]).mean() / wanted) if wanted else None
        result[name] = {
            "coverage": float(inside.mean()),
            "relative_width": width,
            "mean": float(values.mean()),
        }
    return result


def possible(metric: Metric) -> bool:
    """Whether it measures samples: not every metric does."""
    return next(repeats(metric, 1)).lacks(metric) is None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--slow", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    os.environ.setdefault(
        "SADDLEPOINT_CACHE", tempfile.mkdtemp()
    )  # a classifier of the blobs is of no use later
    known = json.loads(RESULTS.read_text())["metrics"] if RESULTS.exists() else {}
    for name in given.only or catalogue.names():
        metric = catalogue.get(name)
        if not possible(metric) or (metric.slow and not given.slow):
            continue
        try:
            known[name] = coverage(metric)
        except InputError as error:
            print(f"{name}: {error}", flush=True)
            continue
        print(name, {score: one["coverage"] for score, one in known[name].items()}, flush=True)
        content = {"repeats": REPEATS, "rows": ROWS, "metrics": dict(sorted(known.items()))}
        write_atomic(RESULTS, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
