"""Mode collapse under one recipe: the training of one method on one data set for a budget of gradient evaluations, and the
numbers that come of it under names that every such experiment shares. E05, E07, E13 and E17 are read as one table."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from saddlepoint.experiments.accept import Numbers
from saddlepoint.experiments.experiment import Measured, Part, Row, Series, Tag
from saddlepoint.experiments.mixtures import Judged, Task
from saddlepoint.experiments.playing import Moment, Slope, play, rates
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.optim import Adam, Optimizer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from saddlepoint.experiments.experiment import Results

BATCH = 128
RATE = Adam(1e-3)
GRADIENTS = {
    "ring": 10_000,
    "grid": 12_000,
    "1200-D": 2_000,
    "stacked digits": 5_000,
}  # equal for all methods
MINUTES = {"ring": 0.02, "grid": 0.02, "1200-D": 0.09, "stacked digits": 0.04}  # of a thousand of them
Watch = Callable[[Moment], float]


def steepest(moment: Moment) -> float:
    """The largest ‖∇s‖ of the discriminator at 500 fakes."""
    return float(Slope(moment.module("discriminator"))(moment.sample(500)).max())


@dataclass(frozen=True)
class Trial:
    """A method on a data set for `gradients` evaluations of one player's gradient, `optimizer` for all players (None: those
    of the method). `looks` samples are judged on the way, `watch` taken of each."""

    name: str
    method: Method
    task: Task
    gradients: int
    optimizer: Optimizer | None = RATE
    batch: int = BATCH
    looks: int = 0
    watch: Mapping[str, Watch] | None = None

    @property
    def label(self) -> str:
        return f"{self.name}, {self.task.name}"

    @property
    def steps(self) -> int:
        rule = self.method.dynamics
        return max(1, self.gradients // sum(map(rule.cost, rule.turns(0))))

    def prepared(self) -> Method:
        """The method with the latent of the task, its last weights in place of averaged ones."""
        method = rates(self.method, self.optimizer) if self.optimizer else self.method
        return replace(method, latent=Gaussian(self.task.latent), averages={})

    def train(self, seed: int) -> Measured:
        task, started = self.task, time.process_time()
        every = self.steps // self.looks if self.looks else self.steps
        seen: list[Judged] = []
        watched: Series = {}
        judging = 0.0
        for moment in play(self.prepared(), task.data(), task.networks, self.steps, seed, self.batch):
            if moment.step == 0 or (moment.step % every and moment.step != self.steps):
                continue
            paused = time.process_time()
            seen.append(task.judge(moment.sample(task.rows)))
            for name, take in (self.watch or {}).items():
                watched.setdefault(f"{self.label}: {name}", []).append(take(moment))
            judging += time.process_time() - paused
        numbers = named(self.label, seen[-1])
        for name, values in watched.items():
            numbers[f"{name}, largest"] = max(values)
        numbers[f"{self.label}: seconds"] = time.process_time() - started - judging
        numbers[f"{self.label}: steps"] = self.steps
        return Measured(numbers, {**watched, **self.history(seen), **self.points(moment)})

    def history(self, seen: Sequence[Judged]) -> Series:
        if not self.looks:
            return {}
        return {
            f"{self.label}: {what} over time": [float(one[place]) for one in seen]
            for place, what in enumerate(WHAT)
        }

    def points(self, moment: Moment) -> Series:
        """300 samples of the plane."""
        if self.task.data().shape != (2,):
            return {}
        x, y = moment.sample(300).T
        return {f"{self.label}: x": x.tolist(), f"{self.label}: y": y.tolist()}


WHAT = ("modes", "high quality", "variance ratio", "KL")
SAID = {
    "modes": "modes found",
    "high quality": "share of high quality",
    "variance ratio": "variance within the modes over the true one",
    "KL": "KL(modes ‖ uniform), nats",
}
LIMITS = {
    "modes": (-0.05, 1.05, "linear"),
    "high quality": (-0.05, 1.05, "linear"),
    "variance ratio": (1e-2, 1e2, "log"),
    "KL": (1e-3, 10.0, "log"),
}
AXES = {
    "modes": "share of the\nmodes found",
    "high quality": "share of\nhigh quality",
    "variance ratio": "variance within the\nmodes / true one",
    "KL": "KL of the modes\nto uniform, nats",
}


def named(label: str, found: Judged) -> Numbers:
    return {f"{label}: {what}": float(value) for what, value in zip(WHAT, found, strict=True)}


def truth(tasks: Sequence[Task], seed: int, quick: bool) -> Measured:
    """What independent points of the data themselves are given, and what is to be expected of them."""
    numbers: Numbers = {}
    for task in tasks:
        points = task.data().held_out(task.rows, seed)["real"]
        numbers |= named(f"data, {task.name}", task.judge(points))
        numbers |= named(f"perfect, {task.name}", task.perfect())
    return Measured(numbers)


def parts(
    trials: Sequence[Trial], minutes: Mapping[str, float], quick: Mapping[str, int]
) -> tuple[Part, ...]:
    """The truth, and a part for each trial. `minutes`: of a thousand gradients, by task. `quick`: gradients in quick size by
    label; other trials are left out of a quick run."""
    tasks = tuple({trial.task.name: trial.task for trial in trials}.values())

    def measure(trial: Trial, seed: int, small: bool) -> Measured:
        if not small:
            return trial.train(seed)
        gradients = quick.get(trial.label)
        return replace(trial, gradients=gradients).train(seed) if gradients else Measured({})

    return (
        Part("data", partial(truth, tasks), minutes=0.1),
        *(
            Part(
                trial.label,
                partial(measure, trial),
                minutes=round(minutes[trial.task.name] * trial.gradients / 1000, 2),
            )
            for trial in trials
        ),
    )


def rows(trials: Sequence[Trial], published: Mapping[str, tuple[str, Tag]]) -> tuple[Row, ...]:
    """Four lines for each trial and for the data themselves; `published` by number. What is exact is the mean over
    independent points of the truth."""
    tasks = {trial.task.name: trial.task for trial in trials}
    labels = [*(f"data, {task}" for task in tasks), *(trial.label for trial in trials)]
    return tuple(
        Row(
            f"{label}: {SAID[what]}",
            f"{label}: {what}",
            *published.get(f"{label}: {what}", ("", "")),
            exact=f"perfect, {label.rsplit(', ', 1)[1]}: {what}",
        )
        for label in labels
        for what in WHAT
    )


# -- figures -------------------------------------------------------------------------------------------


def draw_scores(
    panels: Sequence[Axes], results: Results, trials: Sequence[Trial], whats: Sequence[str] = WHAT
) -> None:
    """A panel for each of `whats`: methods from top to bottom, a colour for each data set, the median as a dot, all seeds as
    a line, and dotted what the truth is given."""
    names = list(dict.fromkeys(trial.name for trial in trials))
    tasks = list({trial.task.name: trial.task for trial in trials}.values())
    for axes, what in zip(panels, whats, strict=True):
        for place, task in enumerate(tasks):
            shift = 0.8 * (place + 0.5) / len(tasks) - 0.4
            draw_column(axes, results, names, task, what, f"C{place}", shift)
        axes.set_xlabel(AXES[what], fontsize=8)
        axes.set_yticks(range(len(names)), names if axes is panels[0] else [], fontsize=7)
        axes.tick_params(axis="x", labelsize=7)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(axis="x", alpha=0.3)
        axes.set_ylabel("method", fontsize=8).set_visible(axes is panels[0])
        low, high, scale = LIMITS[what]
        axes.set_xscale(scale)
        axes.set_xlim(low, high)
    handles, labels = panels[0].get_legend_handles_labels()
    panels[0].figure.legend(handles, labels, loc="outside lower left", ncols=len(tasks), fontsize=7)


def draw_column(
    axes: Axes, results: Results, names: Sequence[str], task: Task, what: str, colour: str, shift: float
) -> None:
    """One data set: of modes the share, and a dotted line at what the truth is given."""
    whole = task.modes if what == "modes" else 1
    for place, name in enumerate(names):
        found = [v / whole for v in results.all(f"{name}, {task.name}: {what}") if math.isfinite(v)]
        if found:
            axes.plot([min(found), max(found)], [place + shift] * 2, color=colour, lw=1)
            axes.plot(statistics.median(found), place + shift, "o", ms=3.5, color=colour)
    axes.plot([], [], "o-", ms=3.5, lw=1, color=colour, label=task.name)
    right = task.perfect()[WHAT.index(what)] / whole
    axes.axvline(right, color=colour if what == "KL" else "0.5", ls=":", lw=1)
