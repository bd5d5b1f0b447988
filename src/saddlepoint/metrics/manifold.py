"""Precision and recall by balls around the rows of each set (Kynkäänniemi et al. 2019, eqs. 1 and 2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.samples import distances, distances_within, matrices


class PrecisionRecall(NamedTuple):
    precision: float
    recall: float


def precision_recall(*, real: Tensor, fake: Tensor, k: int = 3) -> PrecisionRecall:
    """precision: share of fakes inside the manifold of the reals; recall: share of reals inside that of the
    fakes.

    Both in [0, 1], 1 is best. Features [n, …] and [m, …]. Depends on n and m (more rows, smaller balls), and
    a copy of the real data scores 1 in both.
    """
    return PrecisionRecall(
        precision=float(inside(points=fake, reference=real, k=k).double().mean()),
        recall=float(inside(points=real, reference=fake, k=k).double().mean()),
    )


def inside(*, points: Tensor, reference: Tensor, k: int = 3) -> Tensor:
    """For each point, whether some reference row is no farther than that row's own k-th neighbour in the
    reference.

    Boolean [len(points)]. A row is not its own neighbour; the boundary belongs to the ball (≤).
    """
    if len(reference) <= k or k < 1:
        raise InputError(f"k is {k} with {len(reference)} reference rows; 1 ≤ k < rows is needed.")
    rows, asked = matrices(reference, points)
    radii = torch.cat([block.kthvalue(k, dim=1).values for _, block in distances_within(rows)])
    return torch.cat([(block <= radii).any(1) for _, block in distances(asked, rows)])
