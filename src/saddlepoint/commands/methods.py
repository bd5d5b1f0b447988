"""saddlepoint methods"""

from __future__ import annotations

import json
from dataclasses import dataclass

from saddlepoint import methods
from saddlepoint.commands.parsing import parse


@dataclass(frozen=True)
class Methods:
    """The catalogue of methods."""

    json: bool = False
    """Everything about each, as JSON."""


def run(arguments: list[str]) -> None:
    given = parse(Methods, "methods", arguments)
    found = [methods.get(name) for name in methods.names()]
    if given.json:
        rows = [
            {
                "id": m.name,
                "formula": m.formula,
                "paper": m.paper,
                "deviations": list(m.deviations),
                "players": list(m.dynamics.optimizers),
                "value": repr(m),
            }
            for m in found
        ]
        print(json.dumps(rows, indent=2))
        return
    width = max(len(m.name) for m in found) + 2
    for m in found:
        print(f"{m.name:<{width}}{m.formula}")
