"""Trainings in the papers' sizes: runs of their own in a folder that is thrown away, on the GPU where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from saddlepoint.budget import Budget
from saddlepoint.data import load
from saddlepoint.method import Method
from saddlepoint.model import Trained
from saddlepoint.networks import Networks
from saddlepoint.sampling import deployed
from saddlepoint.settings import Settings
from saddlepoint.trained import Run, train

TRY = 20  # steps of a quick run, which shows that everything is there and nothing of the claim
ROWS = 1000  # samples that a classifier looks at in one go


@dataclass(frozen=True)
class Full:
    """A training in full: everything that makes its results but the seed. `data`, `labelled`, `size`: what `load` takes."""

    method: Method
    data: str
    networks: Networks
    steps: int
    batch: int
    labelled: int | None = None
    size: int | None = None

    @contextmanager
    def trained(self, seed: int, quick: bool) -> Iterator[Run]:
        """The run, as long as it is looked at. Raises `TrainingFailed` where it does not end."""
        settings = Settings(
            seed=seed,
            batch_size=self.batch,
            device="cuda" if torch.cuda.is_available() else "cpu",
            pictures=0,
            looks=0,
            evaluations=0,
            log_every=100,
            keep=1,
        )
        data = load(self.data, labelled=self.labelled, size=self.size)
        budget = Budget(steps=TRY if quick else self.steps)
        with TemporaryDirectory() as place:
            out = Path(place) / "run"
            yield train(
                self.method, data, self.networks, out=out, budget=budget, settings=settings, quiet=True
            )


def model(run: Run) -> Trained:
    """The players of a run as metrics see them."""
    players, memory, _ = deployed(run.game, run.state)
    return Trained("run", run.method, run.game.bound(), players, memory)


def in_parts(ask: Any, rows: Tensor) -> Tensor:
    """ask(rows), a thousand rows at a time."""
    return torch.cat([ask(part) for part in rows.split(ROWS)])
