"""Coverage of known modes (Lin et al. 2018, PacGAN; Srivastava et al. 2017, VEEGAN)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import normal, standard_error
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import checked_labels, distances, matrix

RADIUS = 3.0  # standard deviations within which a sample counts as high quality


@dataclass(frozen=True)
class ModeCoverage:
    """covered: modes with at least one high-quality sample, of `modes`.
    high_quality: share of samples within 3σ (Euclidean) of the nearest mode. A perfect generator in the plane
        has 1 − exp(−9/2) = .9889; more means that the samples shrink towards the centres.
    divergence: KL(p̂ ‖ uniform) in nats, p̂ the shares of the modes when every sample goes to its nearest
        centre. c of K modes in equal shares: ln(K/c). A perfect generator: about (K − 1)/(2n).
    variance_ratio: variance of the high-quality samples about the mean of their mode, over that of the true
        Gaussian cut off at the same 3σ. 1 is right, below 1 shrunk; None when no mode has two such samples.
    """

    covered: int
    modes: int
    high_quality: float
    divergence: float
    variance_ratio: float | None


def mode_coverage(*, samples: Tensor, centres: Tensor, sigma: float) -> ModeCoverage:
    """samples [n, d] against equally weighted Gaussians: centres [K, d], standard deviation sigma in each."""
    if not sigma > 0:
        raise InputError(f"sigma is {sigma}; mode coverage needs a standard deviation above 0.")
    rows, modes = matrix("samples", samples).double(), matrix("centres", centres).double()
    if rows.shape[1] != modes.shape[1]:
        raise InputError(f"samples have {rows.shape[1]} coordinates and the centres {modes.shape[1]}.")
    nearest = [block.min(1) for _, block in distances(rows, modes)]
    distance = torch.cat([found.values for found in nearest])
    mode = torch.cat([found.indices for found in nearest])
    good = distance <= RADIUS * sigma
    counts = torch.bincount(mode[good], minlength=len(modes))  # of high-quality samples
    shares = torch.bincount(mode, minlength=len(modes)).double() / len(rows)
    return ModeCoverage(
        covered=int((counts > 0).sum()),
        modes=len(modes),
        high_quality=float(good.double().mean()),
        divergence=float(torch.special.xlogy(shares, shares * len(modes)).sum()),
        variance_ratio=_variance_ratio(rows[good], mode[good], counts, sigma),
    )


def _variance_ratio(rows: Tensor, mode: Tensor, counts: Tensor, sigma: float) -> float | None:
    """Variance within the modes (rows − modes degrees of freedom), over that of the cut-off Gaussian."""
    freedom = len(rows) - int((counts > 0).sum())
    if not freedom:
        return None
    sums = rows.new_zeros(len(counts), rows.shape[1]).index_add_(0, mode, rows)
    spread = (rows - sums[mode] / counts[mode, None]).square().sum()
    return float(spread) / (rows.shape[1] * freedom) / (sigma**2 * _cut_off_variance(rows.shape[1]))


def _cut_off_variance(dimensions: int) -> float:
    """Variance per coordinate of N(0, I_d) given |x| ≤ 3: F_{d+2}(9)/F_d(9), F_d the chi-square distribution.

    From F_{d+2}(x) = F_d(x) − (x/2)^{d/2} e^{−x/2} / Γ(d/2 + 1).
    """
    half = torch.tensor(RADIUS**2 / 2, dtype=torch.float64)
    share = float(torch.special.gammainc(torch.tensor(dimensions / 2, dtype=torch.float64), half))
    log_step = dimensions / 2 * math.log(half) - float(half) - math.lgamma(dimensions / 2 + 1)
    return 1 - math.exp(log_step) / share


@dataclass(frozen=True)
class ClassCoverage:
    """covered: classes with at least one sample. divergence: KL(p̂ ‖ uniform) in nats, p̂ the shares of the classes."""

    covered: Measured
    divergence: Measured


def class_coverage(*, labels: Tensor, classes: int) -> ClassCoverage:
    """Predicted classes int64 [n] as modes: of stacked MNIST the 1000 triples of digits (Metz et al. 2017).

    Equally likely classes are taken for granted. A perfect generator has about `divergence_floor` and covers about
    `expected_coverage`, and so does noise that a classifier scatters over the classes: look at its accuracy too. The
    interval of the divergence is by the delta method and covers its mean at this n; that of the number covered is a
    jackknife, for which only classes with one sample matter.
    """
    counts = torch.bincount(checked_labels("labels", labels, classes), minlength=classes).double()
    n, covered, single = len(labels), float((counts > 0).sum()), float((counts == 1).sum())
    information = torch.where(counts > 0, counts * classes / n, 1.0).log()[labels]  # of each sample
    value = float(information.mean())
    low, high = normal(value, standard_error(information))
    spread = normal(covered, math.sqrt((n - 1) / n * single * (1 - single / n)))
    return ClassCoverage(
        Measured(covered, (max(1.0, spread[0]), min(float(classes), spread[1]))),
        Measured(value, (max(0.0, low), high)),
    )


def triples(digits: Tensor) -> Tensor:
    """The numbers that digits int64 [n, 3] spell, red first: 0 … 999."""
    if digits.dim() != 2 or digits.shape[1] != 3:
        raise InputError(f"digits has the shape {tuple(digits.shape)}; [rows, 3] is accepted.")
    return checked_labels("digits", digits.flatten(), 10).reshape(-1, 3) @ torch.tensor([100, 10, 1])


def expected_coverage(*, classes: int, n: int) -> float:
    """Classes hit by n draws from equally likely ones: K (1 − (1 − 1/K)^n)."""
    return classes * (1 - (1 - 1 / classes) ** n)


def divergence_floor(*, classes: int, n: int) -> float:
    """Mean of KL(p̂ ‖ uniform) over n draws from equally likely classes, exactly: ln(K/n) + K/n E[c ln c] with the
    binomial count c of one class; about (K − 1)/(2n)."""
    from scipy.stats import binom

    counts = torch.arange(n + 1, dtype=torch.float64)
    chance = torch.tensor(binom.pmf(range(n + 1), n, 1 / classes))
    return math.log(classes / n) + classes / n * float(chance @ torch.special.xlogy(counts, counts))
