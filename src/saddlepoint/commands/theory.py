"""saddlepoint theory"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from saddlepoint.commands.parsing import parse
from saddlepoint.errors import InputError

if TYPE_CHECKING:
    from saddlepoint.theory.claim import Claim

SHOWN = 12  # pairs of a claim that are printed


@dataclass(frozen=True)
class Theory:
    """Claims of the theory, both sides evaluated."""

    claims: tyro.conf.Positional[tuple[str, ...]] = ()
    """Rows such as T02; without any, all are listed and none is evaluated."""
    json: bool = False
    """Every pair of sides, as JSON."""
    figure: Path | None = None
    """Also draw one claim, into this PNG file."""


def run(arguments: list[str]) -> None:
    given = parse(Theory, "theory", arguments)
    from saddlepoint import theory

    claims = [theory.get(name) for name in given.claims or theory.names()]
    if given.figure is not None:
        _draw(claims, given.figure)
    if not given.claims:
        _list(claims, given.json)
        return
    rows = [(claim, claim.check()) for claim in claims]
    if given.json:
        print(
            json.dumps(
                [{**_told(claim), "sides": [_row(s) for s in sides]} for claim, sides in rows], indent=2
            )
        )
        return
    for claim, sides in rows:
        wrong = [pair for pair in sides if not pair.holds]
        print(f"{claim.id} {claim.title}\n  {claim.statement}\n  {claim.source}\n")
        for pair in (wrong or sides)[:SHOWN]:
            print(f"  {'holds' if pair.holds else 'FAILS'}  {pair}")
        print(f"  {len(sides) - len(wrong)} of {len(sides)} hold\n")


def _list(claims: list[Claim], as_json: bool) -> None:
    if as_json:
        print(json.dumps([_told(claim) for claim in claims], indent=2))
        return
    for claim in claims:
        print(f"{claim.id}  {claim.title}: {claim.statement}")


def _draw(claims: list[Claim], path: Path) -> None:
    if len(claims) != 1 or claims[0].figure is None:
        raise InputError(
            "--figure draws one claim that has a picture: saddlepoint theory T28 --figure t28.png"
        )
    from matplotlib.figure import Figure

    from saddlepoint.paths import write_atomic

    figure, content = Figure(figsize=(7, 4), layout="constrained"), io.BytesIO()
    claims[0].figure(figure.subplots())
    figure.savefig(content, format="png", dpi=150)
    write_atomic(path, content.getvalue())


def _told(claim: Claim) -> dict[str, Any]:
    names = ("id", "title", "statement", "source")
    return {name: getattr(claim, name) for name in names} | {"figure": claim.figure is not None}


def _row(pair: Any) -> dict[str, Any]:
    return {**pair._asdict(), "holds": pair.holds}
