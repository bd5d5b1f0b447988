"""Micro-batches against the whole batch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent / "workers"))

from games import CASES, NORMALISED, Played, derivatives, trajectory

from saddlepoint.errors import InputError

FREE = [n for n, case in CASES.items() if n not in NORMALISED and not case.method.objective.couples_rows]


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("parts", [2, 4])
def test_accumulated_derivatives_equal_those_of_the_whole_batch(name: str, parts: int) -> None:
    whole, split = (Played(CASES[name].plan(accumulate=n)) for n in (1, parts))
    expected = derivatives(whole.game, whole.state, whole.batch())
    found = derivatives(split.game, split.state, split.batch())
    for quantity, value in expected.items():
        torch.testing.assert_close(
            found[quantity], value, atol=1e-6 * max(1.0, float(value.abs().max())), rtol=0
        )


@pytest.mark.parametrize("name", FREE)
def test_an_accumulated_trajectory_is_that_of_the_whole_batch(name: str) -> None:
    expected, found = (trajectory(Played(CASES[name].plan(accumulate=n))) for n in (1, 2))
    for quantity, value in expected.items():
        torch.testing.assert_close(found[quantity], value, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "objective"),
    [("relativistic-average", "RelativisticAverage"), ("top-k", "TopK"), ("mmd-points", "MMD")],
)
def test_an_objective_that_couples_rows_is_refused(name: str, objective: str) -> None:
    with pytest.raises(InputError, match=f"{objective} couples the rows of a batch"):
        Played(CASES[name].plan(accumulate=2))


def test_batch_norm_is_named_and_uses_the_statistics_of_each_micro_batch() -> None:
    whole, split = (Played(CASES["dcgan"].plan(accumulate=n)) for n in (1, 2))
    coupled = whole.game.bound().found.coupled
    assert "generator" in coupled
    assert split.said == [f"{name} uses the statistics of each micro-batch by itself" for name in coupled]
    batch = whole.batch()
    pair = [
        p.game.gradients(("generator",), p.state.players, p.state.memory, batch)[0] for p in (whole, split)
    ]
    assert (pair[0]["generator"] - pair[1]["generator"]).abs().max() > 1e-4
