"""Named image sets: the published formats, their damage, and the real files where they are at hand."""

from __future__ import annotations

import gzip
import lzma
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from saddlepoint.data import catalogue, load
from saddlepoint.data.formats import CIFAR_RECORD, read_bytes, read_cifar, read_idx, read_labels
from saddlepoint.errors import InputError

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def real():
    if not os.environ.get("SADDLEPOINT_DATA"):
        pytest.skip(
            "needs the published files: set SADDLEPOINT_DATA to the folder that holds mnist/ and cifar10/"
        )
    return Path(os.environ["SADDLEPOINT_DATA"])


def idx(array):
    return (
        struct.pack(">BBBB", 0, 0, 8, array.ndim)
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


@pytest.fixture
def small(tmp_path, monkeypatch):
    """An MNIST of 50 + 20 random images of 6x5 pixels, one file compressed; every image knows its label."""
    random = np.random.default_rng(0)
    home = tmp_path / "data" / "mnist"
    home.mkdir(parents=True)
    for (images, labels), count in zip((NAMES[:2], NAMES[2:]), (50, 20), strict=True):
        digits = np.arange(count, dtype=np.uint8) % 10
        pixels = random.integers(0, 255, (count, 6, 5), np.uint8)
        pixels[:, 0, 0] = 25 * digits
        (home / images).write_bytes(idx(pixels))
        (home / f"{labels}.gz").write_bytes(gzip.compress(idx(digits)))
    monkeypatch.setenv("SADDLEPOINT_DATA", str(tmp_path / "data"))
    return home


def first_pixel(images):
    """The label that the first pixel carries."""
    return ((images[..., 0, 0] + 1) * 127.5 / 25).round().long()


def test_idx_rows_keep_their_labels(small):
    data = load("mnist")
    assert (data.shape, data.size, data.classes) == ((1, 6, 5), 50, tuple("0123456789"))
    for batch in (data.rows(0, 0, 120), data.training(), data.held_out()):
        assert torch.equal(first_pixel(batch["real"][:, 0]), batch["label"])
    assert len(data.held_out()["real"]) == 20


def test_stacked_spells_its_label(small):
    data = load("stacked-mnist")
    assert (data.shape, data.size, len(data.classes)) == ((3, 6, 5), 128_000, 1000)
    for batch in (data.rows(0, 0, 300), data.held_out(300)):
        red, green, blue = first_pixel(batch["real"]).T
        assert torch.equal(100 * red + 10 * green + blue, batch["label"])
    everything = data.held_out()["label"]
    assert len(everything) == 26_000
    counts = torch.bincount(
        everything, minlength=1000
    )  # the small set is balanced, hence the 1000 classes are
    assert stats.chisquare(counts.numpy()).pvalue > 1e-7
    held = {plane.numpy().tobytes() for row in data.held_out(500)["real"] for plane in row}
    trained = {plane.numpy().tobytes() for row in data.rows(0, 0, 500)["real"] for plane in row}
    assert not held & trained
    assert load("stacked-mnist", size=9).shape == (3, 9, 9)
    with pytest.raises(InputError, match="3 channels by construction"):
        load("stacked-mnist", channels=1)


def test_views_resize_and_convert(small):
    assert load("mnist", size=32).shape == (1, 32, 32)
    coloured = load("mnist", channels=4)
    batch = coloured.training(5)["real"]
    assert torch.equal(batch[:, 0], batch[:, 2])
    assert (batch[:, 3] == 1).all()
    assert torch.equal(batch[:, :1], load("mnist").training(5)["real"])


def test_truncated_and_foreign_files_are_named(small):
    whole = (small / NAMES[0]).read_bytes()
    labels = gzip.compress(idx(np.zeros(50, np.uint8)))
    damages = [
        (NAMES[0], whole[:-1], "truncated"),
        (NAMES[0], whole + b"x", "announces"),
        (NAMES[0], whole[:10], "not an IDX file"),
        (NAMES[0], b"", "not an IDX file"),
        (NAMES[0], idx(np.zeros(50, np.uint8)), "not an IDX file"),
        (NAMES[0], b"\x00\x00\x0d" + whole[3:], "not an IDX file"),  # floats
        (NAMES[0], struct.pack(">BBBBIII", 0, 0, 8, 3, *(3 * [2**32 - 1])), "announces"),
        (NAMES[0], idx(np.zeros((49, 6, 5), np.uint8)), "49 images for 50 labels"),
        (NAMES[0], idx(np.zeros((50, 7, 5), np.uint8)), "another size"),
        (f"{NAMES[1]}.gz", labels[:-4], "truncated or damaged"),
        (f"{NAMES[1]}.gz", b"no gzip", "truncated or damaged"),
        (f"{NAMES[1]}.gz", gzip.compress(idx(np.full(50, 10, np.uint8))), "label 10"),
    ]
    for name, content, words in damages:
        before = (small / name).read_bytes()
        (small / name).write_bytes(content)
        with pytest.raises(InputError, match=words) as caught:
            load("mnist")
        assert name.removesuffix(".gz")[:5] in str(caught.value)
        assert str(small) in str(caught.value)
        (small / name).write_bytes(before)
    load("mnist")


def test_decompression_is_bounded(tmp_path):
    for name, packed in (("a.gz", gzip.compress(bytes(10**6))), ("a.xz", lzma.compress(bytes(10**6)))):
        (tmp_path / name).write_bytes(packed)
        assert len(read_bytes(tmp_path / name, 10**6)) == 10**6
        with pytest.raises(InputError, match="more than 999999 bytes"):
            read_bytes(tmp_path / name, 10**6 - 1)
        (tmp_path / name).write_bytes(packed[: len(packed) // 2])
        with pytest.raises(InputError, match="truncated or damaged"):
            read_bytes(tmp_path / name)


def test_cifar_records(tmp_path):
    records = np.random.default_rng(0).integers(0, 256, (7, CIFAR_RECORD), np.uint8)
    records[:, 0] %= 10
    path = tmp_path / "batch.bin.xz"
    path.write_bytes(lzma.compress(records.tobytes()))
    images, labels = read_cifar(path)
    assert np.array_equal(labels, records[:, 0])
    # One byte of each colour, counted by hand: plane p, row r, column c lies at 1 + 1024 p + 32 r + c
    assert images[3, 0, 2, 5] == records[3, 1 + 64 + 5]
    assert images[3, 1, 0, 31] == records[3, 1 + 1024 + 31]
    assert images[6, 2, 31, 0] == records[6, 1 + 2048 + 31 * 32]
    for content, words in (
        (records.tobytes()[:-1], "whole number"),
        (b"", "whole number"),
        (b"\x0a" * CIFAR_RECORD, "label 10"),
    ):
        path.write_bytes(lzma.compress(content))
        with pytest.raises(InputError, match=words):
            read_cifar(path)


def test_cifar_batches_follow_each_other(tmp_path, monkeypatch):
    """Five batches of black images, batch b labelled b, and a short test batch of white ones labelled 9."""
    home = tmp_path / "data" / "cifar10"
    home.mkdir(parents=True)
    for number in range(1, 6):
        records = np.zeros((10_000, CIFAR_RECORD), np.uint8)
        records[:, 0] = number
        records.tofile(home / f"data_batch_{number}.bin")
    np.tile(np.array([9] + 3072 * [255], np.uint8), (12, 1)).tofile(home / "test_batch_first1000.bin")
    monkeypatch.setenv("SADDLEPOINT_DATA", str(tmp_path / "data"))
    data = load("cifar10", size=2)
    train, held = data.training(), data.held_out()
    assert torch.bincount(train["label"]).tolist() == [0] + 5 * [10_000]
    assert (train["real"] == -1).all()
    assert held["label"].tolist() == 12 * [9]
    assert (held["real"] == 1).all()
    assert data.shape == (3, 2, 2)
    np.zeros((9_999, CIFAR_RECORD), np.uint8).tofile(home / "data_batch_4.bin")
    with pytest.raises(InputError, match=r"data_batch_4\.bin has 9999 records"):
        load("cifar10")


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    data = load("digits")
    rows = [data.training(), data.held_out()]
    levels = torch.cat([batch["real"] for batch in rows]).add(1).mul(8)
    ours = {
        (tuple(image.flatten().round().long().tolist()), label)
        for image, label in zip(levels, torch.cat([batch["label"] for batch in rows]).tolist(), strict=True)
    }
    bunch = load_digits()
    theirs = {
        (tuple(map(int, image.flatten())), int(label))
        for image, label in zip(bunch.images, bunch.target, strict=True)
    }
    assert ours == theirs
    assert len(theirs) == 1797  # no two are equal, so sides cannot share one
    for label in range(10):
        trains, held = ((batch["label"] == label).sum().item() for batch in rows)
        assert held == round(0.25 * (trains + held))


def test_real_mnist_has_the_published_counts(real):
    data = load("mnist")
    train, test = data.training(), data.held_out()
    assert torch.bincount(train["label"]).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert torch.bincount(test["label"]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    unit = train["real"].double().add(1).div(2)
    assert unit.mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert unit.std().item() == pytest.approx(0.3081, abs=5e-5)
    # Labels belong to their images: the nearest class mean is mostly right, a tenth of the time if shuffled.
    means = torch.stack([train["real"][train["label"] == label].mean(0).flatten() for label in range(10)])
    right = torch.cdist(test["real"].flatten(1), means).argmin(1) == test["label"]
    assert right.double().mean() > 0.8


def test_real_fashion_is_balanced(real):
    data = load("fashion-mnist")
    assert torch.bincount(data.training()["label"]).tolist() == [6000] * 10
    assert torch.bincount(data.held_out()["label"]).tolist() == [1000] * 10
    assert data.classes[9] == "Ankle boot"


def test_real_cifar_test_records(real):
    path = next((real / "cifar10").glob("test_batch*"))
    _, labels = read_cifar(path)
    assert np.bincount(labels[:1000]).tolist() == [103, 89, 100, 103, 90, 86, 112, 102, 106, 109]


@pytest.mark.slow
def test_real_cifar_loads_whole(real):
    data = load("cifar10")
    train = data.training()
    assert torch.bincount(train["label"]).tolist() == [5000] * 10
    unit = train["real"].double().add(1).div(2)
    assert unit.mean((0, 2, 3)).tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=5e-5)
    assert unit.std((0, 2, 3)).tolist() == pytest.approx([0.2470, 0.2435, 0.2616], abs=5e-5)
    assert data.identity == load("cifar10").identity


def test_real_sets_are_listed_as_at_hand(real, monkeypatch):
    at_hand = {entry["name"]: entry["available"] for entry in catalogue()}
    assert all(at_hand[name] for name in ("mnist", "fashion-mnist", "cifar10", "stacked-mnist"))
    monkeypatch.delenv("SADDLEPOINT_DATA")
    at_hand = {entry["name"]: entry["available"] for entry in catalogue()}
    assert not any(at_hand[name] for name in ("mnist", "fashion-mnist", "cifar10", "stacked-mnist"))


def test_idx_readers_agree_with_the_written(tmp_path):
    array = np.random.default_rng(1).integers(0, 10, (4, 3, 2), np.uint8)
    (tmp_path / "a").write_bytes(idx(array))
    assert np.array_equal(read_idx(tmp_path / "a", 3), array)
    (tmp_path / "b").write_bytes(idx(array[:, 0, 0].copy()))
    assert np.array_equal(read_labels(tmp_path / "b", 10), array[:, 0, 0])
