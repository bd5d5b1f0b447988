"""saddlepoint evaluate"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from saddlepoint.commands.parsing import DataOptions, load, parse, spec_of
from saddlepoint.errors import InputError
from saddlepoint.settings import LEAST


@dataclass(frozen=True)
class Evaluate:
    """Scores of a run, or of images that anything made, against the held-out rows of a data set.

    Each number stands with its extractor, sample counts, interval and real-against-real floor.
    """

    what: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN|FOLDER")]]
    """A run, or a folder or file of generated images or points."""
    data: str | None = None
    """What to compare with; for a run by default the data it was trained on."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 2000
    """Generated samples to look at."""
    seed: int = 0
    json: bool = False
    """Print score records as JSON."""
    best: bool = False
    """The best checkpoint by the held-out score, instead of the last."""
    images_as: tyro.conf.OmitArgPrefixes[DataOptions] = DataOptions()


def run(arguments: list[str]) -> None:
    given = parse(Evaluate, "evaluate", arguments)
    if given.n < LEAST:
        raise InputError(f"-n {given.n} is not possible: scores compare at least {LEAST} samples")
    scores = _of_run(given) if (given.what / "run.json").is_file() else _of_samples(given)
    if given.json:
        print(json.dumps([score.to_json() for score in scores], indent=2))
    else:
        _table(scores)


def _of_run(given: Evaluate) -> Any:
    from saddlepoint.trained import Run

    data = None if given.data is None else load(spec_of(given.data), given.images_as.options())
    return Run.open(given.what, data=data, best=given.best).evaluate(given.n, given.seed)


def _of_samples(given: Evaluate) -> Any:
    from saddlepoint.evaluate import Evaluator

    if given.data is None:
        if not given.what.exists():
            raise InputError(f"there is no run, folder or file {given.what}")
        raise InputError(f"{given.what} is not a run; to compare samples, say with what: --data DATA")
    real = load(spec_of(given.data), given.images_as.options())
    options = given.images_as.options()
    if len(real.shape) == 3:
        options |= {"size": list(real.shape[1:]), "channels": real.shape[0], "flip": False}
    made = load(str(given.what), options)
    if made.shape != real.shape:
        raise InputError(f"samples in {given.what} have shape {made.shape}, {given.data} has {real.shape}")
    return Evaluator(real, given.n, given.seed)(_everything(made, given.n, given.seed))


def _everything(made: Any, n: int, seed: int) -> Any:
    """n rows of the samples, whichever side of a split they fell on."""
    import torch

    rows = torch.cat([made.training(n, seed)["real"], made.held_out(n, seed)["real"]])
    return rows[:n]


def _table(scores: Any) -> None:
    """Narrow enough for a terminal of 80 columns: what the scores have in common stands below."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    table.add_column("metric", no_wrap=True)
    for heading in ("value", "95 % interval", "real against real"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("extractor", no_wrap=True)
    for s in scores:
        interval = "" if s.interval is None else f"{s.interval[0]:.4g} – {s.interval[1]:.4g}"
        floor = "" if s.floor is None else f"{s.floor:.4g}"
        table.add_row(s.metric, f"{s.value:.4g}", interval, floor, s.extractor)
    console = Console()
    console.print(table)
    for line in sorted({f"{s.extractor} {s.hash[:23]}" for s in scores if s.extractor != "none"}):
        console.print(line, markup=False, highlight=False)
    for line in sorted({f"{s.n_fake} generated, {s.n_real} real ({s.split})" for s in scores}):
        console.print(line, markup=False, highlight=False)
