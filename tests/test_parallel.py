"""Two processes against one, started by torchrun over gloo."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

WORKERS = Path(__file__).parent / "workers"
sys.path.insert(0, str(WORKERS))

from games import CASES, NORMALISED, Played, derivatives, trajectory  # noqa: E402

from command_line import here  # noqa: E402
from saddlepoint.errors import InputError  # noqa: E402
from saddlepoint.run import Folder  # noqa: E402


def torchrun(*arguments: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """Start a script or `-m module` in several processes."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        str(processes),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=240, env=environment, check=False
    )


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What two processes found."""
    path = tmp_path_factory.mktemp("sharded") / "found.pt"
    done = torchrun(str(WORKERS / "sharded.py"), str(path))
    assert done.returncode == 0, done.stderr[-3000:]
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize("name", CASES)
def test_gradients_and_jacobian_products_equal_those_of_one_process(
    name: str, together: dict[str, Any]
) -> None:
    played = Played(CASES[name].plan())
    alone = derivatives(played.game, played.state, played.batch())
    assert alone.keys() == together[name]["derivatives"].keys()
    for quantity, value in alone.items():
        # BatchNorm's synchronised statistics add in another order and are divided by small deviations
        scale = (10 if name in NORMALISED else 1) * max(1.0, float(value.abs().max()))
        torch.testing.assert_close(
            together[name]["derivatives"][quantity], value, atol=1e-6 * scale, rtol=0, msg=quantity
        )


@pytest.mark.parametrize("name", CASES)
def test_a_trajectory_of_plain_descent_equals_that_of_one_process(
    name: str, together: dict[str, Any]
) -> None:
    alone = trajectory(Played(CASES[name].plan()))
    for quantity, value in alone.items():
        torch.testing.assert_close(
            together[name]["trajectory"][quantity], value, atol=1e-5, rtol=1e-5, msg=quantity
        )


def test_without_gathering_the_coupled_objective_would_differ() -> None:
    """The check above can fail: halves of a batch have other mean scores than the whole."""
    played = Played(CASES["relativistic-average"].plan())
    batch = played.batch()
    whole = played.game.gradients(("discriminator",), played.state.players, played.state.memory, batch)[0]
    halves = [
        played.game.gradients(
            ("discriminator",),
            played.state.players,
            played.state.memory,
            {n: v[rows] if isinstance(v, torch.Tensor) else v for n, v in batch.items()},
        )[0]["discriminator"]
        for rows in (slice(0, 8), slice(8, 16))
    ]
    assert (sum(halves) / 2 - whole["discriminator"]).abs().max() > 1e-5


def test_a_batch_that_does_not_split_is_refused() -> None:
    with pytest.raises(InputError, match="batch size 16 does not split into 3 equal parts"):
        Played(CASES["gan"].plan(accumulate=3))


def command(out: Path, steps: int) -> str:
    quick = "--batch-size 16 --evaluations 1 --evaluation-samples 100 --pictures 1 --threads 1"
    rates = " ".join(
        f"--method.dynamics.optimizers.{player}.lr 1e-4" for player in ("generator", "discriminator")
    )
    run = f"--data ring --network 'MLP(width=8)' --out {shlex.quote(str(out))} --steps {steps}"
    return f"train gan {run} {quick} {rates}"


def test_a_run_of_two_processes_writes_one_folder_and_goes_on_with_one(tmp_path: Path) -> None:
    out, alone = tmp_path / "together", tmp_path / "alone"
    first = torchrun("-m", "saddlepoint.cli", *shlex.split(command(out, 20)))
    assert first.returncode == 0, first.stderr[-3000:]
    rest = here(command(out, 40), tmp_path)
    assert rest.returncode == 0, rest.stderr
    assert "continuing" in rest.stderr
    assert here(command(alone, 40), tmp_path).returncode == 0
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 41))
    ends = [Folder(path).load(Folder(path).last() or path, torch.device("cpu"))[0] for path in (out, alone)]
    for player, vector in ends[0].players.items():
        # Adam may turn the rounding of a small gradient into part of a step of 1e-4
        torch.testing.assert_close(vector, ends[1].players[player], atol=40 * 1e-4 * 0.05, rtol=0)
