"""Fréchet distance against closed forms, other solvers and its own sampling distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import frechet_distance, frechet_interval


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def standard(n: int, d: int, seed: int) -> Tensor:
    """Rows whose sample mean is 0 and whose sample covariance (n − 1) is I, to rounding."""
    rows = noise(n, d, seed)
    rows = torch.linalg.qr(rows - rows.mean(0)).Q
    return rows * math.sqrt(n - 1)


@pytest.mark.parametrize(
    ("d", "shift", "scale"), [(1, 0.0, 2.0), (5, 1.5, 0.5), (40, 0.3, 1.0), (40, 2.0, 3.0)]
)
def test_isotropic_gaussians_have_the_closed_form(d: int, shift: float, scale: float) -> None:
    real, fake = standard(200, d, 1), scale * standard(150, d, 2) + shift
    expected = d * shift**2 + d * (1 - scale) ** 2
    assert frechet_distance(real=real, fake=fake) == pytest.approx(expected, abs=1e-8)


def test_commuting_covariances_have_the_closed_form() -> None:
    first, second = torch.linspace(0.1, 3, 12).double(), torch.linspace(4, 0.2, 12).double()
    turn = torch.linalg.qr(noise(12, 12, 3)).Q
    real, fake = standard(90, 12, 4) * first @ turn, standard(70, 12, 5) * second @ turn
    assert frechet_distance(real=real, fake=fake) == pytest.approx(
        float((first - second).square().sum()), abs=1e-8
    )


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_general_matrix_root(seed: int) -> None:
    from scipy.linalg import sqrtm

    real = noise(80, 10, seed) @ noise(10, 10, seed + 10)
    fake = noise(60, 10, seed + 20) @ noise(10, 10, seed + 30) + 1
    covariances = [np.cov(side.numpy(), rowvar=False) for side in (real, fake)]
    cross = np.trace(sqrtm(covariances[0] @ covariances[1])).real
    moved = float((real.mean(0) - fake.mean(0)).square().sum())
    expected = moved + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * cross
    assert frechet_distance(real=real, fake=fake) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("n", "m", "d"), [(10, 14, 50), (2, 2, 9), (10, 100, 50)])
def test_fewer_rows_than_features_agrees_with_singular_values(n: int, m: int, d: int) -> None:
    """Tr((C_r C_f)^½) is the nuclear norm of the rows' cross product: no root of a singular matrix."""
    real, fake = noise(n, d, 1), 2 * noise(m, d, 2) + 0.5
    rows = [(side - side.mean(0)) / math.sqrt(len(side) - 1) for side in (real, fake)]
    cross = float(torch.linalg.svdvals(rows[0] @ rows[1].T).sum())
    moved = float((real.mean(0) - fake.mean(0)).square().sum())
    expected = moved + float(rows[0].square().sum() + rows[1].square().sum()) - 2 * cross
    assert frechet_distance(real=real, fake=fake) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("d", [3, 60])
def test_identity_symmetry_order_and_scale(d: int) -> None:
    real, fake = noise(40, d, 1), noise(40, d, 2) * 1.5 + 0.2
    value = frechet_distance(real=real, fake=fake)
    assert frechet_distance(real=real, fake=real) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(real=fake, fake=real) == pytest.approx(value, rel=1e-7)
    assert frechet_distance(real=real.flip(0), fake=fake.roll(7, 0)) == pytest.approx(value, rel=1e-9)
    assert frechet_distance(real=3 * real + 5, fake=3 * fake + 5) == pytest.approx(9 * value, rel=1e-7)


def test_constant_features_and_images_are_accepted() -> None:
    flat = torch.zeros(5, 1, 2, 2)
    assert frechet_distance(real=flat, fake=flat + 1) == pytest.approx(4)
    assert frechet_interval(real=flat, fake=flat + 1) == pytest.approx((4, 4))


def test_bias_falls_as_one_over_n() -> None:
    """Both sets from N(0, I_d): E ≈ c (1/n + 1/m), so four times the rows leave about a quarter."""
    means = [
        np.mean(
            [frechet_distance(real=noise(n, 8, seed), fake=noise(n, 8, seed + 500)) for seed in range(40)]
        )
        for n in (250, 1000)
    ]
    assert 3.4 < means[0] / means[1] < 4.8


@pytest.mark.parametrize(("shift", "scale"), [(0.5, 1.0), (0.0, 1.6), (0.2, 0.7)])
def test_interval_has_the_width_of_the_sampling_distribution(shift: float, scale: float) -> None:
    """300 fresh pairs of sets: 1.96 standard deviations of the distance against the mean half-width, within
    15 % (the standard deviation itself is known to 4 %), and 95 % of the intervals hold the mean, within 4
    %."""
    sets = [(noise(200, 6, seed), scale * noise(150, 6, seed + 1000) + shift) for seed in range(300)]
    values = np.array([frechet_distance(real=real, fake=fake) for real, fake in sets])
    ends = np.array([frechet_interval(real=real, fake=fake) for real, fake in sets])
    width = (ends[:, 1] - ends[:, 0]).mean() / 2
    assert width == pytest.approx(1.96 * values.std(), rel=0.15)
    assert np.mean((ends[:, 0] < values.mean()) & (values.mean() < ends[:, 1])) == pytest.approx(
        0.95, abs=0.04
    )


@pytest.mark.parametrize("seed", range(3))
def test_grows_with_every_grade_of_corruption(seed: int) -> None:
    real, clean, added = noise(400, 6, seed), noise(400, 6, seed + 10), noise(400, 6, seed + 20)
    noisy = [frechet_distance(real=real, fake=clean + grade * added) for grade in (0, 0.5, 1, 2)]
    moved = [frechet_distance(real=real, fake=clean + grade) for grade in (0, 0.25, 0.5, 1)]
    assert noisy == sorted(noisy)
    assert moved == sorted(moved)


def test_bad_input_is_refused_in_a_sentence() -> None:
    good = noise(9, 4, 0)
    for real, said in ((good[:1], "real has 1 rows"), (good[:, :3], "4"), (good * torch.nan, "NaN")):
        with pytest.raises(InputError, match=said):
            frechet_distance(real=real, fake=good)
