"""The evaluation from the command line: which metrics, of what, against what; what is refused, and with what sentence."""

from __future__ import annotations

import json
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import t

from saddlepoint import cli
from saddlepoint.cli import COMMANDS
from saddlepoint.commands.metrics import PROCEDURES, described, markdown
from saddlepoint.data import load
from saddlepoint.metrics import Quantities, Reference, Score, catalogue
from saddlepoint.metrics.quantities import NEEDS, needs
from saddlepoint.trained import Run

ROOT = Path(__file__).parents[1]
RUN = "train gan --data ring --network MLP(width=8) --evaluations 0 --pictures 1 --quiet"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs that differ in their seeds, one on other data, noise as an array."""
    place = tmp_path_factory.mktemp("evaluate")
    for seed in range(3):
        assert (
            cli.main([*RUN.split(), "--steps", "5", "--seed", str(seed), "--out", str(place / f"{seed}")])
            == 0
        )
    grid = RUN.replace("ring", "grid")
    assert cli.main([*grid.split(), "--steps", "5", "--out", str(place / "grid")]) == 0
    noise = torch.rand(300, 8, 8, generator=torch.Generator().manual_seed(0))
    np.savez(place / "noise.npz", images=noise.numpy())
    return place


def said(line: str, place: Path, capture: Capture, code: int = 0) -> str:
    """What the command prints; with another code, the sentence on standard error."""
    words = [word.replace("@", f"{place}/") for word in line.split()]
    assert cli.main(words) == code
    found = capture.readouterr()
    return found.err if code else found.out


def scores(line: str, place: Path, capture: Capture) -> dict[str, Score]:
    return {s.metric: s for s in map(Score.from_json, json.loads(said(f"{line} --json", place, capture)))}


def test_metrics_are_taken_by_name(place: Path, capsys: Capture) -> None:
    found = scores("evaluate @0 -n 100 --metrics precision-recall,modes", place, capsys)
    assert set(found) == {"precision", "recall", "modes-covered", "high-quality-share", "mode-divergence"}
    named = Run.open(place / "0").evaluate(100, metrics=["precision-recall"])
    assert [found["precision"], found["recall"]] == list(named)


def test_unknown_and_impossible_metrics_are_refused(place: Path, capsys: Capture) -> None:
    line = "evaluate @noise.npz --data digits --extractor pixels -n 100 --metrics"
    assert "did you mean modes" in said(f"{line} fd,mode", place, capsys, 2)
    sentence = said(f"{line} modes", place, capsys, 2)
    assert "modes cannot be taken: the modes of digits cannot be written down" in sentence
    assert "give one of the two" in said(f"{line} fd --all", place, capsys, 2)
    assert "none is given" in said("evaluate --data digits", place, capsys, 2)


def test_the_mean_over_runs(place: Path, capsys: Capture) -> None:
    """Mean and t_{.975, 2} s/√3 of what each run has alone, from scipy's own interval of a mean."""
    options = "-n 100 --metrics fd"
    alone = [scores(f"evaluate @{seed} {options}", place, capsys)["frechet-distance"] for seed in range(3)]
    found = scores(f"evaluate @0 @1 @2 {options}", place, capsys)["frechet-distance"]
    values = np.array([score.value for score in alone])
    expected = t.interval(0.95, 2, values.mean(), values.std(ddof=1) / 3**0.5)
    assert (found.runs, found.value) == (3, pytest.approx(values.mean()))
    assert found.interval == pytest.approx(expected)
    assert found.floor == alone[0].floor
    assert "3 runs" in said(f"evaluate @0 @1 @2 {options}", place, capsys)
    assert "different data do not compare" in said(f"evaluate @0 @grid {options}", place, capsys, 2)
    assert "noise.npz is none" in said("evaluate @0 @noise.npz --data ring", place, capsys, 2)


def test_extractors_by_name_and_by_file(place: Path, capsys: Capture) -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
    torch.jit.script(module.eval()).save(str(place / "mine.pt"))
    line = "evaluate @noise.npz --data digits -n 100 --metrics fd --extractor"
    for name, label in (
        ("@mine.pt", "FD[file:mine]"),
        ("pca", "FD[pca-64]"),
        ("random-convolution", "FD[random-"),
    ):
        assert label in said(f"{line} {name}", place, capsys)
    for name, words in {
        "@noise.npz": ".npz",
        "@none.pt": "not there",
        "pixel": "did you mean pixels",
    }.items():
        assert words in said(f"{line} {name}", place, capsys, 2)


def test_images_of_another_size_are_refused_unless_it_is_said(place: Path, capsys: Capture) -> None:
    (place / "large").mkdir()
    for number, image in enumerate(np.random.default_rng(0).integers(0, 256, (60, 16, 16), dtype=np.uint8)):
        Image.fromarray(image).save(place / "large" / f"{number}.png")
    line = "evaluate @large --data digits -n 50 --metrics fd --extractor pixels"
    sentence = said(line, place, capsys, 2)
    assert "16x16 to 8x8, Lanczos" in sentence
    assert sentence.count("\n") == 1
    found = scores(f"{line} --size 8", place, capsys)["frechet-distance"]
    assert (found.real_resizing, found.fake_resizing) == ("none", "16x16 to 8x8, Lanczos")


@pytest.mark.slow
def test_all_takes_what_can_be_taken_and_lists_the_rest(place: Path, capsys: Capture) -> None:
    lines = said("evaluate @0 --against @1 @2 -n 60 --all", place, capsys).splitlines()
    left_out = {line.split()[0]: line for line in lines if " cannot be taken: " in line}
    run = Run.open(place / "0")
    found = run.model()
    reference = Reference(load("ring"), lambda rows: rows, 60)  # type: ignore[arg-type]
    made = Quantities(
        reference, torch.zeros(60, 2), model=found, rivals=(found, found), contest=run.contest()
    )
    for metric in map(catalogue.get, catalogue.names()):
        reason = made.lacks(metric)
        expected = f"{metric.id} cannot be taken: {reason}." if reason else None
        assert left_out.get(metric.id) == expected


def test_the_catalogue_as_json_counts_every_row_of_the_sheet(capsys: Capture) -> None:
    every = json.loads(said("metrics --json", ROOT, capsys))
    found = [row for row in every if row["kind"] == "metric"]
    listed = {row for one in every for row in one["rows"]}
    assert listed == {f"K{number:02}" for number in range(1, 53)}
    assert [row["id"] for row in found] == list(catalogue.names())
    for row in found:
        metric = catalogue.get(row["id"])
        assert row["scores"] == dict(metric.better)
        assert row["scores"]
        assert row["rows"] == list(metric.rows)
        assert all(name in {f"K{number:02}" for number in range(1, 53)} for name in row["rows"])
        assert set(row["needs"]) <= set(NEEDS)
        assert min(len(row[key]) for key in ("title", "formula", "paper", "blind")) > 3
    lines = said("metrics", ROOT, capsys).splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue.names())


def test_procedures_name_what_there_is() -> None:
    """Every function and module that stands in for a row, found where it is said to be; every command."""
    for one in PROCEDURES:
        for place in one.use.split("; "):
            first, *others = place.split(", ")
            if first.startswith("saddlepoint "):
                assert first.split()[1] in COMMANDS
                continue
            stem, _, name = first.rpartition(".")
            for each in (name, *others):
                assert resolve_name(f"{stem}.{each}") is not None


def test_no_score_belongs_to_two_metrics() -> None:
    names = [name for metric in map(catalogue.get, catalogue.names()) for name in metric.better]
    assert sorted(set(names)) == sorted(names)


def test_what_a_metric_needs() -> None:
    assert needs(catalogue.get("modes")) == ("modes",)
    assert needs(catalogue.get("fd")) == ()


def test_the_document_lists_the_catalogue() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    listed = text.split("<!-- saddlepoint metrics --markdown -->\n")[1].split("<!-- end -->")[0]
    assert listed.strip() == markdown([described(catalogue.get(name)) for name in catalogue.names()]).strip()
