"""saddlepoint diagnose"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from saddlepoint.commands.parsing import load, parse, spec_of
from saddlepoint.paths import write_atomic

if TYPE_CHECKING:
    from saddlepoint.diagnosis import Diagnosis


@dataclass(frozen=True)
class Diagnose:
    """What is wrong with a run, looked at closely: gradients, slopes, spectrum, nearest training images."""

    path: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    """The folder of the run."""
    data: str | None = None
    """Where its data lie now, if not where they were."""
    json: bool = False
    """Everything as JSON."""


def run(arguments: list[str]) -> None:
    given = parse(Diagnose, "diagnose", arguments)
    from saddlepoint import report
    from saddlepoint.diagnosis import diagnose
    from saddlepoint.run import write_json
    from saddlepoint.trained import Run

    data = None if given.data is None else load(spec_of(given.data), {})
    opened = Run.open(given.path, data=data)
    opened.folder.lock()  # a run that trains writes its report itself
    try:
        found = diagnose(opened, lambda text: print(f"measuring: {text}", file=sys.stderr))
        opened.folder.panels.mkdir(exist_ok=True)
        for name, (picture, told) in found.pictures.items():
            write_atomic(opened.folder.panels / f"{name}.png", picture)
            write_json(opened.folder.panels / f"{name}.json", told)
        write_json(given.path / "diagnosis.json", found.to_json())
        page = report.write(given.path)
    finally:
        opened.folder.unlock()
    if given.json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        _tell(found)
        print(f"\npictures and numbers: {page}")


def _tell(found: Diagnosis) -> None:
    from saddlepoint.report.text import number

    for finding in found.findings:
        print(f"{finding.severity}: {finding}")
    if not found.findings:
        print(f"nothing found in the looks up to step {found.step:,}")
    for group, rows in found.measured.items():
        if not rows:
            continue
        print(f"\n{group}")
        width = max(map(len, rows)) + 2
        for name, value in rows.items():
            shown = value if isinstance(value, str) else "unknown" if value is None else number(value)
            print(f"  {name:<{width}}{shown}")
    for sentence in found.left_out:
        print(f"\nleft out: {sentence}")
