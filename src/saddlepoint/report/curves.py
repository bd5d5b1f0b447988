"""Curves as small SVG drawings whose colours are the page's, so that they follow its light or dark theme."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from saddlepoint.report.record import Column
from saddlepoint.report.text import compact, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Formatter

POINTS = 240  # of a drawn curve; where the log has more than twice as many, each is the mean of a few steps
WIDTH, HEIGHT = 440, 250  # of a drawing, in its own units
MARGINS = (0.13, 0.12, 0.85, 0.85)  # left, bottom, width, height of the axes as shares of the drawing
KEPT = (
    0.995  # share of the range's ends inside the vertical window when a few outliers would flatten the rest
)
LOGARITHMIC = 30  # ratio of largest to smallest from which a positive score is drawn on a logarithmic axis
COLOURS = 6  # series colours that the page's style sheet defines; further series repeat them
# Placeholder colours, replaced by custom properties of the page.
MUTED, RULE, SERIES = "#0a0b01", "#0a0b02", "#0a0c0{}"


@dataclass(frozen=True)
class Series:
    """One curve: the mean over each bin of neighbouring steps, with the least and largest value in it."""

    name: str
    steps: np.ndarray
    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray
    size: int  # steps in a bin; the last bin may have fewer
    count: int  # of logged values
    lost: int  # of these not finite
    last: float
    colour: int
    floor: Column | None

    @property
    def latest(self) -> str:
        return number(self.last)


@dataclass(frozen=True)
class Chart:
    """A drawing with what is said around it."""

    title: str
    series: list[Series]
    svg: str
    notes: list[str]

    @property
    def has_floor(self) -> bool:
        return any(series.floor is not None for series in self.series)

    @property
    def spoken(self) -> str:
        """The drawing in words, for those who hear the page."""
        parts = [
            f"{series.name} from {number(float(series.mean[0]))} to {series.latest} "
            f"between steps {number(int(series.steps[0]))} and {number(int(series.steps[-1]))}"
            for series in self.series
        ]
        return f"{self.title}: " + "; ".join(parts) + "."


def series(name: str, column: Column, colour: int = 0, floor: Column | None = None) -> Series | None:
    """The finite values of a column, in bins where they are more than twice `POINTS`; None without any."""
    steps, values = column
    finite = np.isfinite(values)
    if not finite.any():
        return None
    steps, kept, count = steps[finite], values[finite], int(finite.sum())
    size = 1 if count <= 2 * POINTS else -(-count // POINTS)
    starts = np.arange(0, count, size)
    low, high, total = (f.reduceat(kept, starts) for f in (np.minimum, np.maximum, np.add))
    middle = steps[np.minimum(starts + size // 2, count - 1)]
    middle[0], middle[-1] = steps[0], steps[-1]  # the curve reaches the first and the last step
    mean = total / np.diff(starts, append=count)
    lost = len(values) - count
    return Series(
        name, middle, low, mean, high, size, len(values), lost, float(kept[-1]), colour % COLOURS, floor
    )


def chart(title: str, curves: list[Series], name: str, logarithmic: bool = False) -> Chart:
    """Draw curves over the steps; `name` keeps the drawing's ids apart from those of others on the page."""
    ends = np.concatenate([end for curve in curves for end in (curve.low, curve.high)])
    logarithmic = logarithmic and bool(ends.min() > 0 and ends.max() > LOGARITHMIC * ends.min())
    window = None if logarithmic else _window(ends)
    notes = [f"{c.name}: {c.lost:,} of {c.count:,} logged values not finite." for c in curves if c.lost]
    size = max(curve.size for curve in curves)
    if size > 1:
        notes.append(f"Line: mean of {size:,} logged steps; band: their least and largest value.")
    if window:
        notes.append("A few extreme values lie outside the drawing.")
    if logarithmic:
        notes.append("Logarithmic axis.")
    return Chart(title, curves, _svg(curves, name, window, logarithmic), notes)


def _window(ends: np.ndarray) -> tuple[float, float] | None:
    """Vertical limits without outliers, or None where the outliers do not flatten the curves."""
    low, high = np.quantile(ends, [1 - KEPT, KEPT])
    if len(ends) < 100 or ends.max() - ends.min() < 4 * (high - low) or high == low:
        return None
    margin = 0.15 * (high - low)
    return max(ends.min(), low - margin), min(ends.max(), high + margin)


def _svg(curves: list[Series], name: str, window: tuple[float, float] | None, logarithmic: bool) -> str:
    """The drawing as an SVG element without size: the page scales it to its column."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.style import context

    stream = BytesIO()
    with context("default"), matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
        axes = figure.add_axes(MARGINS)
        if logarithmic:
            axes.set_yscale("log")
        for curve in curves:
            _draw(axes, curve)
        if window:
            axes.set_ylim(*window)
        _dress(axes)
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return _inline(stream.getvalue().decode(), name)


def _draw(axes: Axes, curve: Series) -> None:
    colour = SERIES.format(curve.colour)
    if curve.size > 1:
        axes.fill_between(curve.steps, curve.low, curve.high, color=colour, alpha=0.2, linewidth=0)
    marker = "o" if len(curve.steps) <= 40 else ""
    axes.plot(curve.steps, curve.mean, color=colour, linewidth=1.6, marker=marker, markersize=3.5)
    if curve.floor is not None:
        axes.plot(*curve.floor, color=colour, linewidth=1.4, linestyle=(0, (5, 4)))


def _dress(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_compact())
        axis.set_minor_formatter("")
        axis.set_tick_params(which="both", length=0, labelsize=12, labelcolor=MUTED, pad=6)
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.grid(axis="y", color=RULE, linewidth=1)
    axes.set_axisbelow(True)
    axes.spines[["left", "top", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)


def _compact() -> Formatter:
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: compact(value))


def _inline(drawing: str, name: str) -> str:
    """The `<svg>` element alone: ids made the drawing's own, colours made the page's."""
    body = drawing[drawing.index("<svg") :]
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = body.replace("url(#", f"url(#{name}-").replace('xlink:href="#', f'href="#{name}-')
    body = body.replace(MUTED, "var(--muted)").replace(RULE, "var(--rule)")
    body = re.sub(SERIES.format(r"(\d)"), r"var(--series-\1)", body)
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true" focusable="false">'
    return head + re.sub(r"\s*\n\s*", "\n", body).strip()
