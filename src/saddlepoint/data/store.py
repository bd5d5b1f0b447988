"""Decoded pixels kept on disk, so that they are decoded once: an entry is a folder named by what is in it.

The cache may be deleted at any time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saddlepoint.errors import InputError
from saddlepoint.paths import cache_folder, sync_folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time works on `path`, where the system has file locks; the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.name != "posix":
        yield
        return
    import fcntl

    with open(path.with_name(f"{path.name}.lock"), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stored(key: str, build: Callable[[Path], None]) -> Path:
    """The folder of entry `key`. Where it is missing, `build(folder)` fills one beside it, which is then
    renamed."""
    entry = cache_folder() / "decoded" / key.removeprefix("sha256:")
    try:
        with locked(entry):
            if not entry.exists():
                _build(entry, build)
    except OSError as error:
        raise InputError(
            f"The cache folder {cache_folder()} cannot be written ({error.strerror}); "
            "point SADDLEPOINT_CACHE to a folder with room."
        ) from error
    return entry


def _build(entry: Path, build: Callable[[Path], None]) -> None:
    beside = entry.with_name(f"{entry.name}.part")
    shutil.rmtree(beside, ignore_errors=True)  # of a process that was killed: nobody else holds the lock
    beside.mkdir()
    try:
        build(beside)
        os.replace(beside, entry)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    sync_folder(entry.parent)


def write_rows(path: Path, shape: tuple[int, ...], rows: Iterable[NDArray[np.uint8]]) -> None:
    """A .npy file of uint8 rows as they come. Plain writes: a full disk is an error here, and a crash in a
    map."""
    with open(path, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for row in rows:
            file.write(np.ascontiguousarray(row).data)
        file.flush()
        os.fsync(file.fileno())


def open_rows(path: Path) -> NDArray[Any]:
    """The array of a .npy file, left on disk."""
    return np.lib.format.open_memmap(path, mode="r")
