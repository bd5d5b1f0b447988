"""Mean and covariance of features, gathered block by block: no more than one block is ever held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.samples import matrix

ROWS = 4096  # taken at a time: bounds the copy in float64


@dataclass(frozen=True, eq=False)
class Moments:
    """What a Gaussian is fitted from: number of rows, mean [d] and scatter Σ (x − mean)(x − mean)ᵀ [d, d], float64.

    `first + second` are the moments of the rows of both (Chan, Golub and LeVeque 1979, eq. 2.1), so that blocks may be
    taken one after the other, or in several processes. Sums of centred rows, never Σ xxᵀ − n μμᵀ, which loses all digits
    where the mean is far from 0.
    """

    count: int
    mean: Tensor
    scatter: Tensor

    @classmethod
    def of(cls, rows: Tensor, role: str = "rows") -> Moments:
        """The moments of rows [n, …], flattened; n ≥ 1. `role` names them where they are refused."""
        whole = matrix(role, rows)
        mean = whole.mean(0, dtype=torch.float64)
        scatter = torch.zeros(len(mean), len(mean), dtype=torch.float64)
        for block in whole.split(ROWS):
            centred = (block.double() - mean).numpy()
            # numpy sees that both factors are one matrix and computes half the products; torch computes them all
            scatter += torch.from_numpy(centred.T @ centred)
        return cls(len(whole), mean, scatter)

    @classmethod
    def over(cls, blocks: Iterable[Tensor], role: str = "rows") -> Moments:
        """The moments of all rows of the blocks [n_i, …], each looked at once and let go."""
        found = reduce(add, (cls.of(rows, role) for rows in blocks), _NONE)
        if not found.count:
            raise InputError(f"{role} holds no block of rows; moments need at least one row.")
        return found

    def __add__(self, other: Moments) -> Moments:
        if not self.count or not other.count:
            return self if self.count else other
        if len(self.mean) != len(other.mean):
            raise InputError(
                f"moments of {len(self.mean)} and of {len(other.mean)} features have no sum; both need as many."
            )
        count, apart = self.count + other.count, other.mean - self.mean
        between = torch.outer(apart, apart) * (self.count * other.count / count)
        return Moments(
            count, self.mean + apart * (other.count / count), self.scatter + other.scatter + between
        )

    @property
    def covariance(self) -> Tensor:
        """scatter/(count − 1) [d, d]."""
        return self.scatter / (self.count - 1)


_NONE = Moments(0, torch.empty(0), torch.empty(0, 0))
