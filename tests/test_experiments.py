"""The book of results: what is stored, what is run again, what is said of it. Experiments made up here stand beside E09."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
import torch

from command_line import here
from saddlepoint import experiments
from saddlepoint.errors import InputError
from saddlepoint.experiments import drawing
from saddlepoint.experiments.accept import EachSeed, Median, Overall, at_least, at_most
from saddlepoint.experiments.book import Book, Job, carry_out
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Trial
from saddlepoint.experiments.pages import texts, write
from saddlepoint.training import TrainingFailed

ALL = [experiments.get(id) for id in experiments.names()]


@pytest.mark.parametrize("experiment", ALL, ids=lambda e: e.id)
def test_an_experiment_says_what_it_is(experiment: Experiment) -> None:
    assert experiments.get(experiment.id.lower()) is experiments.get(experiment.name) is experiment
    for text in (experiment.title, experiment.question, experiment.protocol, experiment.source):
        assert text.strip()
    assert experiment.accept
    assert experiment.rows
    names = [part.name for part in experiment.parts]
    assert len(set(names)) == len(names) > 0
    assert json.dumps(experiment.to_json())


def test_names_do_not_collide() -> None:
    assert len({experiment.name for experiment in ALL}) == len(ALL)


def test_each_seed_counts_seeds_without_numbers_as_not_met() -> None:
    accept = EachSeed("at least 1 in four of five", {"a": at_least(1.0)}, share=0.8)
    good, bad = {"a": 1.0}, {"a": 0.0}
    assert accept.judge([good] * 4 + [bad]).met
    assert accept.judge([good] * 4 + [{}]).met
    assert not accept.judge([good] * 3 + [bad, {}]).met
    assert not accept.judge([]).met
    assert accept.judge([good]).met
    assert not accept.judge([bad]).met
    assert not EachSeed("", {"a": at_least(1.0)}).judge([{"a": math.nan}]).met


def test_medians_and_overall_numbers() -> None:
    seeds = [{"a": 1.0}, {"a": 2.0}, {"a": 9.0}]
    assert Median("", {"a": at_most(2.0)}).judge(seeds).met
    assert not Median("", {"a": at_most(1.9)}).judge(seeds).met
    assert not Median("", {"a": at_most(9.0)}).judge([*seeds, {}]).met
    assert Overall("", lambda s: sum(n["a"] for n in s), at_most(12.0)).judge(seeds).met
    assert not Overall("", lambda s: sum(n["b"] for n in s), at_most(12.0)).judge(seeds).met


def test_numbers_of_parts_without_a_seed_count_for_every_seed() -> None:
    trials = (
        Trial("exact", 0, {"e": 1.0}, {"x": [1.0]}, 0.1),
        Trial("drawn", 0, {"a": 2.0}, {}, 0.1),
        Trial("drawn", 1, {"a": 3.0}, {}, 0.1),
        Trial("drawn", 2, {}, {}, 0.1, "not finite"),
    )
    results = Results(trials, {"exact": False, "drawn": True})
    assert results.numbers == [{"e": 1.0, "a": 2.0}, {"e": 1.0, "a": 3.0}, {"e": 1.0}]
    assert results.all("a") == [2.0, 3.0]
    assert results.curves("x") == [[1.0]]  # a trial that counts for every seed is drawn once
    assert drawing.note(results) == "3 seeds, 1 failed"


# -- a book --------------------------------------------------------------------------------------------


def test_a_book_continues_and_its_pages_are_a_function_of_what_it_holds(tmp_path: Path) -> None:
    out = tmp_path / "book"
    done = here(f"reproduce bilinear --out {out} --json", tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)[0]
    assert told["verdict"] == "met"
    assert "1/1 E09" in done.stderr
    stored = (out / "results" / "E09.json").read_bytes()
    files = ("README.md", "index.html", "figures/E09.png", "contact.png")
    pages = [(out / name).read_bytes() for name in files]
    again = here(f"reproduce E09 --out {out}", tmp_path)
    assert "E09 orbits" not in again.stderr  # nothing was left to do
    assert "met" in again.stdout
    assert (out / "results" / "E09.json").read_bytes() == stored
    assert [(out / name).read_bytes() for name in files] == pages


def test_numbers_of_another_file_are_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Book.at(tmp_path / "book", quick=True)
    experiment = experiments.get("E09")
    job = next(book.jobs([experiment], None))
    book.add("E09", carry_out(job, True))
    assert not list(book.jobs([experiment], None))
    monkeypatch.setattr(experiments, "digest", lambda id: "another")
    assert [j.part for j in book.jobs([experiment], None)] == ["orbits"]
    assert book.verdict(experiment)[0] == "not run"
    write(book)
    assert "has changed since" in (book.path / "README.md").read_text()


def test_a_verdict_turns_with_the_numbers(tmp_path: Path) -> None:
    """The same trial with one number spoilt is not met, and the page opens with it."""
    book = Book.at(tmp_path / "book", quick=False)
    experiment = experiments.get("E09")
    trial = carry_out(Job("E09", "orbits", 0, 1.0), False)
    book.add("E09", trial)
    assert book.verdict(experiment)[0] == "met"
    book.add("E09", trial._replace(numbers=trial.numbers | {"alternating, 1000": math.inf}))
    verdict, judged = book.verdict(experiment)
    assert verdict == "not met"
    assert [one.met for one in judged].count(False) == 1
    write(book)
    assert f"{len(judged) - 1} of {len(judged)} acceptances met" in (book.path / "README.md").read_text()
    assert math.isinf(book.trials("E09")[0].numbers["alternating, 1000"])


def test_a_part_that_lacks_a_seed_leaves_the_verdict_open(tmp_path: Path) -> None:
    from dataclasses import replace

    book = Book.at(tmp_path / "book", quick=False)
    two = replace(experiments.get("E09"), parts=(Part("a", failing), Part("b", failing)))
    for part, seed in (("a", 0), ("b", 0), ("a", 1)):
        book.add("E09", Trial(part, seed, {}, {}, 0.1))
        assert book.verdict(two)[0] == ("not met" if (part, seed) == ("b", 0) else "incomplete")


def failing(seed: int, quick: bool) -> Measured:
    raise TrainingFailed("a vector is not finite at step 7")


def test_a_training_that_fails_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    broken = replace(experiments.get("E09"), parts=(Part("orbits", failing),))
    monkeypatch.setattr(experiments, "get", lambda name: broken)
    trial = carry_out(Job("E09", "orbits", 3, 1.0), True)
    assert trial.failed == "a vector is not finite at step 7"
    assert trial.numbers == {}


def test_places_that_are_no_book_are_refused(tmp_path: Path) -> None:
    full = tmp_path / "full"
    Book.at(full, quick=False)
    assert Book.at(full, quick=False) == Book(full, False)
    with pytest.raises(InputError, match="holds a book of full runs"):
        Book.at(full, quick=True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="not a book of results"):
        Book.at(other, quick=True)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]
    record = full / "book.json"
    record.write_text(json.dumps({"format": 99, "quick": False}))
    with pytest.raises(InputError, match="newer version"):
        Book.existing(full)
    record.write_text("no json")
    with pytest.raises(InputError, match="readable"):
        Book.existing(full)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("bilinaer", "did you mean bilinear"),
        ("", "give the names of experiments or --all"),
        ("E09 --all", "give the names of experiments or --all"),
        ("E09 --seeds 0", "--seeds is 0"),
        ("E09 --processes 0", "--processes is 0"),
    ],
)
def test_bad_requests_get_a_sentence(arguments: str, said: str, tmp_path: Path) -> None:
    done = here(f"reproduce {arguments} --out {tmp_path / 'book'}", tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "book").exists()


def test_missing_data_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from saddlepoint.experiments.book import missing

    monkeypatch.setenv("SADDLEPOINT_DATA", str(tmp_path))
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    wants = replace(experiments.get("E09"), parts=(Part("orbits", failing, data=("mnist",)),))
    assert "mnist" in missing([wants])["E09"]
    assert not missing([experiments.get("E09")])


def test_the_suite_is_one_table_of_four_experiments(tmp_path: Path) -> None:
    """Medians under the names that the experiments share; nothing where there is no number."""
    from saddlepoint.experiments import suite

    book = Book.at(tmp_path / "book", quick=False)
    assert suite.table(book) == []
    part = experiments.get("E05").parts[0].name
    for seed, modes in enumerate((3.0, 5.0, 9.0)):
        numbers = {"GAN, grid: modes": modes, "GAN, grid: KL": 0.5, "perfect, grid: modes": 25.0}
        book.add("E05", Trial(part, seed, numbers, {}, 0.1))
    lines = [dict(zip(suite.HEAD, line, strict=True)) for line in suite.table(book)]
    assert [line["method"] for line in lines] == ["perfect", "GAN"]
    assert lines[0]["grid: modes"] == "25"
    assert lines[1]["grid: modes"] == "5"
    assert lines[1]["grid: KL"] == "0.5"
    assert lines[1]["ring: modes"] == lines[1]["grid: HQ"] == ""


# -- figures -------------------------------------------------------------------------------------------

COMMITTED = Path(__file__).parent.parent / "docs" / "results"


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU more could be run, and the pages say so")
def test_the_committed_pages_are_those_of_the_committed_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(COMMITTED.parent.parent / "evidence")
    from book import front  # evidence/book.py

    book = Book.existing(COMMITTED)
    for name, text in texts(book).items():
        assert (COMMITTED / name).read_text() == text, "run evidence/book.py --pages"
    assert front(book) in (COMMITTED.parent.parent / "README.md").read_text()


@pytest.mark.parametrize("experiment", ALL, ids=lambda e: e.id)
def test_every_axis_of_a_figure_is_named(experiment: Experiment, tmp_path: Path) -> None:
    """From the committed results; axes say what they show, several curves have a legend, and the seeds are told."""
    if not (COMMITTED / "results" / f"{experiment.id}.json").is_file():
        pytest.skip(f"{experiment.id} has no committed results yet")
    shutil.copytree(COMMITTED / "results", tmp_path / "book" / "results")
    book = Book(tmp_path / "book")
    results = book.results(experiment)
    assert results.trials, "the committed results are those of another version: run the experiment again"
    figure = drawing.figure(experiment, results)
    figure.draw_without_rendering()
    drawn = [axes for axes in figure.axes if axes.get_label() != "<colorbar>" and axes.has_data()]
    assert drawn
    for axes in drawn:
        assert any(other.get_ylabel() for other in axes.get_shared_y_axes().get_siblings(axes))
        assert axes.get_xlabel() or any(
            label.get_text().strip("−-0123456789.e") for label in axes.get_xticklabels()
        )
    coloured = {str(line.get_color()) for axes in drawn for line in axes.lines if len(line.get_xdata()) > 2}
    told = figure.legends or any(axes.get_legend() for axes in drawn)
    assert told or len(coloured) < 2
    assert experiment.title in figure.get_suptitle()
    assert figure.get_supxlabel() == drawing.note(results)
