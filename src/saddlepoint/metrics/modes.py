"""Coverage of known modes (Lin et al. 2018, PacGAN; Srivastava et al. 2017, VEEGAN)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.samples import distances, matrix

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
