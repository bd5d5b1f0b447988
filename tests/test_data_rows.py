"""Laws of every data set: rows are a pure function, epochs are permutations, sides are disjoint."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from saddlepoint.data import catalogue, load
from saddlepoint.errors import InputError
from saddlepoint.random import generator, key

KINDS = ["ring", "checkerboard", "digits", "flipped", "enlarged", "vectors", "folder"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def data(request, tmp_path):
    random = np.random.default_rng(0)
    match request.param:
        case "flipped":
            return load("digits", flip=True)
        case "enlarged":
            return load("digits", size=(12, 10), channels=3, flip=True)
        case "vectors":
            np.save(tmp_path / "rows.npy", random.normal(size=(37, 5)))
            return load(str(tmp_path / "rows.npy"))
        case "folder":
            return load(str(folder(tmp_path / "pictures", random)))
        case name:
            return load(name)


def folder(path, random):
    from PIL import Image

    for number in range(30):
        target = path / f"kind {number % 3}" / f"{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (9, 11, 3), np.uint8)).save(target)
    return path


def equal(one, two):
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def contents(batch):
    return [row.numpy().tobytes() for row in batch["real"]]


@pytest.mark.parametrize("data", KINDS, indirect=True)
def test_rows_have_the_promised_form(data):
    batch = data.rows(0, 0, 6)
    assert batch["real"].shape == (6, *data.shape)
    assert batch["real"].dtype == torch.float32
    assert ("label" in batch) == bool(data.classes)
    if len(data.shape) == 3:
        assert batch["real"].min() >= -1
        assert batch["real"].max() <= 1
    if data.classes:
        assert batch["label"].dtype == torch.int64
        assert batch["label"].max() < len(data.classes)


@pytest.mark.parametrize("data", KINDS, indirect=True)
@pytest.mark.parametrize("start", [0, 20, 4090, 1_000_000])
def test_rows_are_pure_and_restart_anywhere(data, start):
    """Whole, in pieces, and after other calls: the same rows; blocks and epochs may end inside."""
    whole = data.rows(5, start, 40)
    pieces = [data.rows(5, start, 3), data.rows(5, start + 3, 30), data.rows(5, start + 33, 7)]
    equal(whole, {name: torch.cat([piece[name] for piece in pieces]) for name in whole})
    data.rows(6, 0, 9)
    data.training(3)
    equal(whole, data.rows(5, start, 40))
    assert not torch.equal(whole["real"], data.rows(6, start, 40)["real"])


@pytest.mark.parametrize("data", KINDS, indirect=True)
def test_a_batch_may_be_written_to(data):
    before = data.rows(0, 0, 8)
    for name in before:
        data.rows(0, 0, 8)[name].zero_()
    equal(before, data.rows(0, 0, 8))


@pytest.mark.parametrize("data", ["digits", "vectors", "folder"], indirect=True)
def test_an_epoch_visits_every_row_once(data):
    everything = sorted(contents(data.training()))
    assert len(everything) == data.size
    orders = []
    for epoch in range(3):
        visited = contents(data.rows(1, epoch * data.size, data.size))
        assert sorted(visited) == everything
        orders.append(visited)
    assert orders[0] != orders[1] != orders[2]
    assert contents(data.training(seed=7)) != contents(data.training(seed=8))


@pytest.mark.parametrize("data", ["digits", "vectors", "folder"], indirect=True)
def test_held_out_never_trains(data):
    held = set(contents(data.held_out()))
    assert held
    assert not held & set(contents(data.training()))
    assert not held & set(contents(data.rows(0, 0, 5 * data.size)))
    assert contents(data.held_out(2, seed=3)) == contents(data.held_out(seed=3))[:2]


def test_a_permutation_is_uniform_over_positions():
    """Where row 0 lands over 2000 seeds, in ten bins: chi-square at 1e-7."""
    from scipy import stats

    from saddlepoint.data.stream import permutation

    places = [int((permutation(seed, 0, 50) == 0).nonzero()) for seed in range(2000)]
    assert stats.chisquare(np.bincount(np.array(places) // 5, minlength=10)).pvalue > 1e-7


def test_flips_mirror_half_of_the_rows_and_nothing_else():
    plain, flipped = load("digits"), load("digits", flip=True)
    one, two = plain.rows(0, 0, 8000), flipped.rows(0, 0, 8000)
    assert torch.equal(one["label"], two["label"])
    same = (one["real"] == two["real"]).flatten(1).all(1)
    mirrored = (one["real"].flip(-1) == two["real"]).flatten(1).all(1)
    assert (same | mirrored).all()
    assert abs(mirrored[~(same & mirrored)].double().mean() - 0.5) < 5.5 * 0.5 / 8000**0.5
    epochs = [mirrored[start : start + plain.size] for start in (0, plain.size)]
    assert not torch.equal(*epochs)  # a row is not flipped for good
    equal(plain.training(), flipped.training())
    equal(plain.held_out(), flipped.held_out())
    assert plain.identity != flipped.identity


def test_identity_is_of_rows_and_not_of_words():
    assert load("digits").identity == load("digits", size=8, channels=1).identity
    others = [load("digits", **what) for what in ({}, {"size": 9}, {"channels": 3}, {"flip": True})]
    assert len({other.identity for other in others}) == 4


@pytest.mark.parametrize(("start", "count"), [(-1, 2), (0, 0)])
def test_impossible_positions_are_faults(start, count):
    with pytest.raises(ValueError, match="rows from"):
        load("digits").rows(0, start, count)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"did you mean .*mnist"):
        load("mnits")
    with pytest.raises(InputError, match=r"no folder and no file \./nowhere/x.npz"):
        load("./nowhere/x.npz")


@pytest.mark.parametrize("what", [{"size": 0}, {"size": (8, -1)}, {"size": 10**6}, {"channels": 5}])
def test_impossible_views_are_refused(what):
    with pytest.raises(InputError, match="refused"):
        load("digits", **what)


def test_the_catalogue_says_what_loading_gives():
    names = [entry["name"] for entry in catalogue()]
    assert len(set(names)) == len(names)
    for entry in catalogue():
        if entry["kind"] == "density" or entry["name"] == "digits":
            data = load(entry["name"])
            assert entry["available"]
            assert (entry["shape"], entry["size"]) == (list(data.shape), data.size)
            assert entry["classes"] == len(data.classes)


def test_listing_imports_nothing_heavy():
    heavy = "{'torch', 'numpy', 'PIL', 'rich'}"
    code = f"import sys, saddlepoint.data as data; data.catalogue(); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_for_terminals(terminal):
    """Shown on standard error when that is a terminal; standard output stays clean in any case."""
    import pty

    code = "from saddlepoint.data.progress import progress\nwith progress('reading', 4) as done: done(4)"
    outer, inner = pty.openpty()
    try:
        process = subprocess.run(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=inner if terminal else subprocess.PIPE,
            check=True,
        )
        shown = os.read(outer, 10_000) if terminal else process.stderr
    finally:
        os.close(outer)
        os.close(inner)
    assert process.stdout == b""
    assert (b"reading" in shown) == terminal


def test_keys_are_distinct_and_generators_are_local():
    parts = [
        (),
        (0,),
        (1,),
        ("1",),
        (1, 2),
        (12,),
        ("1, 2",),
        (2, 1),
        ("a", "b"),
        ("ab",),
        (-1,),
        (True, "x"),
    ]
    keys = [key(*part) for part in parts]
    assert len(set(keys)) == len(parts)
    assert all(0 <= number < 2**63 for number in keys)
    assert key(np.int64(3), "x") == key(3, "x")
    state = torch.random.get_rng_state()
    draws = [torch.rand(4, generator=generator("cpu", *part)) for part in ((1, "a"), (1, "a"), (1, "b"))]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(state, torch.random.get_rng_state())
