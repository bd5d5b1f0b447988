"""The named image sets: the bundled digits, MNIST and its kin, CIFAR-10, stacked MNIST, polygons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saddlepoint.data.formats import read_cifar, read_idx, read_labels
from saddlepoint.data.pixels import resizing, viewed
from saddlepoint.data.polygons import drawn, random_angles
from saddlepoint.data.protocol import View
from saddlepoint.data.sources import MNIST, POLYGON_ROWS, STACKED_ROWS, Source
from saddlepoint.data.split import Split, by_position, file_digest, fingerprint, row_digests, stratified
from saddlepoint.data.store import open_rows, stored, write_rows
from saddlepoint.data.table import Table
from saddlepoint.errors import InputError
from saddlepoint.random import key

STACKED_SEED = 0  # stacked MNIST is one data set: its triples do not depend on the seed of a run


def load_images(source: Source, view: View) -> Table:
    """The named set of images under a view."""
    match source.name:
        case "digits":
            return digits(source, view)
        case "cifar10":
            return cifar(source, view)
        case "stacked-mnist":
            return stacked(source, view)
        case "triangles":
            return polygons(source, view, 3)
        case "convex-polygons":
            return polygons(source, view, 8)
        case _:
            return idx(source, view)


def digits(source: Source, view: View) -> Table:
    """1,797 handwritten digits of 8x8 pixels; levels 0 … 16 become round(255/16 level). A quarter of each
    class, the images of smallest SHA-256, is held out."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.int64)
    return _table(source, view, images, labels, stratified(row_digests(images), labels, 0.25))


def idx(source: Source, view: View) -> Table:
    """Four IDX files: images and labels that train, images and labels held out."""
    images, labels, training = _read_idx(source)
    return _table(source, view, images, labels, by_position(training, len(images) - training))


def cifar(source: Source, view: View) -> Table:
    """Five binary batches that train, and the test batch (or its first thousand, where only that is there)
    held out. They are decompressed and put in order once, into the cache, and stay on disk."""
    paths = source.obtain()
    folder = stored(fingerprint("cifar 1", *map(file_digest, paths)), lambda beside: _unpack(paths, beside))
    images, labels = open_rows(folder / "images.npy"), open_rows(folder / "labels.npy").astype(np.int64)
    return _table(source, view, images, labels, by_position(50_000, len(images) - 50_000))


def polygons(source: Source, view: View, corners: int) -> Table:
    """Convex polygons with that many corners, drawn once, into the cache. 60,000 train; the last 20,000 are held out."""
    train, held_out = POLYGON_ROWS
    angles = random_angles(train + held_out, corners)
    folder = stored(fingerprint("polygons 1", angles), lambda beside: _draw(angles, beside / "images.npy"))
    images: NDArray[np.uint8] = open_rows(folder / "images.npy")
    made = _table(source, view, images, None, by_position(train, held_out))
    return PolygonTable(**vars(made), corners=corners)


@dataclass(frozen=True, eq=False)
class PolygonTable(Table):
    """Images of convex polygons with as many corners each."""

    corners: int = 3


def _draw(angles: NDArray[np.float64], path: Path) -> None:
    images = drawn(angles)
    write_rows(path, images.shape, [images])


@dataclass(frozen=True, eq=False)
class Stack:
    """Rows of three single-channel images each, put together when asked for: planes [n, 1, h, w], triples [m,
    3]."""

    planes: NDArray[Any]
    triples: NDArray[np.int64]

    def __getitem__(self, index: NDArray[np.int64], /) -> NDArray[Any]:
        stacked: NDArray[Any] = self.planes[self.triples[index], 0]
        return stacked


def stacked(source: Source, view: View) -> Table:
    """Three MNIST digits, drawn independently with replacement, as red, green and blue; the class is the
    number they spell (Metz et al. 2017). 128,000 triples of training digits train, 26,000 of test digits are
    held out."""
    if view.channels not in (None, 3):
        raise InputError(f"stacked-mnist has 3 channels by construction, {view.channels} are refused.")
    planes, labels, training = _read_idx(MNIST)
    train, held_out = STACKED_ROWS
    triples = np.concatenate(
        [_triples("training", train, 0, training), _triples("held out", held_out, training, len(planes))]
    )
    seen = viewed(planes, View(view.size))
    return Table(
        name=source.name,
        shape=(3, *seen.shape[2:]),
        identity=fingerprint("stacked 1", planes, labels, triples, train, seen.shape, view.flip),
        values=Stack(seen, triples),
        split=by_position(train, held_out),
        labels=labels[triples] @ np.array([100, 10, 1]),
        classes=source.classes,
        flip=view.flip,
        resizing=resizing(planes.shape, seen.shape),
    )


def _triples(side: str, count: int, low: int, high: int) -> NDArray[np.int64]:
    random = np.random.default_rng(key("stacked", side, STACKED_SEED))
    return random.integers(low, high, (count, 3))


def _table(
    source: Source, view: View, images: NDArray[np.uint8], labels: NDArray[np.int64] | None, split: Split
) -> Table:
    seen = viewed(images, view)
    return Table(
        name=source.name,
        shape=seen.shape[1:],
        identity=fingerprint("images 1", source.name, images, labels, split.held_out, seen.shape, view.flip),
        values=seen,
        split=split,
        labels=labels,
        classes=source.classes,
        flip=view.flip,
        resizing=resizing(images.shape, seen.shape),
    )


def _read_idx(source: Source) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """Images [n, 1, h, w], labels [n], and how many of them, the first, train."""
    paths = source.obtain()
    images = [read_idx(path, 3) for path in paths[::2]]
    labels = [read_labels(path, len(source.classes)) for path in paths[1::2]]
    for path, pictures, names in zip(paths[::2], images, labels, strict=True):
        if len(pictures) != len(names) or not len(pictures):
            raise InputError(f"{path} has {len(pictures)} images for {len(names)} labels.")
    if images[0].shape[1:] != images[1].shape[1:]:
        raise InputError(f"{paths[2]} has images of another size than {paths[0]}.")
    return np.concatenate(images)[:, None], np.concatenate(labels), len(images[0])


def _unpack(paths: tuple[Path, ...], folder: Path) -> None:
    batches = [read_cifar(path) for path in paths]
    for path, (images, _) in zip(paths[:-1], batches, strict=False):
        if len(images) != 10_000:
            raise InputError(f"{path} has {len(images)} records; a training batch has 10000.")
    labels = np.concatenate([labels for _, labels in batches]).astype(np.uint8)
    write_rows(folder / "labels.npy", labels.shape, [labels])
    write_rows(folder / "images.npy", (len(labels), 3, 32, 32), (images for images, _ in batches))
