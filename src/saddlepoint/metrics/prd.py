"""Precision and recall of distributions (Sajjadi et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.samples import matrices
from saddlepoint.random import key

ANGLES = 1001
EDGE = 1e-6  # the first and last angle keep off 0 and 90 degrees
BETA = 8.0


@dataclass(frozen=True, eq=False)
class Curve:
    """precision α(λ) and recall β(λ) = α(λ)/λ at the slopes λ, float64 [angles] each."""

    precision: Tensor
    recall: Tensor

    def best(self, beta: float) -> float:
        """Maximum over the curve of F_β = (1 + β²) α β' / (β² α + β'), β' the recall; β above 1 weighs recall."""
        squared = beta * beta
        share = (1 + squared) * self.precision * self.recall
        return float((share / (squared * self.precision + self.recall).clamp(min=1e-300)).amax())


def discrete_curve(p: Tensor, q: Tensor) -> Curve:
    """α(λ) = Σ_i min(λ p_i, q_i) for a real distribution p and a generated one q over the same bins (equation 3);
    λ = tan of 1001 angles between 0 and 90 degrees."""
    angle = torch.linspace(EDGE, np.pi / 2 - EDGE, ANGLES, dtype=torch.float64)
    slope = angle.tan()[:, None]
    precision = torch.minimum(slope * p.double(), q.double()).sum(1)
    return Curve(precision.clamp(max=1), (precision / slope[:, 0]).clamp(max=1))


def prd_curve(*, real: Tensor, fake: Tensor, bins: int = 20, runs: int = 10, seed: int = 0) -> Curve:
    """The curve of two sets of features [n, …] and [n, …], as many rows each: the union is put in `bins` clusters by
    mini-batch k-means and the shares of the clusters are compared; mean of the curves of `runs` clusterings. Each has one
    start; the authors' program takes the best of ten, which the mean over runs makes up for."""
    first, second = matrices(real, fake, least=2)
    if len(first) != len(second):
        raise InputError(
            f"real has {len(first)} rows and fake has {len(second)}; precision and recall of distributions need equal "
            "numbers."
        )
    if not 2 <= bins <= 2 * len(first) or runs < 1:
        raise InputError(
            f"{bins} bins and {runs} runs are refused; 2 to {2 * len(first)} bins and at least 1 run are needed."
        )
    curves = [discrete_curve(*_shares(first, second, bins, key("prd", seed, run))) for run in range(runs)]
    return Curve(
        precision=torch.stack([curve.precision for curve in curves]).mean(0),
        recall=torch.stack([curve.recall for curve in curves]).mean(0),
    )


def _shares(real: Tensor, fake: Tensor, bins: int, seed: int) -> tuple[Tensor, Tensor]:
    """Share of each cluster among the reals and among the fakes, [bins] each."""
    from sklearn.cluster import MiniBatchKMeans

    union = torch.cat([real, fake]).numpy()
    labels = MiniBatchKMeans(n_clusters=bins, n_init=1, random_state=seed % 2**32).fit(union).labels_
    cluster = torch.from_numpy(labels).long()
    counts = [torch.bincount(side, minlength=bins).double() for side in cluster.split(len(real))]
    return counts[0] / len(real), counts[1] / len(fake)
