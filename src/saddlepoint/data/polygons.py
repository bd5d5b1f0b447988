"""Convex polygons in the manner of Lucic et al. 2018, drawn from a formula, and how such a polygon is drawn.

Of a circle's n equal sectors each gets one corner, at an angle of its own; corners keep apart by at least 20 degrees. The
whole is turned by any angle, the mean of the corners is put into the middle. The polygon is black on white.

Two deviations from the authors' program, both meant there and missed: it is turned by up to 360 degrees (there 6.28), and
neighbouring corners keep the whole distance (there half of it).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from saddlepoint.random import key

SIDE = 28
SUBPIXELS = 8  # a pixel's grey level is the share of 8 × 8 points in it that lie outside the polygon
LEAST_ANGLE = math.radians(20)
RADIUS = 0.75 * SIDE / 2
CHUNK = 500
SEED = 0  # the sets are data sets: they do not depend on the seed of a run

Floats = NDArray[np.float64]


def random_angles(count: int, corners: int) -> Floats:
    """Angles of the corners, ascending up to a turn [count, corners]."""
    random = np.random.default_rng(key("polygons", corners, SEED))
    sector = 2 * math.pi / corners
    within = random.random((count, corners)) * (sector - LEAST_ANGLE)
    return within + sector * np.arange(corners) + 2 * math.pi * random.random((count, 1))


def vertices(angles: Floats) -> Floats:
    """Corners [count, corners, 2] as (x, y) in pixels; the centre of the first pixel is (0.5, 0.5)."""
    points = RADIUS * np.stack([np.cos(angles), np.sin(angles)], 2)
    centred: Floats = points - points.mean(1, keepdims=True) + SIDE / 2
    return centred


def drawn(angles: Floats) -> NDArray[np.uint8]:
    """Images [count, 1, 28, 28]: 255 outside, 0 inside."""
    pieces = [_outside(vertices(angles[start : start + CHUNK])) for start in range(0, len(angles), CHUNK)]
    return np.concatenate(pieces)[:, None]


def _outside(corners: Floats) -> NDArray[np.uint8]:
    """A line of points meets a convex polygon in one interval [low, high]: the points of a pixel in it are counted, not
    looked at one by one."""
    low, high = _intervals(corners)  # [count, lines], in points; the first point of a line is at 0
    first = SUBPIXELS * np.arange(SIDE)
    begin = np.maximum(np.ceil(low)[..., None], first)
    end = np.minimum(np.floor(high)[..., None], first + SUBPIXELS - 1)
    inside = np.maximum(end - begin + 1, 0).reshape(len(corners), SIDE, SUBPIXELS, SIDE).sum(2)
    return np.round(255 * (1 - inside / SUBPIXELS**2)).astype(np.uint8)


def _intervals(corners: Floats) -> tuple[Floats, Floats]:
    """Where each line of points enters and leaves the polygon; the entry is above the exit where they do not meet."""
    line = (np.arange(SIDE * SUBPIXELS) + 0.5) / SUBPIXELS
    low, high = np.full((2, len(corners), len(line)), -np.inf)
    high = -high
    for start, end in zip(
        np.moveaxis(corners, 1, 0), np.moveaxis(np.roll(corners, -1, 1), 1, 0), strict=True
    ):
        across, up = (end - start).T[..., None]
        with np.errstate(divide="ignore", invalid="ignore"):  # a level edge bounds no line; the others do
            crossing = start[:, :1] + (line - start[:, 1:]) * across / up  # the inside is left of the edge
        low, high = (
            np.where(up < 0, np.maximum(low, crossing), low),
            np.where(up > 0, np.minimum(high, crossing), high),
        )
    bottom, top = corners[..., 1].min(1, keepdims=True), corners[..., 1].max(1, keepdims=True)
    empty = (line < bottom) | (line > top)
    return np.where(empty, np.inf, low * SUBPIXELS - 0.5), np.where(empty, -np.inf, high * SUBPIXELS - 0.5)
