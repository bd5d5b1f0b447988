"""The variance of the squared MMD: closed forms, means over rows counted one by one, and what it does to intervals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.metrics import Polynomial, kernel_inception_distance, kid_interval, mmd_squared
from saddlepoint.metrics.intervals import squared_norm
from saddlepoint.metrics.kernel_sums import Discrepancy, Kernel

Z = 1.959964


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def inner(rows: Tensor, others: Tensor) -> Tensor:
    """k(x, y) = x·y: the squared MMD is that of the means, |E x − E y|²."""
    return rows @ others.T


def test_variance_between_gaussians() -> None:
    """N(0, I) and N(δ, I) in d dimensions under k(x, y) = x·y have covariances I, so that θ = |δ|², a = 4(1/n + 1/m) and
    b = d(2/(n(n−1)) + 2/(m(m−1)) + 4/(nm)): the variance of 4,000 estimates within 4 of its standard errors, b without
    bias."""
    n, m, d, shift = 8, 12, 2, 0.5
    found = [Discrepancy.of(noise(n, d, s), noise(m, d, 9999 + s) + shift, inner) for s in range(4000)]
    b = d * (2 / (n * (n - 1)) + 2 / (m * (m - 1)) + 4 / (n * m))
    values, floors = np.array([one.value for one in found]), np.array([one.variance.floor for one in found])
    squares = (values - d * shift**2) ** 2
    expected = 4 * (1 / n + 1 / m) * d * shift**2 + b
    assert squares.mean() == pytest.approx(expected, abs=4 * squares.std() / len(found) ** 0.5)
    assert floors.mean() == pytest.approx(b, abs=4 * floors.std() / len(found) ** 0.5)


@pytest.mark.parametrize("kernel", [inner, Polynomial()])
def test_floor_is_a_mean_over_different_rows(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """tr C² by k_ij (k_ij − 2 k_ik + k_kl) over all four different rows, tr C_P C_Q by a quarter of
    (k_ij − k_lj − k_io + k_lo)² over two different rows of each side."""
    monkeypatch.setattr("saddlepoint.metrics.kernel_sums.BLOCK", 12)  # many blocks
    sides = noise(6, 2, 0), noise(5, 2, 1) + 0.3
    own = [kernel(side, side) for side in sides]
    cross = kernel(*sides)
    traces = [
        np.mean(
            [
                float(k[i, j] * (k[i, j] - 2 * k[i, o] + k[o, p]))
                for i, j, o, p in itertools.permutations(range(len(k)), 4)
            ]
        )
        for k in own
    ]
    mixed = np.mean(
        [
            float(cross[i, j] - cross[o, j] - cross[i, p] + cross[o, p]) ** 2 / 4
            for i, o in itertools.permutations(range(6), 2)
            for j, p in itertools.permutations(range(5), 2)
        ]
    )
    expected = 2 * traces[0] / 30 + 2 * traces[1] / 20 + 4 * mixed / 30
    assert expected > 0
    assert Discrepancy.of(*sides, kernel).variance.floor == pytest.approx(expected, rel=1e-9)


def test_slope_is_the_variance_along_the_difference() -> None:
    """Standard deviations 1 and 3 along the axes, the difference along the second: a = 36(1/n + 1/m) at 4,000 and 3,000
    rows, the two sample variances known to √(2/n): together to 1.7 %. The first axis does not count."""
    scale = torch.tensor([1.0, 3.0]).double()
    real = noise(4000, 2, 0) * scale + torch.tensor([0.0, 2.0])
    fake = noise(3000, 2, 1) * scale + torch.tensor([0.0, 7.0])
    slope = Discrepancy.of(real, fake, inner).variance.slope
    assert slope == pytest.approx(36 / 4000 + 36 / 3000, rel=4 * 0.017)


def test_slope_is_not_diluted_by_many_weak_directions() -> None:
    """A difference of 1 along an axis of variance 1, beside 100 of variance .09: at 50 rows a side these add
    .18·2 = .36 to |δ̂|² and so take a quarter from w/|δ̂|². (w − 2b)/value is the larger then; 8/50 in the mean of 100."""
    scale = torch.cat([torch.ones(1), torch.full((100,), 0.3)]).double()
    shift = torch.eye(101)[0].double()
    found = np.array(
        [
            Discrepancy.of(
                noise(50, 101, s) * scale, noise(50, 101, 999 + s) * scale + shift, inner
            ).variance.slope
            for s in range(100)
        ]
    )
    assert found.mean() == pytest.approx(8 / 50, abs=4 * found.std() / len(found) ** 0.5 + 0.05 * 8 / 50)


def test_slope_where_the_difference_is_noise() -> None:
    """Samples of one N(0, I) under k(x, y) = x·y: the difference of the means has some direction, and in every one the
    variance is 1. It comes from w/|δ̂|², where (w − 2b)/value would be anything: within 4 standard deviations of
    a sample variance of 400 rows a side, the bias of w by 1/n included, in each of 20 pairs."""
    for seed in range(20):
        slope = Discrepancy.of(noise(400, 3, seed), noise(400, 3, 500 + seed), inner).variance.slope
        assert slope == pytest.approx(4 * 2 / 400, rel=4 * (2 / 800) ** 0.5 + 0.05)


@pytest.mark.parametrize(
    ("value", "slope", "floor"),
    [(1.0, 0.3, 0.01), (0.05, 0.3, 0.01), (-0.05, 0.3, 0.01), (-1.0, 0.3, 0.01), (2.0, 0.0, 0.25)],
)
def test_ends_of_a_squared_norm(value: float, slope: float, floor: float) -> None:
    """At both ends the value is 1.96 standard errors away, those of the end; without a slope it is the normal interval."""
    low, high = squared_norm(value, slope, floor)
    assert low < value < high
    for end in (low, high):
        assert abs(value - end) == pytest.approx(Z * (slope * max(0.0, end) + floor) ** 0.5, rel=1e-9)
    if not slope:
        assert (low, high) == pytest.approx((value - Z * floor**0.5, value + Z * floor**0.5))


def test_misses_of_heavy_tails_are_on_both_sides() -> None:
    """Two sets of 120 Gaussian rows moved by 0.2 under the cubic kernel of KID, 400 pairs: a normal interval with the same
    variance at the estimate misses from below in 8 % and from above in none; this one in at most 5 % (2.5 % and 4 standard
    errors of .8 % are 5.6 %), on both sides."""
    ends, values = [], []
    for seed in range(400):
        one = mmd_squared(
            real=noise(120, 3, seed), fake=noise(120, 3, 9999 + seed) + 0.2, kernel=Polynomial()
        )
        ends.append(one.interval)
        values.append(one.value)
    truth = np.mean(values)
    below, above = (np.mean([high < truth for _, high in ends]), np.mean([low > truth for low, _ in ends]))
    assert 0 < below <= 0.056
    assert 0 < above <= 0.056


def test_sets_that_say_nothing() -> None:
    """Of equal rows the interval has no width; copies of one set have a variance all the same."""
    equal = mmd_squared(real=torch.ones(5, 2), fake=torch.ones(6, 2), kernel=inner)
    assert (equal.value, equal.interval) == (0.0, (0.0, 0.0))
    rows = noise(30, 2, 0)
    low, high = mmd_squared(real=rows, fake=rows, kernel=inner).interval
    assert low < 0 < high


def test_subsets_add_their_own_scatter() -> None:
    """Twenty small subsets instead of all rows widen the floor by deviation²/subsets."""
    real, fake = noise(200, 3, 0), noise(200, 3, 1) + 0.4
    found = kernel_inception_distance(real=real, fake=fake, subsets=20, size=30, seed=0)
    slope, floor = Discrepancy.of(real, fake, Polynomial()).variance
    assert found.deviation > 0
    expected = squared_norm(found.value, slope, floor + found.deviation**2 / 20)
    low, high = kid_interval(real=real, fake=fake, found=found)
    assert (low, high) == pytest.approx(expected, rel=1e-12)
    narrow = squared_norm(found.value, slope, floor)
    assert high - low > narrow[1] - narrow[0]
