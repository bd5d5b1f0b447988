"""Saddlepoint: generative adversarial networks as values. Importing this package imports nothing heavy."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from saddlepoint.version import __version__

if TYPE_CHECKING:
    from saddlepoint.budget import Budget
    from saddlepoint.method import Method
    from saddlepoint.settings import Settings
    from saddlepoint.trained import Run, train

_WHERE = {
    "Budget": "budget",
    "Method": "method",
    "Run": "trained",
    "Settings": "settings",
    "train": "trained",
}
__all__ = ["Budget", "Method", "Run", "Settings", "__version__", "train"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'saddlepoint' has no attribute {name!r}")
    return getattr(import_module(f"saddlepoint.{_WHERE[name]}"), name)
