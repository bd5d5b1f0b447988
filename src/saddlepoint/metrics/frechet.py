"""Fréchet distance between two sets of features (Heusel et al. 2017, eq. 6; Dowson and Landau 1982).

Between Inception features it is called FID. Here it carries the name of whatever extractor made the features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.metrics.intervals import NORMAL_95
from saddlepoint.metrics.samples import matrices


@dataclass(frozen=True, eq=False)
class _Moments:
    mean: Tensor  # [d]
    covariance: Tensor  # [d, d], divided by n − 1

    @classmethod
    def of(cls, rows: Tensor) -> _Moments:
        centred = rows - rows.mean(0)
        return cls(rows.mean(0), centred.T @ centred / (len(rows) - 1))


def frechet_distance(*, real: Tensor, fake: Tensor) -> float:
    """|μ_r − μ_f|² + Tr(C_r) + Tr(C_f) − 2 Tr((C_r^½ C_f C_r^½)^½), in squared units of the features.

    real [n, …], fake [m, …]: features, flattened; n, m ≥ 2, also fewer than their width. Float64 throughout
    and covariances divided by n − 1. The matrix under the last root is symmetric, so the trace is the sum of
    the roots of its eigenvalues and no general matrix root is taken.

    For finite sets of one distribution it is above 0, roughly as 1/n + 1/m: compare at equal sizes only, with
    the same between two real sets beside it. Copies of the real data are not penalised.
    """
    rows = matrices(real, fake, least=2)
    return _distance(_Moments.of(rows[0]), _Moments.of(rows[1]))


def frechet_interval(*, real: Tensor, fake: Tensor) -> tuple[float, float]:
    """95 % interval for the distance at these sizes, by the delta method.

    One row x of the fakes moves the distance by its influence
    2(μ_f − μ_r)·(x − μ_f) + (x − μ_f)ᵀ(I − T)(x − μ_f), where T = C_r^½ (C_r^½ C_f C_r^½)^{−½} C_r^½ carries
    the fake Gaussian onto the real one, and I − T is the derivative of the distance with respect to C_f;
    likewise for a real row. The variance of the distance is Var(influence of a fake)/m + Var(influence of a
    real)/n.

    Not a bootstrap: drawing rows twice narrows the sets and so raises the very quantity that is to be
    bounded, at a thousand times the cost. It covers the mean of the distance at these n and m, its bias
    included.
    """
    rows = matrices(real, fake, least=2)
    moments = _Moments.of(rows[0]), _Moments.of(rows[1])
    value = _distance(*moments)
    variance = _influence_variance(rows[1], moments[1], moments[0]) / len(rows[1])
    variance += _influence_variance(rows[0], moments[0], moments[1]) / len(rows[0])
    half = NORMAL_95 * variance**0.5
    return max(0.0, value - half), value + half


def _distance(real: _Moments, fake: _Moments) -> float:
    root = _power(real.covariance, 0.5)
    cross = _eigen(root @ fake.covariance @ root)[0].sqrt().sum()
    squared = (real.mean - fake.mean).square().sum()
    value = squared + real.covariance.trace() + fake.covariance.trace() - 2 * cross
    return max(0.0, float(value))  # a distance; only the last bits of equal sets fall below 0


def _eigen(symmetric: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues ≥ 0 and eigenvectors of a positive semidefinite matrix.

    With fewer rows than features the matrix is singular, and rounding leaves ±1e-16 of the largest eigenvalue
    where 0 belongs. A root would turn that into 1e-8 each, or into NaN; what lies below the rounding is
    therefore put to 0.
    """
    values, vectors = torch.linalg.eigh((symmetric + symmetric.T) / 2)
    rounding = len(values) * torch.finfo(values.dtype).eps * values[-1]
    return torch.where(values > rounding, values, 0.0), vectors


def _power(symmetric: Tensor, exponent: float) -> Tensor:
    """A power of a positive semidefinite matrix, on its range (the pseudo-inverse for negative exponents)."""
    values, vectors = _eigen(symmetric)
    return (vectors * torch.where(values > 0, values**exponent, 0.0)) @ vectors.T


def _influence_variance(rows: Tensor, own: _Moments, other: _Moments) -> float:
    root = _power(other.covariance, 0.5)
    transport = root @ _power(root @ own.covariance @ root, -0.5) @ root
    centred = rows - own.mean
    curved = (centred * (centred - centred @ transport)).sum(1)
    return float((2 * centred @ (own.mean - other.mean) + curved).var())
