"""Arrays in files (.npy, .npz, .csv) as a data set."""

from __future__ import annotations

import csv
import zipfile
import zlib
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saddlepoint.data.pixels import resizing, viewed
from saddlepoint.data.protocol import View
from saddlepoint.data.split import by_content, fingerprint, row_digests
from saddlepoint.data.table import Table
from saddlepoint.errors import InputError

SUFFIXES = (".npy", ".npz", ".csv")
IMAGE_KEYS = ("images", "x", "data")
LABEL_KEYS = ("labels", "y")
LARGEST_ARCHIVE = 1 << 36  # bytes, after decompression
Array = NDArray[Any]
_DAMAGED = (
    OSError, ValueError, EOFError, KeyError, SyntaxError, MemoryError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def load_array(path: Path, view: View) -> Table:
    """A table of numbers as vectors, or an array of images.

    One or two dimensions are vectors: [n] or [n, features], as float32 with their values as they are (nothing
    is standardised). Three are grey images [n, height, width], four are [n, height, width, channels] or [n,
    channels, height, width] with 1 to 4 channels. Whole numbers 0 … 255 in images are levels; fractions lie
    in [0, 1], or else in [-1, 1]. In an .npz the rows are `images`, `x`, `data` or the only array, and
    labels, if any, are `labels` or `y`. An .npy of bytes stays on disk and must not be overwritten while in
    use. About a tenth of the rows is held out, by content (see `by_content`).
    """
    values, labels = _read(path)
    if values.ndim not in (1, 2, 3, 4) or 0 in values.shape or values.dtype.kind not in "fiub":
        raise InputError(
            f"{path} has an array of {values.dtype} of shape {values.shape}; accepted are numbers in 1 to 4 "
            "dimensions with at least one row."
        )
    if labels is not None and labels.shape != values.shape[:1]:
        raise InputError(f"{path} has {len(values)} rows but labels of shape {labels.shape}.")
    rows = _images(path, values) if values.ndim > 2 else _vectors(path, values, view)
    return _table(path, rows, labels, view)


def _table(path: Path, rows: Array, labels: Array | None, view: View) -> Table:
    classes, numbers = (None, None) if labels is None else np.unique(labels, return_inverse=True)
    split = by_content(row_digests(rows), str(path))
    seen = viewed(rows, view) if rows.ndim == 4 else rows
    return Table(
        name=f"file:{path.name}",
        shape=seen.shape[1:],
        identity=fingerprint("array 1", rows, numbers, classes, split.held_out, seen.shape, view.flip),
        values=seen,
        split=split,
        labels=None if numbers is None else numbers.astype(np.int64),
        classes=() if classes is None else tuple(str(name) for name in classes),
        flip=view.flip,
        resizing=resizing(rows.shape[1:], seen.shape[1:]) if rows.ndim == 4 else "none",
    )


def _vectors(path: Path, values: Array, view: View) -> Array:
    if not view.plain:
        raise InputError(f"{path} holds vectors; size, channels and flip are for images.")
    with np.errstate(over="ignore"):
        rows = values.reshape(len(values), -1).astype(np.float32) + np.float32(0)  # -0 and 0 are one content
    _check_finite(path, rows)
    return rows


def _images(path: Path, values: Array) -> Array:
    """[n, channels, height, width], uint8 or float32 in [-1, 1]."""
    images = values[:, None] if values.ndim == 3 else _channels_first(path, values)
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    _check_finite(path, images)
    low, high = images.min(), images.max()
    if images.dtype.kind in "iu":
        if low < 0 or high > 255:
            raise InputError(f"{path} has levels from {low} to {high}; whole numbers in images are 0 to 255.")
        return images.astype(np.uint8)
    if low < -1 or high > 1:
        raise InputError(
            f"{path} has values from {low} to {high}; fractions in images are in [0, 1] or [-1, 1]."
        )
    images = images.astype(np.float32) + np.float32(0)
    return images * 2 - 1 if low >= 0 else images


def _channels_first(path: Path, values: Array) -> Array:
    first, last = values.shape[1] <= 4, values.shape[3] <= 4
    if first == last:
        raise InputError(
            f"{path} has shape {values.shape}; the second or the last length, not both, is 1 to 4 channels."
        )
    return values if first else values.transpose(0, 3, 1, 2)


def _check_finite(path: Path, rows: Array) -> None:
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        row, *place = bad[0].tolist()
        where = f"column {place[0] + 1}" if len(place) == 1 else f"place {tuple(place)}"
        raise InputError(
            f"{path} has {rows[tuple(bad[0])]} in row {row + 1}, {where}; accepted are finite 32-bit numbers."
        )


def _read(path: Path) -> tuple[Array, Array | None]:
    """The rows and the labels in a file."""
    try:
        match path.suffix.lower():
            case ".csv":
                return _read_csv(path), None
            case ".npy":
                return np.lib.format.open_memmap(path, mode="r"), None
            case ".npz":
                return _read_npz(path)
    except InputError:
        raise
    except _DAMAGED as error:
        text = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"{path} cannot be read as {path.suffix.lower()} ({text}).") from error
    raise InputError(f"{path} is of a kind that is not read; accepted are {', '.join(SUFFIXES)} and folders.")


def _read_npz(path: Path) -> tuple[Array, Array | None]:
    with zipfile.ZipFile(path) as archive:
        length = sum(member.file_size for member in archive.infolist())
    if length > LARGEST_ARCHIVE:
        raise InputError(
            f"{path} holds {length} bytes after decompression; accepted are at most {LARGEST_ARCHIVE}."
        )
    with np.load(path, allow_pickle=False) as arrays:
        label = next((name for name in LABEL_KEYS if name in arrays), None)
        others = [name for name in arrays.files if name != label]
        rows = next((name for name in IMAGE_KEYS if name in others), others[0] if len(others) == 1 else None)
        if rows is None:
            raise InputError(
                f"{path} has the arrays {', '.join(arrays.files)}; the rows are named images, x or data."
            )
        labels = np.asarray(arrays[label]) if label else None
        if labels is not None and labels.dtype.kind not in "iubU":
            raise InputError(
                f"{path} has labels of type {labels.dtype}; accepted are whole numbers and text."
            )
        return np.asarray(arrays[rows]), labels


def _read_csv(path: Path) -> Array:
    """A table of numbers between commas; a first line without any number is a header, empty lines are
    skipped."""
    cells, width = array("d"), 0
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            for row in reader:
                if not row or (width == 0 and reader.line_num == 1 and not any(map(_is_number, row))):
                    continue
                width = width or len(row)
                if len(row) != width:
                    raise InputError(
                        f"{path} has {len(row)} columns in line {reader.line_num}, {width} before."
                    )
                cells.extend(_numbers(path, reader.line_num, row))
        except csv.Error as error:
            raise InputError(f"{path} is not a table in line {reader.line_num} ({error}).") from error
    if not cells:
        raise InputError(f"{path} has no rows of numbers.")
    return np.frombuffer(cells, np.float64).reshape(-1, width)


def _numbers(path: Path, line: int, row: Iterable[str]) -> Iterable[float]:
    for column, cell in enumerate(row, 1):
        number = float(cell) if _is_number(cell) else np.nan
        if not np.isfinite(number):
            raise InputError(
                f"{path} has {cell!r} in line {line}, column {column}; accepted are finite numbers."
            )
        yield number


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
