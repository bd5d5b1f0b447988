"""What the figures of experiments share: every one says how many seeds it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from saddlepoint.experiments.experiment import Experiment, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (7.5, 4.2)


def figure(experiment: Experiment, results: Results) -> Figure:
    """The experiment's figure, with its title and the note of its seeds."""
    from matplotlib.figure import Figure

    made = Figure(figsize=SIZE, layout="constrained", dpi=110)
    experiment.draw(made, results)
    for axes in made.axes:
        axes.title.set_fontsize(min(9, axes.title.get_fontsize()))  # below the figure's own
    made.suptitle(f"{experiment.id} {experiment.title}", fontsize=10)
    made.supxlabel(note(results), fontsize=7, color="0.4", x=0.99, ha="right")
    return made


def note(results: Results) -> str:
    drawn = any(results.drawn.values())
    count = len(results.seeds)
    failed = len(results.failures)
    seeds = f"{count} seed{'s' if count > 1 else ''}" if drawn else "nothing drawn at random"
    return seeds + (f", {failed} failed" if failed else "")


def band(
    axes: Axes, x: Sequence[float], curves: Sequence[Sequence[float]], label: str, **style: object
) -> None:
    """The median over the seeds as a line, least to most as a band; `curves` may end early."""
    import numpy as np

    if not curves:
        return
    length = min(len(x), *map(len, curves))
    values = np.array([list(curve)[:length] for curve in curves], dtype=float)
    at = list(x)[:length]
    (line,) = axes.plot(at, np.median(values, axis=0), label=label, **style)  # type: ignore[arg-type]
    if len(curves) > 1:
        axes.fill_between(at, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.2, lw=0)


def dots(
    axes: Axes, names: Sequence[str], values: Sequence[Sequence[float]], label: str | None = None
) -> None:
    """A column of dots for each name, one dot a seed, and a bar at the median."""
    import statistics

    for place, column in enumerate(values):
        axes.plot([place] * len(column), list(column), "o", ms=4, alpha=0.6, color="C0")
        if column:
            axes.plot([place - 0.25, place + 0.25], [statistics.median(column)] * 2, color="C1", lw=2)
    axes.plot([], [], "o", ms=4, color="C0", label=label or "a seed")
    axes.plot([], [], color="C1", lw=2, label="median")
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
