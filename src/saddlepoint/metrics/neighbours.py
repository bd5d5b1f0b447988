"""Nearest neighbours: can the two sets be told apart, and are the fakes copies?"""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import normal
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import BLOCK, distances, distances_within, matrices, matrix

LONG = 64  # numbers in a row from which the matrix product pays


def nearest_neighbour_accuracy(*, real: Tensor, fake: Tensor) -> float:
    """Leave-one-out accuracy of the 1-nearest-neighbour rule that tells real rows from fake ones.

    Lopez-Paz and Oquab 2017; Xu et al. 2018. 0.5: cannot be told apart; 1: apart; below 0.5: each row's twin
    lies in the other set, so one set copies the other. Both sets need the same number of rows, since the
    larger one wins neighbours by its number alone. A neighbour equally near in both sets counts one half.
    """
    return float(neighbour_hits(real=real, fake=fake).mean())


def neighbour_hits(*, real: Tensor, fake: Tensor) -> Tensor:
    """1, ½ or 0 for every real row and then every fake row: is its nearest other row of its own set?"""
    first, second = matrices(real, fake, least=2)
    if len(first) != len(second):
        raise InputError(
            f"real has {len(first)} rows and fake has {len(second)}; 1-NN accuracy needs equal numbers."
        )
    hits = []
    for own, other in ((first, second), (second, first)):
        within, across = nearest_distances(rows=own), nearest_distances(rows=own, others=other)
        hits.append((within < across).double() + 0.5 * (within == across).double())
    return torch.cat(hits)


def nearest_neighbour_accuracies(*, real: Tensor, fake: Tensor) -> dict[str, Measured]:
    """The accuracy over real rows, over fake rows and over all, by the names "real", "fake" and "both".

    Fakes that are copies take the reals' neighbours: both fall below 0.5. Fakes that have collapsed: "fake" near 1,
    "real" may stay near 0.5. In the interval the hits of two rows are dependent where one is the other's nearest or both
    have the same nearest row; a resampling with repetition would make rows their own neighbours.
    """
    hits, n = neighbour_hits(real=real, fake=fake), len(real)
    side = torch.arange(2 * n) >= n
    nearest = torch.cat([block.argmin(1) for _, block in distances_within(torch.cat(matrices(real, fake)))])
    residual = hits - torch.where(side, hits[n:].mean(), hits[:n].mean())
    found = {}
    for name, counted in (("real", ~side), ("fake", side), ("both", side | ~side)):
        value = float(hits[counted].mean())
        spread = _linked_sum(torch.where(counted, residual, 0.0), nearest)
        low, high = normal(value, max(0.0, spread) ** 0.5 / int(counted.sum()))
        found[name] = Measured(value, (max(0.0, low), min(1.0, high)))
    return found


def _linked_sum(residual: Tensor, nearest: Tensor) -> float:
    """Σ r_i r_j over i = j and over all i and j of which one is the other's nearest row or both have the same."""
    by_nearest = torch.zeros_like(residual).index_add_(0, nearest, residual)  # two of one nearest, and i = j
    products = residual * residual[nearest]
    mutual = nearest[nearest] == torch.arange(len(nearest))  # each such pair is met from both ends
    return float(by_nearest.square().sum() + 2 * products.sum() - products[mutual].sum())


def nearest_neighbour_distance_ratio(*, fake: Tensor, training: Tensor, held_out: Tensor) -> float:
    """Mean distance of a fake to its nearest training row, over the same for held-out real rows; in [0, ∞).

    1: the fakes lie as near the training data as fresh real data do; 0: copies; far above 1: not near any.
    Means and not medians: a generator that copies in four samples of ten leaves the median alone and moves
    the mean. The two sets may differ in size, since a mean over rows is not biased by their number; the
    training rows are the same.
    """
    near = nearest_distances(rows=fake, others=training).mean()
    return float(near / nearest_distances(rows=held_out, others=training).mean())


def nearest_distances(*, rows: Tensor, others: Tensor | None = None) -> Tensor:
    """Distance of each row to the nearest of the others (by default of the other rows), float64 [len(rows)].

    Long rows find their nearest by |y|² − 2xy in float32, a matrix product and ten times faster than
    differences; the distance to it is then taken by difference, so that a copy is at exactly 0.
    """
    asked = matrix("rows", rows, least=2 if others is None else 1)
    pool = asked if others is None else matrix("others", others)
    if asked.shape[1] != pool.shape[1]:
        raise InputError(f"rows of {asked.shape[1]} numbers have no distance to rows of {pool.shape[1]}.")
    if asked.shape[1] > LONG:
        return _nearest_of_long(asked, pool, leave_out=others is None)
    blocks = distances_within(asked.double()) if others is None else distances(asked.double(), pool.double())
    return torch.cat([block.amin(1) for _, block in blocks])


def _nearest_of_long(asked: Tensor, pool: Tensor, leave_out: bool) -> Tensor:
    centre = pool.mean(0)  # moving the origin into the data keeps the rounding small
    moved = (pool - centre).float()
    lengths = moved.square().sum(1)
    step = max(1, BLOCK // len(pool))
    found = []
    for start in range(0, len(asked), step):
        block = asked[start : start + step]
        score = torch.addmm(lengths, (block - centre).float(), moved.T, alpha=-2)
        if leave_out:
            score[torch.arange(len(block)), start + torch.arange(len(block))] = torch.inf
        found.append((block.double() - pool[score.argmin(1)].double()).norm(dim=1))
    return torch.cat(found)
