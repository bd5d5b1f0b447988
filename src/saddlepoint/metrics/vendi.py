"""The Vendi score (Friedman and Dieng 2023): the effective number of different samples."""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.metrics.intervals import exponential, standard_error
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import matrices, matrix

EMPTY = 1e-14  # eigenvalues that are rounding alone


def vendi_score(*, samples: Tensor) -> Measured:
    """exp(−Σ λ ln λ), λ the eigenvalues of K/n with K the cosine similarities of the rows [n, …]: from 1 for parallel
    rows to n for orthogonal ones.

    K/n has the eigenvalues of ρ = mean of uuᵀ over the rows u of length 1, so no n x n matrix is made where the rows
    are shorter. Rows of length 0 count as orthogonal to all and are left in the number n. It measures diversity alone,
    and depends on n and on the features. The interval is by the delta method with the influence −uᵀ(ln ρ)u of a row.
    """
    entropy, influence = _entropy(samples)
    return exponential(entropy, standard_error(influence))


def vendi_ratio(*, real: Tensor, fake: Tensor) -> Measured:
    """The score of the fakes over that of as many real rows (the first of each); 1 is best.

    Deviation: both in units of the real rows (less their mean, over the standard deviation of each number) and with a 1
    as a further number, so that cosines tell where rows lie; about the origin, a ring is as diverse as any cloud.
    """
    ours, theirs = matrices(real, fake, least=2)
    n, centre, scale = (
        min(len(ours), len(theirs)),
        ours.mean(0),
        ours.std(0).clamp_min(1e-12 * ours.abs().max()),
    )
    units = [
        torch.nn.functional.pad((side[:n] - centre) / scale, (0, 1), value=1.0) for side in (theirs, ours)
    ]
    first, second = map(_entropy, units)
    error = (standard_error(first[1]) ** 2 + standard_error(second[1]) ** 2) ** 0.5
    return exponential(first[0] - second[0], error)


def _entropy(samples: Tensor) -> tuple[float, Tensor]:
    """The entropy of ρ in nats and the influence of each row on it, up to a constant."""
    rows = matrix("samples", samples, least=2).double()
    units = rows / rows.norm(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
    _, singular, directions = torch.linalg.svd(units / len(units) ** 0.5, full_matrices=False)
    shares = singular.square()
    logarithms = torch.where(shares > EMPTY, shares, 1.0).log()
    return float(-(shares * logarithms).sum()), -(units @ directions.T).square() @ logarithms
