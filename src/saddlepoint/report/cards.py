"""A card for each metric of the last evaluation: what it says, what it is blind to, which corruptions it notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from saddlepoint.report.scores import Row
from saddlepoint.report.text import NONE, number

if TYPE_CHECKING:
    from saddlepoint.metrics import Metric


@dataclass(frozen=True)
class Reading:
    """One score of a metric, as text."""

    name: str
    value: str
    interval: str
    floor: str
    best: str


@dataclass(frozen=True)
class Card:
    """One metric of the catalogue with its scores in this run."""

    title: str
    formula: str
    paper: str
    blind: str
    readings: list[Reading]
    notices: list[tuple[str, bool]]  # each graded corruption, and whether it has to make the metric worse


def cards(rows: Sequence[Row], images: bool) -> list[Card]:
    """In the order of the rows; of scores by two kinds of weights the first. Scores that no metric of the catalogue gives
    have no card."""
    from saddlepoint.metrics import catalogue

    if not rows:
        return []
    first = {row.metric: row for row in reversed(rows)}
    order = list(dict.fromkeys(row.metric for row in rows))
    metrics = [catalogue.get(name) for name in catalogue.names()]
    shown = [metric for metric in metrics if any(name in first for name in metric.better)]
    shown.sort(key=lambda metric: min(order.index(name) for name in metric.better if name in first))
    return [_card(metric, first, images) for metric in shown]


def _card(metric: Metric, rows: dict[str, Row], images: bool) -> Card:
    from saddlepoint.metrics.corruptions import CORRUPTIONS

    judged = [corruption.name for corruption in CORRUPTIONS if images or not corruption.images]
    return Card(
        title=metric.title[:1].upper() + metric.title[1:],
        formula=metric.formula,
        paper=metric.paper,
        blind=metric.blind.rstrip("."),
        readings=[_reading(rows[name], best) for name, best in metric.better.items() if name in rows],
        notices=[(name, name not in metric.unmoved) for name in judged],
    )


def _reading(row: Row, best: object) -> Reading:
    better = f"{best} is better" if best in ("lower", "higher") else f"{number(best)} is best"
    interval = "no interval" if row.interval == NONE else row.interval
    return Reading(row.metric, row.value, interval, row.floor, better)
