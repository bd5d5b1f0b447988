"""What a run may spend, and that it stops there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import saddlepoint
from saddlepoint import Budget, Settings, methods
from saddlepoint.errors import InputError
from saddlepoint.networks import MLP
from saddlepoint.run import Folder

QUICK: dict[str, Any] = {"evaluations": 1, "evaluation_samples": 100, "pictures": 1, "threads": 1}


def trained(out: Path, budget: Budget, method: str = "wgan-gp", **settings: Any) -> list[dict[str, Any]]:
    """The log of a small run: batches of 16, five critic steps a step."""
    options = Settings(**{**QUICK, "batch_size": 16, **settings})
    saddlepoint.train(methods.get(method), "ring", MLP(width=4), out=out, budget=budget, settings=options)
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        (Budget(steps=7), 7),
        (Budget(images=500), 7),  # 80 a step: 6 steps are 480, the 7th passes 500
        (Budget(images=480), 6),
        (Budget(gradients=30), 5),  # 6 a step
        (Budget(gradients=31), 6),
    ],
)
def test_a_run_ends_with_the_step_that_spends_its_budget(tmp_path: Path, budget: Budget, steps: int) -> None:
    rows = trained(tmp_path / "run", budget)
    assert [row["step"] for row in rows] == list(range(1, steps + 1))
    assert rows[-1]["images"] == 80 * steps
    assert rows[-1]["gradients"] == 6 * steps


def test_a_budget_in_seconds_ends_within_a_step_of_it(tmp_path: Path) -> None:
    rows = trained(tmp_path / "run", Budget(seconds=1.0), method="gan")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    longest = 20 * summary["seconds"] / summary["step"]  # steps differ on a busy machine
    assert 1.0 <= summary["seconds"] <= 1.0 + max(longest, 0.5)
    assert rows[-1]["step"] == summary["step"]


def test_a_run_under_seconds_is_a_prefix_of_one_under_more(tmp_path: Path) -> None:
    short = trained(tmp_path / "short", Budget(seconds=0.2), method="gan", keep=1000)
    long = trained(tmp_path / "long", Budget(seconds=0.5), method="gan", keep=1000, checkpoint_steps=1)
    shared = min(len(short), len(long))
    for one, other in zip(short[:shared], long[:shared], strict=True):
        assert {k: v for k, v in one.items() if k != "seconds"} == {
            k: v for k, v in other.items() if k != "seconds"
        }
    ended = Folder(tmp_path / "short")
    state = ended.load(ended.last() or ended.path, torch.device("cpu"))[0]
    path = tmp_path / "long" / "checkpoints" / f"{state.clock['step']:09d}.pt"
    if path.is_file():  # the longer run got at least as far
        other_state = Folder(tmp_path / "long").load(path, torch.device("cpu"))[0]
        assert all(torch.equal(v, other_state.players[p]) for p, v in state.players.items())
    assert shared > 0


@pytest.mark.parametrize(
    "wrong", [{}, {"steps": 1, "images": 1}, {"steps": 0}, {"seconds": -1.0}, {"seconds": float("nan")}]
)
def test_what_is_not_a_budget_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Budget(**wrong)
