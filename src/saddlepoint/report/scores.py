"""Evaluations: a chart of every metric over the steps, and the last scores with all that identifies them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from saddlepoint.report.curves import Chart, Series, chart, series
from saddlepoint.report.record import Json, Record, mappings
from saddlepoint.report.text import NONE, is_number, number

IDENTITY = (
    "metric", "version", "data", "extractor", "hash", "split", "n_real", "n_fake", "seed",
    "real_resizing", "fake_resizing",
)  # fmt: skip
AVERAGE = "average"  # the weights that samples are drawn with, where a run averages them
HASH = 12  # characters of an extractor's hash on the page


@dataclass(frozen=True)
class Row:
    """One score of the last evaluation, as text."""

    metric: str
    value: str
    interval: str
    floor: str
    ratio: str  # value / floor
    first: str  # the same score at the first evaluation, and its step
    since: str
    extractor: str
    hash: str
    counts: str
    split: str
    seed: str
    weights: str
    version: str
    note: str


@dataclass(frozen=True)
class Reading:
    """The scores to be read beside a sample picture."""

    title: str
    rows: list[tuple[str, str, str]]  # metric, value, floor


Entry = tuple[int, str, Json]  # step, weights, score


def entries(record: Record) -> list[Entry]:
    """Every score of the run, in order of steps; of two with one identity at a step the later counts."""
    found: dict[tuple[Any, ...], Entry] = {}
    for line in record.evaluations:
        weights = str(line.get("weights") or "")
        for score in mappings(line.get("scores")):
            found[line["step"], weights, _identity(score)] = (line["step"], weights, score)
    return sorted(found.values(), key=lambda entry: entry[0])


def charts(found: list[Entry]) -> list[Chart]:
    """One chart for each metric evaluated more than once: a curve for each extractor, split and weights."""
    drawn = []
    for place, metric in enumerate(dict.fromkeys(str(score.get("metric")) for _, _, score in found)):
        own = [entry for entry in found if str(entry[2].get("metric")) == metric]
        curves = _curves(own)
        if any(len(curve.steps) > 1 for curve in curves):
            drawn.append(chart(metric, curves, f"score-{place}", logarithmic=True))
    return drawn


def final(found: list[Entry]) -> list[Row]:
    """The scores of the last evaluated step, each metric's together."""
    last = [entry for entry in found if entry[0] == found[-1][0]]
    metrics = list(dict.fromkeys(_text(score, "metric") for _, _, score in last))
    order = sorted(last, key=lambda entry: (metrics.index(_text(entry[2], "metric")), entry[1] != AVERAGE))
    return [_row(entry, found) for entry in order]


def reading(found: list[Entry], step: int) -> Reading | None:
    """What the last evaluation up to a step said, of averaged weights where it has them."""
    before = [entry for entry in found if entry[0] <= step]
    last = [entry for entry in before if entry[0] == before[-1][0]]
    chosen = [entry for entry in last if entry[1] == AVERAGE] or last
    if not chosen:
        return None
    rows = [(_text(score, "metric"), _text(score, "value"), _text(score, "floor")) for _, _, score in chosen]
    weights = f", {chosen[0][1]} weights" if chosen[0][1] else ""
    return Reading(f"step {number(chosen[0][0])}{weights}", rows)


def _identity(score: Json) -> tuple[str, ...]:
    return tuple(str(score.get(name)) for name in IDENTITY)


def _curves(own: list[Entry]) -> list[Series]:
    curves = []
    for place, (name, rows) in enumerate(_named(own).items()):
        steps = np.array([step for step, _ in rows], float)
        values, floors = (np.array([_value(score, key) for _, score in rows]) for key in ("value", "floor"))
        floor = (steps, floors) if np.isfinite(floors).any() else None
        curves.append(series(name, (steps, values), place, floor))
    return [curve for curve in curves if curve]


def _named(own: list[Entry]) -> dict[str, list[tuple[int, Json]]]:
    """Scores by what tells their curves apart, in words."""
    named: dict[str, list[tuple[int, Json]]] = {}
    for step, weights, score in own:
        extractor = " ".join(part for part in (_text(score, "extractor"), _hash(score)) if part != NONE)
        parts = [extractor, _text(score, "split"), f"{weights} weights" if weights else NONE]
        name = " · ".join(part for part in parts if part not in (NONE, ""))
        named.setdefault(name or _text(score, "metric"), []).append((step, score))
    return named


def _value(score: Json, key: str) -> float:
    return float(score[key]) if is_number(score.get(key)) else float("nan")


def _text(score: Json, key: str) -> str:
    return number(score.get(key)) if score.get(key) != "" else NONE


def _hash(score: Json) -> str:
    return _text(score, "hash").removeprefix("sha256:")[:HASH]


def _row(entry: Entry, found: list[Entry]) -> Row:
    step, weights, score = entry
    same = [old for old in found if _identity(old[2]) == _identity(score) and old[1] in (weights, "")]
    value, floor = _value(score, "value"), _value(score, "floor")
    return Row(
        metric=_text(score, "metric"),
        value=_text(score, "value"),
        interval=_interval(score.get("interval")),
        floor=_text(score, "floor"),
        ratio=f"{number(value / floor)} ×" if floor > 0 and np.isfinite(value) else NONE,
        first=_text(same[0][2], "value") if same[0][0] < step else NONE,
        since=f"step {number(same[0][0])}" if same[0][0] < step else "",
        extractor=_text(score, "extractor"),
        hash=_hash(score),
        counts=f"{_text(score, 'n_real')} / {_text(score, 'n_fake')}",
        split=_text(score, "split"),
        seed=str(score.get("seed", NONE)),
        weights=weights,
        version=_text(score, "version"),
        note=str(score.get("note") or ""),
    )


def _interval(value: object) -> str:
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(is_number(end) for end in value):
        return f"{number(value[0])} to {number(value[1])}"
    return NONE
