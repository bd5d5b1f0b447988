"""Bad values from Python, where a process of its own would add nothing: one sentence, and no folder."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

import saddlepoint as api
from command_line import (
    listing,
    saddlepoint,
)
from saddlepoint import methods
from saddlepoint.errors import InputError
from saddlepoint.networks import DCGAN, MLP, R3Net, ResNet
from saddlepoint.penalties import Term

# -- the same from Python, where a process would add nothing ------------------------------


@dataclass(frozen=True)
class Labelled(Term):
    """A term that looks at labels."""

    def __call__(self, real_score: Tensor, label: Tensor) -> Tensor:  # type: ignore[override]
        return (real_score * label).mean()


def test_a_method_that_needs_labels_refuses_data_without(tmp_path: Path) -> None:
    from dataclasses import replace

    method = replace(methods.get("gan"), name="labelled", terms=(Labelled(),))
    with pytest.raises(InputError, match="labelled needs labels and spiral has none") as caught:
        api.train(method, "spiral", MLP(width=8), out=tmp_path / "out", budget=api.Budget(steps=1))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    settings = api.Settings(batch_size=8, evaluations=0, pictures=0)
    run = api.train(
        method, "digits", MLP(width=8), out=tmp_path / "out", budget=api.Budget(steps=1), settings=settings
    )
    assert run.state.clock["step"] == 1


@pytest.mark.parametrize("network", [DCGAN(), ResNet(), R3Net()], ids=lambda network: type(network).__name__)
@pytest.mark.parametrize("data", ["ring", "small.npy"])
def test_networks_for_images_refuse_other_shapes(
    place: Path, tmp_path: Path, network: Any, data: str
) -> None:
    spec, settings = data if data == "ring" else str(place / data), api.Settings(batch_size=8)
    with pytest.raises(InputError, match=type(network).__name__):
        api.train(
            methods.get("gan"),
            spec,
            network,
            out=tmp_path / "out",
            budget=api.Budget(steps=1),
            settings=settings,
        )
    assert not (tmp_path / "out").exists()


def test_modules_of_another_shape_are_refused(tmp_path: Path) -> None:
    from torch import nn

    wrong = {"generator": nn.Linear(100, 3), "discriminator": nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))}
    with pytest.raises(InputError, match=r"shape \(3,\), the data have \(2,\)"):
        api.train(methods.get("gan"), "ring", wrong, out=tmp_path / "out", budget=api.Budget(steps=1))
    assert not (tmp_path / "out").exists()


SETTINGS = {
    "seed": -1, "batch_size": 0, "chunk": 0, "accumulate": 0, "threads": 0, "log_every": 0, "pictures": -1,
    "evaluations": -1, "evaluation_samples": 3, "checkpoint_steps": 0, "checkpoint_seconds": float("nan"), "keep": 0,
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), SETTINGS.items(), ids=SETTINGS)
def test_settings_that_cannot_be_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name.replace('_', '-')} {value} is not possible"):
        api.Settings(**{name: value})


@pytest.mark.parametrize("unit", ["steps", "images", "gradients", "seconds"])
@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf")])
def test_budgets_that_cannot_be_are_refused(unit: str, limit: float) -> None:
    with pytest.raises(InputError, match=f"{unit} {limit}"):
        api.Budget(**{unit: limit})


def test_a_run_that_came_to_nothing_leaves_the_place_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails before the first step leaves no folder that would refuse the next attempt; an empty folder stays."""
    monkeypatch.setattr("saddlepoint.training.Training.picture", lambda self: 1 / 0)
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises(ZeroDivisionError):
            api.train(
                methods.get("gan"), "ring", MLP(width=8), out=tmp_path / name, budget=api.Budget(steps=1)
            )
    assert listing(tmp_path) == {"empty": "folder"}


def test_a_small_set_trains_without_scores(place: Path, tmp_path: Path) -> None:
    """Fewer held-out rows than a score needs: the run goes on without, and a score that is asked for says why."""
    np.save(tmp_path / "few.npy", np.random.default_rng(0).normal(size=(12, 2)))
    settings = api.Settings(batch_size=4, pictures=0)
    run = api.train(
        methods.get("gan"), str(tmp_path / "few.npy"), MLP(width=8),
        out=tmp_path / "out", budget=api.Budget(steps=2), settings=settings,
    )  # fmt: skip
    assert not run.folder.evaluations.exists()
    with pytest.raises(InputError, match="at least 4"):
        run.evaluate(8)


def test_the_installed_command_is_this_one(place: Path) -> None:
    command = Path(sys.executable).with_name("saddlepoint")
    if not command.exists():
        pytest.skip("the package is not installed as a command here")
    done = subprocess.run([command, "trian"], capture_output=True, text=True, timeout=60, cwd=place)
    assert (done.returncode, done.stderr) == (2, saddlepoint("trian", place).stderr)
