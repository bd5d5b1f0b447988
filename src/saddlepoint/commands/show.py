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
    """Its id (see `saddlepoint methods`), or a value such as "Method(name='mine', objective=Hinge())"."""


def run(arguments: list[str]) -> None:
    from saddlepoint.report.text import layout

    text = parse(Show, "show", arguments).method
    method = method_of(text)
    print(f"{method.name}\n")
    if text == method.name:
        module = importlib.import_module(f"saddlepoint.methods.{text.replace('-', '_')}")
        print(f"{(module.__doc__ or '').strip()}\n")
    print(f"formula   {method.formula}\n")
    print(f"paper     {method.paper}\n")
    print("deviations from it")
    for line in method.deviations:
        print(f"  - {line}")
    print(f"\nvalue\n{layout(repr(method))}")
