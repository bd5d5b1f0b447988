"""Prior distributions of the generator's input, as values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.forward import Definition

OPPOSITE = math.pi - 1e-3  # radians above which the great arc is lost in rounding


class Latent:
    """What a prior is: the noise that it draws for each row, and how many numbers the generator gets of it (`size`). One
    that makes its numbers from its draws is a `Definition` too."""

    size: int
    way: ClassVar[str] = "a straight line"  # on which `between` goes

    def draws(self) -> dict[str, Draw]:
        raise NotImplementedError

    def truncate(self, latent: Tensor, threshold: float) -> Tensor:
        """The draws "latent" nearer to the middle of the prior."""
        raise NotImplementedError

    def between(self, start: Tensor, end: Tensor, share: Tensor) -> Tensor:
        """Draws "latent" on the way from start [n, d] to end [n, d] at the shares [steps] of it: [n, steps, d]. Straight,
        which leads nowhere that the prior does not go where its support is convex."""
        return torch.lerp(start.unsqueeze(1), end.unsqueeze(1), share.view(1, -1, 1))


class Round(Latent):
    """A prior that looks the same in every direction, and on the way between two of whose draws the norm is kept that of
    the ends (White 2016)."""

    way: ClassVar[str] = "a great arc"

    def between(self, start: Tensor, end: Tensor, share: Tensor) -> Tensor:
        return slerp(start, end, share)


def slerp(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Points on the great arc from start [n, d] to end [n, d] at the shares [steps] of its angle, norms interpolated
    linearly: [n, steps, d]. Between opposite ends, where no arc is the shortest, and of single numbers: straight."""
    share = share.view(1, -1, 1)
    a, b = ((x / x.norm(dim=1, keepdim=True)).unsqueeze(1) for x in (start, end))
    angle = (a * b).sum(2, keepdim=True).clamp(-1, 1).arccos().clamp(min=1e-6)
    arc = (((1 - share) * angle).sin() * a + (share * angle).sin() * b) / angle.sin()
    start, end = start.unsqueeze(1), end.unsqueeze(1)
    norms = torch.lerp(start.norm(dim=2, keepdim=True), end.norm(dim=2, keepdim=True), share)
    return torch.where(angle > OPPOSITE, torch.lerp(start, end, share), arc * norms)


@dataclass(frozen=True)
class Gaussian(Round):
    """z ~ N(0, I) in `size` dimensions."""

    size: int = 128

    def draws(self) -> dict[str, Draw]:
        return {"latent": Draw("normal", (self.size,))}

    def truncate(self, latent: Tensor, threshold: float) -> Tensor:
        """Each coordinate as if drawn from N(0, 1) conditioned on |z| <= threshold.

        Through the distribution function, z -> Φ⁻¹(½ + (Φ(z) − ½)·(2Φ(t) − 1)): deterministic in z, unlike redrawing
        (Brock et al. 2019 redraw; the distribution is the same).
        """
        width = torch.special.ndtr(torch.tensor(threshold, dtype=torch.float64)) - 0.5
        quantile = 0.5 + (torch.special.ndtr(latent.double()) - 0.5) * 2 * width
        return torch.special.ndtri(quantile).to(latent.dtype)


@dataclass(frozen=True)
class Uniform(Latent):
    """z uniform on [−1, 1)^size (Radford et al. 2016)."""

    size: int = 100

    def draws(self) -> dict[str, Draw]:
        return {"latent": Draw("symmetric", (self.size,))}

    def truncate(self, latent: Tensor, threshold: float) -> Tensor:
        """Shrinks the cube about its centre by `threshold` in (0, 1]."""
        if threshold > 1:
            raise InputError(
                f"truncation {threshold} would leave the cube of a uniform latent: give a number up to 1"
            )
        return latent * threshold


@dataclass(frozen=True)
class Sphere(Definition, Round):
    """z uniform on the sphere of radius √size in `size` dimensions (White 2016 on why: a Gaussian lies there anyway)."""

    size: int = 128

    def draws(self) -> dict[str, Draw]:
        return {"latent": Draw("normal", (self.size,))}

    def truncate(self, latent: Tensor, threshold: float) -> Tensor:
        raise InputError("a sphere has no middle to truncate towards: use a Gaussian or uniform latent")

    def generator_input(self, generator_input: tuple[Any, ...]) -> tuple[Any, ...]:
        latent, *more = generator_input
        length = latent.norm(dim=1, keepdim=True).clamp(min=1e-12)
        return (latent * (self.size**0.5 / length), *more)


@dataclass(frozen=True)
class Codes(Definition, Latent):
    """Noise beside codes that a recognition head has to find again (Chen et al. 2016): z = (noise, one-hot of each
    categorical code, continuous codes uniform on [−1, 1)). `code` [n, Σ categories + continuous] is what is found."""

    noise: int = 62
    categorical: tuple[int, ...] = (10,)
    continuous: int = 2

    def __post_init__(self) -> None:
        if self.noise < 1 or self.continuous < 0 or any(k < 2 for k in self.categorical):
            raise InputError(
                f"{self} is no latent: at least 1 number of noise, 2 categories a code and 0 continuous codes"
            )

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.noise + sum(self.categorical) + self.continuous

    def draws(self) -> dict[str, Draw]:
        return {
            "latent": Draw("symmetric", (self.noise,)),
            "choice": Draw("uniform", (len(self.categorical),)),
            "place": Draw("symmetric", (self.continuous,)),
        }

    def truncate(self, latent: Tensor, threshold: float) -> Tensor:
        return Uniform(self.noise).truncate(latent, threshold)

    def columns(self, steps: int) -> int:
        """Samples in a row of a traversal: at least one for each category."""
        return max(steps, *self.categorical) if self.categorical else steps

    def traversed(self, drawn: Mapping[str, Tensor], steps: int) -> dict[str, Tensor]:
        """The draws of rows in which one code varies and all else stays: for each code in turn, for each row drawn,
        `columns(steps)` rows. Categories in their order, continuous codes from −1 to 1."""
        columns = self.columns(steps)
        share = torch.arange(columns) / columns + 0.5 / columns
        made = []
        for index in range(len(self.categorical)):
            made.append(_varied(drawn, "choice", index, share))
        for index in range(self.continuous):
            made.append(_varied(drawn, "place", index, torch.linspace(-1, 1, columns)))
        return {name: torch.cat([one[name] for one in made]) for name in drawn}

    def named(self) -> tuple[str, ...]:
        """What each code is, in the order of a traversal."""
        return (
            *(f"one of {count}" for count in self.categorical),
            *(f"−1 to 1 ({index + 1})" for index in range(self.continuous)),
        )

    def code(self, choice: Tensor, place: Tensor) -> Tensor:
        chosen = [
            (choice[:, index, None] * count).floor() == torch.arange(count, device=choice.device)
            for index, count in enumerate(self.categorical)
        ]
        return torch.cat([*(one.to(place.dtype) for one in chosen), place], 1)

    def generator_input(self, generator_input: tuple[Any, ...], code: Tensor) -> tuple[Any, ...]:
        latent, *more = generator_input
        return (torch.cat([latent, code], 1), *more)


def _varied(drawn: Mapping[str, Tensor], name: str, index: int, values: Tensor) -> dict[str, Tensor]:
    """Each row as often as there are values, with number `index` of the draw `name` taking one after the other."""
    rows = {n: t.repeat_interleave(len(values), 0) for n, t in drawn.items()}
    rows[name][:, index] = values.repeat(len(drawn[name]))
    return rows
