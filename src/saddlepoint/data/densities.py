"""Densities in the plane whose truth is known: mixtures with their modes, curves, areas.

The default scales give every coordinate a standard deviation between 0.45 and 1.25. A row is a function of
(value, stream, seed, position).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Generator, Tensor

from saddlepoint.data.split import fingerprint
from saddlepoint.data.stream import BLOCK, cut
from saddlepoint.errors import InputError
from saddlepoint.random import generator

SAMPLE = 10_000  # rows of `training` and `held_out` when no number is asked for: a density has no "all"


class Density:
    """What all densities share; a subclass is a frozen dataclass with `draw`. Held-out rows come from a
    stream of their own, for every seed, so no training row is ever among them."""

    name: ClassVar[str]
    shape: ClassVar[tuple[int, ...]] = (2,)
    classes: ClassVar[tuple[str, ...]] = ()
    size: ClassVar[int | None] = None
    resizing: ClassVar[str] = "none"

    def draw(self, count: int, source: Generator) -> Tensor:
        """`count` independent points [count, 2]."""
        raise NotImplementedError

    @property
    def centres(self) -> Tensor | None:
        """Mode centres [modes, 2], equal in weight; None where there are no modes."""
        return None

    @property
    def sigma(self) -> float | None:
        """Standard deviation of each coordinate inside a mode; None where there are no modes."""
        return None

    @property
    def identity(self) -> str:
        return fingerprint("density 1", repr(self))

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        return self._cut("training", seed, start, count)

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self._cut("training", seed, 0, SAMPLE if count is None else count)

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self._cut("held out", seed, 0, SAMPLE if count is None else count)

    def _cut(self, stream: str, seed: int, start: int, count: int) -> dict[str, Tensor]:
        return {"real": cut(lambda number: _block(self, stream, seed, number), BLOCK, start, count)}


@lru_cache(maxsize=8)
def _block(density: Density, stream: str, seed: int, number: int) -> Tensor:
    return density.draw(BLOCK, generator("cpu", "density", stream, seed, number))


@lru_cache(maxsize=8)
def _labels(density: GaussianModes, stream: str, seed: int, number: int) -> Tensor:
    return torch.cdist(_block(density, stream, seed, number), density.centres).argmin(1)


class GaussianModes(Density):
    """Equal weights on isotropic Gaussians of one width: p(x) = 1/K sum_k N(x; c_k, sigma^2 I). The label of a point is
    the mode nearest to it, which is its likeliest."""

    sigma: float

    @property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(str(mode) for mode in range(len(self.centres)))

    @property
    def centres(self) -> Tensor:
        raise NotImplementedError

    def draw(self, count: int, source: Generator) -> Tensor:
        chosen = torch.randint(len(self.centres), (count,), generator=source)
        return self.centres[chosen] + self.sigma * _normal(count, source)

    def _cut(self, stream: str, seed: int, start: int, count: int) -> dict[str, Tensor]:
        rows = super()._cut(stream, seed, start, count)
        return {
            **rows,
            "label": cut(lambda number: _labels(self, stream, seed, number), BLOCK, start, count),
        }

    def log_density(self, points: Tensor) -> Tensor:
        """log p [n] of points [n, 2], in nats, in the points' type."""
        squares = (points[:, None] - self.centres.to(points)).square().sum(-1)
        weight = len(self.centres) * 2 * math.pi * self.sigma**2
        return torch.logsumexp(-squares / (2 * self.sigma**2), 1) - math.log(weight)


@dataclass(frozen=True)
class Ring(GaussianModes):
    """Gaussians at angles 2 pi k/modes, k = 0 … modes-1 (the end of the circle is not its beginning again).

    The default is the ring of Gulrajani et al. 2017 (radius 2, sigma 0.02, divided by sqrt 2); Metz et al.
    2017 use `Ring(radius=2, sigma=0.02)`.
    """

    name: ClassVar[str] = "ring"
    modes: int = 8
    radius: float = 2 / math.sqrt(2)
    sigma: float = 0.02 / math.sqrt(2)

    def __post_init__(self) -> None:
        _whole(self, "modes")
        _positive(self, "radius", "sigma")

    @property
    def centres(self) -> Tensor:
        angle = torch.arange(self.modes, dtype=torch.float64) * (2 * math.pi / self.modes)
        return (self.radius * torch.stack([angle.cos(), angle.sin()], 1)).float()


@dataclass(frozen=True)
class Grid(GaussianModes):
    """Gaussians on a centred square lattice of side x side points.

    The default is the grid of Gulrajani et al. 2017 ({-4, -2, 0, 2, 4}^2, sigma 0.05, divided by 2 sqrt 2).
    """

    name: ClassVar[str] = "grid"
    side: int = 5
    spacing: float = 2 / math.sqrt(8)
    sigma: float = 0.05 / math.sqrt(8)

    def __post_init__(self) -> None:
        _whole(self, "side")
        _positive(self, "spacing", "sigma")

    @property
    def centres(self) -> Tensor:
        line = self.spacing * (torch.arange(self.side, dtype=torch.float64) - (self.side - 1) / 2)
        return torch.cartesian_prod(line, line).float()


@dataclass(frozen=True)
class Mixture(GaussianModes):
    """Gaussians wherever `points` says."""

    name: ClassVar[str] = "mixture"
    points: tuple[tuple[float, float], ...]
    sigma: float = 0.05

    def __post_init__(self) -> None:
        _positive(self, "sigma")
        if not self.points:
            raise InputError("A mixture needs at least one point.")

    @property
    def centres(self) -> Tensor:
        return torch.tensor(self.points, dtype=torch.float32)


@dataclass(frozen=True)
class Spiral(Density):
    """Archimedean arms, each the other turned by 2 pi/arms: with s = sqrt(u), u ~ U(0, 1), the point at
    distance radius s and angle 2 pi turns s of its arm, plus N(0, noise^2 I). The root spreads points evenly
    far out."""

    name: ClassVar[str] = "spiral"
    arms: int = 2
    turns: float = 1.5
    radius: float = 2.0
    noise: float = 0.03

    def __post_init__(self) -> None:
        _whole(self, "arms")
        _positive(self, "turns", "radius")

    def draw(self, count: int, source: Generator) -> Tensor:
        s = _uniform(count, source).sqrt()
        arm = torch.randint(self.arms, (count,), generator=source)
        angle = 2 * math.pi * (self.turns * s + arm / self.arms)
        return _polar(self.radius * s, angle) + self.noise * _normal(count, source)


@dataclass(frozen=True)
class SwissRoll(Density):
    """The roll seen from the end: (t cos t, t sin t) with t ~ U(1.5 pi, 4.5 pi), plus N(0, noise^2 I), all
    divided by `scale`; numbers of Gulrajani et al. 2017."""

    name: ClassVar[str] = "swiss-roll"
    noise: float = 0.25
    scale: float = 7.5

    def __post_init__(self) -> None:
        _positive(self, "scale")

    def draw(self, count: int, source: Generator) -> Tensor:
        t = 1.5 * math.pi * (1 + 2 * _uniform(count, source))
        return (_polar(t, t) + self.noise * _normal(count, source)) / self.scale


@dataclass(frozen=True)
class TwoMoons(Density):
    """Two half circles of radius 1 that reach into each other, in equal weight, plus N(0, noise^2 I): the
    upper one around (-1/2, -1/4), the lower one around (1/2, 1/4)."""

    name: ClassVar[str] = "two-moons"
    noise: float = 0.05

    def draw(self, count: int, source: Generator) -> Tensor:
        angle = math.pi * _uniform(count, source)
        side = 1 - 2 * torch.randint(
            2, (count, 1), generator=source
        )  # the second moon is the first, turned by pi
        moon = side * (_polar(torch.ones_like(angle), angle) - angle.new_tensor([0.5, 0.25]))
        return moon + self.noise * _normal(count, source)


@dataclass(frozen=True)
class Checkerboard(Density):
    """Uniform on the dark squares of a centred board of cells x cells; the square at the lower left is
    dark."""

    name: ClassVar[str] = "checkerboard"
    cells: int = 4
    width: float = 4.0

    def __post_init__(self) -> None:
        _whole(self, "cells")
        _positive(self, "width")

    @property
    def dark(self) -> Tensor:
        """Column and row of every dark square [dark, 2]."""
        line = torch.arange(self.cells)
        squares = torch.cartesian_prod(line, line)
        return squares[squares.sum(1) % 2 == 0]

    def draw(self, count: int, source: Generator) -> Tensor:
        dark = self.dark
        corner = dark[torch.randint(len(dark), (count,), generator=source)]
        place = (corner + torch.stack([_uniform(count, source), _uniform(count, source)], 1)) / self.cells
        return self.width * (place - 0.5)

    def log_density(self, points: Tensor) -> Tensor:
        """log p [n] of points [n, 2], in nats: minus the logarithm of the dark area, or -inf outside it."""
        square = ((points / self.width + 0.5) * self.cells).floor()
        inside = ((square >= 0) & (square < self.cells)).all(1) & (square.sum(1) % 2 == 0)
        height = -math.log(len(self.dark) * (self.width / self.cells) ** 2)
        return torch.where(inside, points.new_tensor(height), points.new_tensor(-math.inf))


DENSITIES: tuple[type[Density], ...] = (Ring, Grid, Spiral, SwissRoll, TwoMoons, Checkerboard)


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


def _uniform(count: int, source: Generator) -> Tensor:
    return torch.rand(count, generator=source, dtype=torch.float32)


def _normal(count: int, source: Generator) -> Tensor:
    return torch.randn(count, 2, generator=source, dtype=torch.float32)


def _positive(density: Density, *names: str) -> None:
    for name in names:
        value = getattr(density, name)
        if not 0 < value < math.inf:
            raise InputError(f"{name}={value} of {type(density).__name__} is refused; it must be above 0.")


def _whole(density: Density, name: str) -> None:
    value = getattr(density, name)
    if not isinstance(value, int) or value < 1:
        raise InputError(
            f"{name}={value} of {type(density).__name__} is refused; it must be a whole number from 1."
        )
