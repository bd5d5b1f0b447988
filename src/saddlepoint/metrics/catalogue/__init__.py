"""The catalogue of metrics: one per file. A file `fd.py` with a value `METRIC` is the metric `fd`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from saddlepoint.errors import InputError, nearest

if TYPE_CHECKING:
    from saddlepoint.metrics.metric import Metric

DEFAULT = ("fd", "precision-recall", "modes", "classification-error", "mutual-information", "code-accuracy")


def names() -> tuple[str, ...]:
    """All metric ids, from the file names: nothing is imported."""
    files = Path(__file__).parent.glob("[!_]*.py")
    return tuple(sorted(file.stem.replace("_", "-") for file in files))


def get(name: str) -> Metric:
    """The metric with this id; only its file is imported."""
    if name not in names():
        raise InputError(f"unknown metric {name!r}: {nearest(name, names())}")
    metric: Metric = import_module(f"{__name__}.{name.replace('-', '_')}").METRIC
    return metric
