"""Claims of the theory that can be executed: one per file. `t02_optimal_discriminator.py` with a value `CLAIM` is T02.

    from saddlepoint import theory
    for sides in theory.get("T02").check():
        print(sides)

A claim returns both sides of what it says; `saddlepoint theory` prints them.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from saddlepoint.errors import InputError, nearest

if TYPE_CHECKING:
    from saddlepoint.theory.claim import Claim


def _files() -> dict[str, str]:
    files = Path(__file__).parent.glob("t[0-9][0-9]_*.py")
    return {file.stem[:3].upper(): file.stem for file in sorted(files)}


def names() -> tuple[str, ...]:
    """The rows that have a file: nothing is imported."""
    return tuple(_files())


def get(name: str) -> Claim:
    """The claim with this id; only its file is imported."""
    files = _files()
    if name.upper() not in files:
        raise InputError(f"unknown claim {name!r}: {nearest(name.upper(), files)}")
    claim: Claim = import_module(f"{__name__}.{files[name.upper()]}").CLAIM
    return claim
