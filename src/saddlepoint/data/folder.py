"""A folder of images as a data set: decoded once into a cache, split by content, labelled by its
sub-folders."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from saddlepoint.data.picture import SUFFIXES, Picture, decode, inspect, reason
from saddlepoint.data.progress import progress
from saddlepoint.data.protocol import View
from saddlepoint.data.split import Split, by_content, fingerprint
from saddlepoint.data.store import open_rows, stored, write_rows
from saddlepoint.data.table import Table
from saddlepoint.errors import InputError

WORKERS = min(4, os.cpu_count() or 1)  # bounds the memory of large images too
SMALLEST_SIDE, LARGEST_SIDE = 8, 64  # of the default size
log = logging.getLogger(__name__)
In = TypeVar("In")
Out = TypeVar("Out")


def load_folder(folder: Path, view: View, skip_bad: bool = False) -> Table:
    """All images below `folder` (hidden ones and links to folders left out), in the order of their content
    hashes.

    Labels: the first sub-folder, where all images lie in at least two of them; none where all lie at the top.
    Default size: the largest power of two, 8 to 64, that the median shorter side reaches. Default channels: 1
    if all are grey, else 3. Decoded pixels are kept in the cache by content hash, size and channels. Raises
    `InputError` for images that cannot be read or decoded; with `skip_bad` they are left out and counted.
    """
    pictures = list(_pictures(folder))
    _refuse(
        [(picture.path, picture.problem) for picture in pictures if picture.problem], len(pictures), skip_bad
    )
    pictures = sorted((p for p in pictures if not p.problem), key=lambda p: (p.digest, p.label, p.path))
    shape = (view.channels or _channels(pictures), *(view.size or _size(pictures)))
    values, bad = _decoded(pictures, shape)
    _refuse([(pictures[row].path, problem) for row, problem in bad.items()], len(pictures), skip_bad)
    return _table(folder, pictures, values, set(bad), view.flip)


def _table(
    folder: Path, pictures: Sequence[Picture], values: NDArray[np.uint8], bad: set[int], flip: bool
) -> Table:
    good = np.array([row for row in range(len(pictures)) if row not in bad])
    split = by_content([pictures[row].digest for row in good], f"The folder {folder}")
    classes = tuple(sorted({picture.label for picture in pictures} - {""}))
    numbers = {label: number for number, label in enumerate(classes)}
    content = [(pictures[row].digest, pictures[row].label) for row in good]
    return Table(
        name=f"folder:{folder.resolve().name}",
        shape=values.shape[1:],
        identity=fingerprint("folder 1", content, values.shape[1:], good[split.held_out].tolist(), flip),
        values=values,
        split=Split(good[split.training], good[split.held_out]),
        labels=np.array([numbers[picture.label] for picture in pictures]) if classes else None,
        classes=classes,
        flip=flip,
        resizing=_resizing([pictures[row] for row in good], values.shape[-2:]),
    )


def _resizing(pictures: Sequence[Picture], size: tuple[int, ...]) -> str:
    found = {picture.size for picture in pictures}
    if found == {(size[1], size[0])}:
        return "none"
    width, height = next(iter(found))
    before = f"{height}x{width}" if len(found) == 1 else f"{len(found)} sizes"
    return f"{before} to {size[0]}x{size[1]}, Lanczos"


def _pictures(folder: Path) -> Iterator[Picture]:
    """Every image file with its header, labelled."""
    paths = sorted(_files(folder))
    images = [path for path in paths if path.suffix.lower() in SUFFIXES]
    others = len(paths) - len(images)
    if not images:
        accepted = ", ".join(sorted(SUFFIXES))
        raise InputError(
            f"The folder {folder} has no images ({others} other files); accepted are {accepted}."
        )
    if others:
        log.warning(
            "%d of %d files in %s are left out: their names are not those of images.",
            others,
            len(paths),
            folder,
        )
    labels = _labels(folder, images)
    with warnings.catch_warnings(), progress("looking at images", len(images)) as advance:
        warnings.simplefilter(
            "ignore"
        )  # sizes are bounded by our own limit, other oddities of headers do not matter
        for picture in _parallel(lambda job: inspect(*job), list(zip(images, labels, strict=True))):
            advance(1)
            yield picture


def _files(folder: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise InputError(f"The folder {error.filename} cannot be read ({error.strerror}).") from error

    for parent, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _labels(folder: Path, images: Sequence[Path]) -> list[str]:
    """The first sub-folder of each image, or nothing for all."""
    tops = [path.relative_to(folder).parts[:-1][:1] for path in images]
    loose = [path for path, top in zip(images, tops, strict=True) if not top]
    if loose and len(loose) < len(images):
        raise InputError(
            f"{folder} has images of its own ({loose[0].name}) and others in sub-folders; sub-folders are "
            "labels, so either all images lie in them or none does."
        )
    return [""] * len(images) if loose or len(set(tops)) == 1 else [top[0] for top in tops]


def _refuse(bad: Sequence[tuple[Path, str]], total: int, skip_bad: bool) -> None:
    """Stop at images that cannot be used, or count them."""
    if not bad:
        return
    path, problem = bad[0]
    what = f"{len(bad)} of {total} images cannot be used: {path} ({problem})" + (
        " and others" if bad[1:] else ""
    )
    if not skip_bad:
        raise InputError(
            f"{what}; mend or remove what is bad, or leave it out with skip_bad=True (--skip-bad)."
        )
    if len(bad) == total:
        raise InputError(f"{what}; none is left.")
    log.warning("%s; left out.", what)


def _size(pictures: Sequence[Picture]) -> tuple[int, int]:
    side = SMALLEST_SIDE
    while 2 * side <= min(LARGEST_SIDE, median(min(picture.size) for picture in pictures)):
        side *= 2
    return side, side


def _channels(pictures: Sequence[Picture]) -> int:
    return 1 if all(picture.grey for picture in pictures) else 3


def _decoded(
    pictures: Sequence[Picture], shape: tuple[int, int, int]
) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Pixels of all pictures, on disk, and why rows that have none (they are zero) could not be decoded."""
    import PIL

    key = fingerprint("pixels 1", PIL.__version__, shape, [picture.digest for picture in pictures])
    entry = stored(key, lambda beside: _decode_all(pictures, shape, beside))
    bad = json.loads((entry / "bad.json").read_text())
    return open_rows(entry / "images.npy"), {int(row): problem for row, problem in bad.items()}


def _decode_all(pictures: Sequence[Picture], shape: tuple[int, int, int], folder: Path) -> None:
    bad: dict[int, str] = {}

    def rows() -> Iterator[NDArray[np.uint8]]:
        with progress("decoding images", len(pictures)) as advance:
            for row, pixels in enumerate(_parallel(lambda picture: _attempt(picture, shape), pictures)):
                if isinstance(pixels, str):
                    bad[row], pixels = pixels, np.zeros(shape, np.uint8)
                advance(1)
                yield pixels

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_rows(folder / "images.npy", (len(pictures), *shape), rows())
    (folder / "bad.json").write_text(json.dumps(bad))


def _attempt(picture: Picture, shape: tuple[int, int, int]) -> NDArray[np.uint8] | str:
    try:
        return decode(picture.path, shape[1:], shape[0])
    except Exception as error:  # as in `inspect`: whatever a decoder raises is a property of the file
        return reason(error)


def _parallel(work: Callable[[In], Out], jobs: Iterable[In]) -> Iterator[Out]:
    """The results in order; Pillow and hashing let go of the interpreter lock."""
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(work, jobs)
