"""saddlepoint data"""

from __future__ import annotations

import json
from dataclasses import dataclass

from saddlepoint.commands.parsing import parse
from saddlepoint.data import catalogue


@dataclass(frozen=True)
class Sets:
    """The data sets known by name. Any folder of images and any .npy, .npz or .csv file is a data set too."""

    json: bool = False


def run(arguments: list[str]) -> None:
    given = parse(Sets, "data", arguments)
    if given.json:
        print(json.dumps(catalogue(), indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "samples", "training rows", "classes", "here")
    for row in catalogue():
        shape = " x ".join(map(str, row["shape"]))
        size = "endless" if row["size"] is None else f"{row['size']:,}"
        table.add_row(
            row["name"], shape, size, str(row["classes"] or ""), "yes" if row["available"] else "is fetched"
        )
    Console().print(table)
