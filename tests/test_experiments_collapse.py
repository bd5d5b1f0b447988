"""Mixtures and their judges: what the truth is given, what shrunk, lost or misplaced samples are given, and what experiments
make of the numbers."""

from __future__ import annotations

import math

import pytest
import torch

from saddlepoint.data.densities import Ring
from saddlepoint.experiments import e05_collapse, e13_unrolling, e21_least_squares, mixtures
from saddlepoint.experiments.collapse import Trial
from saddlepoint.experiments.mixtures import DEEP, PERFECT, TASKS, in_1200_dimensions, within
from saddlepoint.random import generator

DIMENSIONS = 700


def test_points_of_1200_dimensions_have_the_stated_moments() -> None:
    """Four standard errors of variances over 2,000 x 700 numbers: 4 √(2/1.4e6) = .005; and nothing in the other 500."""
    rows = DEEP.held_out(2000, 3)["real"]
    mode = torch.cdist(rows, DEEP.centres).argmin(1)
    around = rows - DEEP.centres[mode]
    assert float(around[:, :DIMENSIONS].var()) == pytest.approx(1.0, abs=0.005)
    assert not around[:, DIMENSIONS:].any()
    assert set(mode.tolist()) == set(range(10))


def test_the_truth_in_1200_dimensions_is_judged_as_in_the_plane() -> None:
    """Share of high quality: √(.9889 · .0111/4000) = .00166 a standard error. χ²_700 is known by its mean and variance alone:
    its normal approximation puts the radius within half a percent."""
    found = in_1200_dimensions(DEEP.held_out(4000, 1)["real"])
    assert found.modes == 10
    assert found.quality == pytest.approx(PERFECT, abs=4 * 0.00166)
    assert found.variance == pytest.approx(1.0, abs=0.005)
    assert DEEP.radius() == pytest.approx(math.sqrt(700 + 2.287 * math.sqrt(1400)), rel=0.005)


def test_1200_dimensions_tell_collapse_shrinkage_and_noise() -> None:
    rows = DEEP.held_out(2000, 1)["real"]
    mode = torch.cdist(rows, DEEP.centres).argmin(1)
    centre = DEEP.centres[mode]
    shrunk = in_1200_dimensions(centre + 0.5 * (rows - centre))
    assert shrunk.quality == 1.0  # more than the truth
    assert shrunk.variance == pytest.approx(0.25, rel=0.02)
    three = in_1200_dimensions(rows[mode < 3])
    assert three.modes == 3
    assert three.divergence == pytest.approx(math.log(10 / 3), abs=0.02)
    assert in_1200_dimensions(centre + 2 * (rows - centre)).quality == 0.0
    beside = centre.clone()
    beside[:, DIMENSIONS:] += (
        2.0  # outside the dimensions that vary: √(500 · 4) = 44.7 from every centre or more than 28
    )
    assert in_1200_dimensions(beside).quality == 0.0


def test_variance_within_groups_is_that_of_analysis_of_variance() -> None:
    source = generator("cpu", "within")
    rows = torch.randn(60, 4, generator=source, dtype=torch.float64)
    group = torch.arange(60) % 3
    squares = sum(float((rows[group == k] - rows[group == k].mean(0)).square().sum()) for k in range(3))
    assert within(rows, group, 5) == pytest.approx(squares / (57 * 4), rel=1e-12)
    moved = rows + 100.0 * group[:, None]
    assert within(moved, group, 5) == pytest.approx(within(rows, group, 5), rel=1e-9)
    assert math.isnan(within(rows[:3], group[:3], 5))


def test_stacks_are_three_digits_of_their_side() -> None:
    from saddlepoint.data import load

    stacks, digits = mixtures.stacked_digits(), load("digits")
    for side, planes in (("training", digits.training()["real"]), ("held_out", digits.held_out()["real"])):
        known = {plane.numpy().tobytes() for plane in planes}
        rows = getattr(stacks, side)(50)["real"]
        assert rows.shape == (50, 3, 8, 8)
        assert all(plane.contiguous().numpy().tobytes() in known for stack in rows for plane in stack)


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_a_perfect_generator_of_the_plane(name: str) -> None:
    """2,500 points: four standard errors of the share are .0084, the KL lies within ten of its means."""
    task = TASKS[name]
    found, expected = task.judge(task.data().held_out(task.rows)["real"]), task.perfect()
    assert found.modes == expected.modes == task.modes
    assert found.quality == pytest.approx(expected.quality, abs=0.0084)
    assert 0 < found.divergence < 10 * expected.divergence


@pytest.mark.parametrize(("name", "cost"), [("gan", 2), ("ali", 3), ("unrolled", 12), ("consensus", 4)])
def test_budgets_are_equal_in_gradients(name: str, cost: int) -> None:
    from saddlepoint import methods

    assert Trial(name, methods.get(name), TASKS["ring"], 1200).steps == 1200 // cost


def test_pairs_count_every_start_and_failures_against_the_method() -> None:
    seeds = [
        {"GAN, grid: KL": 0.5, "PacGAN-2, grid: KL": 0.1, "GAN, grid, second start: KL": 0.4},
        {"GAN, grid: KL": 0.5, "PacGAN-2, grid: KL": 0.6},
    ]
    assert e05_collapse.lower("PacGAN-2", seeds) == pytest.approx(1 / 3)
    ten = [{"GAN, grid: KL": 1.0 + 0.01 * k, "PacGAN-2, grid: KL": 0.1} for k in range(10)]
    assert e05_collapse.chance("PacGAN-2", ten) == pytest.approx(2.0**-10)  # one of 2^10 patterns of signs


def test_lines_of_the_table_are_compared_with_the_truth_of_their_data() -> None:
    """Names of methods may have commas."""
    lines = {row.number: row.exact for row in e05_collapse.EXPERIMENT.rows}
    assert lines["unrolled, K = 5, stacked digits: KL"] == "perfect, stacked digits: KL"
    assert lines["GAN, ring: modes"] == "perfect, ring: modes"


def test_the_circle_with_both_ends_has_seven_distinct_centres() -> None:
    assert e13_unrolling.distinct(Ring().centres) == 8
    assert e13_unrolling.distinct(torch.cat([Ring().centres, Ring().centres[:2]])) == 8
    assert (
        e13_unrolling.worse([{f"K = {k}, ring: {w}": 1.0 for k in (0, 5) for w in ("modes", "high quality")}])
        == 0
    )


def test_collapses_are_compared_by_fishers_test() -> None:
    """All ten of one and none of the other: one table of C(20, 10)."""
    label = e21_least_squares.PLAYED.name
    seeds = [{f"a, {label}: modes": 8.0, f"b, {label}: modes": 6.0} for _ in range(10)]
    assert e21_least_squares.collapses(seeds, "a", "b")[:2] == (0, 10)
    assert e21_least_squares.collapses(seeds, "a", "b")[2] == pytest.approx(1 / math.comb(20, 10))
    assert e21_least_squares.Rarer("a", "b").judge(seeds).met
    assert not e21_least_squares.Rarer("b", "a").judge(seeds).met
    assert not e21_least_squares.Rarer("c", "a").judge(seeds).met  # failed everywhere


def test_orthogonal_weights_have_the_gain() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = e21_least_squares.Orthogonal(width=16).build((2,), 16)
    weight = made["generator"][0].weight.detach().double()
    torch.testing.assert_close(
        weight @ weight.T, 1.96 * torch.eye(16, dtype=torch.float64), rtol=0, atol=1e-5
    )
