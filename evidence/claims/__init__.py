"""The rows' claims: every module here has `CHECKS`, a tuple of checks of one row or of a few related ones."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from claims.check import Check

FOLDER = Path(__file__).parent


def modules() -> tuple[str, ...]:
    """The modules with checks, from the files' names: m01_minimax, m03_fgan, …"""
    return tuple(sorted(path.stem for path in FOLDER.glob("m[0-9]*.py")))


def checks(module: str) -> tuple[Check, ...]:
    found: tuple[Check, ...] = import_module(f"claims.{module}").CHECKS
    return found
