"""What trains and what is held out, decided by content alone, so that no copy of a held-out row ever
trains."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saddlepoint.errors import InputError

HELD_OUT_SHARE = 0.1
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the two sides."""

    training: NDArray[np.int64]
    held_out: NDArray[np.int64]


def fingerprint(*parts: object) -> str:
    """ "sha256:…" of the parts: arrays by type, shape and bytes, everything else by its repr."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(repr((part.dtype.str, part.shape)).encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
    return f"sha256:{digest.hexdigest()}"


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def row_digests(values: NDArray[Any]) -> list[str]:
    """The SHA-256 of the bytes of every row, in hexadecimal."""
    return [hashlib.sha256(np.ascontiguousarray(row).data).hexdigest() for row in values]


def by_position(training: int, held_out: int) -> Split:
    """The first rows train, the rest is held out."""
    return Split(np.arange(training), np.arange(training, training + held_out))


def by_content(digests: Sequence[str], name: str) -> Split:
    """A row is held out when its SHA-256, read as a fraction of 2^256, is below 0.1.

    The side of a row depends on nothing but its content: copies share a side, and rows that come later move
    none. Where that leaves a side empty, the smallest hash is held out or the largest trains, and the log
    says so. Raises `InputError` when there are fewer than two different rows.
    """
    distinct = set(digests)
    if len(distinct) < 2:
        what = "one sample only" if len(digests) == 1 else f"{len(digests)} equal samples"
        raise InputError(
            f"{name} has {what}; at least two different ones are needed, to train and to hold out."
        )
    chosen = {digest for digest in distinct if _fraction(digest) < HELD_OUT_SHARE}
    if not chosen:
        chosen = {min(distinct)}
        log.warning(
            "%s is small: no content hash falls below %s, so the smallest is held out.", name, HELD_OUT_SHARE
        )
    elif chosen == distinct:
        chosen.remove(max(distinct))
        log.warning(
            "%s is small: every content hash falls below %s, so the largest trains.", name, HELD_OUT_SHARE
        )
    return _split(digest in chosen for digest in digests)


def stratified(digests: Sequence[str], labels: NDArray[np.int64], share: float) -> Split:
    """In each class the `share` of rows (rounded) with the smallest hashes is held out."""
    held = np.zeros(len(digests), bool)
    for label in np.unique(labels):
        rows = sorted(np.flatnonzero(labels == label).tolist(), key=digests.__getitem__)
        held[rows[: round(share * len(rows))]] = True
    return _split(held)


def _fraction(digest: str) -> float:
    return int(digest, 16) / 2.0 ** (4 * len(digest))


def _split(held_out: Iterable[bool]) -> Split:
    mask = np.fromiter(held_out, bool)
    return Split(np.flatnonzero(~mask), np.flatnonzero(mask))
