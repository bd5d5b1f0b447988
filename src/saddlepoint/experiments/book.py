"""A book of results: a folder with what was measured, one JSON file for each experiment, and the pages made from it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saddlepoint import experiments
from saddlepoint.errors import InputError
from saddlepoint.experiments.experiment import Experiment, Judged, Part, Results, Trial
from saddlepoint.paths import write_atomic

FORMAT = 1


@dataclass(frozen=True)
class Job:
    """One part of one experiment with one seed."""

    id: str
    part: str
    seed: int
    minutes: float


@dataclass(frozen=True)
class Book:
    """`quick`: whether the parts were carried out in their quick size."""

    path: Path
    quick: bool = False

    @classmethod
    def at(cls, path: Path, quick: bool) -> Book:
        """The book of this folder, begun where there is none. Refuses a folder with anything else."""
        record = path / "book.json"
        if record.is_file():
            found = cls.existing(path)
            if found.quick != quick:
                held, ask = ("quick", "add --quick") if found.quick else ("full", "leave --quick out")
                raise InputError(f"{path} holds a book of {held} runs: {ask}, or give another --out")
            return found
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise InputError(f"{path} is not a book of results and not empty: give --out a new folder")
        (path / "results").mkdir(parents=True)
        write_atomic(record, _json({"format": FORMAT, "quick": quick}))
        return cls(path, quick)

    @classmethod
    def existing(cls, path: Path) -> Book:
        """The book of this folder, or a sentence."""
        try:
            found = json.loads((path / "book.json").read_text(encoding="utf-8"))
            made, quick = int(found["format"]), bool(found["quick"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a book of results: it has no readable book.json") from error
        if made > FORMAT:
            raise InputError(f"{path} was made by a newer version (format {made}; this one reads {FORMAT})")
        return cls(path, quick)

    # -- what is stored ------------------------------------------------------------------------------

    def file(self, id: str) -> Path:
        return self.path / "results" / f"{id}.json"

    def stored(self, id: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.file(id).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"inputs": "", "trials": []}
        except ValueError as error:
            raise InputError(f"{self.file(id)} is not JSON: delete it to measure {id} again") from error
        return found

    def trials(self, id: str) -> list[Trial]:
        """Those of the experiment as it is now; none where the file that measures has changed since."""
        found = self.stored(id)
        if found["inputs"] != experiments.digest(id):
            return []
        return [_read(trial) for trial in found["trials"]]

    def add(self, id: str, trial: Trial) -> None:
        from saddlepoint.plan import environment

        known = {(t.part, t.seed): t for t in self.trials(id)} | {(trial.part, trial.seed): trial}
        rows = [_written(trial) for _, trial in sorted(known.items())]
        content = {"inputs": experiments.digest(id), "trials": rows, "environment": environment()}
        write_atomic(self.file(id), _json(content))

    def results(self, experiment: Experiment) -> Results:
        drawn = {part.name: part.drawn for part in experiment.parts}
        kept = [trial for trial in self.trials(experiment.id) if trial.part in drawn]
        return Results(tuple(kept), drawn)

    def seconds(self, id: str) -> float:
        return sum(trial.seconds for trial in self.trials(id))

    # -- what is to be done --------------------------------------------------------------------------

    def jobs(self, chosen: Sequence[Experiment], seeds: int | None) -> Iterator[Job]:
        """What is not there yet; parts that take a GPU only where there is one."""
        for experiment in chosen:
            done = {(trial.part, trial.seed) for trial in self.trials(experiment.id)}
            for part in experiment.parts:
                if part.gpu and not _gpu():
                    continue
                for seed in range(self.count(experiment, seeds) if part.drawn else 1):
                    if (part.name, seed) not in done:
                        yield Job(experiment.id, part.name, seed, part.minutes)

    def count(self, experiment: Experiment, seeds: int | None) -> int:
        usual = experiment.quick_seeds if self.quick else experiment.seeds
        return usual if seeds is None else seeds

    def verdict(self, experiment: Experiment) -> tuple[str, list[Judged]]:
        """ "met", "not met", "not run", "incomplete" (a part lacks a seed that another has) or "GPU, not run"; and each
        acceptance."""
        results = self.results(experiment)
        done = {(trial.part, trial.seed) for trial in results.trials}
        parts = [part for part in experiment.parts if not part.gpu or _gpu()]
        if not parts or not done:
            return ("not run" if parts else "GPU, not run"), []
        if not all(
            (part.name, seed) in done for part in parts for seed in (results.seeds if part.drawn else [0])
        ):
            return "incomplete", []
        judged = experiment.judged(results.numbers, self.quick)
        return ("met" if all(j.met for j in judged) else "not met"), judged


def carry_out(job: Job, quick: bool) -> Trial:
    """The trial of a job, in a process of its own with one thread."""
    import time

    import torch

    from saddlepoint.training import TrainingFailed

    torch.set_num_threads(1)
    part = part_of(experiments.get(job.id), job.part)
    started = time.process_time()
    try:
        found = part.measure(job.seed, quick)
    except TrainingFailed as error:
        return Trial(job.part, job.seed, {}, {}, round(time.process_time() - started, 1), str(error))
    numbers = {name: float(value) for name, value in found.numbers.items()}
    series = {name: [_short(value) for value in values] for name, values in found.series.items()}
    return Trial(job.part, job.seed, numbers, series, round(time.process_time() - started, 1))


def part_of(experiment: Experiment, name: str) -> Part:
    return next(part for part in experiment.parts if part.name == name)


def missing(chosen: Iterable[Experiment]) -> dict[str, str]:
    """id → why it cannot be run: a data set that is not there."""
    from saddlepoint.data import load

    found: dict[str, str] = {}
    for experiment in chosen:
        parts = [part for part in experiment.parts if not part.gpu or _gpu()]
        for name in {name for part in parts for name in part.data}:
            try:
                load(name).held_out(1)
            except InputError as error:
                found[experiment.id] = str(error)
    return found


def _gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


# JSON has no infinities and no nan: numbers that are not finite are strings.


def _written(trial: Trial) -> dict[str, Any]:
    numbers = {name: _plain(value) for name, value in trial.numbers.items()}
    series = {name: [_plain(value) for value in values] for name, values in trial.series.items()}
    return {**trial._asdict(), "numbers": numbers, "series": series}


def _read(row: dict[str, Any]) -> Trial:
    numbers = {name: float(value) for name, value in row["numbers"].items()}
    series = {name: [float(value) for value in values] for name, values in row["series"].items()}
    return Trial(**{**row, "numbers": numbers, "series": series})


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _short(value: float) -> float:
    return float(f"{float(value):.6g}")
