"""The compiled execution with the real compiler (the whole catalogue runs with aot_eager in the law tests)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent / "workers"))

from games import CASES, Played, variation

import saddlepoint
from saddlepoint import Budget, Settings
from saddlepoint.compiled import Compiled, compiler_missing
from saddlepoint.network import Functional
from saddlepoint.optim import SGD
from saddlepoint.schedules import Linear

CPU = torch.device("cpu")
needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="no C++ compiler on this machine"
)


def chunks(played: Played, compiled: Compiled, size: int, count: int) -> None:
    """Take `count` chunks of `size` steps, as the loop does."""
    for _ in range(count):
        turns, clock, batches = played.dynamics.turns(0), played.state.clock, []
        for _ in range(size):
            batches.append(played.batches.step(clock, turns, 0.0))
            clock = played.dynamics.advance(played.game, clock, turns, played.plan.rows)
        state, infos = compiled(played.state, turns, batches)
        assert len(infos) == size
        played.state = state._replace(clock=clock)


@needs_compiler
@pytest.mark.timeout(300)
def test_compiled_descent_equals_the_plain_one_and_a_schedule_makes_no_new_graph() -> None:
    rate = {player: SGD(Linear(0.05, 0.01, over=400)) for player in ("generator", "discriminator")}
    case = variation(CASES["r3gan"], dynamics=type(CASES["r3gan"].method.dynamics)(rate))
    plain, traced = Played(case.plan()), Played(case.plan())
    bound = traced.game.bound()
    bound.execution = Functional()
    compiled = Compiled(bound, traced.dynamics, traced.plan.rows)
    chunks(traced, compiled, 2, 1)
    before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    chunks(traced, compiled, 2, 9)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == before
    for _ in range(20):
        plain.step()
    for player, vector in plain.state.players.items():
        # float32 sums in another order, 20 steps of descent
        torch.testing.assert_close(traced.state.players[player], vector, atol=2e-5, rtol=1e-4)


def test_without_a_compiler_the_reason_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    said = compiler_missing(CPU)
    assert said is not None
    assert "no C++ compiler" in said
    assert "\n" not in said


def test_a_run_asked_to_compile_without_a_compiler_goes_on_plainly(tmp_path: Path) -> None:
    arguments = ["train", "gan", "--data", "ring", "--network", "MLP(width=4)", "--steps", "3", "--compile"]
    options = ["--evaluations", "0", "--pictures", "0", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-m", "saddlepoint.cli", *arguments, *options],
        capture_output=True,
        text=True,
        timeout=200,
        env={"PATH": "", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no C++ compiler") == 1
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["step"] == 3


@needs_compiler
@pytest.mark.timeout(300)
def test_a_compiled_run_continued_at_a_chunk_has_the_same_bits(tmp_path: Path) -> None:
    quick: dict[str, Any] = {"evaluations": 0, "pictures": 0, "threads": 1, "compile": True, "chunk": 2}

    def run(out: Path, steps: int) -> bytes:
        case = CASES["gan"]
        settings = Settings(**quick)
        saddlepoint.train(
            case.method, case.data, case.networks, out=out, budget=Budget(steps=steps), settings=settings
        )
        return (out / "weights" / "generator.safetensors").read_bytes()

    whole = run(tmp_path / "whole", 8)
    run(tmp_path / "parts", 4)
    assert run(tmp_path / "parts", 8) == whole
