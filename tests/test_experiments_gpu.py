"""Experiments in the papers' size: every part carries a few of its steps out, and the book says what waits."""

from __future__ import annotations

import html
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saddlepoint import experiments
from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.experiments.book import Book, missing
from saddlepoint.experiments.experiment import Part
from saddlepoint.experiments.pages import write

IDS = ("E29", "E30", "E31")
PARTS = [(id, part) for id in IDS for part in experiments.get(id).parts]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU: they are run")
def test_without_a_gpu_they_are_shown_as_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SADDLEPOINT_DATA", str(tmp_path))
    chosen = [experiments.get(id) for id in IDS]
    book = Book.at(tmp_path / "book", quick=False)
    assert not list(book.jobs(chosen, None))
    assert not missing(chosen)  # what is not run needs no data
    assert {book.verdict(experiment)[0] for experiment in chosen} == {"GPU, not run"}
    write(book)
    for name in ("README.md", "index.html"):
        page = html.unescape((book.path / name).read_text())
        for experiment in chosen:
            assert f"{experiment.id} (GPU, not run)" in page
            assert f"saddlepoint reproduce {experiment.name}" in page
            assert experiment.protocol in page
        assert "78.9 ± 6.46" in page  # what was published stands there to be met


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("id", "part"), PARTS, ids=[f"{id} {part.name}" for id, part in PARTS])
def test_every_part_runs(id: str, part: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if id == "E31":
        from saddlepoint.experiments import e31_celeba

        monkeypatch.setattr(e31_celeba, "DATA", str(faces(tmp_path / "celeba")))
    else:
        try:
            for name in part.data:
                load(name)
        except InputError:
            pytest.skip(
                f"SADDLEPOINT_DATA is {os.environ.get('SADDLEPOINT_DATA')!r}: {part.data} are not there"
            )
    numbers = part.measure(0, True).numbers
    assert numbers
    assert not any(map(math.isnan, numbers.values()))
    assert set(numbers) <= {row.number for row in experiments.get(id).rows}


def faces(folder: Path) -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(240):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return folder
