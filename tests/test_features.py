"""Extractors: features do not depend on batching, hashes follow content, and the cache is trusted by hash."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.data import load
from saddlepoint.data.protocol import Data
from saddlepoint.data.split import by_position
from saddlepoint.data.table import Table
from saddlepoint.errors import InputError
from saddlepoint.features import (
    PCA,
    Classifier,
    Extractor,
    Identity,
    classifier,
    content_hash,
    default_extractor,
    trained,
)
from saddlepoint.features import extractor as shared


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SADDLEPOINT_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def digits() -> Data:
    return load("digits")


@pytest.fixture(scope="module")
def judge(digits: Data, cache: Path) -> Classifier:
    return classifier(digits)


@pytest.fixture
def points() -> Table:
    """Three labelled clusters of vectors with columns of very different size."""
    source = np.random.default_rng(0)
    labels = source.integers(0, 3, 300)
    values = (source.normal(size=(300, 4)) + 4 * np.eye(4)[labels]) * [1, 100, 0.01, 1]
    return Table(
        "clusters",
        (4,),
        "sha256:clusters",
        values.astype(np.float32),
        by_position(200, 100),
        labels,
        ("a", "b", "c"),
    )


def images(n: int = 40, seed: int = 0) -> Tensor:
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_batching_does_not_change_features(
    digits: Data, judge: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    pca = PCA.fit(digits.training()["real"], 20)
    whole = [extractor(images()) for extractor in (Identity(), pca, judge)] + [judge.probabilities(images())]
    for block in (1, 7):
        monkeypatch.setattr(shared, "BLOCK", block)
        parts = [extractor(images()) for extractor in (Identity(), pca, judge)] + [
            judge.probabilities(images())
        ]
        for one, other in zip(whole, parts, strict=True):
            assert one.dtype == torch.float32
            assert torch.allclose(one, other, atol=1e-5, rtol=1e-5)


def test_identity_flattens() -> None:
    assert torch.equal(Identity()(images()), images().reshape(40, 64))
    assert (Identity().name, Identity().hash) == ("identity", content_hash({}))


@pytest.mark.parametrize(("n", "d"), [(200, 12), (10, 50)])
def test_principal_components_agree_with_singular_vectors(n: int, d: int) -> None:
    """The projections are U S up to the sign of each column; their variances are the largest there are."""
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(1)) * torch.linspace(3, 0.5, d)
    fitted = PCA.fit(rows, 5)
    left, size, _ = torch.linalg.svd(rows.double() - rows.double().mean(0), full_matrices=False)
    assert torch.allclose(fitted(rows).abs(), (left * size)[:, :5].abs().float(), atol=1e-4)
    assert fitted.name == "pca-5"
    assert PCA.fit(rows, 500).name == f"pca-{min(n - 1, d)}"


def test_hash_follows_content_and_nothing_else(digits: Data) -> None:
    rows = digits.training()["real"]
    assert PCA.fit(rows, 8).hash == PCA.fit(rows.clone(), 8).hash
    assert len({PCA.fit(rows, 8).hash, PCA.fit(rows, 9).hash, PCA.fit(rows[:-1], 8).hash}) == 3
    assert content_hash({"a": torch.zeros(2), "b": torch.ones(2)}) == content_hash(
        {"b": torch.ones(2), "a": torch.zeros(2)}
    )
    assert content_hash({"a": torch.zeros(2)}) != content_hash({"a": torch.zeros(1, 2)})


def test_digits_are_classified(digits: Data, judge: Classifier) -> None:
    held_out = digits.held_out()
    guessed = judge.probabilities(held_out["real"]).argmax(1)
    assert judge.accuracy == pytest.approx(float((guessed == held_out["label"]).double().mean()), abs=1e-12)
    assert judge.accuracy >= 0.97
    assert judge.name == "digits-cnn"
    assert judge(held_out["real"][:5]).shape == (5, 64)
    assert torch.allclose(judge.probabilities(images()).sum(1), torch.ones(40), atol=1e-5)


def test_vectors_are_classified_whatever_their_scale(points: Table) -> None:
    """The clusters are 4·sqrt(2) standard deviations apart: a Bayes error of about 2·Φ(−2.83) = 0.5 %."""
    found = classifier(points)
    assert found.accuracy >= 0.96
    assert found.name == "clusters-mlp"


def test_second_call_reads_the_cache(points: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    first = classifier(points)

    def refuse(*_: object) -> Classifier:
        raise AssertionError("trained again")

    monkeypatch.setattr(trained, "_train", refuse)
    again = classifier(points)
    assert (again.hash, again.accuracy, again.name) == (first.hash, first.accuracy, first.name)
    rows = points.held_out()["real"]
    assert torch.equal(first(rows), again(rows))
    for other in (replace(points, identity="sha256:other"), replace(points, classes=("a", "b", "d"))):
        with pytest.raises(AssertionError, match="trained again"):
            classifier(other)
    with pytest.raises(AssertionError, match="trained again"):
        classifier(points, seed=1)


def flip_a_byte_of_the_weights(content: bytes) -> bytes:
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


def halve(content: bytes) -> bytes:
    return content[: len(content) // 2]


def empty(_: bytes) -> bytes:
    return b""


def another_network(content: bytes) -> bytes:
    from safetensors.torch import save

    return save({"weight": torch.zeros(3)}, metadata={"classifier": '{"hash": "x", "accuracy": 1}'})


@pytest.mark.parametrize("damage", [flip_a_byte_of_the_weights, halve, empty, another_network])
def test_a_damaged_cache_file_is_trained_anew(points: Table, cache: Path, damage: object) -> None:
    assert callable(damage)
    first = classifier(points)
    path = next((cache / "classifiers").glob("clusters-mlp-*"))
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert classifier(points).hash == first.hash
    assert path.read_bytes() == whole  # training is deterministic, to the bit


def test_training_leaves_the_global_generators_alone(points: Table) -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    classifier(replace(points, identity="sha256:fresh"))
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])


def test_progress_is_told(points: Table) -> None:
    seen: list[tuple[int, int]] = []
    classifier(
        replace(points, identity="sha256:told"), progress=lambda done, total: seen.append((done, total))
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]


def test_a_cache_that_cannot_be_written_is_said_and_survived(
    points: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        assert classifier(replace(points, identity="sha256:homeless")).accuracy > 0.9
    assert "not kept" in caplog.text


def test_default_extractors(digits: Data, judge: Classifier, points: Table) -> None:
    assert isinstance(digits, Table)
    assert default_extractor(points) == Identity()
    assert default_extractor(digits).hash == judge.hash
    unlabelled = default_extractor(replace(digits, labels=None, classes=()))
    assert (type(unlabelled), unlabelled.name) == (PCA, "pca-64")


def test_bad_input_is_refused(digits: Data) -> None:
    assert isinstance(digits, Table)
    with pytest.raises(InputError, match="no labels"):
        classifier(replace(digits, labels=None, classes=()))
    with pytest.raises(InputError, match="2 samples"):
        PCA.fit(images(1))
    extractor: Extractor = PCA.fit(images(9))
    with pytest.raises(InputError, match="0 samples"):
        extractor(images(0))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 4), (3, 7, 33), (4, 64, 48), (2, 1, 9)])
def test_every_image_shape_has_a_network(shape: tuple[int, ...]) -> None:
    with torch.random.fork_rng(devices=[]):
        network = trained._network(shape, 3).eval()
    shifted = trained._shifted(torch.zeros(2, *shape), torch.Generator().manual_seed(0))
    assert shifted.shape == (2, *shape)
    assert network(shifted).shape == (2, 3)


def test_shifts_move_whole_images() -> None:
    """Away from the border a shifted image is the image moved: each is one of the nine moves."""
    batch = images(64)
    moved = trained._shifted(batch, torch.Generator().manual_seed(0))[:, :, 1:-1, 1:-1]
    moves = torch.stack([batch[:, :, 1 + i : 7 + i, 1 + j : 7 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    equal = (moves == moved).flatten(2).all(2)
    assert equal.any(0).all()
    assert equal.any(1).all()  # all nine happen


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("mnist", 0.985), ("fashion-mnist", 0.88), ("cifar10", 0.6)])
def test_the_real_sets_are_classified(name: str, least: float) -> None:
    if not os.environ.get("SADDLEPOINT_DATA"):
        pytest.skip("SADDLEPOINT_DATA does not name the folder of the real image sets")
    assert classifier(load(name)).accuracy >= least
