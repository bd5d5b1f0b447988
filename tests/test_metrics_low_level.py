"""Statistics of images: spectra that are made, moments by hand, the training set inside its own band."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.metrics import catalogue
from saddlepoint.metrics.low_level import (
    contrast_divergence,
    contrasts,
    filter_differences,
    filter_moments,
    random_filters,
    spectrum_slope,
)

SIGNED = ("spectrum-slope-difference", "filter-power", "filter-kurtosis")


def coloured(n: int, side: int, beta: float, seed: int) -> Tensor:
    """Gaussian images whose power falls like 1/f^β, f in whole waves a side."""
    source = torch.Generator().manual_seed(seed)
    wave = torch.fft.fftfreq(side, dtype=torch.float64) * side
    frequency = (wave[:, None].square() + wave[None].square()).sqrt().round().clamp(min=1)
    noise = torch.fft.fft2(torch.randn(n, 1, side, side, dtype=torch.float64, generator=source))
    return 0.05 * torch.fft.ifft2(noise * frequency ** (-beta / 2)).real


def noise(n: int, seed: int) -> Tensor:
    return 0.2 * torch.randn(n, 1, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("side", [8, 28, 33])
def test_the_slope_of_a_made_spectrum_is_found(beta: float, side: int) -> None:
    """Within four standard errors of the truth, taken from the influences, which are small themselves."""
    slope, influence = spectrum_slope(samples=coloured(400, side, beta, side))
    error = float(influence.std()) / 20
    assert error < 0.025
    assert abs(float(slope) - beta) < 4 * error
    assert float(influence.mean()) == pytest.approx(0, abs=1e-9)


def test_scale_and_brightness_leave_the_slope() -> None:
    rows = coloured(50, 16, 2.0, 0)
    slopes = [float(spectrum_slope(samples=other)[0]) for other in (rows, 3 * rows, rows + 0.4)]
    assert slopes == pytest.approx([slopes[0]] * 3, rel=1e-9)


def test_contrast_by_hand() -> None:
    """Half the pixels black, half white: ±ln(256)/2, whatever the image; equal histograms are at 0, disjoint at ln 2."""
    board = torch.ones(2, 1, 8, 8)
    board[:, :, :, ::2] = -1
    found = contrasts(samples=board)
    assert found.abs().flatten().tolist() == pytest.approx([math.log(256) / 2] * 128)
    assert contrast_divergence(real=board, fake=board.flip(3)) == pytest.approx(0, abs=1e-12)
    flat = torch.zeros(2, 1, 8, 8)
    assert contrast_divergence(real=board, fake=flat) == pytest.approx(math.log(2))


def test_moments_of_gaussian_noise() -> None:
    """Filters of length 1: mean square σ² (grey levels are half the values), kurtosis 3."""
    filters = random_filters(16, 3)
    assert filters.square().sum((1, 2, 3)).tolist() == pytest.approx([1.0] * 16)
    assert filters.sum((1, 2, 3)).tolist() == pytest.approx([0.0] * 16, abs=1e-12)
    square, fourth = filter_moments(samples=noise(3000, 0), filters=filters).mean(1)
    assert square.tolist() == pytest.approx([0.01] * 16, rel=0.02)
    assert (fourth / square**2).tolist() == pytest.approx([3.0] * 16, rel=0.03)


def test_differences_of_known_size() -> None:
    """Twice the contrast: power ln 4 higher, kurtosis equal. Half of the images flat: power ln 2 lower, kurtosis ln 2
    higher."""
    rows = noise(400, 1)
    double = filter_differences(real=rows, fake=2 * rows)
    assert double["filter-power"].value == pytest.approx(math.log(4))
    assert double["filter-kurtosis"].value == pytest.approx(0, abs=1e-9)
    flat = torch.cat([rows, torch.zeros_like(rows)])
    half = filter_differences(real=rows, fake=flat)
    assert half["filter-power"].value == pytest.approx(-math.log(2))
    assert half["filter-kurtosis"].value == pytest.approx(math.log(2))


def test_intervals_hold_the_truth() -> None:
    """Both sides drawn anew 200 times from one distribution: the truth is 0. Each image has a contrast of its own, so
    that images differ more than pixels do."""
    measure, held = catalogue.get("low-level").measure, dict.fromkeys(SIGNED, 0)
    for seed in range(200):
        source = torch.Generator().manual_seed(seed)
        rows = noise(80, seed) * (0.5 + torch.rand(80, 1, 1, 1, generator=source, dtype=torch.float64))
        found = measure(real_images=rows[:40], fake_images=rows[40:], seed=0)
        for name in SIGNED:
            low, high = found[name].interval
            held[name] += low <= 0 <= high
    assert all(180 <= count <= 197 for count in held.values()), held


def test_training_rows_are_within_the_band_and_corruptions_are_not() -> None:
    """Held-out digits against training digits: zero lies in all intervals, widened by half since there are three. Blur
    raises the exponent, noise lowers it, and the other two notice both."""
    data, measure = load("digits"), catalogue.get("low-level").measure
    real, fake = data.held_out()["real"], data.training(450)["real"]
    fresh = measure(real_images=real, fake_images=fake, seed=0)
    for one in fresh.values():
        if one.interval:
            low, high = one.interval
            assert abs(one.value) < 1.5 * (high - low) / 2
    blurred = torch.nn.functional.avg_pool2d(fake, 3, 1, 1, count_include_pad=False)
    noisy = fake + 0.5 * torch.randn(fake.shape, generator=torch.Generator().manual_seed(0))
    for worse, sign in ((blurred, 1), (noisy, -1)):
        found = measure(real_images=real, fake_images=worse.clamp(-1, 1), seed=0)
        assert found["spectrum-slope-difference"].interval[sign < 0] * sign > 0
        for name in ("contrast-divergence", "filter-kurtosis"):
            assert abs(found[name].value) > 2 * abs(fresh[name].value), name


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[4, 2\]"):
        spectrum_slope(samples=torch.zeros(4, 2))
    with pytest.raises(InputError, match=r"real has shape \[4, 2\]"):
        filter_differences(real=torch.zeros(4, 2), fake=torch.zeros(4, 2))
    with pytest.raises(InputError, match="at least 8 a side"):
        spectrum_slope(samples=torch.zeros(4, 1, 4, 9))
