"""Schedules against their closed forms, with Python numbers and with tensors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from saddlepoint import methods
from saddlepoint.average import EMA
from saddlepoint.optim import SGD, Adam
from saddlepoint.penalties import R1
from saddlepoint.schedules import (
    Cosine,
    Decay,
    Exponential,
    Linear,
    Own,
    Piecewise,
    Schedule,
    WarmUp,
    needs_end,
    now,
)

# Schedule, and its value by hand at 0, 250, 500, 1000 and 5000 images (a step is 10 images).
BY_IMAGES: list[tuple[Schedule, list[float]]] = [
    (Linear(2.0, 1.0, over=1000), [2.0, 1.75, 1.5, 1.0, 1.0]),
    (Cosine(2.0, 1.0, over=1000), [2.0, 1.5 + 0.25 * math.sqrt(2), 1.5, 1.0, 1.0]),
    (Exponential(8.0, 0.5, over=1000), [8.0, 4.0, 2.0, 0.5, 0.5]),
    (WarmUp(3.0, over=1000), [0.0, 0.75, 1.5, 3.0, 3.0]),
    (WarmUp(Linear(4.0, 2.0, over=1000), over=500), [0.0, 1.75, 3.0, 2.0, 2.0]),
    (Decay(2.0, 0.99), [2.0, 2 * 0.99**25, 2 * 0.99**50, 2 * 0.99**100, 2 * 0.99**500]),
    (Decay(2.0, 0.99, floor=1.0), [2.0, 2 * 0.99**25, 2 * 0.99**50, 1.0, 1.0]),
    (Piecewise((3.0, 2.0, 0.5), boundaries=(250, 1000)), [3.0, 2.0, 2.0, 0.5, 0.5]),
]
# The same over the whole run, at 0, 1/4, 1/2 and all of the budget.
BY_PROGRESS: list[tuple[Schedule, list[float]]] = [
    (Linear(2.0, 1.0), [2.0, 1.75, 1.5, 1.0]),
    (Cosine(2.0, 1.0), [2.0, 1.5 + 0.25 * math.sqrt(2), 1.5, 1.0]),
    (Exponential(8.0, 0.5), [8.0, 4.0, 2.0, 0.5]),
]


def clocks(images: list[int], progress: list[float]) -> list[dict[str, Any]]:
    return [{"step": i // 10, "images": i, "progress": p} for i, p in zip(images, progress, strict=True)]


IMAGES = clocks([0, 250, 500, 1000, 5000], [0.9] * 5)
PROGRESS = clocks([7, 7, 7, 7], [0.0, 0.25, 0.5, 1.0])
OWN = [{"rate": 0.1 * i} for i in range(4)]
BY_MEMBER: list[tuple[Schedule, list[float]]] = [(Own("rate"), [0.0, 0.1, 0.2, 0.3])]
CASES = [(*case, IMAGES) for case in BY_IMAGES] + [(*case, PROGRESS) for case in BY_PROGRESS]
CASES += [(*case, OWN) for case in BY_MEMBER]


@pytest.mark.parametrize(
    ("schedule", "expected", "times"), CASES, ids=lambda v: repr(v) if isinstance(v, Schedule) else ""
)
def test_closed_form(schedule: Schedule, expected: list[float], times: list[dict[str, Any]]) -> None:
    """At start, middle, end and beyond; tensors, as in the compiled execution, give the same numbers."""
    assert [now(schedule, clock) for clock in times] == pytest.approx(expected, rel=1e-12, abs=1e-15)
    for clock, value in zip(times, expected, strict=True):
        tensors = {name: torch.tensor(float(number), dtype=torch.float64) for name, number in clock.items()}
        found = now(schedule, tensors)
        assert isinstance(found, torch.Tensor)
        assert found.dim() == 0
        assert found.item() == pytest.approx(value, rel=1e-12, abs=1e-15)


def test_every_schedule_is_tested() -> None:
    assert {type(schedule) for schedule, *_ in CASES} == set(Schedule.__subclasses__())


def test_exactly_on_a_boundary_the_next_value_holds() -> None:
    schedule = Piecewise((1.0, 2.0), boundaries=(100,))
    assert [schedule.at({"images": images}) for images in (99, 100, 101)] == [1.0, 2.0, 2.0]


def test_a_number_is_its_own_schedule() -> None:
    assert now(0.3) == now(0.3, {"images": 5}) == 0.3
    with pytest.raises(ValueError, match="needs a clock"):
        now(Linear(1.0, 2.0))


def test_which_schedules_need_the_end_of_the_run() -> None:
    """Those that span the run, wherever they stand; a budget in seconds refuses them."""
    endless = [schedule for schedule, _ in BY_IMAGES]
    ending = [schedule for schedule, _ in BY_PROGRESS]
    assert [needs_end(schedule) for schedule in endless] == [False] * len(endless)
    assert [needs_end(schedule) for schedule in ending] == [True] * len(ending)
    assert needs_end(WarmUp(Cosine(1.0, 0.0), over=10))
    method = methods.get("gan-r1")
    assert not needs_end(method)
    dynamics = replace(
        method.dynamics, optimizers={"generator": Adam(), "discriminator": SGD(Linear(1.0, 0.0))}
    )
    for change in (
        {"terms": (R1(10.0), R1(Exponential(1.0, 0.1)))},
        {"dynamics": dynamics},
        {"averages": {"generator": EMA(half_life=Linear(1.0, 2.0))}},
        {
            "dynamics": replace(
                method.dynamics, optimizers={"generator": Adam(betas=(0.0, Linear(0.9, 0.99)))}
            )
        },
    ):
        assert needs_end(replace(method, **change))


def test_piecewise_needs_one_value_more_than_boundaries() -> None:
    with pytest.raises(ValueError, match="one more value"):
        Piecewise((1.0, 2.0), boundaries=())
