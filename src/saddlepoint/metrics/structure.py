"""Images compared in pairs: SSIM over one and several scales, PSNR, sharpness difference.

Images [n, channels, height, width] in [−1, 1] are taken to [0, 1] first, so that the largest possible difference is 1. These
numbers are for pairs: a picture and its reconstruction, or two samples of one model. They do not rank unpaired samples.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import normal
from saddlepoint.metrics.metric import Measured
from saddlepoint.random import generator

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # from the finest scale on
BLOCK = 256  # pairs held at a time
ROUNDS, PAIRS = 10, 10_000  # partners of each sample; pairs in all, about


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


def random_pairs(
    *, samples: Tensor, labels: Tensor | None = None, rounds: int = 1, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Row numbers of random pairs, of equal label where there are labels: each row with the next `rounds` rows of a random
    cyclic order of its class. No row is its own partner, and no pair is there twice."""
    order = torch.randperm(len(samples), generator=generator("cpu", "pairs", seed))
    groups = [order] if labels is None else [order[labels[order] == label] for label in labels.unique()]
    pairs = [pair for group in groups for pair in _cyclic(group, rounds)]
    first, second = (torch.cat([pair[side] for pair in pairs] or [order[:0]]) for side in (0, 1))
    if len(first) < 2:
        raise InputError(f"{len(first)} pairs can be made of {len(samples)} images; at least 2 are needed.")
    return first, second


def _cyclic(group: Tensor, rounds: int) -> list[tuple[Tensor, Tensor]]:
    n = len(group)
    steps = range(1, min(rounds, n // 2) + 1)
    ends = [n if 2 * step < n else n // 2 for step in steps]  # half-way round each pair would come twice
    return [(group[:end], group.roll(-step)[:end]) for step, end in zip(steps, ends, strict=True)]


class Similarity(NamedTuple):
    """Mean over pairs and its standard error over samples."""

    value: float
    error: float


def similarity_within(*, samples: Tensor, labels: Tensor | None = None, seed: int = 0) -> Similarity:
    """Mean MS-SSIM of random pairs of samples (of one class), each sample in up to 20: the lower, the more diverse.

    Odena et al. 2017, who take 100 pairs a class; here about 10,000 in all where there are as many. Noise is diverse too, so
    that it says nothing by itself. The error counts that two pairs with a sample in common are dependent: the square of
    it is Σ_i (Σ_{p ∋ i} e_p)² − Σ_p e_p² over the square of the number of pairs, e_p a pair's difference from the mean.
    """
    rounds = max(1, min(ROUNDS, PAIRS // max(1, len(samples))))
    pairs = random_pairs(samples=samples, labels=labels, rounds=rounds, seed=seed)
    values = ms_ssim(first=samples[pairs[0]], second=samples[pairs[1]])
    apart = values - values.mean()
    single = sum(apart.new_zeros(len(samples)).index_add_(0, side, apart) for side in pairs)
    own = float(apart.square().sum())
    variance = max(own, float(torch.as_tensor(single).square().sum()) - own)
    return Similarity(float(values.mean()), variance**0.5 / len(values))


def similarity_excess(real: Similarity, fake: Similarity) -> Measured:
    """Fakes less reals, with the interval over the samples of both."""
    value = fake.value - real.value
    note = f"{fake.value:.4f} among fakes, {real.value:.4f} among reals"
    return Measured(value, normal(value, math.hypot(fake.error, real.error)), note)


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
