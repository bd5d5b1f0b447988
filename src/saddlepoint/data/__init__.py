"""Data sets: named ones, folders of images, arrays in files, densities in the plane. One protocol for all:
`Data`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from saddlepoint.data.protocol import Data, View, view
from saddlepoint.data.sources import SOURCES, Source, catalogue
from saddlepoint.errors import InputError, nearest

if TYPE_CHECKING:
    from saddlepoint.data.densities import Density

__all__ = ["Data", "catalogue", "load"]


def load(
    spec: str,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    flip: bool = False,
    skip_bad: bool = False,
    labelled: int | None = None,
) -> Data:
    """The data set that `spec` means: a name in `catalogue()`, else a folder of images, else a .npy, .npz or
    .csv file.

    `size` (one side, or height and width), `channels` (1 grey, 2 grey and alpha, 3 RGB, 4 RGBA) and `flip`
    (mirror training rows at random) are for images; `skip_bad` leaves out images of a folder that cannot be
    decoded. `labelled`: training sees the labels of so many rows of each class only (`FewLabels`). A folder that
    is called like a named set is reached as ./name. Raises `InputError` for whatever is none of these.
    """
    found = _found(spec, view(size, channels, flip), skip_bad)
    if labelled is None:
        return found
    from saddlepoint.data.few_labels import FewLabels

    return FewLabels(found, labelled)


def _found(spec: str, wanted: View, skip_bad: bool) -> Data:
    source = next((source for source in SOURCES if source.name == spec), None)
    if source is not None:
        return _named(source, wanted)
    path = Path(spec).expanduser()
    if path.is_dir():
        from saddlepoint.data.folder import load_folder

        return load_folder(path, wanted, skip_bad)
    if path.is_file():
        from saddlepoint.data.arrays import load_array

        return load_array(path, wanted)
    raise InputError(_unknown(spec))


def _named(source: Source, wanted: View) -> Data:
    if source.kind == "density":
        if not wanted.plain:
            raise InputError(
                f"{source.name} draws points in the plane; size, channels and flip are for images."
            )
        return _density(source.name)
    from saddlepoint.data.named import load_images

    return load_images(source, wanted)


def _density(name: str) -> Density:
    from saddlepoint.data.densities import DENSITIES

    return next(density for density in DENSITIES if density.name == name)()


def _unknown(spec: str) -> str:
    if "/" in spec or "." in spec:
        known = "a folder of images, a .npy, .npz or .csv file, the name of a data set"
        return f"There is no folder and no file {spec}; accepted are {known}."
    hint = nearest(spec, (source.name for source in SOURCES))
    return f"There is no data set, folder or file {spec!r}: {hint}"
