"""Streamed moments and what is made of them: agreement with libraries, limits in n, what is said of too few rows."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    Moments,
    catalogue,
    frechet_distance,
    frechet_infinity,
    gaussian_wasserstein,
    rank_note,
)


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Features(nn.Module):
    """The rows themselves, as torchmetrics wants them."""

    num_features = 12

    def forward(self, rows: Tensor) -> Tensor:
        return rows


@pytest.mark.parametrize("offset", [0.0, 1e5])
@pytest.mark.parametrize("sizes", [(100,), (1, 99), (33, 33, 34), (1,) * 100])
def test_blocks_in_any_cut_and_order_are_the_whole(sizes: tuple[int, ...], offset: float) -> None:
    """Against numpy's two-pass covariance; the naive Σxxᵀ − nμμᵀ would lose 10 digits at offset 1e5."""
    rows = noise(100, 5, 0) + offset
    for blocks in (rows.split(sizes), rows.split(sizes)[::-1]):
        found = Moments.over(iter(blocks))
        assert found.count == 100
        assert found.mean.numpy() == pytest.approx(rows.numpy().mean(0), rel=1e-12)
        expected = np.cov((rows - offset).numpy(), rowvar=False)
        assert found.covariance.numpy() == pytest.approx(expected, abs=1e-9)


def test_a_long_stream_is_never_held() -> None:
    """200,000 rows of 16 numbers are 24 MiB; beside the torch blocks themselves at most a few blocks are held."""
    made = (noise(1000, 16, seed) for seed in range(200))
    tracemalloc.start()
    found = Moments.over(made)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.count == 200_000
    assert peak < 4 * 2**20
    assert (found.covariance - torch.eye(16)).abs().max() < 6 * (2 / 200_000) ** 0.5


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_torchmetrics(seed: int) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    real, fake = noise(90, 12, seed) @ noise(12, 12, 7), noise(70, 12, seed + 50) @ noise(12, 12, 8) + 0.3
    metric = FrechetInceptionDistance(Features()).set_dtype(torch.float64)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    expected = float(metric.compute())
    assert frechet_distance(real=real, fake=fake) == pytest.approx(expected, rel=1e-6)
    streamed = frechet_distance(real=Moments.over(real.split(7)), fake=fake)
    assert streamed == pytest.approx(expected, rel=1e-6)


def test_the_distance_is_squared_and_its_root_has_another_name() -> None:
    """A shift by 3 in one of 4 coordinates: 9, not 3; the root is the Wasserstein distance of the Gaussians."""
    real = noise(50, 4, 0)
    moved = real + torch.tensor([3.0, 0, 0, 0])
    assert frechet_distance(real=real, fake=moved) == pytest.approx(9, rel=1e-9)
    assert gaussian_wasserstein(real=real, fake=moved) == pytest.approx(3, rel=1e-9)


@pytest.mark.parametrize("n", [300, 1000])
def test_extrapolation_removes_the_bias(n: int) -> None:
    """Both sets N(0, I_8): the mean over 30 pairs is 0 within 3 standard errors, the plain distance is far from it."""
    found = [
        frechet_infinity(real=noise(n, 8, s), fake=noise(n, 8, s + 900), seed=s).value for s in range(30)
    ]
    plain = [frechet_distance(real=noise(n, 8, s), fake=noise(n, 8, s + 900)) for s in range(30)]
    error = float(np.std(found) / 30**0.5)
    assert np.mean(found) == pytest.approx(0, abs=3 * error)
    assert np.mean(plain) > 10 * error


def test_interval_of_the_extrapolation_holds_the_limit() -> None:
    """200 pairs, N(0, I_4) against N(½, 1.5² I_4): 4·¼ + 4·¼ = 2 lies inside 90 to 98 % of the intervals."""
    held = 0
    for seed in range(200):
        fake = 1.5 * noise(200, 4, seed + 1000) + 0.5
        interval = frechet_infinity(real=noise(300, 4, seed), fake=fake, seed=seed).interval
        assert interval is not None
        held += interval[0] <= 2 <= interval[1]
    assert 0.90 <= held / 200 <= 0.98


def test_too_few_rows_are_said_with_the_consequence() -> None:
    measured = catalogue.get("fd").measure(real=noise(40, 16, 0), fake=noise(9, 16, 1))
    assert "9 rows span at most 8 of 16 dimensions" in measured["frechet-distance"].note
    assert rank_note(real=noise(17, 16, 0), fake=noise(17, 16, 1)) == ""
    assert rank_note(real=noise(16, 16, 0), fake=noise(17, 16, 1)) != ""
    assert "10 rows" in frechet_infinity(real=noise(20, 16, 0), fake=noise(20, 16, 1), seed=0).note


def test_bad_moments_are_refused() -> None:
    with pytest.raises(InputError, match="5 and of 4"):
        Moments.of(noise(9, 5, 0)) + Moments.of(noise(9, 4, 0))
    with pytest.raises(InputError, match="no block"):
        Moments.over(iter(()))
    with pytest.raises(InputError, match="fake has 1 rows"):
        frechet_distance(real=noise(9, 5, 0), fake=Moments.of(noise(1, 5, 0)))
    with pytest.raises(InputError, match="NaN"):
        Moments.over([noise(3, 2, 0), torch.full((1, 2), torch.nan)])
