"""Pictures of samples: a sheet of images, a scatter plot of points in the plane, and PNG bytes of either.

Everything here is a function of its arguments: the same samples give the same bytes.
"""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from saddlepoint.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image
    from torch import Tensor

GAP = 2  # least pixels between two images of a sheet; half an enlarged pixel where that is more
GREY = 128  # of the gap: told apart from black as from white paper
TILE = 64  # images whose longer side is below half of this are enlarged, by a whole number, towards it
INK, TRUTH, CENTRE = "#3556d4", "#9aa3b2", "#c2410c"
MUTED, RULE = "#5b6270", "#c9ced8"


def grid(images: Tensor, columns: int | None = None, scale: int | None = None) -> Image:
    """One picture of `n` images side by side, row by row.

    `images` is `[n, channels, height, width]` with values in [-1, 1]; what lies outside is clipped, and what
    is not a number is shown black. One channel is grey; two are red and green with the third channel zero;
    three are RGB; four are RGBA. `columns` is the square root of `n` rounded up unless given. `scale` makes
    every pixel a block of `scale x scale` (nearest neighbour, so that small images stay crisp); unless given,
    the largest whole number that keeps the longer side within 64 pixels, and at least 1. Raises `InputError`
    for another shape and for `columns` or `scale` below 1.
    """
    from PIL import Image

    _check_sheet(images, columns, scale)
    height, width = images.shape[2:]
    factor = scale or max(1, TILE // max(height, width))
    tiles = _bytes(images).repeat(factor, axis=1).repeat(factor, axis=2)
    sheet = _sheet(tiles, columns or math.ceil(math.sqrt(len(tiles))), max(GAP, factor // 2))
    return Image.fromarray(sheet[..., 0] if sheet.shape[2] == 1 else sheet)


def png(image: Image) -> bytes:
    """The bytes of a PNG file: no time, no name of a program, hence equal for equal pictures."""
    stream = BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def scatter(samples: Tensor, real: Tensor | None = None, centres: Tensor | None = None) -> bytes:
    """A scatter plot as PNG bytes: samples `[n, 2]`, real points `[m, 2]`, centres `[k, 2]` as crosses.

    The window depends on `real` (else on `centres`, else on the samples), so that pictures made along one
    training with the same real points can be laid over each other; samples outside it are counted in the
    corner. Raises `InputError` where points are not `[n, 2]` with n at least 1.
    """
    from matplotlib.figure import Figure
    from matplotlib.style import context

    clouds = [_plane(cloud) for cloud in (samples, real, centres) if cloud is not None]
    low, high = window(clouds[1] if len(clouds) > 1 else clouds[0])
    stream = BytesIO()
    with context("default"):
        figure = Figure(figsize=(4.8, 4.8), dpi=100)
        axes = figure.add_axes((0.09, 0.06, 0.88, 0.88), xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        if real is not None:
            _dots(axes, real, "real", (TRUTH, "o", 5))
        _dots(axes, samples, "samples", (INK, "o", 7))
        if centres is not None:
            _dots(axes, centres, "centres", (CENTRE, "+", 60))
        _dress(axes)
        axes.set_title(_outside(clouds[0], low, high), fontsize=8, loc="right", color=MUTED)
        figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def window(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner [2] of a square around the finite points [n, 2], with a margin of 15 % of their extent."""
    finite = points[np.isfinite(points).all(1)]
    if not len(finite):
        return np.full(2, -1.0), np.full(2, 1.0)
    low, high = finite.min(0), finite.max(0)
    half = 0.65 * (max(high - low) or 1.0)
    return (low + high) / 2 - half, (low + high) / 2 + half


def _dots(axes: Axes, points: Tensor, label: str, look: tuple[str, str, float]) -> None:
    x, y = _plane(points).T
    colour, marker, area = look
    width, alpha = (1.3, 1.0) if marker == "+" else (0.0, 0.6)
    axes.scatter(x, y, s=area, color=colour, marker=marker, linewidths=width, alpha=alpha, label=label)


def _dress(axes: Axes) -> None:
    axes.set_aspect("equal")
    axes.tick_params(labelsize=8, labelcolor=MUTED, color=RULE)
    axes.spines[:].set_color(RULE)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 0.985),
        ncols=3,
        fontsize=8,
        frameon=False,
        markerscale=1.5,
        handletextpad=0.0,
        columnspacing=1.0,
        labelcolor=MUTED,
    )


def _check_sheet(images: Tensor, columns: int | None, scale: int | None) -> None:
    if images.ndim != 4 or not 1 <= images.shape[1] <= 4 or 0 in images.shape:
        shape = list(images.shape)
        raise InputError(
            f"A sheet of images needs [n, channels, height, width] with 1 to 4 channels, not {shape}."
        )
    for name, value in (("columns", columns), ("scale", scale)):
        if value is not None and value < 1:
            raise InputError(f"{name}={value} of a sheet of images must be at least 1.")


def _bytes(images: Tensor) -> np.ndarray:
    """Values in [-1, 1] as uint8 `[n, height, width, 1 | 3 | 4]`: -1 is 0, 1 is 255."""
    values = images.detach().float().nan_to_num(nan=-1.0).clamp(-1, 1).add(1).mul(127.5).round()
    tiles = values.permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8)
    return np.pad(tiles, [(0, 0)] * 3 + [(0, 1)]) if tiles.shape[3] == 2 else tiles


def _sheet(tiles: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """Tiles `[n, h, w, c]` in rows of at most `columns`, `gap` pixels apart; RGBA gaps are transparent."""
    columns = min(columns, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    fill = 0 if tiles.shape[3] == 4 else GREY
    missing = rows * columns - len(tiles)
    padded = np.pad(tiles, ((0, missing), (0, gap), (0, gap), (0, 0)), constant_values=fill)
    _, height, width, channels = padded.shape
    sheet = padded.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return sheet.reshape(rows * height, columns * width, channels)[:-gap, :-gap]


def _plane(points: Tensor) -> np.ndarray:
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise InputError(f"A scatter plot needs points [n, 2] with n at least 1, not {list(points.shape)}.")
    return points.detach().double().cpu().numpy()


def _outside(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
    count = int((~((points >= low) & (points <= high)).all(1)).sum())
    return f"{count} of {len(points)} samples outside" if count else ""
