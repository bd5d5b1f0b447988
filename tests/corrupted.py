"""What the tests of all metrics share beside `saddlepoint.experiments.corrupting`."""

from __future__ import annotations

from saddlepoint.errors import InputError
from saddlepoint.metrics import Metric, Quantities


def refused(metric: Metric, quantities: Quantities) -> str:
    """The sentence with which it refuses; empty where it does not."""
    try:
        found = quantities.measure(metric)
    except InputError as error:
        return str(error)
    assert all(isinstance(one.value, float) for one in found.values())
    return ""
