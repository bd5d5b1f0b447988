"""SSIM, MS-SSIM, PSNR and sharpness difference: other libraries, values by hand, diversity."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    catalogue,
    ms_ssim,
    psnr,
    random_pairs,
    sharpness_difference,
    similarity_within,
    ssim,
)


def pictures(n: int, channels: int, side: int, seed: int) -> Tensor:
    """Smooth random images in [−1, 1]."""
    source = torch.Generator().manual_seed(seed)
    coarse = torch.randn(n, channels, 4, 4, generator=source, dtype=torch.float64)
    fine = torch.randn(n, channels, side, side, generator=source, dtype=torch.float64)
    return torch.tanh(torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic") + 0.2 * fine)


def unit(images: Tensor) -> np.ndarray:
    return ((images + 1) / 2).numpy()


@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 33), (1, 11)])
def test_ssim_is_that_of_another_library(channels: int, side: int) -> None:
    from skimage.metrics import structural_similarity

    first = pictures(6, channels, side, 0)
    second = (first + 0.3 * pictures(6, channels, side, 1)).clamp(-1, 1)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    expected = [
        structural_similarity(a, b, channel_axis=0, **options)
        for a, b in zip(unit(first), unit(second), strict=True)
    ]
    found = ssim(first=first, second=second)
    assert found.tolist() == pytest.approx(expected, abs=1e-6)
    assert found.min() < 0.95


@pytest.mark.parametrize(("side", "scales"), [(176, 5), (32, 2), (28, 2), (52, 3)])
def test_ms_ssim_is_put_together_from_other_libraries(side: int, scales: int) -> None:
    """Contrast and structure of the finer scales from torchmetrics, SSIM of the coarsest from scikit-image: the whole of
    torchmetrics counts the reflected border there, so that it differs in the second digit."""
    from skimage.metrics import structural_similarity
    from torchmetrics.functional.image import structural_similarity_index_measure

    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    first = pictures(3, 1, side, 2)
    second = (first + 0.4 * pictures(3, 1, side, 3)).clamp(-1, 1)
    one, other = (first + 1) / 2, (second + 1) / 2
    expected = np.ones(3)
    for weight in (weights / weights.sum())[:-1]:
        _, structure = structural_similarity_index_measure(
            one, other, data_range=1.0, reduction="none", return_contrast_sensitivity=True
        )
        expected *= structure.numpy() ** weight
        one, other = (torch.nn.functional.avg_pool2d(side, 2) for side in (one, other))
    last = [
        structural_similarity(a[0], b[0], **options) for a, b in zip(one.numpy(), other.numpy(), strict=True)
    ]
    expected *= np.array(last) ** (weights[-1] / weights.sum())
    assert ms_ssim(first=first, second=second).tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_small_images_have_one_scale() -> None:
    first, second = pictures(4, 1, 8, 0), pictures(4, 1, 8, 1)
    assert torch.allclose(ms_ssim(first=first, second=second), ssim(first=first, second=second).clamp(min=0))


def test_equal_images_and_the_order_of_a_pair() -> None:
    first, second = pictures(5, 3, 16, 0), pictures(5, 3, 16, 1)
    for measure, best in ((ssim, 1.0), (ms_ssim, 1.0), (psnr, math.inf), (sharpness_difference, math.inf)):
        assert measure(first=first, second=first).tolist() == pytest.approx([best] * 5)
        there, back = measure(first=first, second=second), measure(first=second, second=first)
        assert torch.allclose(there, back)
        assert (there < best).all()


def test_constant_images_by_hand() -> None:
    """Two grey levels a, b have no variance: SSIM = (2ab + c)/(a² + b² + c), c = 1e-4; PSNR = −20 log10 |a − b|."""
    a, b = 0.2, 0.7
    first, second = (torch.full((1, 1, 28, 28), 2 * level - 1, dtype=torch.float64) for level in (a, b))
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert float(ssim(first=first, second=second)) == pytest.approx(expected, rel=1e-9)
    assert float(psnr(first=first, second=second)) == pytest.approx(-20 * math.log10(0.5), rel=1e-12)
    weights = np.array([0.0448, 0.2856]) / (0.0448 + 0.2856)
    assert float(ms_ssim(first=first, second=second)) == pytest.approx(expected ** weights[1], rel=1e-9)


def test_sharpness_difference_by_hand() -> None:
    """A ramp that rises by 0.1 a column has ∇ = 0.1 everywhere, a flat image 0: 10 log10(1/0.1) = 10 dB. A ramp along the
    diagonal has twice that."""
    step = torch.arange(8, dtype=torch.float64) * 0.1
    flat = torch.full((1, 1, 8, 8), -1.0, dtype=torch.float64)
    ramp = flat + 2 * step
    diagonal = ramp / 2 - 0.5 + step[:, None]
    assert float(sharpness_difference(first=ramp, second=flat)) == pytest.approx(10)
    assert float(sharpness_difference(first=diagonal, second=flat)) == pytest.approx(10)
    both = flat + 2 * step + 2 * step[:, None]
    assert float(sharpness_difference(first=both, second=flat)) == pytest.approx(10 * math.log10(5))


@pytest.mark.parametrize(("rounds", "count"), [(1, 11), (2, 20), (9, 27)])
def test_pairs_are_different_and_of_one_class(rounds: int, count: int) -> None:
    """7, 4 and 1 rows: 7 + 4 neighbours; 7 + 2 pairs two steps apart; all 21 + 6 pairs."""
    labels = torch.tensor([0] * 7 + [1] * 4 + [2])
    first, second = random_pairs(samples=torch.zeros(12, 1), labels=labels, rounds=rounds, seed=3)
    pairs = {frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    assert len(first) == len(pairs) == count
    assert {len(pair) for pair in pairs} == {2}
    assert torch.equal(labels[first], labels[second])


def test_collapse_is_alike_and_noise_is_not() -> None:
    real = pictures(200, 1, 16, 0)
    collapsed = (real[:1] + 0.05 * pictures(200, 1, 16, 1)).clamp(-1, 1)
    noise = 2 * torch.rand(200, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 1
    found = [similarity_within(samples=rows).value for rows in (noise, real, collapsed)]
    assert found[0] < found[1] - 0.02
    assert found[2] > 0.9 > found[1]
    measure = catalogue.get("ms-ssim").measure
    scores = [
        measure(real_images=real, fake_images=rows, seed=0)["ms-ssim-excess"].value
        for rows in (real, collapsed, noise)
    ]
    assert scores[0] == pytest.approx(0, abs=1e-12)
    assert scores[1] > 0.3
    assert scores[2] < -0.02


def test_inside_the_classes_a_collapse_shows_that_all_classes_hide() -> None:
    """One image a class: random pairs are mostly of different classes, pairs inside a class are equal."""
    labels = torch.arange(10).repeat(20)
    real, fake = pictures(200, 1, 16, 0), pictures(10, 1, 16, 1).repeat(20, 1, 1, 1)
    within = catalogue.get("ms-ssim-class").measure(
        real_images=real, real_labels=labels, fake_images=fake, fake_labels=labels, seed=0
    )["ms-ssim-class-excess"]
    across = catalogue.get("ms-ssim").measure(real_images=real, fake_images=fake, seed=0)["ms-ssim-excess"]
    assert within.value > 0.3 > across.value + 0.1
    assert within.interval is not None


def test_the_interval_holds_the_truth() -> None:
    """200 pairs of sets of 60 from one distribution: the excess is 0."""
    held = 0
    for seed in range(200):
        found = catalogue.get("ms-ssim").measure(
            real_images=pictures(60, 1, 8, 1000 + seed), fake_images=pictures(60, 1, 8, seed), seed=seed
        )
        low, high = found["ms-ssim-excess"].interval
        held += low <= 0 <= high
    assert 180 <= held <= 197


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"first has shape \[3, 4\]"):
        ssim(first=torch.zeros(3, 4), second=torch.zeros(3, 4))
    with pytest.raises(InputError, match="equal shapes"):
        psnr(first=torch.zeros(2, 1, 8, 8), second=torch.zeros(3, 1, 8, 8))
    with pytest.raises(InputError, match="NaN"):
        psnr(first=torch.full((2, 1, 8, 8), math.nan), second=torch.zeros(2, 1, 8, 8))
    with pytest.raises(InputError, match="at least 2"):
        similarity_within(samples=torch.zeros(2, 1, 8, 8))
    with pytest.raises(InputError, match="0 pairs can be made of 0 images"):
        similarity_within(samples=torch.zeros(0, 1, 8, 8), labels=torch.zeros(0))
