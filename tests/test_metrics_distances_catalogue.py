"""The distances of the catalogue on graded faults: each moves for the worse, says its interval, and repeats itself."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from saddlepoint.features import Identity
from saddlepoint.metrics import Quantities, Reference, catalogue

IDS = (
    "fd",
    "fd-infinity",
    "kid",
    "mmd",
    "sinkhorn",
    "emd",
    "wasserstein-1d",
    "sliced-wasserstein",
    "c2st",
    "histogram-kl",
)
ROWS = 240


class Ring:
    """Eight modes; held-out and training rows of their own."""

    name, identity, classes, shape, resizing = "ring", "sha256:test", (), (2,), "none"

    def draw(self, count: int, seed: int, modes: int = 8) -> Tensor:
        source = torch.Generator().manual_seed(seed)
        angle = torch.randint(modes, (count,), generator=source) * (2 * math.pi / 8)
        return torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * torch.randn(count, 2, generator=source)

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": self.draw(count or ROWS, 100 + seed)}

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": self.draw(count or ROWS, 200 + seed)}


def faults(seed: int) -> dict[str, Tensor]:
    """Fakes shifted by half a standard deviation (√½ a coordinate), of 5 modes, all near one."""
    fresh = Ring().draw(ROWS, seed)
    return {
        "shift": fresh + 0.5 * 0.5**0.5,
        "dropped": Ring().draw(ROWS, seed, modes=5),
        "collapse": Ring().draw(ROWS, seed, modes=1),
    }


@pytest.mark.parametrize("name", IDS)
def test_faults_are_worse_than_the_floor_and_scores_repeat(name: str) -> None:
    metric, reference = catalogue.get(name), Reference(Ring(), Identity(), ROWS)
    fresh = Quantities(reference, Ring().draw(ROWS, 7)).scores(metric)
    for fault, rows in faults(8).items():
        for good, bad in zip(fresh, Quantities(reference, rows).scores(metric), strict=True):
            best = metric.better[bad.metric]
            good_value, bad_value = (
                abs(one.value - best) if isinstance(best, float) else one.value for one in (good, bad)
            )
            assert bad_value > good_value, fault
            assert bad.floor == good.floor
            assert bad.interval is not None
            assert bad.interval[0] <= bad.value <= bad.interval[1]
    again = Quantities(Reference(Ring(), Identity(), ROWS), Ring().draw(ROWS, 7)).scores(metric)
    assert again == fresh


def test_rows_k07_to_k17_are_all_there() -> None:
    found = {row for name in (*IDS, "wasserstein-critic") for row in catalogue.get(name).rows}
    assert found == {f"K{number:02}" for number in range(7, 18)} | {"K43"}
