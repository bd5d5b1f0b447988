"""What a classifier, a critic and a histogram find between two sets: ceilings, shifts, exact tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    TwoSampleTest,
    catalogue,
    classifier_two_sample_test,
    critic_distance,
    histogram_divergence,
)


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("delta", [1.0, 2.0])
def test_accuracy_reaches_the_ceiling_of_two_gaussians(delta: float) -> None:
    """Φ(δ/2), less at most .02 for the training, more at most 4 binomial standard deviations of 2000 test rows."""
    found = classifier_two_sample_test(real=noise(2000, 1, 0), fake=noise(2000, 1, 1) + delta, seed=0)
    ceiling = 0.5 * (1 + math.erf(delta / 2 / 2**0.5))
    spread = 4 * math.sqrt(ceiling * (1 - ceiling) / 2000)
    assert ceiling - 0.02 - spread < found.accuracy < ceiling + spread
    assert found.n == 2000
    assert found.p_value < 1e-6


def test_p_values_of_equal_distributions() -> None:
    """60 tests with a linear classifier: p ≤ .05 in at most 5 % + 3 standard deviations of them, and the interval holds ½
    in at least 87 %."""
    from sklearn.linear_model import LogisticRegression

    found = [
        classifier_two_sample_test(
            real=noise(80, 3, s), fake=noise(120, 3, s + 99), seed=s, classifier=LogisticRegression()
        )
        for s in range(60)
    ]
    assert {one.n for one in found} == {80}  # half of 80 rows of each set, balanced
    assert np.mean([one.p_value <= 0.05 for one in found]) <= 0.05 + 3 * (0.05 * 0.95 / 60) ** 0.5
    assert np.mean([one.interval[0] <= 0.5 <= one.interval[1] for one in found]) >= 0.87


def test_p_value_is_the_binomial_tail_on_both_sides() -> None:
    """9 or 1 of 10: 2·(1 + 10)/1024."""
    for hits in (9, 1):
        assert TwoSampleTest(hits, 10, 0).p_value == pytest.approx(22 / 1024)


def test_test_rows_move_neither_centre_nor_scale() -> None:
    """A classifier that records what it is trained on: mean 0 and variance 1 of the training rows alone, to rounding; of
    all rows, with outliers among them, they are not."""
    from sklearn.linear_model import LogisticRegression

    seen = []

    class Recorder(LogisticRegression):
        def fit(self, rows: np.ndarray, labels: np.ndarray) -> Recorder:
            seen.append(rows)
            return super().fit(rows, labels)

    classifier_two_sample_test(
        real=noise(50, 2, 0), fake=100 * noise(50, 2, 1), seed=0, classifier=Recorder()
    )
    assert seen[0].shape == (50, 2)
    assert seen[0].mean(0) == pytest.approx(0, abs=1e-9)
    assert seen[0].std(0) == pytest.approx(1)


def test_repeated_rows_are_told() -> None:
    real, fake = noise(40, 2, 0), noise(1, 2, 1).repeat(40, 1)
    found = classifier_two_sample_test(real=real, fake=fake, seed=0)
    assert found.repeated == 20
    assert "20 of which" in catalogue.get("c2st").measure(real=real, fake=fake, seed=0)["c2st-accuracy"].note


@pytest.mark.parametrize("delta", [1.0, 3.0])
@pytest.mark.parametrize("d", [1, 2])
def test_critic_finds_a_shift(delta: float, d: int) -> None:
    """N(0, I) against N(δe, I): W₁ = δ; within 10 % and 2 standard errors of 1000 validation rows a side."""
    real, fake = noise(2000, d, 0), noise(2000, d, 1)
    fake[:, 0] += delta
    found = critic_distance(real=real, fake=fake, steps=600, seed=0)
    error = (found.interval[1] - found.interval[0]) / 2
    assert found.value == pytest.approx(delta, abs=0.1 * delta + error)
    assert found.steepest > 0


def test_critic_scales_with_the_features_and_learns_few_rows_by_heart() -> None:
    real, fake = noise(300, 4, 0), noise(300, 4, 1)
    base = critic_distance(real=real, fake=fake, steps=300, seed=0)
    large = critic_distance(real=50 * real, fake=50 * fake, steps=300, seed=0)
    assert large.value == pytest.approx(50 * base.value, rel=0.1, abs=2)
    assert base.trained > base.value + 0.1
    assert base.interval[0] <= 0.3


def test_histogram_divergence_of_a_known_table() -> None:
    """Two cells a side over [0, 1]²: p = (¼, ¼, ¼, ¼) of 4 reals; 3 fakes in one cell, 1 outside, so with half a count in
    each of the 5 cells q = (3.5, .5, .5, .5, 1.5)/6.5."""
    real = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    fake = torch.tensor([[0.1, 0.1], [0.2, 0.3], [0.4, 0.4], [5.0, 0.1]])
    expected = (math.log(0.25 * 6.5 / 3.5) + 3 * math.log(0.25 * 6.5 / 0.5)) / 4
    assert histogram_divergence(real=real, fake=fake, bins=2).value == pytest.approx(expected, rel=1e-12)
    assert histogram_divergence(real=real, fake=fake.flip(0), bins=2).value == pytest.approx(expected)


def test_histogram_divergence_of_uniform_squares() -> None:
    """Uniform on the unit square against a fifth of the mass uniform on its left half and the rest on its right:
    ½ ln(½/.2) + ½ ln(½/.8) in the limit; 200,000 rows on 10 × 10 cells are within 1e-2 of it."""
    source = torch.Generator().manual_seed(0)
    real, fake = torch.rand(2, 200_000, 2, generator=source)
    left = torch.rand(200_000, generator=source) < 0.2
    fake[:, 0] = fake[:, 0] / 2 + torch.where(left, 0.0, 0.5)
    expected = 0.5 * math.log(0.5 / 0.2) + 0.5 * math.log(0.5 / 0.8)
    found = histogram_divergence(real=real, fake=fake, bins=10)
    assert found.value == pytest.approx(expected, abs=1e-2)


def test_histogram_interval_holds_the_mean() -> None:
    """200 pairs: 90 to 98 % of the intervals hold the mean of all. The corners fix the box, which is else taken from the
    reals."""
    corners = torch.tensor([[-5.0, -5.0], [5.0, 5.0]])
    ends, values = [], []
    for seed in range(200):
        real = torch.cat([noise(400, 2, seed).clamp(-5, 5), corners])
        found = histogram_divergence(real=real, fake=noise(400, 2, seed + 999) * 0.8 + 0.5, bins=5)
        values.append(found.value)
        ends.append(found.interval or (math.nan, math.nan))
    truth = np.mean(values)
    assert 0.90 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.98


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="points in the plane, not of 3"):
        histogram_divergence(real=noise(9, 3, 0), fake=noise(9, 3, 1))
    with pytest.raises(InputError, match="real has 7 rows"):
        classifier_two_sample_test(real=noise(7, 3, 0), fake=noise(9, 3, 1), seed=0)
    with pytest.raises(InputError, match="fake holds NaN"):
        critic_distance(real=noise(9, 3, 0), fake=noise(9, 3, 0) * math.nan, seed=0)
