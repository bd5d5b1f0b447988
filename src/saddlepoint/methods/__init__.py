"""The catalogue: one named GAN per file. A file `wgan_gp.py` with a value `METHOD` is the method `wgan-gp`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from saddlepoint.errors import InputError, nearest

if TYPE_CHECKING:
    from saddlepoint.method import Method


def names() -> tuple[str, ...]:
    """All method ids, from the file names: nothing is imported."""
    files = Path(__file__).parent.glob("[!_]*.py")
    return tuple(sorted(file.stem.replace("_", "-") for file in files))


def get(name: str) -> Method:
    """The method with this id; only its file is imported."""
    if name not in names():
        raise InputError(f"unknown method {name!r}: {nearest(name, names())}")
    method: Method = import_module(f"{__name__}.{name.replace('-', '_')}").METHOD
    return method
