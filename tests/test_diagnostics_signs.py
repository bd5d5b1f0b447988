"""What looks say together."""

from __future__ import annotations

from typing import Any

import pytest

from saddlepoint.diagnostics.signs import SIGNS, findings, moves

WELL = {
    "finite": True,
    "distance": 0.01,
    "distance/floor": 0.0,
    "coverage": 0.9,
    "coverage/floor": 0.95,
    "precision": 0.9,
    "separation": 0.6,
    "overfit": 0.5,
    "nearness": 1.0,
    "cells": 1.0,
    "size/generator": 10.0,
    "gradient/generator": 1.0,
    "sketch": [0.0] * 16,
}


def run(count: int, **readings: Any) -> list[dict[str, Any]]:
    """Looks of a healthy run, with other readings from the fourth on: a number, or a function of the look's number."""
    looks = []
    for i in range(count):
        changed = {n: v(i) if callable(v) else v for n, v in readings.items()} if i >= 3 else {}
        looks.append({"step": 100 * i, "phase": 0, **WELL, **changed})
    return looks


def names(looks: list[dict[str, Any]]) -> list[str]:
    return [finding.name for finding in findings(looks)]


def test_a_healthy_run_has_no_findings() -> None:
    for count in range(12):
        assert names(run(count)) == []


SICK: dict[str, dict[str, Any]] = {
    "exploding": {"size/generator": 500.0},
    "memorising": {"nearness": 0.1},
    "overfitted discriminator": {"overfit": 0.9},
    "vanishing gradient": {"gradient/generator": 1e-4, "separation": 1.0, "distance": 0.5},
    "collapsed": {"cells": 0.1, "distance": 0.5, "size/generator": 20.0},
    "rotating": {"distance": 0.5, "size/generator": 20.0, "sketch": lambda i: [(-1.0) ** i] * 16},
    "under-trained": {"distance": lambda i: 2.0 / i},
}


@pytest.mark.parametrize("name", SICK)
def test_each_sickness_is_named_since_it_began(name: str) -> None:
    looks = run(12, **SICK[name])
    found = {finding.name: finding for finding in findings(looks)}
    assert name in found
    assert name not in names(looks[:3])
    if name not in ("rotating", "under-trained", "collapsed"):  # these look at what is behind them
        assert found[name].since == 300
    assert found[name].evidence
    assert found[name].threshold in str(found[name])


def test_every_sign_is_tried_above() -> None:
    assert {sign.name for sign in SIGNS} == set(SICK)


def test_one_bad_look_is_enough_where_a_sign_looks_back_itself() -> None:
    at_once = {sign.name for sign in SIGNS if sign.looks == 1}
    assert at_once == {"exploding", "collapsed", "rotating", "under-trained"}
    for name, readings in SICK.items():
        expected = [name] if name in at_once - {"rotating"} else []  # which takes several moves
        assert [n for n in names(run(4, **readings)) if n == name] == expected


def test_numbers_that_are_not_finite_are_an_explosion() -> None:
    assert names([*run(3), {"step": 300, "phase": 0, "finite": False}]) == ["exploding"]


def test_parameters_that_hardly_moved_want_more_steps() -> None:
    assert "under-trained" in names(run(12, distance=0.5))
    assert "collapsed" not in names(run(12, distance=0.5, cells=0.1))


def test_an_earlier_stage_says_nothing_of_the_present_one() -> None:
    sick = [{**look, "phase": 0} for look in run(12, **SICK["collapsed"])]
    assert names([*sick, {**WELL, "step": 1200, "phase": 1}]) == []


def test_sketches_that_stand_still_do_not_move() -> None:
    assert moves(run(5)) == [0.0] * 4
