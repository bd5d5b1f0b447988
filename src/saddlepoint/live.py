"""What a person sees while a run trains: on standard error, a live line on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from saddlepoint.budget import Budget

EVERY = 15.0  # seconds between lines where there is no terminal


class Live:
    """Progress of one run; silent unless `shown`."""

    def __init__(self, shown: bool) -> None:
        from rich.console import Console

        self.shown, self.console = shown, Console(stderr=True, highlight=False)
        self.progress: Any = None
        self.task: Any = None
        self.printed, self.started, self.built = time.monotonic(), 0.0, set[int]()

    def say(self, text: str) -> None:
        if self.shown:
            self.console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def over(self, budget: Budget) -> Iterator[None]:
        """The live line, from here to the end of the run."""
        if not (self.shown and self.console.is_terminal):
            yield
            return
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self.console, refresh_per_second=4) as self.progress:
            self.task = self.progress.add_task("step 0", total=1.0, note="")
            yield
            self.progress = None

    def update(self, row: Mapping[str, Any], budget: Budget) -> None:
        if not self.shown:
            return
        rate = row["images"] / row["seconds"] if row["seconds"] else 0.0
        losses = "  ".join(
            f"{n.removeprefix('loss/')} {v:.3f}" for n, v in row.items() if n.startswith("loss/")
        )
        note = f"{rate:,.0f} images/s  {losses}"
        spent = budget.spent(row)
        if self.progress is not None:
            self.progress.update(self.task, completed=spent, description=f"step {row['step']:,}", note=note)
        elif not self.console.is_terminal and time.monotonic() - self.printed > EVERY:
            self.printed = time.monotonic()
            left = row["seconds"] / spent - row["seconds"] if spent else 0.0
            self.say(f"step {row['step']:,}  {spent:.0%}  {note}  {left:,.0f} s left")

    def scores(self, step: int, scores: Sequence[Any]) -> None:
        parts = []
        for score in scores:
            floor = "" if score.floor is None else f" (floor {score.floor:.4g})"
            extractor = "" if score.extractor == "none" else f"[{score.extractor}]"
            parts.append(f"{score.metric}{extractor} {score.value:.4g}{floor}")
        if scores:
            self.say(
                f"step {step:,}: {', '.join(parts)}; n {scores[0].n_real} real, {scores[0].n_fake} generated"
            )

    def compiling(self, steps: int) -> None:
        """Announce the building of a graph, once for each number of steps."""
        if steps not in self.built:
            self.built.add(steps)
            self.say(
                f"compiling a graph of {steps} step{'s' if steps > 1 else ''}; this takes seconds to a minute"
            )
