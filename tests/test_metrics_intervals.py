"""Intervals that are made by leaving rows out: closed forms, sums counted one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from scipy.stats import t
from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.pairs import left_out_means
from saddlepoint.metrics.samples import distances


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def means(*sides: Tensor) -> tuple[float, ...]:
    return (sum(float(side.mean()) for side in sides),)


def test_halving_finds_the_error_of_a_mean() -> None:
    """Of the sum of two means of 100 rows with standard deviations 1 and 2: √(1 + 4)/10. The mean over 200 sets of the
    squared half-width over t² is unbiased: 5/100, within 4 standard errors (ten squares of normal numbers each)."""
    squares = []
    for seed in range(200):
        (found,) = intervals.halved(means, noise(100, 1, seed), 2 * noise(100, 1, 999 + seed), least=1)
        low, high = found.interval
        assert found.value == pytest.approx((low + high) / 2)
        squares.append(((high - low) / 2 / float(t.ppf(0.975, 10))) ** 2)
    assert sum(squares) / 200 == pytest.approx(0.05, abs=4 * 0.05 * math.sqrt(0.2 / 200))


def test_halving_says_why_it_has_no_interval() -> None:
    (few,) = intervals.halved(means, noise(5, 1, 0), least=3)
    assert few.interval is None
    assert "6 rows" in few.note
    (infinite,) = intervals.halved(lambda rows: (-math.inf,), noise(9, 1, 0), least=1)
    assert infinite.interval is None
    assert intervals.exponentiated(infinite).value == 0


def test_ends_of_a_number_that_is_bounded() -> None:
    found = intervals.clipped(intervals.Measured(0.9, (-0.1, 1.1)), high=1.0)
    assert found.interval == (0.0, 1.0)
    assert intervals.clipped(intervals.Measured(0.9)).interval is None


@pytest.mark.parametrize(("n", "m"), [(47, 60), (4, 9)])
def test_means_over_pairs_without_each_group(n: int, m: int) -> None:
    """Distances between the sides and inside each, as torch has them; fewer groups where there are few rows."""
    first, second = noise(n, 2, 0), noise(m, 2, 1)
    found = left_out_means((first, second), distances)
    assert float(found[0, 1][0]) == pytest.approx(float(torch.cdist(first, second).mean()), rel=1e-12)
    assert float(found[0, 0][0]) == pytest.approx(float(torch.pdist(first).mean()), rel=1e-12)
    assert float(found[1, 1][0]) == pytest.approx(float(torch.pdist(second).mean()), rel=1e-12)
    assert {len(without) for _, without in found.values()} == {min(20, n // 2)}


def test_a_left_out_mean_holds_no_pair_of_the_group() -> None:
    """Products of one row that is 1 among 40, the rest 0, with rows that are all 1: without the rows of its group the mean
    is 0, without any other group 1/38."""

    def products(rows: Tensor, others: Tensor) -> Iterator[tuple[int, Tensor]]:
        yield 0, rows @ others.T

    first, second = torch.eye(40, dtype=torch.float64)[:, :1], torch.ones(40, 1, dtype=torch.float64)
    whole, without = left_out_means((first, second), products)[0, 1]
    assert float(whole) == pytest.approx(1 / 40)
    assert without.sort().values.tolist() == pytest.approx([0.0] + [1 / 38] * 19, abs=1e-12)
