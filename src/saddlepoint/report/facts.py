"""What a run is and what it spent, in words and numbers: the small tables of the page."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from saddlepoint.report.record import Json, Record, mapping
from saddlepoint.report.text import NONE, duration, is_finite, layout, memory, number

SYMBOLS = {"finished": "✓", "stopped": "■", "failed": "✗"}
UNITS = {
    "steps": "step",
    "images": "images",
    "gradients": "gradients",
    "seconds": "seconds",
}  # budget: logged as
BATCH = ("batch_size", "accumulate", "seed", "precision", "device", "threads", "compile")
NARROW = 44  # characters of the column beside the method


@dataclass(frozen=True)
class Status:
    kind: str
    symbol: str
    sentence: str
    message: str


def title(record: Record) -> tuple[str, str]:
    method = record.run.get("method_id") or str(record.run.get("method", "a method")).split("(")[0]
    return str(method), str(mapping(record.run.get("data")).get("spec", "data"))


def status(record: Record) -> Status:
    kind = str(record.summary.get("status", ""))
    spent = [f"{_spent(record, 'steps')} steps"] if _spent(record, "steps") != NONE else []
    spent += [f"{_spent(record, 'images')} images"] if _spent(record, "images") != NONE else []
    after = " and ".join(spent)
    if kind in SYMBOLS:
        return Status(
            kind,
            SYMBOLS[kind],
            f"{kind.capitalize()}{' after ' if after else ''}{after}.",
            str(record.summary.get("message") or ""),
        )
    rest = f"the log reaches {after}" if after else "nothing is logged yet"
    return Status("open", "…", f"Not finished: {rest}.", "")


def _last(record: Record, name: str) -> float | None:
    column = record.metrics.get(name)
    return float(column[1][-1]) if column and is_finite(float(column[1][-1])) else None


def _amount(record: Record, name: str) -> float | None:
    """What the run spent of `name`: from its summary, else from the last line of its log."""
    value = record.summary.get(name)
    return float(value) if is_finite(value) else _last(record, name)


def _spent(record: Record, unit: str) -> str:
    value = _amount(record, UNITS[unit])
    if value is None:
        return NONE
    return duration(value) if unit == "seconds" else number(round(value))


def _rate(record: Record) -> float | None:
    images, seconds = _amount(record, "images"), _amount(record, "seconds")
    given = record.summary.get("images_per_second")
    if is_finite(given):
        return float(given)
    return images / seconds if images and seconds else None


def tiles(record: Record) -> list[tuple[str, str]]:
    """The few numbers at the top of the page: (name, value)."""
    rate, peak = _rate(record), record.summary.get("peak_memory_bytes")
    tiles = [
        ("Steps", _spent(record, "steps")),
        ("Images seen", _spent(record, "images")),
        ("Time", _spent(record, "seconds")),
        ("Images per second", NONE if rate is None else number(rate)),
        ("Peak memory", memory(peak)),
    ]
    return [(name, value) for name, value in tiles if value != NONE]


def shape(record: Record) -> list[int]:
    shape = mapping(record.run.get("data")).get("shape")
    return shape if isinstance(shape, list) else []


def method(record: Record) -> Json:
    deviations = record.run.get("deviations")
    return {
        "value": layout(str(record.run.get("method", ""))),
        "networks": layout(str(record.run.get("networks", "")), NARROW),
        "formula": str(record.run.get("formula") or ""),
        "citation": str(record.run.get("citation") or ""),
        "deviations": [str(line) for line in deviations] if isinstance(deviations, list) else [],
    }


def budget(record: Record) -> list[tuple[str, str, str]]:
    """(unit, asked, spent) in all four units."""
    asked = mapping(record.run.get("budget"))
    names = {"steps": "steps", "images": "images", "gradients": "gradient evaluations", "seconds": "time"}
    return [(names[unit], _asked(asked.get(unit), unit), _spent(record, unit)) for unit in UNITS]


def _asked(value: object, unit: str) -> str:
    return duration(value) if unit == "seconds" else number(value)


def cost(record: Record) -> list[tuple[str, str]]:
    rate, seconds, steps = _rate(record), _amount(record, "seconds"), _amount(record, "step")
    rows = [
        ("Time", duration(seconds)),
        ("Time a step", duration(seconds / steps) if seconds and steps else NONE),
        ("Images per second", NONE if rate is None else number(rate)),
        ("Peak memory", memory(record.summary.get("peak_memory_bytes"))),
    ]
    return [(name, value) for name, value in rows if value != NONE]


def settings(record: Record) -> list[tuple[str, str]]:
    data = mapping(record.run.get("data"))
    classes = data.get("classes")
    rows = [
        ("data", str(data.get("spec", NONE))),
        ("sample shape", " × ".join(str(side) for side in shape(record)) or NONE),
        ("training rows", number(data["size"]) if data.get("size") else "drawn from a density, without end"),
        ("classes", _listed(classes) if isinstance(classes, list) and classes else "none"),
        ("data identity", str(data.get("identity", NONE))),
    ]
    return rows + [(name.replace("_", " "), _plain(record.run[name])) for name in BATCH if name in record.run]


def _listed(names: list[Any]) -> str:
    shown = ", ".join(str(name) for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} … ({len(names):,} in all)"


def _plain(value: object) -> str:
    """A setting, spelled so that it can be typed again: no separators in whole numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else number(value)


def flat(tree: Json, prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{name} ")
        else:
            rows.append((prefix + str(name), _plain(value)))
    return rows


def command(record: Record) -> str:
    command = record.run.get("command")
    return shlex.join(str(word) for word in command) if isinstance(command, list) else str(command or "")
