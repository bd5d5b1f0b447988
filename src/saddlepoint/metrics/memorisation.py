"""Are the fakes copies of the training data?"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.bins import bin_of
from saddlepoint.metrics.frechet import frechet
from saddlepoint.metrics.intervals import normal, standard_error
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.neighbours import nearest_distances
from saddlepoint.metrics.samples import BLOCK, distances_within, matrices

EPSILON = 1e-14


class RealSides(NamedTuple):
    """Real rows that trained the generator, and real rows that did not: features [n, …] and [m, …]."""

    training: Tensor
    held_out: Tensor


def cosine_gap(*, rows: Tensor, training: Tensor) -> float:
    """Mean over the rows of the least 1 − |cos| to a training row: 0 for copies up to a factor.

    Rows of length 0 have no direction and are left out on both sides; 1 where none is left.
    """
    first, second = matrices(rows, training)
    units = [side[side.norm(dim=1) > 0] for side in (first, second)]
    if not all(map(len, units)):
        return 1.0
    asked, pool = (side / side.norm(dim=1, keepdim=True) for side in units)
    blocks = asked.split(max(1, BLOCK // len(pool)))
    return float(torch.cat([1 - (block @ pool.T).abs().amax(1) for block in blocks]).mean())


def mifid(*, real: Tensor, fake: Tensor, training: Tensor, threshold: float = 0.1) -> Measured:
    """Memorisation-informed Fréchet distance: FD(real, fake)/(s + 1e-14) where s = cosine_gap(fake, training) is below
    the threshold, and FD itself otherwise; lower is better.

    Bai et al. 2021 (the score of a competition of 2019), there with training = real. The threshold belongs to the
    features: a perfect generator has the gap of held-out rows, and the threshold must lie below that. It jumps at the
    threshold, by as much as 1/gap, so that no interval holds it; that of FD is in the note. With copies it is 0
    where FD itself is.
    """
    gap = cosine_gap(rows=fake, training=training)
    multiplier = 1 / (gap + EPSILON) if gap < threshold else 1.0
    found = frechet(real=real, fake=fake)
    low, high = found.interval or (found.value, found.value)
    note = f"the cosine gap is {gap:.3g}, the threshold {threshold:.3g}; no interval, since it jumps there: the distance "
    return Measured(
        found.value * multiplier, note=f"{note}alone is {found.value:.4g}, from {low:.4g} to {high:.4g}"
    )


def authentic(*, rows: Tensor, training: Tensor) -> Tensor:
    """Whether each row is farther from its nearest training row than that one is from its own nearest other row;
    boolean [n]. AuthPct (Alaa et al. 2022) is their share; fresh samples do not give one half."""
    asked, pool = matrices(rows, training, least=1)
    alone = torch.cat([block.amin(1) for _, block in distances_within(pool)])
    return nearest_distances(rows=asked, others=pool) > alone[bin_of(rows=asked, centres=pool)]


def distance_ratio(*, fake: Tensor, sides: RealSides) -> Measured:
    """Mean distance of a fake to its nearest training row over that of a held-out row: 1 for fresh samples, 0 for
    copies. The interval is by the delta method over both sides, the training rows being held fixed."""
    near, fresh = _to_training(fake, sides), _to_training(sides.held_out, sides)
    below = float(fresh.mean())
    if not below > 0:
        raise InputError("the held-out rows are all training rows; the ratio of distances needs others.")
    value = float(near.mean()) / below
    error = math.hypot(standard_error(near), value * standard_error(fresh)) / below
    low, high = normal(value, error)
    return Measured(value, (max(0.0, low), high))


def farther(*, fake: Tensor, sides: RealSides) -> Measured:
    """P(a fake is farther from its nearest training row than a held-out row is), a tie counting one half: ½ for fresh
    samples, 0 for copies, 1 for fakes off the data.

    Mann-Whitney's U over nm, with DeLong's interval; its standard normal statistic is in the note.
    """
    near, fresh = _to_training(fake, sides), _to_training(sides.held_out, sides)
    against_fresh, against_fake = _rank_share(near, fresh), _rank_share(fresh, near)
    value = float(against_fresh.mean())
    error = math.hypot(standard_error(against_fresh), standard_error(against_fake))
    low, high = normal(value, error)
    return Measured(
        value, (max(0.0, low), min(1.0, high)), f"Mann-Whitney z = {_mann_whitney(near, fresh):.3g}"
    )


def data_copying(*, fake: Tensor, sides: RealSides, centres: Tensor, least: int = 20) -> Measured:
    """C_T (Meehan et al. 2020): Mann-Whitney's z of the distances to the training data of fakes against held-out rows,
    in each cell of the centres, averaged with the held-out share of the cells. Far below 0: copies; far above: off the
    data; fresh samples: 0 with the standard deviation in the note.

    Cells with fewer than `least` rows of either side are left out. A z-score grows with the number of rows, so it has
    no interval of its own.
    """
    near, fresh = _to_training(fake, sides), _to_training(sides.held_out, sides)
    cells = [bin_of(rows=rows, centres=centres) for rows in (fake, sides.held_out)]
    counts = [torch.bincount(cell, minlength=len(centres)) for cell in cells]
    kept = torch.nonzero((counts[0] >= least) & (counts[1] >= least))[:, 0].tolist()
    if not kept:
        return Measured(0.0, note=f"no cell has {least} rows of either side: nothing is said")
    weights = counts[1][kept].double() / counts[1][kept].sum()
    scores = [_mann_whitney(near[cells[0] == cell], fresh[cells[1] == cell]) for cell in kept]
    value = float(weights @ torch.tensor(scores, dtype=torch.float64))
    note = f"fresh samples have the standard deviation {float(weights.norm()):.3g}; {len(kept)} cells"
    return Measured(value, note=note)


def _to_training(rows: Tensor, sides: RealSides) -> Tensor:
    return nearest_distances(rows=rows, others=sides.training)


def _rank_share(rows: Tensor, others: Tensor) -> Tensor:
    """Share of the others that are smaller than each row, ties counting one half."""
    ordered = others.sort().values
    below, upto = torch.searchsorted(ordered, rows), torch.searchsorted(ordered, rows, right=True)
    return (below + upto).double() / (2 * len(others))


def _mann_whitney(first: Tensor, second: Tensor) -> float:
    """(U − nm/2)/sqrt(nm(n + m + 1)/12), U the pairs in which the first is larger."""
    n, m = len(first), len(second)
    wins = float(_rank_share(first, second).sum()) * m
    return (wins - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
