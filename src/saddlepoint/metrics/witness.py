"""Holes of witness complexes: persistent homology in dimension 1 over Z/2, for few landmarks (at most some hundred).

de Silva and Carlsson 2004. A simplex σ of landmarks is witnessed by a point w with relaxation
max_{l ∈ σ} d(w, l) − min_{l ∉ σ} d(w, l), at least 0; it enters the complex at the least relaxation over the witnesses, and
not before its faces.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Simplices = tuple[
    Ints, Floats
]  # vertices [n, dimension + 1] ascending, and the value at which each enters [n]


def holes(distances: Floats, alpha: float) -> Floats:
    """Births and deaths [holes, 2] of the independent loops of the witness complex up to relaxation `alpha`, sorted;
    infinity for the loops that no triangle fills. distances [witnesses, landmarks]."""
    (found,) = holes_of_each(distances[None], np.array([alpha]))
    return found


def holes_of_each(distances: Floats, alphas: Floats) -> list[Floats]:
    """The same of several complexes at once: distances [complexes, witnesses, landmarks], alphas [complexes]."""
    count = distances.shape[2]
    return [paired(count, *simplices) for simplices in _complexes(distances, alphas)]


def _complexes(distances: Floats, alphas: Floats) -> Iterator[tuple[Simplices, Simplices]]:
    """Edges and triangles of each with a relaxation up to alpha, by the value at which they enter.

    Only a witness's nearest landmarks matter: the last vertex of a simplex is within alpha of the nearest one left out,
    which is one of the nearest three when the simplex is a triangle. All complexes are gone through as one that is not
    connected: landmark l of complex c has the number c · landmarks + l.
    """
    several, witnesses, count = distances.shape
    limits = np.repeat(alphas, witnesses)
    order, near = _nearest(distances.reshape(-1, count), limits)
    order += np.repeat(np.arange(several) * count, witnesses)
    points, edges, triangles = (
        _least(_relaxed(order, near, limits, size), (several, count), size) for size in (1, 2, 3)
    )
    value = np.full(several * count, np.inf)
    value[points[0][:, 0]] = points[1]
    edges = edges[0], np.maximum(edges[1], value[edges[0]].max(1, initial=0.0))
    between = np.full((several * count, count), np.inf)
    between[edges[0][:, 0], edges[0][:, 1] % count] = edges[1]
    first, second, third = triangles[0].T
    sides = np.stack([between[first, second % count], between[first, third % count], between[second, third % count]])
    triangles = triangles[0], np.maximum(triangles[1], sides.max(0, initial=0.0))
    apart = (_apart(simplices, several, count) for simplices in (edges, triangles))
    return zip(*apart, strict=True)


def _nearest(distances: Floats, limits: Floats) -> tuple[Ints, Floats]:
    """Landmarks in the order of their distance from each witness, as far as any can matter, and the distances; both
    [ranks, witnesses].

    Sorted are the bits of the distances, which have their order, the last few replaced by the landmark's number: whole
    numbers are sorted several times faster than numbers with their places. Witnesses of which that confuses two distances
    are sorted again.
    """
    count = distances.shape[1]
    last = (1 << (count - 1).bit_length()) - 1
    keys = (distances.view(np.int64) & ~last) | np.arange(count)
    keys.sort(axis=1)
    third, ranks = (keys[:, 2] | last).view(np.float64), 3  # not below the third distance
    while ranks < count:
        ranks += 1
        if not ((keys[:, ranks - 1] & ~last).view(np.float64) - limits <= third).any():
            break
    order = (keys[:, :ranks] & last).T.copy()
    near = distances[np.arange(len(distances)), order]
    confused = np.flatnonzero((near[1:] < near[:-1]).any(0))
    order[:, confused] = np.argsort(distances[confused], axis=1)[:, :ranks].T
    near[:, confused] = distances[confused, order[:, confused]]
    return order, near


def _relaxed(order: Ints, near: Floats, limits: Floats, size: int) -> Iterator[tuple[Ints, Floats]]:
    """Simplices of `size` vertices [size, n] with a relaxation up to the limit of their witness, in groups.

    `out` is the rank of the nearest landmark left out: the simplex holds the ranks before it, ends at the rank `last`
    behind it, and has the rest between the two.
    """
    yield order[:size], np.zeros(order.shape[1])
    for out in range(size):
        rows = np.arange(order.shape[1])
        for last in range(size, len(near)):
            rows = rows[near[last, rows] - limits[rows] <= near[out, rows]]
            if not len(rows):
                break
            relaxation, close = near[last, rows] - near[out, rows], order[: last + 1, rows]
            for middle in combinations(range(out + 1, last), size - out - 1):
                yield close[[*range(out), *middle, last]], relaxation


def _least(groups: Iterator[tuple[Ints, Floats]], landmarks: tuple[int, int], size: int) -> Simplices:
    """Each simplex once, with its least relaxation: a table of all sets of `size` landmarks of each complex."""
    several, count = landmarks
    found, relaxations = zip(*groups, strict=True)
    across, values = np.concatenate(found, 1), np.concatenate(relaxations)
    low, high = across.min(0), across.max(0)
    middle = [across.sum(0) - low - high] if size == 3 else []
    shape = (several * count, *(size - 1) * (count,))
    rest = [vertex % count for vertex in ([*middle, high] if size > 1 else [])]
    number = np.ravel_multi_index((low, *rest), shape)
    table = np.full(several * count**size, np.inf)
    np.minimum.at(table, number, values)
    there = np.flatnonzero(table < np.inf)
    first, *others = np.unravel_index(there, shape)
    start = first - first % count
    return np.stack([first, *(start + vertex for vertex in others)], 1), table[there]


def _apart(simplices: Simplices, several: int, count: int) -> Iterator[Simplices]:
    """Of each complex those that enter, in the order of entering; one with a face that is missing does not."""
    vertices, values = simplices
    ends = np.searchsorted(vertices[:, 0], np.arange(several + 1) * count)
    for number, (start, end) in enumerate(pairwise(ends)):
        order = start + np.argsort(values[start:end], kind="stable")
        order = order[np.isfinite(values[order])]
        yield vertices[order] - number * count, values[order]


def paired(count: int, edges: Simplices, triangles: Simplices) -> Floats:
    """Births and deaths of loops. Cohomology: the columns are edges that close a loop, the latest first, and hold the
    triangles around them, the earliest as the highest bit of a whole number; added up until no two share that bit.
    Loops that are filled as they close are left out."""
    loops = _loops(count, edges[0])
    owners: dict[int, int] = {}
    found = []
    for edge, column in zip(loops[::-1], _around(count, edges[0], triangles[0], loops[::-1]), strict=True):
        while column and (first := column.bit_length()) in owners:
            column ^= owners[first]
        if column:
            owners[first] = column
        found.append((edges[1][edge], triangles[1][len(triangles[1]) - first] if column else np.inf))
    intervals = np.array(found, dtype=np.float64).reshape(-1, 2)
    intervals = intervals[intervals[:, 0] < intervals[:, 1]]
    return intervals[np.lexsort((intervals[:, 1], intervals[:, 0]))]


def _around(count: int, edges: Ints, triangles: Ints, chosen: list[int]) -> Iterator[int]:
    """For each chosen edge the triangles around it: bit t of the number is the last triangle but t."""
    row = np.full((count, count), len(chosen))
    row[edges[chosen, 0], edges[chosen, 1]] = np.arange(len(chosen))
    table = np.zeros((len(chosen) + 1, len(triangles)), dtype=bool)
    backwards = np.arange(len(triangles))[::-1]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        table[row[triangles[:, first], triangles[:, second]], backwards] = True
    packed = np.packbits(table[:-1], axis=1, bitorder="little")
    return (int.from_bytes(line.tobytes(), "little") for line in packed)


def _loops(count: int, edges: Ints) -> list[int]:
    """Numbers of the edges that join what is joined already."""
    part = list(range(count))  # the smallest vertex that each is joined with
    closing = []
    for number, (a, b) in enumerate(edges.tolist()):
        first, second = part[a], part[b]
        if first == second:
            closing.append(number)
        else:
            part = [first if vertex == second else vertex for vertex in part]
    return closing
