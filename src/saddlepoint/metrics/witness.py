"""Holes of witness complexes: persistent homology in dimension 1 over Z/2, for few landmarks (at most some hundred).

de Silva and Carlsson 2004. A simplex σ of landmarks is witnessed by a point w with relaxation
max_{l ∈ σ} d(w, l) − min_{l ∉ σ} d(w, l), at least 0; it enters the complex at the least relaxation over the witnesses, and
not before its faces.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

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
    edges, triangles = complex_of(distances, alpha)
    return paired(distances.shape[1], edges, triangles)


def complex_of(distances: Floats, alpha: float) -> tuple[Simplices, Simplices]:
    """Edges and triangles with a relaxation up to alpha, by the value at which they enter.

    Only a witness's nearest landmarks matter: the last vertex of a simplex is within alpha of the nearest one left out,
    which is one of the nearest three when the simplex is a triangle.
    """
    count = distances.shape[1]
    order, near = _nearest(distances, alpha)
    points = _least(_relaxed(order, near, alpha, 1), count, 1)
    edges = _least(_relaxed(order, near, alpha, 2), count, 2)
    triangles = _least(_relaxed(order, near, alpha, 3), count, 3)
    value = np.full(count, np.inf)
    value[points[0][:, 0]] = points[1]
    edges = _after(edges, value[edges[0]].max(1, initial=0.0))
    between = np.full((count, count), np.inf)
    between[edges[0][:, 0], edges[0][:, 1]] = edges[1]
    first, second, third = triangles[0].T
    sides = np.stack([between[first, second], between[first, third], between[second, third]])
    return edges, _after(triangles, sides.max(0, initial=0.0))


def _nearest(distances: Floats, alpha: float) -> tuple[Ints, Floats]:
    """Landmarks in the order of their distance from each witness, as far as any can matter, and the distances."""
    order = np.argsort(distances, axis=1)
    rows = np.arange(len(distances))
    near = [distances[rows, order[:, rank]] for rank in range(3)]
    while len(near) < distances.shape[1]:
        near.append(distances[rows, order[:, len(near)]])
        if not (near[-1] - alpha <= near[2]).any():
            break
    return order[:, : len(near)], np.stack(near, 1)


def _relaxed(order: Ints, near: Floats, alpha: float, size: int) -> Iterator[tuple[Ints, Floats]]:
    """Simplices of `size` vertices [n, size] with a relaxation up to alpha, witness by witness, in groups.

    `out` is the rank of the nearest landmark left out: the simplex holds the ranks before it, ends at the rank `last`
    behind it, and has the rest between the two.
    """
    yield order[:, :size], np.zeros(len(order))
    for out in range(size):
        for last in range(size, near.shape[1]):
            rows = np.flatnonzero(near[:, last] - alpha <= near[:, out])
            if not len(rows):
                break
            ranks = [
                [*range(out), *middle, last] for middle in combinations(range(out + 1, last), size - out - 1)
            ]
            relaxation = near[rows, last] - near[rows, out]
            yield order[rows][:, ranks].reshape(-1, size), np.repeat(relaxation, len(ranks))


def _least(groups: Iterator[tuple[Ints, Floats]], count: int, size: int) -> Simplices:
    """Each simplex once, with its least relaxation: a table of all sets of `size` landmarks."""
    vertices, values = (np.concatenate(part) for part in zip(*groups, strict=True))
    across = vertices.T.copy()  # three long rows are quicker to go through than many short ones
    low, high = across.min(0), across.max(0)
    middle = [across.sum(0) - low - high] if size == 3 else []
    number = np.ravel_multi_index(([low, *middle, high] if size > 1 else [low]), (count,) * size)
    table = np.full(count**size, np.inf)
    np.minimum.at(table, number, values)
    there = np.flatnonzero(table < np.inf)
    return np.stack(np.unravel_index(there, (count,) * size), 1), table[there]


def _after(simplices: Simplices, faces: Floats) -> Simplices:
    """A simplex enters with the last of its faces, or not at all where one is missing; in the order of entering."""
    vertices, values = simplices
    values = np.maximum(values, faces)
    kept = np.flatnonzero(np.isfinite(values))
    kept = kept[np.argsort(values[kept], kind="stable")]
    return vertices[kept], values[kept]


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
