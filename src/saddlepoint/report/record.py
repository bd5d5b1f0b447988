"""What the report reads: the files of a run folder as one value. A missing file is an empty part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from saddlepoint.errors import InputError
from saddlepoint.report.text import is_finite, is_number

Column = tuple[np.ndarray, np.ndarray]  # steps and values of one logged quantity, equally long, float64
Json = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """One run folder, read."""

    folder: Path
    run: Json
    environment: Json
    summary: Json
    trust: Json
    metrics: dict[str, Column]
    evaluations: list[Json]
    health: list[Json]
    samples: list[tuple[int, Path]]  # (step, picture), in order of steps
    planes: list[tuple[int, Path]]  # the same of pictures of the plane of 2-D data
    panels: list[tuple[Json, Path]]  # what a picture shows ("title", "note", "rows"), and the picture
    notes: list[str]  # what could not be read, one sentence each


def read(folder: Path) -> Record:
    """Everything in `folder`. Raises `InputError` when it is not a run folder; other damage is noted."""
    notes: list[str] = []
    return Record(
        folder=folder,
        run=_run(folder),
        environment=_object(folder / "environment.json", notes),
        summary=_object(folder / "summary.json", notes),
        trust=_object(folder / "trust.json", notes),
        metrics=_columns(_lines(folder / "metrics.jsonl", notes)),
        evaluations=_lines(folder / "evaluations.jsonl", notes),
        health=_lines(folder / "health.jsonl", notes),
        samples=_pictures(folder / "samples"),
        planes=_pictures(folder / "planes"),
        panels=[(_object(path, notes), path.with_suffix(".png")) for path in _panels(folder / "panels")],
        notes=notes,
    )


def mappings(value: object) -> list[Json]:
    """The JSON objects in a list read from a file; anything else is no list of objects and gives none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _run(folder: Path) -> Json:
    path = folder / "run.json"
    if not path.is_file():
        raise InputError(f"{folder} is not a run: it has no run.json, which `saddlepoint train` writes.")
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(run, dict):
        raise InputError(
            f"{path} holds {type(run).__name__}, not the JSON object that `saddlepoint train` writes."
        )
    return run


def _object(path: Path, notes: list[str]) -> Json:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        notes.append(f"{path.name} cannot be read and is left out.")
    return mapping(content)


def _lines(path: Path, notes: list[str]) -> list[Json]:
    """The JSON objects of a file with one to a line; a line cut short by a crash is left out and counted."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    read = [_line(line) for line in lines if line.strip()]
    broken = sum(not entry for entry in read)
    if broken:
        notes.append(f"{path.name}: {broken:,} of {len(read):,} lines cannot be read and are left out.")
    return [entry for entry in read if entry]


def _line(line: str) -> Json:
    try:
        entry = mapping(json.loads(line))
    except ValueError:
        return {}
    step = entry.get("step")
    return entry if is_finite(step) else {}


def _columns(lines: list[Json]) -> dict[str, Column]:
    gathered: dict[str, tuple[list[float], list[float]]] = {}
    for line in lines:
        for name, value in line.items():
            if is_number(value):
                steps, values = gathered.setdefault(name, ([], []))
                steps.append(line["step"])
                values.append(value)
    return {
        name: (np.array(steps, float), np.array(values, float)) for name, (steps, values) in gathered.items()
    }


def _pictures(folder: Path) -> list[tuple[int, Path]]:
    return sorted((int(path.stem), path) for path in folder.glob("*.png") if path.stem.isdecimal())


def _panels(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))
