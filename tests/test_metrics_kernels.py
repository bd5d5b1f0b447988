"""KID and MMD against brute force, a library, their own sampling distribution and exact permutations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    OfDistance,
    Polynomial,
    gaussian_scales,
    kernel_inception_distance,
    kid_interval,
    median_distance,
    mmd_squared,
    mmd_test,
)
from saddlepoint.objectives.metrics import MMD, GaussianKernel

BELL = OfDistance(GaussianKernel((1.0,)))


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Features(nn.Module):
    """The rows themselves, as torchmetrics wants them."""

    num_features = 6

    def forward(self, rows: Tensor) -> Tensor:
        return rows


def library(real: Tensor, fake: Tensor, subsets: int, size: int) -> tuple[float, float]:
    from torchmetrics.image.kid import KernelInceptionDistance

    torch.manual_seed(3)
    metric = KernelInceptionDistance(Features(), subsets=subsets, subset_size=size).set_dtype(torch.float64)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    mean, deviation = metric.compute()
    return float(mean), float(deviation)


@pytest.mark.parametrize("seed", range(3))
def test_kid_agrees_with_torchmetrics(seed: int) -> None:
    """One subset of all rows: the same number. 400 random subsets each: means within 4 of their standard errors, and
    the deviations, known to 1/√800 each, within 20 %."""
    real, fake = noise(80, 6, seed), 1.2 * noise(80, 6, seed + 10) + 0.2
    found = kernel_inception_distance(real=real, fake=fake, seed=0)
    assert found.value == pytest.approx(library(real, fake, 1, 80)[0], rel=1e-9)
    ours = kernel_inception_distance(real=real, fake=fake, subsets=400, size=30, seed=seed)
    mean, deviation = library(real, fake, 400, 30)
    assert ours.value == pytest.approx(mean, abs=4 * deviation * (2 / 400) ** 0.5)
    assert ours.deviation == pytest.approx(deviation, rel=0.2)


@pytest.mark.parametrize(("n", "m"), [(7, 7), (9, 5)])
def test_estimate_is_the_mean_over_pairs_of_different_rows(
    n: int, m: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saddlepoint.metrics.kernel_sums.BLOCK", 20)  # many blocks
    real, fake = noise(n, 3, 0), noise(m, 3, 1) + 1

    def bell(x: Tensor, y: Tensor) -> float:
        return float((-(x - y).square().sum() / 2).exp())

    def cubic(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    for kernel, one in ((BELL, bell), (Polynomial(), cubic)):
        own = [np.mean([one(x, y) for x, y in itertools.permutations(side, 2)]) for side in (real, fake)]
        across = np.mean([one(x, y) for x in real for y in fake])
        found = mmd_squared(real=real, fake=fake, kernel=kernel)
        assert found.value == pytest.approx(own[0] + own[1] - 2 * across, abs=1e-12)


def test_agrees_with_the_objective() -> None:
    real, fake = noise(40, 3, 0), noise(40, 3, 1) + 0.5
    expected = float(MMD(GaussianKernel((1.0,))).distance(real, fake))
    assert mmd_squared(real=real, fake=fake, kernel=BELL).value == pytest.approx(expected, abs=1e-12)


def test_expected_value_of_gaussians() -> None:
    """k = exp(−|x − y|²/2), x and y from N(0, 1) and N(δ, 1): 2/√3 − 2 exp(−δ²/6)/√3. The mean of 300 estimates is
    within 4 of its standard errors, unbiased at 12 rows where the biased one is 1/6 higher; the estimate, not its
    root; and below zero about as often as above where δ = 0."""
    for delta in (0.0, 1.0):
        found = [
            mmd_squared(real=noise(12, 1, s), fake=noise(12, 1, s + 999) + delta, kernel=BELL).value
            for s in range(300)
        ]
        expected = 2 * (1 - np.exp(-(delta**2) / 6)) / 3**0.5
        assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / 300**0.5)
        if delta == 0:
            assert min(found) < 0


@pytest.mark.parametrize(("shift", "kid"), [(0.5, True), (0.5, False), (0.0, False)])
def test_intervals_hold_the_truth(shift: float, kid: bool) -> None:
    """200 pairs of 120 rows in 3 dimensions; the truth is the mean of all estimates, which are unbiased."""
    ends, values = [], []
    for seed in range(200):
        real, fake = noise(120, 3, seed), noise(120, 3, seed + 999) + shift
        if kid:
            found = kernel_inception_distance(real=real, fake=fake, subsets=20, size=60, seed=seed)
            values.append(found.value)
            ends.append(kid_interval(real=real, fake=fake, found=found))
        else:
            one = mmd_squared(real=real, fake=fake, kernel=BELL)
            values.append(one.value)
            ends.append(one.interval)
    truth = np.mean(values)
    held = np.mean([low <= truth <= high for low, high in ends])
    assert 0.90 <= held <= 0.98


def test_p_value_counts_relabellings() -> None:
    """All 70 ways to halve 4 + 4 rows are counted one by one; 4,999 random ones find that share within 4 standard
    deviations."""
    real, fake = noise(4, 2, 0), noise(4, 2, 1) + 0.8
    pooled = torch.cat([real, fake])
    values = []
    for chosen in itertools.combinations(range(8), 4):
        rest = [row for row in range(8) if row not in chosen]
        values.append(mmd_squared(real=pooled[list(chosen)], fake=pooled[rest], kernel=BELL).value)
    share = np.mean(np.array(values) >= values[0] - 1e-12)
    found = mmd_test(real=real, fake=fake, kernel=BELL, permutations=4999, seed=0)
    assert found.value == pytest.approx(values[0], abs=1e-12)
    assert found.p_value == pytest.approx(share, abs=4 * (share * (1 - share) / 4999) ** 0.5 + 1 / 5000)


def test_p_values_are_uniform_under_equal_distributions_and_small_otherwise() -> None:
    """200 pairs, unequal sizes: at most 5 % + 4 standard deviations below .05, a mean of ½; a shift by 1 gives the
    least p there is."""
    found = [
        mmd_test(
            real=noise(15, 2, s), fake=noise(25, 2, s + 999), kernel=BELL, permutations=99, seed=s
        ).p_value
        for s in range(200)
    ]
    assert np.mean(np.array(found) <= 0.05) <= 0.05 + 4 * (0.05 * 0.95 / 200) ** 0.5
    assert np.mean(found) == pytest.approx(0.5, abs=4 * (1 / 12 / 200) ** 0.5)
    shifted = mmd_test(real=noise(60, 2, 0), fake=noise(60, 2, 1) + 1, kernel=BELL, permutations=99, seed=0)
    assert shifted.p_value == 0.01


def test_bandwidths_are_medians_of_the_pooled_distances() -> None:
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0]])
    assert median_distance(real=real, fake=fake) == 2  # of 1, 2, 3
    assert median_distance(real=torch.zeros(3, 1), fake=torch.zeros(3, 1)) == 1
    kernel = gaussian_scales(real=real, fake=fake, scales=(0.5, 1.0))
    expected = np.exp(-1 / 2) + np.exp(-1 / 8)
    assert float(kernel(real[:1], real[1:])) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_identity_order_and_grades(seed: int) -> None:
    real, clean = noise(150, 4, seed), noise(150, 4, seed + 10)
    moved = [mmd_squared(real=real, fake=clean + grade, kernel=BELL).value for grade in (0, 0.25, 0.5, 1)]
    assert moved == sorted(moved)
    again = mmd_squared(real=real.flip(0), fake=(clean + 1).roll(3, 0), kernel=BELL)
    assert again.value == pytest.approx(moved[-1], rel=1e-9)
    assert mmd_squared(real=real, fake=real, kernel=BELL).value < 0


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="fake has 3 rows"):
        mmd_squared(real=noise(9, 2, 0), fake=noise(3, 2, 0), kernel=BELL)
    with pytest.raises(InputError, match="2 numbers and fake rows 3"):
        kernel_inception_distance(real=noise(9, 2, 0), fake=noise(9, 3, 0), seed=0)
