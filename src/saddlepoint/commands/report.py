"""saddlepoint report"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from saddlepoint.commands.parsing import parse


@dataclass(frozen=True)
class Report:
    """Write RUN/report.html: one self-contained page that opens offline."""

    path: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    """The folder of the run."""


def run(arguments: list[str]) -> None:
    from saddlepoint import report

    print(report.write(parse(Report, "report", arguments).path))
