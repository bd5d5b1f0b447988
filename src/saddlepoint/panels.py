"""Pictures at the end of a run whose rows mean something: a class each, a code that varies, a way between two latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from saddlepoint.data.protocol import Data
from saddlepoint.game import Game
from saddlepoint.latents import Codes
from saddlepoint.method import Method
from saddlepoint.sampling import SHOWN, conditions, latents, walks

COLUMNS = 10
WALKS = 8


@dataclass(frozen=True, eq=False)
class Panel:
    """What a picture shows; `rows` names its rows, `noise` has a row for each sample, row by row."""

    name: str
    title: str
    note: str
    rows: tuple[str, ...]
    columns: int
    noise: Mapping[str, Tensor]

    def told(self) -> dict[str, Any]:
        """What is written beside the picture."""
        return {"title": self.title, "note": self.note, "rows": list(self.rows)}


def write(panel: Panel, samples: Tensor, folder: Path) -> None:
    """The sheet of samples, and beside it what it shows."""
    from saddlepoint.images import grid, png
    from saddlepoint.paths import write_atomic
    from saddlepoint.run import write_json

    folder.mkdir(exist_ok=True)
    write_atomic(folder / f"{panel.name}.png", png(grid(samples, panel.columns)))
    write_json(folder / f"{panel.name}.json", panel.told())


def panels(method: Method, game: Game, data: Data, seed: int) -> list[Panel]:
    """Those that the method has; of points in the plane there is no sheet with rows."""
    if len(data.shape) != 3:
        return []
    made = (panel(method, game, data, seed) for panel in (_classes, _codes, _walks))
    return [panel for panel in made if panel]


def _classes(method: Method, game: Game, data: Data, seed: int) -> Panel | None:
    """A class a row; the columns have their noise in common."""
    if game.bound().found.given != {"label"}:
        return None
    shown = data.classes[:SHOWN]
    noise = {
        name: drawn.repeat(len(shown), *[1] * (drawn.dim() - 1))
        for name, drawn in latents(method, COLUMNS, seed, "classes").items()
    }
    label = torch.arange(len(shown)).repeat_interleave(COLUMNS)
    rest = f" The first {SHOWN} of {len(data.classes)} classes." if len(shown) < len(data.classes) else ""
    return Panel(
        name="classes",
        title="A class a row",
        note=f"Samples of a column have their noise in common.{rest}",
        rows=shown,
        columns=COLUMNS,
        noise={**noise, "label": label},
    )


def _codes(method: Method, game: Game, data: Data, seed: int) -> Panel | None:
    """One code varied a row, all from the same place."""
    latent = method.latent
    if not isinstance(latent, Codes) or not latent.named():
        return None
    start = {**latents(method, 1, seed, "traversal"), **conditions(game, data, 1, seed)}
    return Panel(
        name="codes",
        title="One code varied a row",
        note="Everything else stays: other codes and noise are the same in all rows.",
        rows=latent.named(),
        columns=latent.columns(COLUMNS),
        noise=latent.traversed(start, COLUMNS),
    )


def _walks(method: Method, game: Game, data: Data, seed: int) -> Panel:
    """From one latent to another; what a sample is made for besides stays along a row."""
    labelled = game.bound().found.given == {"label"}
    shown = data.classes[:WALKS] if labelled else ()
    count = len(shown) or WALKS
    given = {"label": torch.arange(count)} if labelled else conditions(game, data, count, seed)
    kept = " Its class stays." if labelled else " What it is made for stays." if given else ""
    return Panel(
        name="walks",
        title="From one latent to another",
        note=f"A row goes on {method.latent.way} from the latent of its first sample to that of its last.{kept}",
        rows=shown,
        columns=COLUMNS,
        noise={
            **walks(method, count, COLUMNS, seed),
            **{name: value.repeat_interleave(COLUMNS, 0) for name, value in given.items()},
        },
    )
