"""saddlepoint evaluate"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from saddlepoint.commands.parsing import DataOptions, load, parse, spec_of
from saddlepoint.errors import InputError
from saddlepoint.settings import LEAST

if TYPE_CHECKING:
    from saddlepoint.metrics import Metric, Quantities, Score
    from saddlepoint.metrics.quantities import Progress


@dataclass(frozen=True)
class Evaluate:
    """Scores of a run, or of images that anything made, against the held-out rows of a data set.

    Each number stands with its extractor, sample counts, interval and real-against-real floor. Of several runs
    the mean is taken, with its interval over the runs.
    """

    what: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN... | FOLDER")]]
    """Runs, or a folder or file of generated images or points."""
    data: str | None = None
    """What to compare with; for a run by default the data it was trained on."""
    metrics: str | None = None
    """Ids between commas, as `saddlepoint metrics` lists them; by default those that training takes."""
    all: bool = False
    """Every metric that can be taken, slow ones too."""
    extractor: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE")] = None
    """classifier, identity, inception, pca, pixels, random-convolution, or a TorchScript or exported file."""
    against: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN...")] = ()
    """Other runs, for metrics that compare a run with these."""
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
    if not given.what:
        raise InputError("evaluate takes a run, or a folder or file of samples, and none is given")
    if given.all and given.metrics is not None:
        raise InputError("--all takes every metric, and --metrics names some: give one of the two")
    named = _named(given)
    with _progress() as tell:
        several = [_taken(found, named, given.all) for found in _sides(given, tell)]
    scores, left_out = _together([scores for scores, _ in several])
    if given.json:
        print(json.dumps([score.to_json() for score in scores], indent=2))
    else:
        _table(scores)
    for line in dict.fromkeys([*(line for _, lines in several for line in lines), *left_out]):
        print(line, file=sys.stderr if given.json else sys.stdout)


def _named(given: Evaluate) -> list[Metric] | None:
    """The metrics asked for; None for those that training takes."""
    from saddlepoint.metrics import catalogue

    if given.all:
        return [catalogue.get(name) for name in catalogue.names()]
    if given.metrics is None:
        return None
    return [catalogue.get(name.strip()) for name in given.metrics.split(",")]


def _sides(given: Evaluate, tell: Progress) -> Iterator[Quantities]:
    """What metrics may ask for, of each thing to be evaluated."""
    runs = [path for path in given.what if (path / "run.json").is_file()]
    if len(given.what) > 1 and len(runs) < len(given.what):
        other = next(path for path in given.what if path not in runs)
        raise InputError(f"a mean is taken over runs, and {other} is none")
    return _of_runs(given, tell) if runs else iter([_of_samples(given, tell)])


def _of_runs(given: Evaluate, tell: Progress) -> Iterator[Quantities]:
    from saddlepoint.data.few_labels import complete
    from saddlepoint.evaluate import Evaluator
    from saddlepoint.trained import Run

    data = None if given.data is None else load(spec_of(given.data), given.images_as.options())
    rivals = [Run.open(path, data=data, best=given.best).model() for path in given.against]
    evaluators: dict[str, Any] = {}  # one for each data set: its real side is looked at once
    for path in given.what:
        opened = Run.open(path, data=data, best=given.best)
        known = complete(data or opened.data)
        fresh = Evaluator(known, given.n, given.seed, extractor=given.extractor, tell=tell)
        yield opened.quantities(evaluators.setdefault(known.identity, fresh), rivals)


def _of_samples(given: Evaluate, tell: Progress) -> Quantities:
    from saddlepoint.evaluate import Evaluator

    what = given.what[0]
    if given.data is None:
        if not what.exists():
            raise InputError(f"there is no run, folder or file {what}")
        raise InputError(f"{what} is not a run; to compare samples, say with what: --data DATA")
    real = load(spec_of(given.data), given.images_as.options())
    options = given.images_as.options()
    if len(real.shape) == 3:
        options |= {"size": list(real.shape[1:]), "channels": real.shape[0], "flip": False}
    made = load(str(what), options)
    if made.shape != real.shape:
        raise InputError(f"samples in {what} have shape {made.shape}, {given.data} has {real.shape}")
    if made.resizing != real.resizing and given.images_as.size is None:
        raise InputError(
            f"the sizes of the images differ (resizing of {what}: {made.resizing}, of {given.data}: {real.resizing}), "
            f"which moves scores: say with --size to which size both are brought"
        )
    evaluator = Evaluator(real, given.n, given.seed, extractor=given.extractor, tell=tell)
    return evaluator.quantities(_everything(made, given.n, given.seed), resizing=made.resizing)


def _everything(made: Any, n: int, seed: int) -> Any:
    """n rows of the samples, whichever side of a split they fell on."""
    import torch

    rows = torch.cat([made.training(n, seed)["real"], made.held_out(n, seed)["real"]])
    return rows[:n]


def _taken(found: Quantities, named: Sequence[Metric] | None, lenient: bool) -> tuple[list[Score], list[str]]:
    """Scores, and a sentence for each metric that was left out; a metric that was asked for by name is not."""
    from saddlepoint.evaluate import Evaluator

    scores: list[Score] = []
    left_out: list[str] = []
    for metric in Evaluator.usual(found) if named is None else named:
        try:
            scores += found.scores(metric)
        except InputError as error:
            if not lenient:
                raise
            left_out.append(str(error) if str(error).startswith(metric.id) else f"{metric.id}: {error}")
    return scores, left_out


def _together(several: list[list[Score]]) -> tuple[list[Score], list[str]]:
    """The scores of one run, or their means over runs, and a sentence for each score that some runs lack."""
    from saddlepoint.metrics import over_runs

    if len(several) == 1:
        return several[0], []
    means, left_out = [], []
    for name in dict.fromkeys(score.metric for scores in several for score in scores):
        own = [score for scores in several for score in scores if score.metric == name]
        if len(own) == len(several):
            means.append(over_runs(own))
        else:
            left_out.append(f"{name}: {len(several) - len(own)} of {len(several)} runs have none")
    return means, left_out


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on standard error while something long goes on, where somebody looks."""
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("measuring", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _table(scores: Sequence[Score]) -> None:
    """Narrow enough for a terminal of 80 columns: what the scores have in common stands below."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None)
    table.add_column("metric", overflow="fold")
    for heading in ("value", "95 % interval", "real against real"):
        table.add_column(heading, justify="right", no_wrap=True)
    for s in scores:
        interval = "" if s.interval is None else f"{s.interval[0]:.4g} – {s.interval[1]:.4g}"
        floor = "" if s.floor is None else f"{s.floor:.4g}"
        table.add_row(Text(s.label), f"{s.value:.4g}", interval, floor)
    console = Console()
    console.print(table)
    for line in dict.fromkeys(line for score in scores for line in _common(score)):
        console.print(line, markup=False, highlight=False)


def _common(score: Score) -> list[str]:
    lines = [f"{score.extractor} {score.hash[:23]}"] if score.extractor != "none" else []
    lines.append(f"{score.n_fake} generated, {score.n_real} real ({score.split})")
    for side, done in (("real", score.real_resizing), ("generated", score.fake_resizing)):
        lines += [f"{side} images resized: {done}"] if done != "none" else []
    lines += [f"{score.runs} runs: value and interval are over these"] if score.runs > 1 else []
    return lines + ([f"{score.label}: {score.note}"] if score.note else [])
