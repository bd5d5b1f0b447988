"""Nearest neighbours: can the two sets be told apart, and are the fakes copies?"""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import groups_of, jackknife
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import BLOCK, distances, distances_within, matrices, matrix
from saddlepoint.random import generator

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


def nearest_neighbour_accuracies(
    *, real: Tensor, fake: Tensor, groups: int = 20, seed: int = 0
) -> dict[str, Measured]:
    """The accuracy over real rows, over fake rows and over all, by the names "real", "fake" and "both".

    Fakes that are copies take the reals' neighbours: both fall below 0.5. Fakes that have collapsed: "fake" near 1,
    "real" may stay near 0.5. The intervals leave out one of 20 groups of rows of each set at a time (jackknife).
    """
    hits = neighbour_hits(real=real, fake=fake)
    if len(real) < 2 * groups:
        raise InputError(f"there are {len(real)} rows of each set; at least {2 * groups} are needed.")
    source = generator("cpu", "neighbour groups", seed)
    group = torch.cat([groups_of(len(real), groups, source) for _ in range(2)])
    left = _hits_without(*matrices(real, fake), group)  # [groups, rows], NaN for the rows left out
    n = len(real)
    sides = {"real": slice(0, n), "fake": slice(n, 2 * n), "both": slice(0, 2 * n)}
    found = {}
    for name, rows in sides.items():
        value = float(hits[rows].mean())
        low, high = jackknife(value, left[:, rows].nanmean(1))
        found[name] = Measured(value, (max(0.0, low), min(1.0, high)))
    return found


def _hits_without(real: Tensor, fake: Tensor, group: Tensor) -> Tensor:
    """The hits of all rows without each group. The distance to a row's set without one group is the least of those to
    its other groups, so that all distances are made once."""
    rows, n, groups = torch.cat([real, fake]), len(real), int(group.max()) + 1
    index = group + groups * (torch.arange(len(rows)) >= n)
    nearest = torch.cat([_least_by_group(block, index, 2 * groups) for _, block in distances_within(rows)])
    own, other = nearest[:, :groups].clone(), nearest[:, groups:].clone()
    own[n:], other[n:] = nearest[n:, groups:], nearest[n:, :groups]
    without = []
    for one in range(groups):
        rest = torch.arange(groups) != one
        within, across = own[:, rest].amin(1), other[:, rest].amin(1)
        hits = (within < across).double() + 0.5 * (within == across).double()
        without.append(torch.where(group == one, torch.nan, hits))
    return torch.stack(without)


def _least_by_group(block: Tensor, index: Tensor, groups: int) -> Tensor:
    start = torch.full((len(block), groups), torch.inf, dtype=block.dtype)
    return start.scatter_reduce(1, index.expand(len(block), -1), block, "amin")


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
