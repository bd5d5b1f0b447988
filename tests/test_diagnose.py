"""`saddlepoint diagnose` on runs of every kind, and on what is none."""

from __future__ import annotations

import io
import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from command_line import here
from saddlepoint import methods
from saddlepoint.budget import Budget
from saddlepoint.definitions import Packing
from saddlepoint.diagnosis import _slope, diagnose
from saddlepoint.diagnostics import field_spectrum
from saddlepoint.method import Stage
from saddlepoint.networks import MLP, Packed
from saddlepoint.run import Folder
from saddlepoint.trained import Run, train


def trained(out: Path, *arguments: str) -> Path:
    quick = f"--evaluations 0 --pictures 1 --threads 1 --quiet --out {out}"
    done = here(f"train {shlex.join(arguments)} {quick}", out.parent)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("diagnose") / "ring"
    return trained(out, "gan", "--data", "ring", "--network", "MLP(width=8)", "--steps", "20")


def diagnosed(run: Path) -> dict[str, Any]:
    done = here(f"diagnose {run} --json", run.parent)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found == json.loads((run / "diagnosis.json").read_text())
    return found


def test_everything_of_a_run_in_the_plane(ring: Path) -> None:
    found = diagnosed(ring)
    assert found["left_out"] == []
    assert found["step"] == 20
    measured = found["measured"]
    assert (
        measured["slope of the discriminator"]["at most"]
        >= measured["slope of the discriminator"]["largest gradient at points"]
    )
    assert measured["moves alone"]["loss that generator sheds in 50 steps alone"] >= 0
    for name in ("plane", "spectrum"):
        with Image.open(io.BytesIO((ring / "panels" / f"{name}.png").read_bytes())) as picture:
            assert len(set(picture.convert("L").tobytes())) > 10
    page = (ring / "report.html").read_text()
    assert "The plane of the data" in page
    assert "Leading eigenvalues of the field" in page


def test_the_leading_eigenvalue_is_that_of_the_dense_matrix(ring: Path) -> None:
    from saddlepoint.diagnosis import _batches

    run = Run.open(ring)
    whole = field_spectrum(run.game, run.state.players, run.state.memory, _batches(run, 1)[0], count=None)
    found = diagnosed(ring)["measured"]["spectrum"]
    assert found["largest real part"] == pytest.approx(float(whole.values[0].real), rel=1e-2)


def test_the_spectrum_at_every_checkpoint_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one batch; those of an earlier stage are of another game."""
    from saddlepoint.diagnosis import _batches

    staged = repr(replace(methods.get("gan"), before=(Stage(methods.get("lsgan"), 5),)))
    often = ("--checkpoint-steps", "4", "--keep", "9", "--steps", "12")
    out = trained(tmp_path / "run", staged, "--data", "ring", "--network", "MLP(width=8)", *often)
    run, drawn = Run.open(out), []
    steps = [int(path.stem) for path in run.folder.saved()]
    assert steps == [0, 4, 8, 12]
    monkeypatch.setattr("saddlepoint.diagnosis.draw_spectrum", lambda axes, spectra: drawn.extend(spectra))
    found = diagnose(run)
    assert [step for step, _ in drawn] == [8, 12]
    rows = found.measured["spectrum"]
    (batch,) = _batches(run, 1)
    for step, spectrum in drawn:
        state, _ = run.folder.load(run.folder.checkpoints / f"{step:09}.pt", torch.device("cpu"))
        whole = field_spectrum(run.game, state.players, state.memory, batch)
        assert float(spectrum.values[0].real) == pytest.approx(float(whole.values[0].real), rel=1e-2)
    assert rows["verdict at step 8"] == drawn[0][1].verdict
    assert rows["largest real part at step 8"] == float(drawn[0][1].values[0].real)
    assert rows["verdict"] == drawn[1][1].verdict
    assert rows["largest real part"] == float(drawn[1][1].values[0].real)
    assert "at step 8, 12;" in found.pictures["spectrum"][1]["note"]


def test_images_are_laid_beside_their_nearest(tmp_path: Path) -> None:
    out = trained(tmp_path / "run", "wgan", "--data", "digits", "--network", "MLP(width=8)", "--steps", "10")
    found = diagnosed(out)
    assert found["measured"]["clipped weights"]["share of weights within 5 % of ±0.01, discriminator"] > 0.3
    with Image.open(out / "panels" / "nearest.png") as picture:
        assert picture.width < picture.height * 1.2  # 6 columns, 8 rows
    assert "nearest training images" in (out / "report.html").read_text()


@pytest.mark.parametrize("name", ["cgan", "pacgan", "bigan"])
def test_slopes_of_what_is_told_packed_or_paired(tmp_path: Path, name: str) -> None:
    out = trained(tmp_path / "run", name, "--data", "digits", "--network", "MLP(width=8)", "--steps", "4")
    found, drawn = _slope(Run.open(out))
    assert found["at most"] >= found["largest gradient at points"] > 0
    assert found["at most"] >= found["largest slope between points"] > 0
    assert not drawn


@pytest.mark.parametrize("pack", [3, 7])
def test_packs_that_divide_nothing_round(tmp_path: Path, pack: int) -> None:
    """Neither 8 rows to look at shapes with, nor 256 of a look, nor 60 points: packs that are left over are left out."""
    method = replace(methods.get("pacgan"), definitions=(Packing(pack),), batch_size=3 * pack)
    pair = Packed(MLP(width=8), rows=pack)
    run = train(method, "digits", pair, out=tmp_path / "run", budget=Budget(steps=4), quiet=True)
    readings = [json.loads(line) for line in (tmp_path / "run" / "health.jsonl").read_text().splitlines()]
    assert all({"separation", "overfit"} <= set(reading) for reading in readings)
    found = diagnosed(run.path)
    assert found["measured"]["slope of the discriminator"]["at most"] > 0
    assert found["left_out"] == []


def test_what_cannot_be_measured_is_said(tmp_path: Path) -> None:
    """A discriminator that sees a representation of the point is handed the point alone."""
    short = repr(replace(methods.get("rfgan"), before=()))
    out = trained(tmp_path / "run", short, "--data", "digits", "--network", "MLP(width=8)", "--steps", "4")
    found = diagnosed(out)
    assert any(sentence.startswith("slope of the discriminator:") for sentence in found["left_out"])
    assert "gradients" in found["measured"]


def test_gains_are_known_where_the_curvature_is_not(ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saddlepoint.diagnosis.LARGEST", 10)
    found = diagnose(Run.open(ring))
    assert len(found.measured["moves alone"]) == 2
    assert [sentence.split(":")[0] for sentence in found.left_out] == ["local equilibrium", "spectrum"]


def test_a_player_alone(tmp_path: Path) -> None:
    out = trained(tmp_path / "run", "vae", "--data", "ring", "--network", "MLP(width=8)", "--steps", "10")
    found = diagnosed(out)
    assert "separation" not in found["measured"]["a fresh look"]
    assert "slope of the discriminator" not in found["measured"]


def test_what_is_no_run_or_not_ours_gets_a_sentence(ring: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    record = json.loads((ring / "run.json").read_text())
    (newer / "run.json").write_text(json.dumps({**record, "format": 2}))
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "run.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    for path, word in (
        (tmp_path / "missing", "does not exist"),
        (tmp_path / "empty", "is not a run"),
        (foreign, "is not a run"),
        (newer, "another version"),
    ):
        done = here(f"diagnose {path}", tmp_path)
        assert done.returncode == 2
        assert word in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert not (path / "diagnosis.json").exists()


def test_a_run_that_is_training_is_left_alone(ring: Path) -> None:
    other = Folder(ring)
    other.lock()
    try:
        done = here(f"diagnose {ring}", ring.parent)
    finally:
        other.unlock()
    assert done.returncode == 2
    assert "another process is training" in done.stderr


def test_measuring_moves_nothing(ring: Path) -> None:
    before = {path.name: path.read_bytes() for path in (ring / "checkpoints").iterdir()}
    state = torch.get_rng_state()
    diagnosed(ring)
    assert {path.name: path.read_bytes() for path in (ring / "checkpoints").iterdir()} == before
    assert torch.equal(torch.get_rng_state(), state)
