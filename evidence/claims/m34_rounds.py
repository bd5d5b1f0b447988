"""M34: coverage after each round of boosting."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import saddlepoint
from claims.check import Check, Numbers, at_least
from saddlepoint import Budget, Settings, methods
from saddlepoint.networks import MLP
from saddlepoint.rounds import boosting

STEPS, JUDGING, COMPONENTS = 2000, 500, 4
BASE = replace(methods.get("adagan"), mixture=None, before=())
ADAGAN = boosting(BASE, COMPONENTS, STEPS, JUDGING)


def one_after_another(seed: int) -> Numbers:
    """Coverage of the mixture after each round: C of 2,000 samples."""
    settings = Settings(seed=seed, pictures=0, evaluations=0, threads=1, checkpoint_seconds=1e6)
    found = []
    with tempfile.TemporaryDirectory() as place:
        for turn in range(1, COMPONENTS + 1):
            budget = Budget(steps=turn * STEPS + (turn - 1) * JUDGING)
            run = saddlepoint.train(
                ADAGAN,
                "ring",
                MLP(width=64),
                out=Path(place) / "run",
                budget=budget,
                settings=settings,
                quiet=True,
            )
            found.append(run.evaluate(n=2000, metrics=["kde-coverage"])[0].value)
    gains = [after - before for before, after in pairwise(found)]
    return {"least gain of a round": min(gains), **{f"after {t}": c for t, c in enumerate(found, 1)}}


CHECKS = (
    Check(
        "M34",
        "coverage C of the ring after each of four rounds",
        "not decreasing in t (0.02 allowed for the error of 2,000 samples: chosen) in at least 4 of 5 seeds",
        "published-unverified",
        {"least gain of a round": at_least(-0.02)},
        one_after_another,
        seeds=5,
        needed=4,
        budget="2,000 steps of batch 64 a round, 500 for the judge",
        values=(ADAGAN,),
    ),
)
