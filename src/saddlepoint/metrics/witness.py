"""Holes of witness complexes: persistent homology in dimension 1 over Z/2, for few landmarks (at most some hundred).

de Silva and Carlsson 2004. A simplex σ of landmarks is witnessed by a point w with relaxation
max_{l ∈ σ} d(w, l) − min_{l ∉ σ} d(w, l), at least 0; it enters the complex at the least relaxation over the witnesses, and
not before its faces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Simplices = tuple[
    Ints, Floats
]  # vertices [n, dimension + 1] ascending, and the value at which each enters [n]


def holes(distances: Floats, alpha: float) -> Floats:
    """Births and deaths [holes, 2] of the independent loops of the witness complex up to relaxation `alpha`, sorted;
    infinity for the loops that no triangle fills. distances [witnesses, landmarks], in the range of float32."""
    edges, triangles = complex_of(distances, alpha)
    return paired(distances.shape[1], edges, triangles)


def complex_of(distances: Floats, alpha: float) -> tuple[Simplices, Simplices]:
    """Edges and triangles with a relaxation up to alpha, by the value at which they enter.

    Only a witness's nearest landmarks matter: the last vertex of a simplex is within alpha of the nearest one left out,
    which is one of the nearest three when the simplex is a triangle.
    """
    count = distances.shape[1]
    order, near = _nearest(distances, alpha)
    points, edges, triangles = (_least(_relaxed(order, near, alpha, size), count, size) for size in (1, 2, 3))
    value = np.full(count, np.inf)
    value[points[0][:, 0]] = points[1]
    edges = _after(edges, value[edges[0]].max(1, initial=0.0))
    between = np.full((count, count), np.inf)
    between[edges[0][:, 0], edges[0][:, 1]] = edges[1]
    first, second, third = triangles[0].T
    sides = np.stack([between[first, second], between[first, third], between[second, third]])
    return edges, _after(triangles, sides.max(0, initial=0.0))


def _nearest(distances: Floats, alpha: float) -> tuple[Ints, Floats]:
    """Landmarks in the order of their distance from each witness, as far as any can matter, and the distances; both
    [ranks, witnesses].

    Sorted are the bits of the distances in float32, which have their order, the last few replaced by the landmark's number:
    that is several times faster than to sort numbers with their places. Witnesses of which it confuses two distances are
    sorted again.
    """
    count = distances.shape[1]
    last = np.int32((1 << (count - 1).bit_length()) - 1)
    keys = distances.astype(np.float32, order="C").view(np.int32)
    keys &= ~last
    keys |= np.arange(count, dtype=np.int32)
    keys.sort(axis=1)
    # not below the third distance and alpha; the factor is more than float32 rounds
    reach, ranks = (keys[:, 2] | last).view(np.float32) * (1 + 1e-6) + alpha * (1 + 1e-6), 3
    while ranks < count:
        ranks += 1
        if not ((keys[:, ranks - 1] & ~last).view(np.float32) <= reach).any():
            break
    order = (keys[:, :ranks] & last).T.astype(np.int64, order="C")
    near = distances[np.arange(len(distances)), order]
    confused = np.flatnonzero((near[1:] < near[:-1]).any(0))
    order[:, confused] = np.argsort(distances[confused], axis=1)[:, :ranks].T
    near[:, confused] = distances[confused, order[:, confused]]
    return order, near


def _relaxed(order: Ints, near: Floats, alpha: float, size: int) -> Iterator[tuple[Ints, Floats]]:
    """Simplices of `size` vertices [size, n] with a relaxation up to alpha, in groups.

    `out` is the rank of the nearest landmark left out: the simplex holds the ranks before it, ends at the rank `last`
    behind it, and has the rest between the two.
    """
    yield order[:size], np.zeros(order.shape[1])
    reached = near - alpha
    for out in range(size):
        for last in range(size, len(near)):
            rows = np.flatnonzero(reached[last] <= near[out])
            if not len(rows):
                break
            ranks = _ranks(size, out, last)
            relaxation = near[last][rows] - near[out][rows]
            found = order.take(ranks[:, :, None] * order.shape[1] + rows)
            yield found.reshape(size, -1), np.tile(relaxation, ranks.shape[1])


@cache
def _ranks(size: int, out: int, last: int) -> Ints:
    """Of all such simplices of a witness [size, n]."""
    between = combinations(range(out + 1, last), size - out - 1)
    return np.array([[*range(out), *middle, last] for middle in between], dtype=np.int64).reshape(-1, size).T


def _least(groups: Iterator[tuple[Ints, Floats]], count: int, size: int) -> Simplices:
    """Each simplex once, with its least relaxation: a table of all sets of `size` landmarks a < b < c, of which
    a + b(b − 1)/2 + c(c − 1)(c − 2)/6 is the number."""
    found, relaxations = zip(*groups, strict=True)
    across, vertex = np.concatenate(found, 1), np.arange(count)
    low, high = across.min(0), across.max(0)
    ascending = [low, across.sum(0) - low - high, high] if size == 3 else [low, high][:size]
    steps = [vertex, vertex * (vertex - 1) // 2, vertex * (vertex - 1) * (vertex - 2) // 6][:size]
    number = sum(step[part] for step, part in zip(steps, ascending, strict=True))
    table = np.full(comb(count, size), np.inf)
    np.minimum.at(table, number, np.concatenate(relaxations))
    there = np.flatnonzero(table < np.inf)
    left, vertices = there, []
    for step in steps[::-1]:
        vertices.append(np.searchsorted(step, left, side="right") - 1)
        left = left - step[vertices[-1]]
    return np.stack(vertices[::-1], 1), table[there]


def _after(simplices: Simplices, faces: Floats) -> Simplices:
    """A simplex enters with the last of its faces, or not at all where one is missing; in the order of entering."""
    vertices, values = simplices
    values = np.maximum(values, faces)
    kept = np.flatnonzero(np.isfinite(values))
    kept = kept[np.argsort(values[kept])]
    return vertices[kept], values[kept]


def paired(count: int, edges: Simplices, triangles: Simplices) -> Floats:
    """Births and deaths of loops. Cohomology: the columns are edges that close a loop, the latest first, and hold the
    triangles around them, the earliest as the highest bit of a whole number; added up until no two share that bit.
    Loops that are filled as they close are left out."""
    loops = np.array(_loops(count, edges[0])[::-1], dtype=np.int64)
    filled = np.array(_reduced(_Columns.around(count, edges[0][loops], triangles[0])), dtype=np.int64)
    deaths = np.append(triangles[1], np.inf)[len(triangles[1]) - filled]
    intervals = np.stack([edges[1][loops], deaths], 1)
    intervals = intervals[intervals[:, 0] < intervals[:, 1]]
    return intervals[np.lexsort((intervals[:, 1], intervals[:, 0]))]


@dataclass(frozen=True, eq=False)
class _Columns:
    """For each of some edges the triangles around it, bit t the last triangle but t, as bytes, the lowest first, and the
    number of its highest bit, counted from 1; 0 where there is none."""

    bits: NDArray[np.uint8]
    highest: list[int]

    @classmethod
    def around(cls, count: int, edges: Ints, triangles: Ints) -> _Columns:
        row = np.full((count, count), len(edges))  # sides that close no loop go to a row that is left out
        row[edges[:, 0], edges[:, 1]] = np.arange(len(edges))
        first, second, third = triangles.T
        rows = np.concatenate([row[first, second], row[first, third], row[second, third]])
        bit, width = np.tile(np.arange(len(triangles))[::-1], 3), (len(triangles) + 7) // 8
        bits = np.zeros((len(edges) + 1, width), dtype=np.uint8)
        np.bitwise_or.at(bits.reshape(-1), rows * width + bit // 8, (1 << bit % 8).astype(np.uint8))
        highest = np.zeros(len(edges) + 1, dtype=np.int64)
        np.maximum.at(highest, rows, bit + 1)
        return cls(bits, highest[:-1].tolist())

    def __getitem__(self, number: int) -> int:
        return int.from_bytes(self.bits[number].tobytes(), "little")


def _reduced(columns: _Columns) -> list[int]:
    """Of each column the number of its highest bit once those before it have been added, 0 where nothing is left. Most
    columns are never added to another, and are then not made numbers of."""
    owners: dict[int, int] = {}
    whole: dict[int, int] = {}
    found = []
    for number, first in enumerate(columns.highest):
        if first in owners:
            column = columns[number]
            while column and (first := column.bit_length()) in owners:
                if first not in whole:
                    whole[first] = columns[owners[first]]
                column ^= whole[first]
            first = column.bit_length()
            whole[first] = column
        if first:
            owners[first] = number
        found.append(first)
    return found


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
