"""Image retrieval performance (Wang et al. 2016): is there a fake near every real row?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import share
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import distances, matrices


def retrieval_distances(*, real: Tensor, fake: Tensor, k: int = 1) -> Tensor:
    """Distance of each real row to its k-th nearest fake, float64 [len(real)]. Falls with the number of fakes."""
    if not 1 <= k <= len(fake):
        raise InputError(f"k is {k} with {len(fake)} fake rows; 1 ≤ k ≤ rows is needed.")
    asked, pool = matrices(real, fake)
    return torch.cat([block.kthvalue(k, dim=1).values for _, block in distances(asked, pool)])


@dataclass(frozen=True)
class Retrieval:
    """wins: share of the real rows that lie nearer to the first set, a tie counting one half, with its interval.
    p: of Wilcoxon's two-sided signed-rank test that neither set is nearer; 1 where all distances agree."""

    wins: Measured
    p: float


def retrieval_comparison(*, real: Tensor, first: Tensor, second: Tensor, k: int = 1) -> Retrieval:
    """Two equally large sets of fakes compared by their distances to the same real rows."""
    from scipy.stats import wilcoxon

    if len(first) != len(second):
        raise InputError(f"the sets have {len(first)} and {len(second)} rows; retrieval needs equal numbers.")
    ours, theirs = (retrieval_distances(real=real, fake=side, k=k) for side in (first, second))
    wins = share((ours < theirs).double() + 0.5 * (ours == theirs).double())
    p = 1.0 if torch.equal(ours, theirs) else float(wilcoxon(ours.numpy(), theirs.numpy()).pvalue)
    return Retrieval(wins, p)
