"""Fractal dimension of a set of rows: how the number of neighbours grows with the distance."""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import NORMAL_95
from saddlepoint.metrics.samples import matrices, matrix
from saddlepoint.metrics.score import Interval

SHARE = 0.01
GROUPS = 10  # of the jackknife


def fractal_dimension(*, rows: Tensor, radius: float | None = None, share: float = SHARE) -> float:
    """Correlation dimension of Grassberger and Procaccia 1983, the slope of ln C(r) against ln r, C(r) the share of
    pairs within r, by Takens' estimator −1 / mean ln(r/R) over the pairs with 0 < r < R.

    rows [n, …]. R is the distance within which a `share` of all pairs lies, or `radius` where that is larger: with that
    of other rows, a set that shrinks far below it has a dimension towards 0. A segment has 1, a filled square 2, a
    Gaussian of d coordinates nearly d as long as n is large; edges and small n make it smaller. Without units. Holds
    all n(n − 1)/2 distances. 0 where no pair is apart.
    """
    apart = _distances(rows)
    reach = max(radius or 0.0, _quantile(apart, share))
    near = apart[(apart > 0) & (apart < reach)]
    return -1 / float(torch.log(near / reach).mean()) if len(near) else 0.0


def pair_radius(*, rows: Tensor, share: float = SHARE) -> float:
    """The distance within which a `share` of all pairs of rows lies."""
    return _quantile(_distances(rows), share)


def dimension_ratio(*, real: Tensor, fake: Tensor) -> float:
    """Fractal dimension of the fakes over that of the reals, both at radii of the reals at least; 1 is right."""
    reals, fakes = matrices(real, fake, least=3)
    radius = pair_radius(rows=reals)
    dimension = fractal_dimension(rows=reals)
    if not dimension > 0:
        raise InputError("the real rows are copies of each other; there is no dimension to compare with.")
    return fractal_dimension(rows=fakes, radius=radius) / dimension


def dimension_interval(*, real: Tensor, fake: Tensor) -> Interval:
    """95 % interval of the ratio over the rows of both sides, by the jackknife over tenths of each side: leaving rows
    out makes no copies, as drawing with repetition would."""
    value = dimension_ratio(real=real, fake=fake)
    without = [
        [dimension_ratio(real=rest, fake=fake) for rest in _without_a_group(real)],
        [dimension_ratio(real=real, fake=rest) for rest in _without_a_group(fake)],
    ]
    spreads = [torch.tensor(values, dtype=torch.float64).var(correction=0) for values in without]
    half = NORMAL_95 * float((GROUPS - 1) * sum(spreads)) ** 0.5
    return max(0.0, value - half), value + half


def _without_a_group(rows: Tensor) -> list[Tensor]:
    group = torch.arange(len(rows)) % GROUPS
    return [rows[group != left_out] for left_out in range(GROUPS)]


def _distances(rows: Tensor) -> Tensor:
    return torch.pdist(matrix("rows", rows, least=3).double())


def _quantile(apart: Tensor, share: float) -> float:
    if not 0 < share < 1:
        raise InputError(f"the share of pairs is {share}; a number between 0 and 1 is needed.")
    return float(apart.kthvalue(max(1, round(share * len(apart)))).values)
