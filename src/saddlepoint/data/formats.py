"""Readers of the published binary formats. Lengths are checked against headers, decompression is bounded."""

from __future__ import annotations

import gzip
import lzma
import math
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from saddlepoint.errors import InputError

LARGEST_FILE = 1 << 30  # bytes, after decompression
CIFAR_RECORD = 1 + 3 * 32 * 32


def read_bytes(path: Path, limit: int = LARGEST_FILE) -> bytes:
    """Content of a file, decompressed if its name ends in .gz or .xz; more than `limit` bytes are refused."""
    try:
        with _opened(path) as file:
            content = file.read(limit + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path} cannot be read, it is truncated or damaged ({error}).") from error
    if len(content) > limit:
        raise InputError(f"{path} holds more than {limit} bytes after decompression.")
    return content


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of an IDX file of unsigned bytes.

    Big-endian header: two zero bytes, type 8, number of dimensions, then each length as 32 bits; the data
    follow.
    """
    content = read_bytes(path)
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, 8, dimensions)):
        raise InputError(f"{path} is not an IDX file of unsigned bytes in {dimensions} dimensions.")
    shape = [int(length) for length in np.frombuffer(content, ">u4", dimensions, 4)]
    expected = header + math.prod(shape)
    if len(content) != expected:
        raise InputError(
            f"{path} has {len(content)} bytes where its header announces {expected}; it is truncated?"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_labels(path: Path, classes: int) -> NDArray[np.int64]:
    """Labels of an IDX file, each below `classes`."""
    return _labels(path, read_idx(path, 1), classes)


def read_cifar(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [n, 3, 32, 32] and labels [n] of a CIFAR-10 binary batch: records of one label and three
    planes."""
    content = read_bytes(path)
    if not content or len(content) % CIFAR_RECORD:
        raise InputError(
            f"{path} has {len(content)} bytes, no whole number of records of {CIFAR_RECORD}; truncated?"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, CIFAR_RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), _labels(path, records[:, 0], 10)


def _labels(path: Path, labels: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    if labels.size and labels.max() >= classes:
        raise InputError(f"{path} has a label {labels.max()}; labels are 0 to {classes - 1}.")
    return labels.astype(np.int64)


def _opened(path: Path) -> gzip.GzipFile | lzma.LZMAFile | IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path)
    if path.suffix == ".xz":
        return lzma.open(path)
    return open(path, "rb")
