"""Statistics of images that ask for no features: spectrum, contrast, answers of random filters (Zeng et al. 2017).

Images [n, channels, height, width] in [−1, 1]; colours are averaged to grey, in [0, 1].
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import normal, standard_error
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.structure import images
from saddlepoint.random import generator

FILTERS = 16
BINS = 64
DARKEST = 1 / 255  # added to a grey level before its logarithm: one level of 8 bits
LEAST_SIDE = 8


def spectrum_slope(*, samples: Tensor) -> tuple[Tensor, Tensor]:
    """β of the mean power spectrum, P(f) ∝ 1/f^β, and the influence of each image on it, float64 [n].

    Power |FFT|² of each grey image less its mean, averaged over the images and over the rings of whole frequencies
    1 … half the shorter side; straight line through (ln f, ln P) by least squares. Natural images have about 2. Higher
    than in the data: blurred; lower: noisy.
    """
    grey = _grey("samples", samples)
    height, width = grey.shape[1:]
    radius = _frequency(height)[:, None].square() + _frequency(width)[None].square()
    ring = (radius.sqrt() * min(height, width)).round().long().flatten()
    last = min(height, width) // 2
    power = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True)).abs().square().flatten(1)
    sums = power.new_zeros(len(grey), int(ring.max()) + 1).index_add_(1, ring, power)[:, 1 : last + 1]
    rings = sums / torch.bincount(ring)[1 : last + 1]
    mean = rings.mean(0).clamp(min=1e-12)
    frequency = torch.arange(1, last + 1, dtype=torch.float64).log()
    weight = -(frequency - frequency.mean()) / (frequency - frequency.mean()).square().sum()
    return weight @ mean.log(), (rings / mean - 1) @ weight


def contrasts(*, samples: Tensor) -> Tensor:
    """ln((I + 1/255) / geometric mean of the same over the image) of every pixel, float64 [n, pixels]: 0 on average."""
    logarithm = (_grey("samples", samples).flatten(1).clamp(min=0) + DARKEST).log()
    return logarithm - logarithm.mean(1, keepdim=True)


def contrast_divergence(*, real: Tensor, fake: Tensor) -> float:
    """Jensen-Shannon divergence, in nats (at most ln 2), between the histograms of the contrasts of all pixels: 64 equal bins
    over all that occur among the reals, and one beyond each end. 0 for equal histograms."""
    ours, theirs = contrasts(samples=real).flatten(), contrasts(samples=fake).flatten()
    low, high = float(ours.min()), float(ours.max())
    edges = torch.linspace(low, high + 1e-9 + 1e-9 * abs(high), BINS + 1, dtype=torch.float64)
    shares = [
        torch.bincount(torch.bucketize(values, edges, right=True), minlength=BINS + 2).double() / len(values)
        for values in (ours, theirs)
    ]
    middle = (shares[0] + shares[1]) / 2
    return float(
        sum(torch.special.xlogy(share, share / middle.clamp(min=1e-300)).sum() for share in shares) / 2
    )


def random_filters(side: int, seed: int) -> Tensor:
    """16 filters [16, 1, size, size] of Gaussian weights, mean 0, length 1; 8 × 8, or half the side if that is less."""
    size = min(8, side // 2)
    weights = torch.randn(
        FILTERS, 1, size, size, generator=generator("cpu", "filters", seed), dtype=torch.float64
    )
    weights = weights - weights.mean((2, 3), keepdim=True)
    return weights / weights.square().sum((2, 3), keepdim=True).sqrt()


def filter_moments(*, samples: Tensor, filters: Tensor) -> Tensor:
    """Mean square and mean fourth power of each filter's answers in each image, float64 [2, n, filters]."""
    answers = functional.conv2d(_grey("samples", samples)[:, None], filters).flatten(2)
    return torch.stack([answers.square().mean(2), (answers**4).mean(2)])


def filter_differences(*, real: Tensor, fake: Tensor, seed: int = 0) -> dict[str, Measured]:
    """Means over 16 random filters, fakes minus reals: "filter-power", of the logarithm of the mean square answer, and
    "filter-kurtosis", of the logarithm of E a⁴/(E a²)² (3 for Gaussian answers). 0 is best.

    Intervals over the images of both sides, by the influence of each image.
    """
    filters = random_filters(min(images("real", real).shape[2:]), seed)
    sides = [_log_moments(filter_moments(samples=samples, filters=filters)) for samples in (real, fake)]
    names = ("filter-power", "filter-kurtosis")
    return {name: difference(*(side[name] for side in sides)) for name in names}


def difference(real: tuple[Tensor, Tensor], fake: tuple[Tensor, Tensor]) -> Measured:
    """Fakes minus reals, of statistics given as (value, influence of each row [n])."""
    value = float(fake[0] - real[0])
    return Measured(value, normal(value, math.hypot(standard_error(real[1]), standard_error(fake[1]))))


def _log_moments(moments: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Logarithms, averaged over the filters, with the influence of each image."""
    mean = moments.mean(1).clamp(min=1e-300)
    power, fourth = moments / mean[:, None] - 1  # influence of an image on the logarithm of a mean
    logarithm = mean.log()
    return {
        "filter-power": (logarithm[0].mean(), power.mean(1)),
        "filter-kurtosis": ((logarithm[1] - 2 * logarithm[0]).mean(), (fourth - 2 * power).mean(1)),
    }


def _frequency(side: int) -> Tensor:
    return torch.fft.fftfreq(side, dtype=torch.float64)


def _grey(role: str, samples: Tensor) -> Tensor:
    rows = images(role, samples).mean(1)
    if min(rows.shape[1:]) < LEAST_SIDE:
        size = list(rows.shape[1:])
        raise InputError(
            f"{role} are images of {size} pixels; statistics of images need at least {LEAST_SIDE} a side."
        )
    return rows
