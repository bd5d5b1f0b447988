"""saddlepoint show"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import tyro

from saddlepoint.commands.parsing import method_of, parse


@dataclass(frozen=True)
class Show:
    """One method in full."""

    method: tyro.conf.Positional[str]
    """Its id (see `saddlepoint methods`)."""


def run(arguments: list[str]) -> None:
    from saddlepoint.report.text import layout

    method = method_of(parse(Show, "show", arguments).method)
    module = importlib.import_module(f"saddlepoint.methods.{method.name.replace('-', '_')}")
    print(f"{method.name}\n\n{(module.__doc__ or '').strip()}\n")
    print(f"formula   {method.formula}\n")
    print(f"paper     {method.paper}\n")
    print("deviations from it")
    for line in method.deviations:
        print(f"  - {line}")
    print(f"\nvalue\n{layout(repr(method))}")
