"""saddlepoint experiments"""

from __future__ import annotations

import json
from dataclasses import dataclass

from saddlepoint.commands.parsing import parse


@dataclass(frozen=True)
class Experiments:
    """The experiments of the literature that `saddlepoint reproduce` runs."""

    json: bool = False
    """Everything known of each, as JSON."""


def run(arguments: list[str]) -> None:
    given = parse(Experiments, "experiments", arguments)
    from saddlepoint import experiments

    found = [experiments.get(name) for name in experiments.names()]
    if given.json:
        print(json.dumps([experiment.to_json() for experiment in found], indent=2))
        return
    width = max((len(experiment.name) for experiment in found), default=0)
    for experiment in found:
        print(f"{experiment.id}  {experiment.name:<{width}}  {experiment.title}")
