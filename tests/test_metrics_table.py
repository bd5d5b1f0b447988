"""The controls are what they say; on digits the trust table refuses every fake and passes real images."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint.data import load
from saddlepoint.data.protocol import Data
from saddlepoint.data.split import Split
from saddlepoint.data.table import Table
from saddlepoint.errors import InputError
from saddlepoint.features import PCA, Classifier, classifier
from saddlepoint.metrics import (
    Acceptance,
    Quantities,
    Reference,
    Score,
    TrustTable,
    catalogue,
    fake_controls,
    trust_table,
)
from saddlepoint.metrics.table import COLUMNS

FAKES = ("independent pixels", "fitted Gaussian", "averages of two", "copies of training")


@pytest.fixture(scope="module")
def digits() -> Data:
    return load("digits")


@pytest.fixture(scope="module")
def judge(digits: Data) -> Classifier:
    return classifier(digits)


def untrained(n: int, seed: int) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
        return network(torch.randn(n, 16)).detach().view(n, 1, 8, 8)


def table(data: Data, judge: Classifier, seed: int, generated: Tensor | None = None) -> TrustTable:
    before = untrained(2000, seed)
    generated = before if generated is None else generated
    return trust_table(generated=generated, untrained=before, data=data, classifier=judge, seed=seed)


@pytest.fixture(scope="module")
def tables(digits: Data, judge: Classifier) -> list[TrustTable]:
    """One for each of five seeds, which choose the halves, the sets and the draws of the controls."""
    return [table(digits, judge, seed) for seed in range(5)]


def require_honest(found: TrustTable) -> None:
    """Every fake fails something, real images nothing, and each fake fails where it must."""
    failed = {row.name: Acceptance().failed(row) for row in found.rows}
    assert failed["held-out real"] == ()
    assert all(failed[name] for name in FAKES), failed
    assert failed["copies of training"] == ("distance-ratio",)
    assert "entropy" in failed["averages of two"]
    assert "floors" in failed["fitted Gaussian"]
    assert "distance-ratio" in failed["independent pixels"]


@pytest.mark.parametrize("seed", range(5))
def test_fakes_fail_and_held_out_digits_pass(tables: list[TrustTable], seed: int) -> None:
    require_honest(tables[seed])
    copies = tables[seed].row("copies of training").scores
    assert tables[seed].row("generated").scores["relative"].value == pytest.approx(1)
    assert copies["distance-ratio"].value == 0
    assert copies["floors"].value == pytest.approx(1, abs=0.25)
    assert tables[seed].row("fitted Gaussian").scores["nn-accuracy"].floor == pytest.approx(0.5, abs=0.1)


def test_real_images_are_at_one_floor_on_average(tables: list[TrustTable]) -> None:
    """Over five halvings: 1 floor within a third, 1-NN accuracy ½ and distance ratio 1 within a twentieth."""
    rows = [found.row("held-out real") for found in tables]
    means = {name: np.mean([row.scores[name].value for row in rows]) for name in rows[0].scores}
    assert means["floors"] == pytest.approx(1, abs=0.34)
    assert means["nn-accuracy"] == pytest.approx(0.5, abs=0.05)
    assert means["distance-ratio"] == pytest.approx(1, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_fakes_fail_for_any_split(
    digits: Data, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path))
    assert isinstance(digits, Table)
    order = np.random.default_rng(seed).permutation(1797)
    other = replace(digits, split=Split(order[450:], order[:450]), identity=f"digits split {seed}")
    require_honest(table(other, classifier(other), seed))


def test_every_number_says_how_many_rows_it_was_taken_at(digits: Data, tables: list[TrustTable]) -> None:
    found = tables[0]
    held_out, trained = len(digits.held_out()["real"]), digits.size
    counts = {
        name: (score.n_fake, score.n_real) for name, score in found.row("fitted Gaussian").scores.items()
    }
    assert counts["share"] == counts["distance-ratio"] == (2000, held_out)
    assert counts["frechet"] == counts["floors"] == counts["relative"] == (trained, held_out)
    assert counts["nn-accuracy"] == (held_out, held_out)
    halved = found.row("held-out real").scores["nn-accuracy"]
    assert (halved.n_fake, halved.n_real) == (held_out // 2, held_out // 2)
    for row in found.rows:
        assert len(row.shares) == 10
        assert sum(row.shares) == pytest.approx(1)
        for score in row.scores.values():
            assert score.interval is not None
            assert score.interval[0] <= score.value <= score.interval[1]


def test_the_record_of_the_table_is_plain_json(tables: list[TrustTable]) -> None:
    record = json.loads(json.dumps(tables[0].to_json(Acceptance()), allow_nan=False))
    names = {column["id"] for column in record["columns"]}
    assert names == {column.id for column in COLUMNS}
    assert [column["id"] for column in record["columns"] if column["limit"] is None] == ["frechet"]
    assert record["acceptance"]["distance ratio"] == "0.8 to 1.3"
    assert record["acceptance"]["smallest class share"] == "at least 0.04"
    assert record["acceptance"]["mean entropy"] == "at most 0.25"
    for row in record["rows"]:
        assert set(row["values"]) == set(row["counts"]) == set(row["scores"]) == names
        assert set(row["failed"]) <= names


def test_acceptance_is_a_value(tables: list[TrustTable]) -> None:
    row = tables[0].row("copies of training")
    assert Acceptance(ratio=(0.0, 1.3)).failed(row) == ()
    assert Acceptance(min_share=0.2, max_entropy=0, max_nn_accuracy=0.1).failed(row) == (
        "share", "entropy", "nn-accuracy", "distance-ratio",
    )  # fmt: skip


def test_too_few_or_misshapen_images_are_refused(digits: Data, judge: Classifier) -> None:
    for generated, said in ((torch.zeros(10, 1, 8, 8), "2000 or more"), (torch.zeros(2000, 1, 9, 8), "9")):
        with pytest.raises(InputError, match=said):
            table(digits, judge, 0, generated)


def test_reference_scores_real_rows_at_the_floor_and_noise_far_above(digits: Data) -> None:
    rows = digits.training()["real"]
    reference = Reference(digits, PCA.fit(rows, 16))

    def scores(samples: Tensor) -> dict[str, Score]:
        taken = (catalogue.get(name) for name in ("fd", "precision-recall"))
        return {score.metric: score for one in taken for score in Quantities(reference, samples).scores(one)}

    same, worse = scores(digits.training(2000)["real"]), scores(rows + torch.randn_like(rows))
    assert all(score.value == score.floor for score in same.values())
    assert worse["frechet-distance"].value > 10 * (worse["frechet-distance"].floor or 0)
    assert worse["precision"].value < 0.5 * same["precision"].value
    few = scores(rows[:100])["frechet-distance"]
    assert (few.n_fake, few.n_real) == (100, len(digits.held_out()["real"]))
    assert few.floor is not None
    assert same["frechet-distance"].floor is not None
    assert few.floor > same["frechet-distance"].floor  # the floor is taken at the same n, and so rises too


@pytest.fixture
def rows() -> Tensor:
    """Correlated columns well inside [−1, 1], of small sizes, as images of one channel."""
    source = torch.Generator().manual_seed(0)
    mixed = torch.randn(60, 2, generator=source) @ torch.randn(2, 6, generator=source)
    return (0.05 * mixed + 0.1).view(60, 1, 2, 3)


def test_controls_are_what_they_say(rows: Tensor) -> None:
    made = fake_controls(training=rows, n=4000, seed=0)
    assert {name: tuple(images.shape) for name, images in made.items()} == dict.fromkeys(
        FAKES, (4000, 1, 2, 3)
    )
    flat, source = {name: images.flatten(1) for name, images in made.items()}, rows.flatten(1)
    for column in range(6):
        assert set(flat["independent pixels"][:, column].tolist()) == set(source[:, column].tolist())
    correlation = torch.corrcoef(flat["independent pixels"].T) - torch.eye(6)
    assert correlation.abs().max() < 5 / 4000**0.5
    assert torch.allclose(
        flat["fitted Gaussian"].T.cov(), source.T.cov(), atol=0.1 * float(source.var(0).max())
    )
    assert torch.linalg.matrix_rank(flat["fitted Gaussian"] - source.mean(0), rtol=1e-4) == 2
    pairs = (source[:, None] + source[None]) / 2
    nearest = torch.cdist(flat["averages of two"], pairs[~torch.eye(60, dtype=torch.bool)]).amin(1)
    assert nearest.max() < 1e-3
    copies = {tuple(row) for row in flat["copies of training"][:60].tolist()}
    assert copies == {tuple(row) for row in source.tolist()}


def test_controls_are_keyed_by_their_seed(rows: Tensor) -> None:
    first, again, other = (fake_controls(training=rows, n=50, seed=seed) for seed in (0, 0, 1))
    for name in FAKES:
        assert torch.equal(first[name], again[name])
        assert not torch.equal(first[name], other[name])


def test_one_training_row_is_refused(rows: Tensor) -> None:
    with pytest.raises(InputError, match="at least 2 training rows"):
        fake_controls(training=rows[:1], n=5, seed=0)
