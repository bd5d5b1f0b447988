"""What an experiment is, as a value: what is asked, what was published, what is measured, what has to come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from saddlepoint.experiments.accept import Acceptance, Numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tag = Literal["", "V", "S", "N", "M"]
TAGS: Mapping[str, str] = {
    "V": "read in the authors' repository or figure",
    "S": "quoted in a second text",
    "N": "checked by calculation",
    "M": "unverified: from memory",
}
Series = dict[str, list[float]]


@dataclass(frozen=True)
class Measured:
    """What a part found with one seed. `numbers` are judged; `series` are kept for the figure."""

    numbers: Numbers
    series: Series = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A piece of work with one seed: `measure(seed, quick)`. Parts of an experiment name their numbers differently.

    `drawn`: False where nothing depends on the seed; such a part is done once and its numbers count for every seed.
    `minutes`: of one core in full size, for what is told of the time left. `data`: data sets that have to be there.
    `gpu`: whether it takes one; it is left out where there is none."""

    name: str
    measure: Callable[[int, bool], Measured]
    drawn: bool = True
    minutes: float = 1.0
    data: tuple[str, ...] = ()
    gpu: bool = False


@dataclass(frozen=True)
class Row:
    """A line of the table: a number of `Measured`, what was published of it, and what is exact: a value, or the name of a
    number that `saddlepoint.theory` or a closed form gives."""

    what: str
    number: str
    published: str = ""
    tag: Tag = ""
    exact: str | float | None = None


class Trial(NamedTuple):
    """A part that was carried out. `failed`: why there are no numbers."""

    part: str
    seed: int
    numbers: Numbers
    series: Series
    seconds: float
    failed: str = ""


@dataclass(frozen=True)
class Results:
    """The trials of one experiment."""

    trials: tuple[Trial, ...]
    drawn: Mapping[str, bool]  # by part

    @property
    def seeds(self) -> list[int]:
        """Seeds that were drawn with; [0] where nothing was."""
        return sorted({trial.seed for trial in self.trials if self.drawn.get(trial.part, True)}) or [0]

    def of(self, seed: int) -> list[Trial]:
        return [t for t in self.trials if t.seed == seed or not self.drawn.get(t.part, True)]

    @property
    def numbers(self) -> list[Numbers]:
        """By seed, of all parts together."""
        return [{n: v for trial in self.of(seed) for n, v in trial.numbers.items()} for seed in self.seeds]

    def all(self, number: str) -> list[float]:
        """One number over the seeds that have it."""
        return [numbers[number] for numbers in self.numbers if number in numbers]

    def curves(self, name: str) -> list[list[float]]:
        """One series of every trial that has it, by seed."""
        return [
            trial.series[name] for trial in sorted(self.trials, key=lambda t: t.seed) if name in trial.series
        ]

    @property
    def failures(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.failed]


@dataclass(frozen=True)
class Experiment:
    """One experiment of the literature in small. `draw(figure, results)` makes its picture from what is stored. `differs`:
    where it departs from the paper, why, and what was tried where an acceptance is not met."""

    id: str
    name: str
    title: str
    question: str
    protocol: str
    source: str
    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    accept: tuple[Acceptance, ...]
    draw: Callable[[Figure, Results], None]
    differs: str = ""
    seeds: int = 5
    quick_seeds: int = 1

    def to_json(self) -> dict[str, Any]:
        """What it is, without what was measured."""
        names = ("id", "name", "title", "question", "protocol", "source", "differs", "seeds")
        return {
            **{name: getattr(self, name) for name in names},
            "parts": [
                {"name": p.name, "minutes": p.minutes, "data": list(p.data), "gpu": p.gpu} for p in self.parts
            ],
            "rows": [
                {"what": r.what, "number": r.number, "published": r.published, "tag": r.tag}
                for r in self.rows
            ],
            "accept": [a.says for a in self.accept],
        }

    def judged(self, numbers: Sequence[Numbers], quick: bool) -> list[Judged]:
        return [Judged(a.says, *a.judge(numbers)) for a in self.accept if a.quick or not quick]


class Judged(NamedTuple):
    says: str
    met: bool
    measured: str
