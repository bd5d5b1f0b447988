"""saddlepoint methods"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from saddlepoint import methods
from saddlepoint.commands.parsing import parse


@dataclass(frozen=True)
class Methods:
    """The catalogue of methods."""

    json: bool = False
    """Everything about each, as JSON."""
    markdown: bool = False
    """A table for documents."""


def run(arguments: list[str]) -> None:
    given = parse(Methods, "methods", arguments)
    rows = [described(name) for name in methods.names()]
    if given.json:
        print(json.dumps(rows, indent=2))
    elif given.markdown:
        print("| id | name | formula | paper |\n|---|---|---|---|")
        for row in rows:
            print(
                "| "
                + " | ".join(row[k].replace("|", "\\|") for k in ("id", "name", "formula", "paper"))
                + " |"
            )
    else:
        width = max(len(row["id"]) for row in rows) + 2
        for row in rows:
            print(f"{row['id']:<{width}}{row['formula']}")


def described(identifier: str) -> dict[str, Any]:
    """What a program would want to know of a method."""
    method = methods.get(identifier)
    module = import_module(f"saddlepoint.methods.{identifier.replace('-', '_')}")
    parts = (method.objective, *method.terms, *method.constraints, *method.treatments, method.dynamics)
    year = re.search(r"\b(19|20)\d\d\b", method.paper)
    return {
        "id": method.name,
        "name": re.sub(r" \(M\d+\)", "", (module.__doc__ or "").strip().split("\n")[0]).rstrip(".,"),
        "year": int(year.group()) if year else None,
        "formula": method.formula,
        "paper": method.paper,
        "deviations": list(method.deviations),
        "players": list(method.dynamics.optimizers),
        "parts": [type(part).__name__ for part in parts],
        "needs": sorted(_needs(method)),
        "value": repr(method),
    }


def _needs(method: Any) -> set[str]:
    """What not every data set and pair of networks has."""
    needs = {"features"} if method.asks & {"real_features", "fake_features"} else set()
    needs |= {"labels"} if "label" in method.asks else set()
    needs |= {"images"} if any(treatment.images for treatment in method.treatments) else set()
    return needs | ({"single samples"} if method.per_row else set())
