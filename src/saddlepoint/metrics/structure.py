"""Images compared in pairs: SSIM over one and several scales, PSNR, sharpness difference.

Images [n, channels, height, width] in [−1, 1] are taken to [0, 1] first, so that the largest possible difference is 1. These
numbers are for pairs: a picture and its reconstruction, or two samples of one model. They do not rank unpaired samples.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from saddlepoint.errors import InputError
from saddlepoint.random import generator

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # from the finest scale on
BLOCK = 256  # pairs held at a time


def ssim(*, first: Tensor, second: Tensor) -> Tensor:
    """Structural similarity of each pair, float64 [n], at most 1, which equal images have.

    Wang et al. 2004, equation 13, with their Gaussian window (11 × 11, σ = 1.5; the largest odd size that fits where a
    side is shorter), K1 = 0.01, K2 = 0.03; mean over the places where the window lies inside, and over the channels.
    """
    blocks = _pairs(first, second)
    return torch.cat([torch.mul(*_terms(one, other)).mean((1, 2, 3)) for one, other in blocks])


def ms_ssim(*, first: Tensor, second: Tensor) -> Tensor:
    """Multi-scale structural similarity of each pair, float64 [n], in [0, 1]; Wang et al. 2003, equation 7.

    Each scale halves the image by means of 2 × 2. Only as many of the five scales are taken as leave room for the window
    (28 × 28 and 32 × 32: two; 8 × 8: one, with a window of 7 × 7), and their weights are divided by their sum. Where the
    contrast and structure of a scale are negative on average they count as 0.
    """
    found = []
    for one, other in _pairs(first, second):
        weights = _weights(min(one.shape[2:]))
        value = one.new_ones(len(one))
        for scale, weight in enumerate(weights):
            luminance, structure = _terms(one, other)
            last = scale == len(weights) - 1
            level = (luminance * structure if last else structure).mean((1, 2, 3))
            value = value * level.clamp(min=0) ** weight
            one, other = functional.avg_pool2d(one, 2), functional.avg_pool2d(other, 2)
        found.append(value)
    return torch.cat(found)


def psnr(*, first: Tensor, second: Tensor) -> Tensor:
    """10 log10(1 / mean squared difference) of each pair, in decibels, float64 [n]; infinite for equal images."""
    blocks = _pairs(first, second)
    return torch.cat([-10 * (one - other).square().mean((1, 2, 3)).log10() for one, other in blocks])


def sharpness_difference(*, first: Tensor, second: Tensor) -> Tensor:
    """10 log10(1 / mean |(∇_i + ∇_j) first − (∇_i + ∇_j) second|) of each pair, in decibels, float64 [n], with ∇ the absolute
    difference to the pixel above and to the left (Mathieu et al. 2016, equation 11); higher is nearer."""
    blocks = _pairs(first, second)
    return torch.cat(
        [-10 * (_gradient(one) - _gradient(other)).abs().mean((1, 2, 3)).log10() for one, other in blocks]
    )


def random_pairs(*, samples: Tensor, labels: Tensor | None = None, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Row numbers of disjoint random pairs, of equal label where there are labels: no row is its own partner, and the
    pairs are independent of each other."""
    order = torch.randperm(len(samples), generator=generator("cpu", "pairs", seed))
    groups = [order] if labels is None else [order[labels[order] == label] for label in labels.unique()]
    halves = [(group[: len(group) // 2], group[len(group) // 2 :][: len(group) // 2]) for group in groups]
    first, second = (torch.cat(side) for side in zip(*halves, strict=True))
    if len(first) < 2:
        raise InputError(f"{len(first)} pairs can be made of {len(samples)} images; at least 2 are needed.")
    return first, second


def similarity_within(
    *, samples: Tensor, labels: Tensor | None = None, seed: int = 0, pairs: int = 1000
) -> Tensor:
    """MS-SSIM of at most `pairs` random pairs of samples (of one class), float64: the lower, the more diverse.

    Odena et al. 2017, who take 100 pairs a class. Noise is diverse too, so that it says nothing by itself.
    """
    one, other = (side[:pairs] for side in random_pairs(samples=samples, labels=labels, seed=seed))
    return ms_ssim(first=samples[one], second=samples[other])


def images(role: str, samples: Tensor) -> Tensor:
    """Images in [0, 1], float64; anything else than finite [n, channels, height, width] is refused."""
    if samples.dim() != 4 or 0 in samples.shape:
        raise InputError(
            f"{role} has shape {list(samples.shape)}; images [n, channels, height, width] are needed."
        )
    if not torch.isfinite(samples).all():
        raise InputError(f"{role} holds NaN or infinity; a metric is defined for finite numbers only.")
    return (samples.detach().cpu().double() + 1) / 2


def _pairs(first: Tensor, second: Tensor) -> list[tuple[Tensor, Tensor]]:
    one, other = images("first", first), images("second", second)
    if one.shape != other.shape:
        raise InputError(
            f"first has shape {list(one.shape)} and second {list(other.shape)}; pairs need equal shapes."
        )
    if min(one.shape[2:]) < 2:
        raise InputError(
            f"images of {list(one.shape[2:])} pixels are too small to compare; 2 × 2 is the least."
        )
    return list(zip(one.split(BLOCK), other.split(BLOCK), strict=True))


def _weights(side: int) -> list[float]:
    scales = 1
    while scales < len(WEIGHTS) and side >> scales >= WINDOW:
        scales += 1
    kept = WEIGHTS[:scales]
    return [weight / sum(kept) for weight in kept]


def _terms(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance and contrast-structure [n, channels, …] wherever the window lies inside."""
    mean_one, mean_other = _blurred(one), _blurred(other)
    variance = _blurred(one * one) - mean_one**2 + _blurred(other * other) - mean_other**2
    covariance = _blurred(one * other) - mean_one * mean_other
    luminance = (2 * mean_one * mean_other + K1**2) / (mean_one**2 + mean_other**2 + K1**2)
    return luminance, (2 * covariance + K2**2) / (variance + K2**2)


def _blurred(rows: Tensor) -> Tensor:
    """Weighted mean under the window, along one side and then the other."""
    channels, side = rows.shape[1], min(rows.shape[2:])
    size = WINDOW if side >= WINDOW else side - 1 + side % 2
    place = torch.arange(size, dtype=rows.dtype) - (size - 1) / 2
    weight = torch.exp(-(place**2) / (2 * SIGMA**2))
    weight = (weight / weight.sum()).expand(channels, 1, 1, -1)
    across = functional.conv2d(rows, weight, groups=channels)
    return functional.conv2d(across, weight.transpose(2, 3), groups=channels)


def _gradient(rows: Tensor) -> Tensor:
    inner = rows[:, :, 1:, 1:]
    return (inner - rows[:, :, :-1, 1:]).abs() + (inner - rows[:, :, 1:, :-1]).abs()
