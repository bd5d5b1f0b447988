"""The loop, through the public function."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import saddlepoint
from saddlepoint import Budget, Method, Run, Settings, methods
from saddlepoint.batches import Batches
from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.method import Stage
from saddlepoint.networks import DCGAN, MLP
from saddlepoint.optim import SGD
from saddlepoint.penalties import Term
from saddlepoint.training import TrainingFailed

QUICK: dict[str, Any] = {"evaluations": 2, "evaluation_samples": 100, "pictures": 2, "threads": 1}


def go(
    method: Method | str,
    out: Path,
    steps: int,
    networks: Any = MLP(width=4),
    data: Any = "ring",
    **settings: Any,
) -> Run:
    value = methods.get(method) if isinstance(method, str) else method
    options = Settings(**{**QUICK, **settings})
    return saddlepoint.train(value, data, networks, out=out, budget=Budget(steps=steps), settings=options)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_same_seed_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        go("gan-r1", tmp_path / name, 5, seed=seed)
    weights = [(tmp_path / name / "weights" / "generator-average.safetensors").read_bytes() for name in "abc"]
    assert weights[0] == weights[1] != weights[2]


def test_a_finished_run_does_nothing_and_another_is_refused_with_the_difference(tmp_path: Path) -> None:
    out = tmp_path / "run"
    go("gan", out, 4)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != ".lock"}
    go("gan", out, 4)
    assert before == {p: p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != ".lock"}
    for change in ({"method": "hinge"}, {"data": "grid"}, {"seed": 5}, {"networks": MLP(width=5)}):
        given = {"method": "gan", **change}
        with pytest.raises(InputError, match="holds another run"):
            go(given.pop("method"), out, 4, **given)
    assert before == {p: p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != ".lock"}


def test_more_budget_continues_to_the_bits_of_one_run(tmp_path: Path) -> None:
    go("sngan", tmp_path / "parts", 3)
    go("sngan", tmp_path / "parts", 7)
    go("sngan", tmp_path / "whole", 7)
    one, other = (lines(tmp_path / name / "metrics.jsonl") for name in ("parts", "whole"))
    assert [row["step"] for row in one] == list(range(1, 8))
    for a, b in zip(one, other, strict=True):
        assert {k: v for k, v in a.items() if k != "seconds"} == {
            k: v for k, v in b.items() if k != "seconds"
        }
    names = ("generator", "discriminator")
    files = [
        [(tmp_path / run / "weights" / f"{n}.safetensors").read_bytes() for n in names]
        for run in ("parts", "whole")
    ]
    assert files[0] == files[1]


def test_a_loss_that_is_not_finite_stops_the_run_at_its_step(tmp_path: Path) -> None:
    wild = replace(methods.get("wgan"), constraints=())
    wild = replace(
        wild, dynamics=replace(wild.dynamics, optimizers={p: SGD(1e12) for p in wild.dynamics.optimizers})
    )
    with pytest.raises(TrainingFailed, match=r"(loss|score|gradient)/\w+ became (inf|-inf|nan) at step \d+"):
        go(wild, tmp_path / "run", 200)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == "failed"
    kept = Run.open(tmp_path / "run")
    assert all(torch.isfinite(v).all() for v in kept.state.players.values())
    assert all(np.isfinite(list(row.values())).all() for row in lines(tmp_path / "run" / "metrics.jsonl"))


class Noisy(nn.Module):
    """A discriminator that draws numbers itself."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, 16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0)
        )

    def forward(self, point: Tensor) -> Tensor:
        return self.net(point)


def own() -> dict[str, nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return {
            "generator": nn.Sequential(nn.Linear(100, 8), nn.ReLU(), nn.Linear(8, 2)),
            "discriminator": Noisy(),
        }


def test_modules_of_ones_own_train_with_dropout_by_seed(tmp_path: Path) -> None:
    runs = []
    for name in ("a", "b"):
        torch.manual_seed(hash(name) % 1000)  # the global generator does not matter
        run = go("gan", tmp_path / name, 4, own())
        runs.append((tmp_path / name / "weights" / "discriminator.safetensors").read_bytes())
    assert runs[0] == runs[1]
    assert run.sample(3).shape == (3, 2)
    with pytest.raises(InputError, match="modules of your own"):
        Run.open(tmp_path / "a")
    assert Run.open(tmp_path / "a", networks=own()).sample(3).shape == (3, 2)


def test_held_out_rows_never_train(tmp_path: Path) -> None:
    """Every row carries its number; what the loop feeds the game is collected over two epochs."""
    path = tmp_path / "rows.npy"
    np.save(path, np.arange(400, dtype=np.float32).reshape(200, 2))
    data = load(str(path))
    held = {tuple(row) for row in data.held_out()["real"].tolist()}
    method = replace(methods.get("gan"), batch_size=8)
    game = method.game(MLP(width=4).build((2,), method.latent.size), data.training(8))
    batches, seen = Batches(game, data, 0, 8, torch.device("cpu")), set()
    clock, turns = {"step": 0, "images": 0, "gradients": 0, "rows": 0}, method.dynamics.turns(0)
    for _ in range(2 * 200 // 8):
        for batch in batches.step(clock, turns, 0.0):
            seen |= {tuple(row) for row in batch["real"].tolist()} if "real" in batch else set()
        clock = method.dynamics.advance(game, clock, turns, 8)
    assert held
    assert not held & seen
    assert held | seen == {(float(i), float(i + 1)) for i in range(0, 400, 2)}


def test_the_best_checkpoint_has_the_least_distance(tmp_path: Path) -> None:
    go("gan-r1", tmp_path / "run", 60, evaluations=6)
    rows = lines(tmp_path / "run" / "evaluations.jsonl")
    assert [row["step"] for row in rows] == [0, 10, 20, 30, 40, 50, 60]
    values = {row["step"]: row["scores"][0]["value"] for row in rows}
    best = json.loads((tmp_path / "run" / "checkpoints" / "best.json").read_text())
    assert values[best["step"]] == min(values.values())
    assert Run.open(tmp_path / "run", best=True).state.clock["step"] == best["step"]


def test_the_generator_leaves_as_an_ordinary_module(tmp_path: Path) -> None:
    run = go("gan-r1", tmp_path / "run", 5, DCGAN(width=4, discriminator_norm="none"), "digits")
    noise = torch.randn(6, run.method.latent.size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(run.generator()(noise), run.render({"latent": noise}), atol=1e-6, rtol=0)


# -- stages and frozen networks ------------------------------------------------------------------------


def test_a_stage_hands_its_vectors_on_bit_for_bit_and_resumes(tmp_path: Path) -> None:
    first = replace(methods.get("lsgan"), latent=methods.get("gan-r1").latent)
    staged = replace(methods.get("gan-r1"), before=(Stage(first, 4),))
    go(first, tmp_path / "first", 4)
    go(staged, tmp_path / "whole", 9, checkpoint_steps=1, keep=100)
    whole = Run.open(tmp_path / "whole")
    at_4 = whole.folder.load(tmp_path / "whole" / "checkpoints" / "000000004.pt", torch.device("cpu"))[0]
    alone = Run.open(tmp_path / "first").state
    assert all(torch.equal(alone.players[p], v) for p, v in at_4.players.items())
    for steps in (2, 4, 6, 9):  # stopped in the stage, at its end, and after it
        go(staged, tmp_path / "parts", steps)
    parts = Run.open(tmp_path / "parts").state
    assert parts.clock == whole.state.clock
    assert all(torch.equal(parts.players[p], v) for p, v in whole.state.players.items())
    assert all(torch.equal(parts.average[p]["vector"], a["vector"]) for p, a in whole.state.average.items())


class Near(Term):
    """Samples are pulled to where a fixed encoder sees the data: a term on a network that nobody moves."""

    players = ("generator",)

    def __call__(self, encoder: Any, real: Tensor, fake: Tensor) -> Tensor:  # type: ignore[override]
        return (encoder(real).mean(0) - encoder(fake).mean(0)).square().sum()


def test_a_frozen_network_is_used_and_never_changes(tmp_path: Path) -> None:
    encoder = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    before = {n: t.clone() for n, t in encoder.state_dict().items()}
    modules = {**MLP(width=4).build((2,), 100), "encoder": encoder}
    method = replace(methods.get("gan"), terms=(Near(),))
    run_game = method.game(modules, load("ring").training(8))
    players, memory = run_game.init(0, load("ring").training(8))
    assert set(players) == {"generator", "discriminator"}
    state = method.dynamics.init(run_game, players, memory)
    batches = Batches(run_game, load("ring"), 0, 16, torch.device("cpu"))
    turns = method.dynamics.turns(0)
    for _ in range(3):
        made = batches.step(state.clock, turns, 0.0)
        state, info = method.dynamics.step(run_game, state, turns, made.__getitem__, 16)
        state = state._replace(clock=method.dynamics.advance(run_game, state.clock, turns, 16))
    assert float(info["term/Near"]) > 0
    named = run_game.networks["encoder"].layout.named(state.memory["fixed"]["encoder"])
    assert all(torch.equal(before[n], t) for n, t in {**named, **state.memory["buffers"]["encoder"]}.items())
    with_term = run_game.gradients(("generator",), players, memory, made[0])[0]["generator"]
    bare = replace(method, terms=()).game(modules, load("ring").training(8))
    without = bare.gradients(("generator",), players, memory, made[0])[0]["generator"]
    assert (with_term - without).abs().max() > 1e-6  # the gradient goes through the encoder to the generator
