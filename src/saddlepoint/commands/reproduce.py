"""saddlepoint reproduce"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from saddlepoint.commands.parsing import parse
from saddlepoint.errors import InputError

if TYPE_CHECKING:
    from saddlepoint.experiments.book import Book, Job
    from saddlepoint.experiments.experiment import Experiment


@dataclass(frozen=True)
class Reproduce:
    """Run published experiments, and print what was published beside what is measured."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Ids or names, such as E09 or bilinear; `saddlepoint experiments` lists them."""
    all: bool = False
    """All of them."""
    quick: bool = False
    """In a small size, which takes minutes for all together."""
    seeds: int | None = None
    """Seeds of what is drawn at random; by default those that the experiment states."""
    out: Annotated[
        Path | None, tyro.conf.arg(help_behavior_hint="(default: runs/book or runs/book-quick)")
    ] = None
    """The book's folder; what it holds already is not run again."""
    processes: int = os.cpu_count() or 1
    """How many runs at once, each with one thread."""
    json: bool = False
    """Verdicts and numbers, as JSON."""


def run(arguments: list[str]) -> None:
    given = parse(Reproduce, "reproduce", arguments)
    from saddlepoint import experiments

    if given.all == bool(given.names):
        raise InputError(
            "give the names of experiments or --all:  saddlepoint reproduce bilinear;  "
            f"there are {', '.join(experiments.get(id).name for id in experiments.names())}"
        )
    for name, least in (("seeds", given.seeds), ("processes", given.processes)):
        if least is not None and least < 1:
            raise InputError(f"--{name} is {least}; a number from 1 is accepted")
    chosen = [experiments.get(name) for name in given.names or experiments.names()]
    from saddlepoint.experiments.book import Book, missing
    from saddlepoint.experiments.pages import write

    without = missing(chosen)
    if without and not given.all:
        raise InputError("; ".join(f"{id}: {why}" for id, why in without.items()))
    usual = Path("runs") / ("book-quick" if given.quick else "book")
    book = Book.at(given.out or usual, given.quick)
    possible = [experiment for experiment in chosen if experiment.id not in without]
    _work(book, list(book.jobs(possible, given.seeds)), given.processes)
    page = write(book, without)
    if given.json:
        print(json.dumps([_told(book, experiment) for experiment in chosen], indent=2))
        return
    for experiment in chosen:
        _print(book, experiment, without.get(experiment.id, ""))
    print(f"the book: {page}")


def _work(book: Book, jobs: Sequence[Job], processes: int) -> None:
    """With progress on standard error: a line for each trial, and on a terminal the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from saddlepoint.experiments.experiment import Trial
    from saddlepoint.experiments.work import work

    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    total = sum(job.minutes for job in jobs)
    with Progress(*columns, console=console, disable=not (console.is_terminal and jobs)) as progress:
        task = progress.add_task(f"{len(jobs)} runs", total=total)
        done = 0

        def told(job: Job, trial: Trial) -> None:
            nonlocal done
            done += 1
            said = f"failed: {trial.failed}" if trial.failed else f"{trial.seconds:.1f} s"
            text = f"{done}/{len(jobs)} {job.id} {job.part}, seed {job.seed}: {said}"
            (progress.console if console.is_terminal else console).print(text, markup=False, soft_wrap=True)
            progress.update(task, advance=job.minutes, description=f"{done} of {len(jobs)} runs")

        work(book, jobs, processes, told)


def _told(book: Book, experiment: Experiment) -> dict[str, Any]:
    verdict, judged = book.verdict(experiment)
    results = book.results(experiment)
    return {
        "id": experiment.id,
        "name": experiment.name,
        "quick": book.quick,
        "verdict": verdict,
        "accept": [j._asdict() for j in judged],
        "numbers": results.numbers,
        "failed": [{"part": t.part, "seed": t.seed, "why": t.failed} for t in results.failures],
        "seconds": book.seconds(experiment.id),
    }


def _print(book: Book, experiment: Experiment, without: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from saddlepoint.experiments.pages import HEAD, lines

    verdict, judged = book.verdict(experiment)
    print(f"{experiment.id} {experiment.title}: {without or verdict}")
    table = Table(box=None, pad_edge=False)
    for name in HEAD:
        table.add_column(name)
    rows = lines(experiment, book.results(experiment))
    for line in rows:
        table.add_row(*line)
    if rows:
        Console(highlight=False, markup=False, width=150).print(table)
    for one in judged:
        print(f"  {'met    ' if one.met else 'NOT MET'}  {one.says}  ({one.measured})")
    print()
