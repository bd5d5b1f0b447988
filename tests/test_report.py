"""The report: everything in the run folder reaches the page, and nothing else does."""

from __future__ import annotations

import ast
import json
import math
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from report_runs import METHOD, bare_run, dump, dump_lines, full_run, hostile_run, looks, score, trust_table
from saddlepoint.errors import InputError
from saddlepoint.images import grid, png, scatter
from saddlepoint.metrics import catalogue
from saddlepoint.report import render, write
from saddlepoint.report.curves import POINTS, chart, series
from saddlepoint.report.frames import BUDGET, MOST
from saddlepoint.report.text import duration, layout, number


class Page(HTMLParser):
    """What a reader and a browser get from a page: its words, its elements, its addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    def values(self, attribute: str) -> list[str]:
        return [value for _, found in self.tags if (value := found.get(attribute)) is not None]


# What is not a run, or hardly one


def test_a_folder_that_is_not_a_run_is_refused_and_stays_untouched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a run: it has no run\.json"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["{", "[1]", '"run"'])
def test_a_broken_run_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(InputError, match=r"run\.json"):
        write(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_a_run_that_has_only_begun_has_a_short_page(tmp_path: Path) -> None:
    path = write(bare_run(tmp_path))
    page = Page(path.read_text(encoding="utf-8"))
    assert path == tmp_path / "report.html"
    assert "Not finished: nothing is logged yet." in page.text
    sections = [attributes["id"] for attributes in page.all("section")]
    assert sections == ["method", "cost", "setting"]


def test_a_run_file_without_any_entry_still_has_a_page(tmp_path: Path) -> None:
    dump(tmp_path / "run.json", {})
    assert "a method on data" in Page(render(tmp_path)).text


def test_a_line_cut_short_and_a_picture_cut_short_are_noted(tmp_path: Path) -> None:
    run = full_run(tmp_path, steps=600, pictures=3)
    with open(run / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": 601, "loss/gen')
    picture = run / "samples" / "00000300.png"
    picture.write_bytes(picture.read_bytes()[:200])
    page = Page(render(run))
    assert "metrics.jsonl: 1 of 601 lines cannot be read" in page.text
    assert "samples: 1 of 3 pictures cannot be read" in page.text
    assert "2 of 3 saved pictures" in page.text


@pytest.mark.parametrize(
    "odd", [None, [], {}, "text", True, math.inf, math.nan, 10**400, [[1]]], ids=lambda odd: repr(odd)[:9]
)
def test_odd_values_in_the_files_give_a_page_all_the_same(tmp_path: Path, odd: Any) -> None:
    run = full_run(tmp_path, steps=20, pictures=2)
    for path in (*run.glob("*.json"), *run.glob("*.jsonl")):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        spoilt = [spoil(line, odd) | ({"step": line["step"]} if "step" in line else {}) for line in lines]
        dump_lines(path, spoilt)
    assert "Method" in Page(render(run)).text


def spoil(tree: Any, odd: Any) -> Any:
    """The same JSON with `odd` for everything that is neither an object nor a list of objects."""
    if isinstance(tree, dict):
        return {key: spoil(value, odd) for key, value in tree.items()}
    if isinstance(tree, list) and tree and isinstance(tree[0], dict):
        return [spoil(value, odd) for value in tree]
    return odd


def test_a_report_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    (bare_run(tmp_path) / "report.html").mkdir()
    with pytest.raises(InputError, match=r"report\.html cannot be written"):
        write(tmp_path)


def test_points_in_the_plane(tmp_path: Path) -> None:
    run = bare_run(tmp_path, shape=(2,))
    (run / "samples").mkdir()
    points = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    (run / "samples" / "00000100.png").write_bytes(scatter(points))
    page = Page(render(run))
    assert "drawn from a density" in page.text
    assert page.all("input") == []  # a single picture needs no slider
    assert len(page.all("img")) == 1


# What the page says


def test_every_part_of_a_run_reaches_the_page(tmp_path: Path) -> None:
    text = Page(render(full_run(tmp_path))).text
    expected = [
        "r3gan on digits",
        "Finished after 3,000 steps and 192,000 images.",
        "2 min 30 s",
        "612 MB",
        "objective=RelativisticLogistic(),",
        "arXiv:2501.05441",
        "half-life of 5,000 images",
        "DCGAN(width=64, latent=64)",
        "gradient evaluations – 6,000",
        "steps 3,000 3,000",
        "9a8b7c6d5e4f",
        "360 / 2,000",
        "held-out",
        "floor: real against real",
        "one fitted Gaussian",
        "✗ fails 5 of 6 as a fake must",
        "at most 0.85",
        "0.8 to 1.3",
        "2000 / 360",
        "Fakes caught: 4 of 4.",
        "python 3.11.9",
        "saddlepoint train r3gan --data digits --steps 3000 --out runs/digits",
    ]
    assert [part for part in expected if part not in text] == []


def test_findings_stand_with_evidence_and_remedy(tmp_path: Path) -> None:
    text = Page(render(full_run(tmp_path))).text
    assert "1 finding in 7 looks, the last at step 3,000." in text
    assert "Samples reach few regions of the data since step 1,000." in text
    assert "cells 0.19" in text
    assert "Lin et al. 2018" in text
    assert "Regions that samples reach, coverage and precision" in text


def test_a_run_in_which_nothing_was_found_says_so(tmp_path: Path) -> None:
    run = full_run(tmp_path)
    dump_lines(run / "health.jsonl", looks([0, 500]))
    text = Page(render(run)).text
    assert (
        "Nothing found but a note in 2 looks, the last at step 500." in text
    )  # that it is far from the data


def test_final_scores_are_the_last_with_floor_and_first_beside_them(tmp_path: Path) -> None:
    run = bare_run(tmp_path)
    lines = [
        {"step": step, "weights": "average", "scores": [score("Frechet distance", value, 0.5)]}
        for step, value in ((0, 40.0), (100, 3.0), (200, 2.0), (200, 1.5))
    ]
    dump_lines(run / "evaluations.jsonl", lines)
    text = Page(render(run)).text
    # Of two lines with one identity at a step the later counts; 1.5 / 0.5 = 3.
    assert "Frechet distance average weights 1.5 1.35 to 1.65 0.5 3 × 40 step 0 360 / 2,000" in text
    assert "2.2" not in text


def test_a_card_says_what_a_number_is_blind_to(tmp_path: Path) -> None:
    """Of metrics of the catalogue alone; blur is for images, so that points are not judged by it."""
    metric = catalogue.get("fd")
    scores = [score("frechet-distance", 1.5, 0.5), score("homemade", 2.0, None)]
    for shape, blurred in (((1, 8, 8), True), ((2,), False)):
        run = bare_run(tmp_path / str(len(shape)), shape=shape)
        dump_lines(run / "evaluations.jsonl", [{"step": 5, "weights": "raw", "scores": scores}])
        page = Page(render(run))
        assert len([tag for tag, _ in page.tags if tag == "article"]) == 1
        assert f"Blind to {metric.blind}." in page.text
        assert f"{metric.title} Score Value interval Floor frechet-distance lower is better 1.5" in page.text
        assert ("✓ blur" in page.text) == blurred
        assert "✓ shift" in page.text
        assert "– copies not noticed" in page.text


def test_a_control_that_fools_the_measures_is_said_to(tmp_path: Path) -> None:
    table = trust_table()
    table["rows"][5]["failed"] = []
    table["rows"][0]["failed"] = ["entropy"]
    dump(bare_run(tmp_path) / "trust.json", table)
    text = Page(render(tmp_path)).text
    assert "✓ passes all 6 though a fake" in text
    assert "generated: fails 1 of 6. Fakes caught: 3 of 4." in text


def test_a_picture_outside_the_run_is_not_shown(tmp_path: Path) -> None:
    run = bare_run(tmp_path / "run")
    (tmp_path / "secret.png").write_bytes(png(grid(torch.zeros(1, 1, 8, 8))))
    table = trust_table()
    for row in table["rows"]:
        row["image"] = "../secret.png"
    dump(run / "trust.json", table)
    assert Page(render(run)).all("img") == []


# What the page is made of


def test_the_page_asks_for_nothing_and_repeats_itself(tmp_path: Path) -> None:
    run = full_run(tmp_path)
    text = render(run)
    page = Page(text)
    assert text == render(run)
    assert page.values("src")
    assert all(address.startswith("data:image/") for address in page.values("src"))
    assert all(address.startswith(("#", "data:,")) for address in page.values("href"))
    assert not {"iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert "@import" not in text
    assert "url(http" not in text
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv"))
    assert policy
    assert policy.startswith("default-src 'none'")
    assert "'unsafe-inline'; script" in policy
    assert len(text) < 700_000


def test_ids_are_unique_and_every_reference_finds_its_own(tmp_path: Path) -> None:
    page = Page(render(full_run(tmp_path)))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    clips = [value.removeprefix("url(#").removesuffix(")") for value in page.values("clip-path")]
    pointed = [value.removeprefix("#") for value in page.values("href") if value.startswith("#")]
    labelled = page.values("aria-labelledby") + page.values("for")
    assert clips
    assert set(clips + pointed + labelled) <= set(ids)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    page = Page(render(hostile_run(tmp_path)))
    assert len(page.all("script")) == 1
    assert page.values("onerror") == []
    assert "x" not in page.values("src")
    assert page.text.count("window.hacked=1") > 20  # the names are there, as text


def test_pictures_are_thinned_evenly_with_first_and_last(tmp_path: Path) -> None:
    run = bare_run(tmp_path)
    (run / "samples").mkdir()
    for place in range(200):
        (run / "samples" / f"{50 * place:08}.png").write_bytes(png(grid(torch.zeros(4, 1, 8, 8))))
    labels = Page(render(run)).values("data-label")
    steps = [int(label.split()[1].replace(",", "")) for label in labels]
    assert len(steps) == MOST
    assert steps[0] == 0
    assert steps[-1] == 199 * 50
    assert max(np.diff(steps)) - min(np.diff(steps)) <= 50


def test_large_pictures_leave_the_page_small(tmp_path: Path) -> None:
    run = bare_run(tmp_path, shape=(3, 96, 96))
    (run / "samples").mkdir()
    noise = torch.rand(64, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    (run / "samples" / "00000000.png").write_bytes(png(grid(noise)))
    for step in range(1, 15):
        shutil.copy(run / "samples" / "00000000.png", run / "samples" / f"{step:08}.png")
    assert (run / "samples" / "00000000.png").stat().st_size > BUDGET / 2
    page = Page(render(run))
    assert len(page.all("img")) == 10
    assert {image["width"] for image in page.all("img")} == {"782"}  # 8 x 96 + 7 gaps of 2


# Curves


@pytest.mark.parametrize("count", [1, 2, POINTS, 2 * POINTS, 2 * POINTS + 1, 100_003])
def test_a_thinned_curve_keeps_extremes_ends_and_mean(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    values[count // 3] = 50.0
    steps = np.arange(1.0, count + 1)
    curve = series("loss", (steps, values))
    assert curve is not None
    assert len(curve.steps) <= 2 * POINTS
    assert curve.high.max() == 50.0
    assert curve.low.min() == values.min()
    assert (curve.steps[0], curve.steps[-1], curve.last) == (1.0, count, values[-1])
    assert (np.diff(curve.steps) > 0).all()
    assert ((curve.low <= curve.mean + 1e-12) & (curve.mean <= curve.high + 1e-12)).all()
    weights = np.full(len(curve.steps), curve.size)
    weights[-1] = count - weights[:-1].sum()
    assert np.average(curve.mean, weights=weights) == pytest.approx(values.mean(), abs=1e-12)


def test_a_long_log_is_a_small_drawing() -> None:
    values = np.random.default_rng(0).normal(size=(2, 100_000))
    steps = np.arange(100_000.0)
    curves = [curve for name, row in zip("ab", values, strict=True) if (curve := series(name, (steps, row)))]
    drawing = chart("Losses", curves, "log-0")
    assert len(drawing.svg) < 60_000
    assert drawing.notes == ["Line: mean of 417 logged steps; band: their least and largest value."]


def test_values_that_are_not_finite_are_counted_and_left_out() -> None:
    column = np.arange(4.0), np.array([1.0, np.nan, np.inf, 2.0])
    curve = series("loss", column)
    assert curve is not None
    assert curve.lost == 2
    assert curve.steps.tolist() == [0.0, 3.0]
    assert chart("Losses", [curve], "log-0").notes == ["loss: 2 of 4 logged values not finite."]
    assert series("loss", (np.arange(2.0), np.full(2, np.nan))) is None


def test_an_outlier_does_not_flatten_the_drawing_and_is_mentioned() -> None:
    values = np.sin(np.arange(400.0))
    plain = series("loss", (np.arange(400.0), values))
    values[7] = 1e6
    spiked = series("loss", (np.arange(400.0), values))
    assert plain is not None
    assert spiked is not None
    assert chart("Losses", [plain], "log-0").notes == []
    assert chart("Losses", [spiked], "log-0").notes == ["A few extreme values lie outside the drawing."]


# Text


@pytest.mark.parametrize(
    "expression",
    [METHOD, "Net()", "f(a=(1,), b=[], c={}, d='x(,', e=-1e-09, g=(Value(x=1.50), *rest))", "f(**{'a': 1})"],
)
@pytest.mark.parametrize("width", [1, 20, 72])
def test_a_laid_out_value_is_the_same_value(expression: str, width: int) -> None:
    lines = layout(expression, width)
    assert ast.dump(ast.parse(lines, mode="eval")) == ast.dump(ast.parse(expression, mode="eval"))
    assert layout(lines, width) == lines
    if width == 72:
        assert max(map(len, lines.splitlines())) <= 76  # a trailing comma and bracket may stick out


def test_what_is_no_expression_is_shown_as_it_is() -> None:
    assert layout("<Method object at 0x7f>") == "<Method object at 0x7f>"
    assert layout("") == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (True, "yes"), (12000, "12,000"), (0.0, "0"), (0.123456, "0.1235"), (1234.5, "1,234"),
        (-0.5, "−0.5"), (2e-5, "2e−05"), (3.2e7, "3.2e+07"), (math.nan, "not a number"), (-math.inf, "−∞"),
        ("a < b", "a < b"),
    ],
)  # fmt: skip
def test_numbers(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.05, "50 ms"),
        (3.14159, "3.14 s"),
        (59.99, "60 s"),
        (192, "3 min 12 s"),
        (7260, "2 h 1 min"),
        (None, "–"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
