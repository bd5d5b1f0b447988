"""Arrays in files: what rows they give, and one sentence for what they cannot be."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import torch

from saddlepoint.data import load
from saddlepoint.errors import InputError

NORMAL = np.random.default_rng(0).normal(size=(300, 3))
LEVELS = np.random.default_rng(1).integers(0, 256, (40, 6, 5, 3), np.uint8)


def rows(data):
    """All rows of both sides, sorted."""
    return sorted(
        tuple(row.flatten().tolist()) for side in (data.training(), data.held_out()) for row in side["real"]
    )


def saved(tmp_path, array, name="array.npy"):
    np.save(tmp_path / name, array)
    return str(tmp_path / name)


def refused(path, words):
    with pytest.raises(InputError, match=words) as caught:
        load(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64, np.uint8, bool])
def test_tables_are_vectors_with_their_values(tmp_path, dtype):
    table = np.random.default_rng(1).integers(-3, 4, (30, 4)).astype(dtype)
    data = load(saved(tmp_path, table))
    assert data.shape == (4,)
    assert rows(data) == sorted(tuple(row) for row in table.astype(np.float32).tolist())
    assert data.name == "file:array.npy"


def test_one_dimension_is_a_column(tmp_path):
    assert load(saved(tmp_path, np.arange(30.0))).shape == (1,)


def test_layouts_of_images_agree(tmp_path):
    last = load(saved(tmp_path, LEVELS))
    first = load(saved(tmp_path, LEVELS.transpose(0, 3, 1, 2), "first.npy"))
    assert last.shape == first.shape == (3, 6, 5)
    assert rows(last) == rows(first)
    assert last.identity == first.identity
    one = last.training(1)["real"][0]
    assert any(
        torch.equal(one, torch.from_numpy(image / np.float32(127.5) - 1).permute(2, 0, 1)) for image in LEVELS
    )


def test_numbers_in_images_mean_the_same(tmp_path):
    """Levels as bytes or wide integers, fractions in [0, 1] or [-1, 1]: one picture."""
    grey = LEVELS[..., 0]
    unit = grey / 255.0
    kinds = (grey, grey.astype(np.int32), unit, 2 * unit - 1)
    sets = [load(saved(tmp_path, array, f"{number}.npy")) for number, array in enumerate(kinds)]
    for data in sets:
        assert data.shape == (1, 6, 5)
        assert np.allclose(rows(data), rows(sets[0]), atol=1e-6)
    black = load(saved(tmp_path, LEVELS[..., 0] > 99))
    assert set(np.unique(rows(black))) == {-1.0, 1.0}


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((9, 6, 5)) - 2, "values from -2.0 to -2.0"),
        (np.full((9, 6, 5), 256), "levels from 256 to 256"),
        (np.full((9, 6, 5), -1), "levels from -1"),
        (np.full((9, 6, 5), np.nan), "nan in row 1, place"),
        (np.zeros((9, 3, 6, 3)), "not both"),
        (np.zeros((9, 8, 6, 5)), "not both"),
        (np.zeros((9, 3, 6, 6, 1)), "1 to 4 dimensions"),
        (np.zeros(()), "1 to 4 dimensions"),
        (np.zeros((5, 2), complex), "accepted are numbers"),
        (np.array([["a", "b"]] * 9), "accepted are numbers"),
        (np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]]), "nan in row 2, column 2"),
        (np.array([[1.0, 2.0], [3.0, 4.0], [-np.inf, 6.0]]), "-inf in row 3, column 1"),
        (np.array([[1.0], [1e300]]), "inf in row 2, column 1"),
        (np.ones((1, 4)), "one sample only"),
        (np.ones((7, 4)), "7 equal samples"),
        (np.array([[0.0], [-0.0]]), "2 equal samples"),
        (np.array([[1], [None]], object), "cannot be read"),
    ],
)
def test_impossible_arrays_are_refused(tmp_path, array, words):
    np.save(tmp_path / "array.npy", array, allow_pickle=True)
    refused(tmp_path / "array.npy", words)


def test_an_empty_array_is_refused(tmp_path):
    refused(saved(tmp_path, np.zeros((0, 3))), "accepted are numbers|cannot be read")


def test_damaged_files_are_refused(tmp_path):
    whole = saved(tmp_path, np.ones((50, 3)))
    content = (tmp_path / "array.npy").read_bytes()
    np.savez(tmp_path / "x.npz", np.ones((5, 3)))
    zipped = (tmp_path / "x.npz").read_bytes()
    for name, damaged in (
        ("array.npy", content[:200]),
        ("array.npy", b""),
        ("array.npy", zipped),
        ("array.npy", b"text"),
    ):
        (tmp_path / name).write_bytes(damaged)
        refused(whole, "cannot be read as .npy")
    for damaged in (zipped[:100], b"", content):
        (tmp_path / "x.npz").write_bytes(damaged)
        refused(tmp_path / "x.npz", "cannot be read as .npz")
    (tmp_path / "a.txt").write_text("1,2")
    refused(tmp_path / "a.txt", "accepted are .npy, .npz, .csv and folders")


@pytest.mark.parametrize("name", ["images", "x", "data", "anything"])
@pytest.mark.parametrize("label", ["labels", "y"])
def test_archives_name_rows_and_labels(tmp_path, name, label):
    kinds = np.array(["dog", "cat"] * 20)
    np.savez_compressed(tmp_path / "a.npz", **{name: LEVELS, label: kinds})
    data = load(str(tmp_path / "a.npz"), size=4)
    assert (data.shape, data.classes) == ((3, 4, 4), ("cat", "dog"))
    whole = load(str(tmp_path / "a.npz"))
    known = {image.transpose(2, 0, 1).tobytes(): kind for image, kind in zip(LEVELS, kinds, strict=True)}
    batch = whole.rows(0, 0, 60)
    for image, number in zip(batch["real"].add(1).mul(127.5).round().byte(), batch["label"], strict=True):
        assert known[image.numpy().tobytes()] == data.classes[number]


def test_labels_are_numbered_in_order(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(40.0), y=np.array([7, -1, 30, 7] * 10))
    data = load(str(tmp_path / "a.npz"))
    assert data.classes == ("-1", "7", "30")
    batch = data.training()
    expected = torch.tensor([1, 0, 2, 1])[batch["real"][:, 0].long() % 4]
    assert torch.equal(batch["label"], expected)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": LEVELS, "b": LEVELS}, "rows are named images, x or data"),
        ({"x": LEVELS, "y": np.arange(39)}, "40 rows but labels of shape"),
        ({"x": LEVELS, "y": np.zeros(40)}, "labels of type float64"),
        ({"x": np.array([{}, {}], object)}, "cannot be read"),
        ({"x": LEVELS, "y": np.array([{}] * 40, object)}, "cannot be read"),
        ({"y": np.arange(40)}, "rows are named"),
        ({}, "rows are named"),
    ],
)
def test_impossible_archives_are_refused(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    refused(tmp_path / "a.npz", words)


def test_an_archive_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(tmp_path / "a.npz", "accepted are numbers")


def test_a_header_that_lies_is_refused(tmp_path):
    """A tiny member that announces 80 terabytes."""
    import io

    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", stream.getvalue())
    refused(tmp_path / "a.npz", "cannot be read")


@pytest.mark.parametrize("header", ["", "left,right\n", "\ufeffleft,right\n"])
def test_tables_of_text(tmp_path, header):
    table = NORMAL[:25, :2]
    lines = "\n".join(f"{left!r}, {right!r}" for left, right in table.tolist())
    (tmp_path / "a.csv").write_text(f"{header}{lines}\n\n", encoding="utf-8")
    data = load(str(tmp_path / "a.csv"))
    assert rows(data) == sorted(tuple(row) for row in table.astype(np.float32).tolist())
    assert data.identity == load(saved(tmp_path, table)).identity


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n3,x\n", "'x' in line 3, column 2"),
        ("1,2\n3,nan\n", "'nan' in line 2, column 2"),
        ("1,2\ninf,3\n", "'inf' in line 2, column 1"),
        ("1,2\n3,\n", "'' in line 2, column 2"),
        ("1,x\n3,4\n", "'x' in line 1, column 2"),
        ("1,2\n3\n", "1 columns in line 2, 2 before"),
        ("a,b\n", "no rows"),
        ("", "no rows"),
        ("1,2\n", "one sample only"),
        ("a;b\nc;d\n", "in line 2, column 1"),
    ],
)
def test_impossible_tables_are_refused(tmp_path, text, words):
    (tmp_path / "a.csv").write_text(text)
    refused(tmp_path / "a.csv", words)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe1,2\n")
    refused(tmp_path / "a.csv", "cannot be read as .csv")


def test_copies_of_a_row_share_a_side(tmp_path):
    table = np.tile(NORMAL[:200], (3, 1))
    data = load(saved(tmp_path, table))
    sides = [{row.numpy().tobytes() for row in side["real"]} for side in (data.training(), data.held_out())]
    assert not sides[0] & sides[1]
    assert data.size + len(data.held_out()["real"]) == 600


def test_rows_that_come_later_move_none(tmp_path):
    held = [
        set(map(tuple, load(saved(tmp_path, NORMAL[:count])).held_out()["real"].tolist()))
        for count in (200, 300)
    ]
    assert held[0] < held[1]


def test_image_options_need_images(tmp_path):
    with pytest.raises(InputError, match="holds vectors"):
        load(saved(tmp_path, np.ones((5, 2))), flip=True)
