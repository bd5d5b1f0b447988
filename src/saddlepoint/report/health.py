"""The health of a run: what its looks found, and the readings over training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from saddlepoint.report.curves import Chart, chart, series
from saddlepoint.report.record import Column, Json, Record
from saddlepoint.report.text import is_finite, is_number, number

if TYPE_CHECKING:
    from saddlepoint.diagnostics.signs import Finding

CHARTS = {
    "Distance of the samples to the data": ("distance",),
    "Regions that samples reach, coverage and precision": ("cells", "coverage", "precision"),
    "Scores: reals above fakes, training rows above held-out rows": ("separation", "overfit"),
    "Distance to training rows over that of held-out rows": ("nearness",),
    "Norms of gradients": ("gradient/*",),
    "Norms of parameters": ("size/*",),
}


@dataclass(frozen=True)
class Health:
    """What is said above the charts, and the charts."""

    well: bool
    verdict: str
    findings: list[Finding]
    charts: list[Chart]


def health(record: Record) -> Health | None:
    """None for a run without looks."""
    from saddlepoint.diagnostics.signs import findings

    if not record.health:
        return None
    looks = [_sound(look) for look in record.health]
    found = findings(looks)
    grave = [finding for finding in found if finding.severity != "note"]
    last = number(round(record.health[-1]["step"]))
    count = len(record.health)
    taken = f"{count} look{'' if count == 1 else 's'}, the last at step {last}"
    nothing = "Nothing found but a note" if found else "Nothing found"
    verdict = f"{len(grave)} finding{'' if len(grave) == 1 else 's'}" if grave else nothing
    return Health(not grave, f"{verdict} in {taken}.", found, _charts(looks))


def _sound(look: Json) -> Json:
    """The readings that can be read: finite numbers, `finite`, and the sketch where it is a list of numbers."""
    sound: Json = {name: value for name, value in look.items() if is_finite(value)} | {
        "phase": str(look.get("phase"))
    }
    if isinstance(look.get("finite"), bool):
        sound["finite"] = look["finite"]
    sketch = look.get("sketch")
    if isinstance(sketch, list) and sketch and all(is_finite(value) for value in sketch):
        sound["sketch"] = sketch
    return sound


def _charts(looks: list[Json]) -> list[Chart]:
    drawn = []
    for place, (title, names) in enumerate(CHARTS.items()):
        shown = [name for wanted in names for name in _matching(wanted, looks)]
        curves = [
            series(name.split("/", 1)[-1], _column(looks, name), colour, _floor(looks, name))
            for colour, name in enumerate(shown)
        ]
        kept = [curve for curve in curves if curve]
        if any(len(curve.steps) > 1 for curve in kept):
            drawn.append(chart(title, kept, f"health-{place}", logarithmic=names[0].endswith("*")))
    return drawn


def _matching(wanted: str, looks: list[Json]) -> list[str]:
    names = dict.fromkeys(name for look in looks for name in look)
    if wanted.endswith("*"):
        return [name for name in names if name.startswith(wanted[:-1])]
    return [wanted] if wanted in names else []


def _column(looks: list[Json], name: str) -> Column:
    known = [(look["step"], look[name]) for look in looks if is_number(look.get(name))]
    steps, values = zip(*known, strict=True) if known else ((), ())
    return np.array(steps, float), np.array(values, float)


def _floor(looks: list[Json], name: str) -> Column | None:
    column = _column(looks, f"{name}/floor")
    return column if len(column[0]) else None
