"""What every metric asks of the rows it is given."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from saddlepoint.errors import InputError

BLOCK = 1 << 22  # distances held at a time: 32 MiB in float64


def matrix(role: str, samples: Tensor, least: int = 1) -> Tensor:
    """Rows as a matrix [n, d] on the CPU; refused under the name `role` when too few or not finite."""
    if samples.dim() == 0 or len(samples) < least:
        count = len(samples) if samples.dim() else 0
        raise InputError(f"{role} has {count} rows where this metric needs at least {least}.")
    rows = samples.detach().flatten(1) if samples.dim() > 1 else samples.detach()[:, None]
    if not torch.isfinite(rows).all():
        raise InputError(f"{role} holds NaN or infinity; a metric is defined for finite numbers only.")
    return rows.cpu() if rows.dtype == torch.float64 else rows.cpu().float()


def matrices(real: Tensor, fake: Tensor, least: int = 1) -> tuple[Tensor, Tensor]:
    """Both sides of a two-sample metric as float64 matrices of equal width."""
    first, second = matrix("real", real, least).double(), matrix("fake", fake, least).double()
    if first.shape[1] != second.shape[1]:
        raise InputError(
            f"real rows have {first.shape[1]} numbers and fake rows {second.shape[1]}; both need as many."
        )
    return first, second


def checked_labels(role: str, labels: Tensor, classes: int) -> Tensor:
    """Labels int64 [n] of the classes 0 … classes−1, on the CPU; refused under the name `role`."""
    if labels.dim() != 1 or not len(labels) or labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"{role} holds no labels; whole numbers from 0 to {classes - 1}, one a row, are accepted."
        )
    return labels.cpu().long()


def distances(rows: Tensor, others: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Euclidean distances in blocks: (number of the block's first row, [rows of the block, len(others)]).

    By differences, not by |x|² + |y|² − 2xy: equal rows are at distance exactly 0, d(x, y) = d(y, x).
    """
    step = max(1, BLOCK // len(others))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        yield start, torch.cdist(block, others, compute_mode="donot_use_mm_for_euclid_dist")


def distances_within(rows: Tensor) -> Iterator[tuple[int, Tensor]]:
    """The same from each row to all rows of its own set, with the distance to itself put to infinity."""
    for start, block in distances(rows, rows):
        own = torch.arange(len(block))
        block[own, start + own] = torch.inf
        yield start, block
