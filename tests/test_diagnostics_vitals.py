"""A look's readings on games whose samples and scores are known."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saddlepoint import Budget, Settings, methods, train
from saddlepoint.data import load
from saddlepoint.data.derived import Derived
from saddlepoint.diagnostics.vitals import POOL, ROWS, Vitals, seen
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam
from saddlepoint.run import Folder


class Shift(nn.Module):
    """G(z) = a·z + b."""

    def __init__(self, scale: float, offset: float) -> None:
        super().__init__()
        self.scale, self.offset = (
            nn.Parameter(torch.tensor(scale)),
            nn.Parameter(torch.full((2,), offset)),
        )

    def forward(self, latent: Tensor) -> Tensor:
        return self.scale * latent + self.offset


class First(nn.Module):
    """D(x) = w·x₁."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, points: Tensor) -> Tensor:
        return self.weight * points[:, 0]


@dataclass(frozen=True, eq=False)
class Normal(Derived):
    """Standard normal points: the training rows repeat, so that there is something to learn by heart."""

    copied: int = 0

    @property
    def size(self) -> int:
        return POOL

    @property
    def classes(self) -> tuple[str, ...]:
        return ()

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": _normal(1)[:count]}

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": _normal(2)[:count]}


def _normal(seed: int) -> Tensor:
    return torch.randn(POOL, 2, generator=torch.Generator().manual_seed(seed))


@dataclass(frozen=True, eq=False)
class Repeated(Normal):
    """Four points again and again."""

    different: int = 4

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": _normal(1)[torch.arange(POOL) % self.different][:count]}

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.training(count)


def look(scale: float, offset: float) -> dict[str, Any]:
    vitals, players, memory = seen_by(scale, offset)
    return vitals(players, memory)


def seen_by(scale: float, offset: float) -> tuple[Vitals, Any, Any]:
    data = Normal(load("two-moons"))
    method = replace(methods.get("gan"), latent=Gaussian(2))
    game = method.game({"generator": Shift(scale, offset), "discriminator": First()}, data.training(16))
    return Vitals(game, data, 0), *game.init(0, data.training(16))


def test_a_perfect_generator_reads_as_its_floors() -> None:
    found = look(1.0, 0.0)
    error = 1 / math.sqrt(12) * math.sqrt(2 / ROWS)  # of a chance between two sets of 256, at one half
    assert found["separation"] == pytest.approx(0.5, abs=5 * error)
    assert found["overfit"] == pytest.approx(0.5, abs=5 * error)
    assert found["spread"] == pytest.approx(1, abs=0.15)
    assert abs(found["distance"]) < 0.03  # a U-statistic of 256 rows a side; its mean is 0
    assert abs(found["coverage"] - found["coverage/floor"]) < 0.1
    assert found["nearness"] == pytest.approx(1, abs=0.3)


def test_spread_and_separation_are_the_closed_forms() -> None:
    """Points a·z have the mean distance a·√π; of x ~ N(0, 1) and y ~ N(b, a²), P(x > y) = Φ(−b/√(1 + a²))."""
    found = look(0.5, 1.0)
    assert found["spread"] == pytest.approx(0.5, abs=0.06)
    chance = 0.5 * math.erfc(1 / math.sqrt(1.25) / math.sqrt(2))
    assert found["separation"] == pytest.approx(chance, abs=5 * math.sqrt(2 / (12 * ROWS)))


def test_energy_distance_of_a_point_mass() -> None:
    """2E|x| − E|x − x'| = 2√(π/2) − √π, over √π: √2 − 1."""
    assert look(0.0, 0.0)["distance"] == pytest.approx(math.sqrt(2) - 1, abs=0.08)


def test_copies_of_training_rows_lie_near() -> None:
    vitals = Vitals.__new__(Vitals)
    vitals.data, vitals.seed = Normal(load("two-moons")), 0
    training = _normal(1)
    assert vitals.compared(training[:ROWS])["nearness"] < 0.05
    assert vitals.compared(_normal(3)[:ROWS])["nearness"] == pytest.approx(1, abs=0.3)


def test_samples_that_are_not_finite_are_said_to_be_so() -> None:
    found = look(math.inf, 0.0)
    assert found["finite"] is False
    assert "coverage" not in found


def test_readings_relative_to_a_distance_that_is_zero_are_left_out() -> None:
    """Data of which every row stands many times; rows that are all the same are not compared."""
    vitals = Vitals.__new__(Vitals)
    vitals.data, vitals.seed = Repeated(load("two-moons")), 0
    assert vitals.possible
    found = vitals.compared(_normal(3)[:ROWS])
    assert not {"distinct", "nearness"} & found.keys()
    assert all(math.isfinite(value) for name, value in found.items() if name != "sketch")
    same = Vitals.__new__(Vitals)
    same.data, same.seed = Repeated(load("two-moons"), different=1), 0
    assert not same.possible


def test_gradients_that_are_not_finite_are_said_to_be_so() -> None:
    vitals, players, memory = seen_by(1.0, 0.0)
    found = vitals(players, memory, {"generator": torch.tensor([math.nan]), "discriminator": torch.ones(4)})
    assert found["finite"] is False
    assert found["gradient/discriminator"] == 2
    assert "gradient/generator" not in found


def test_images_are_compared_small() -> None:
    assert seen(torch.zeros(3, 1, 32, 24)).shape == (3, 256)
    assert seen(torch.zeros(3, 1, 8, 8)).shape == (3, 64)


def test_a_run_writes_its_looks_and_continues_them(tmp_path: Path) -> None:
    """Looks at least 500 steps apart, the first and the last included; gradients equal those of the game."""
    settings = Settings(evaluations=0, pictures=0, looks=10, threads=1)
    out = tmp_path / "run"
    train(
        methods.get("gan"), "ring", MLP(8), out=out, budget=Budget(steps=1200), settings=settings, quiet=True
    )
    looks = Folder(out).rows(out / "health.jsonl")
    assert [look["step"] for look in looks] == [0, 600, 1200]
    assert all(look["gradient/generator"] > 0 for look in looks)
    assert "nearness" not in looks[0]  # a density never repeats a row
    assert json.loads((out / "summary.json").read_text())["health"] is not None


def test_a_severe_finding_stops_a_run_that_wants_it(tmp_path: Path) -> None:
    """Steps of 10 make weights of 5,000 within 500 steps; the run says why it stopped, and keeps its state."""
    method = replace(
        methods.get("gan"), dynamics=Alternating({p: Adam(10.0) for p in ("generator", "discriminator")})
    )
    for stop, status in ((True, "stopped"), (False, "finished")):
        out = tmp_path / status
        settings = Settings(evaluations=0, pictures=0, looks=2, stop_when_sick=stop, threads=1)
        train(method, "ring", MLP(8), out=out, budget=Budget(steps=1000), settings=settings, quiet=True)
        summary = json.loads((out / "summary.json").read_text())
        assert summary["status"] == status
        assert summary["step"] == (500 if stop else 1000)
        assert summary["health"][0]["name"] == "exploding"
        assert ("Parameters explode" in summary["message"]) == stop


def test_no_looks_where_none_are_wanted(tmp_path: Path) -> None:
    settings = Settings(evaluations=0, pictures=0, looks=0, threads=1)
    train(
        methods.get("gan"),
        "ring",
        MLP(8),
        out=tmp_path / "run",
        budget=Budget(steps=5),
        settings=settings,
        quiet=True,
    )
    assert not (tmp_path / "run" / "health.jsonl").exists()


def test_cells_count_regions_with_samples() -> None:
    """All of them by other rows of the same density; half of the plane reaches about half of them; one point one of 16."""
    vitals = Vitals.__new__(Vitals)
    vitals.data, vitals.seed = Normal(load("two-moons")), 0
    centres, share = vitals.cells
    assert share.sum() == pytest.approx(1)
    assert vitals._reached(_normal(5)[:ROWS]) == 1
    assert vitals._reached(centres[3].expand(ROWS, -1)) == 1 / len(centres)
    half = _normal(6)
    assert 0.3 < vitals._reached(half[half[:, 0] > 0][:ROWS]) < 0.75
