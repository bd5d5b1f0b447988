"""The form of a term, and the gradient of a score with respect to the points it judges."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.parts import Part

Point = Any  # a Tensor, or a tuple of Tensors with equal rows
Critic = Callable[[Any], Any]  # points to scores: [rows], maps of patches [rows, …], or lists of such


@dataclass(frozen=True)
class Term(Part):
    """A number added to the losses of `players`. It asks for quantities by argument name and is a pure function.

    `every` = k > 1 (lazy regularisation, Karras et al. 2020): evaluated at steps divisible by k only, weighted by k. Equal
    in the mean over k plain steps; through Adam only while the term is small beside the loss, and with β₁ = 0.
    """

    players: ClassVar[tuple[str, ...]] = ("discriminator",)
    per_row: ClassVar[bool] = False
    """Whether the term speaks of each point by itself and so means nothing for a network that couples samples."""

    every: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"{type(self).__name__} every {self.every} steps is never: give at least 1")

    def __call__(self, **quantities: Any) -> Tensor:
        raise NotImplementedError

    def asks(self) -> tuple[str, ...]:
        """The quantities that the term looks at."""
        return tuple(inspect.signature(self.__call__).parameters)


def tensors(point: Point) -> tuple[Tensor, ...]:
    return point if isinstance(point, tuple) else (point,)


def squared_norm(gradient: Point) -> Tensor:
    """‖∇s‖² of each point, over all members of a tuple, in float32 at least: [rows]."""
    parts = [full(g).flatten(1).square().sum(1) for g in tensors(gradient)]
    return parts[0] if len(parts) == 1 else torch.stack(parts).sum(0)


def full(value: Tensor) -> Tensor:
    """Numbers of 16 bits as float32; others as they are."""
    return value.float() if value.dtype in (torch.bfloat16, torch.float16) else value


def for_points(noise: Tensor, point: Tensor) -> Tensor:
    """Noise of the rows of a batch for points that are packs of them: numbers for each row are those of the first rows,
    numbers like the data are packed too."""
    if len(noise) == len(point):
        return noise
    like = noise.dim() == point.dim() and noise[0].numel() * len(noise) == point[0].numel() * len(point)
    return noise.reshape(point.shape) if like else noise[: len(point)]


def per_point(score: Any) -> Tensor:
    """One number a point: the mean of a map, the mean over several maps, in float32 at least: [rows]."""
    if isinstance(score, (list, tuple)):
        return torch.stack([per_point(part) for part in score]).mean(0)
    return full(score if score.dim() == 1 else score.flatten(1).mean(1))


def score_and_gradient(score: Critic, point: Point) -> tuple[Tensor, Point]:
    """s and ∇s at each point, from one forward pass, differentiable once more (`create_graph`).

    `point` that already belongs to a graph is differentiated where it stands, so that its own graph is kept.
    """
    leaves = tuple(p if p.requires_grad else p.detach().requires_grad_() for p in tensors(point))
    value = per_point(score(leaves if isinstance(point, tuple) else leaves[0]))
    gradients = torch.autograd.grad(value.sum(), leaves, create_graph=True)
    return value, gradients if isinstance(point, tuple) else gradients[0]


# -- for other people's loops -------------------------------------------------------------------------


def judged(term: Term, critic: Critic, points: Mapping[str, Point]) -> dict[str, Any]:
    """What `term` asks for, from an ordinary discriminator at {"real_point": …, "fake_point": …}; noise is drawn by
    torch's global generator."""
    names = [name for name in term.asks() if name != "clock"]
    made: dict[str, Any] = {name: point for name, point in points.items() if point is not None}
    made["score"] = lambda point: per_point(critic(point))
    made["score_and_gradient"] = partial(score_and_gradient, critic)
    for side in ("real", "fake"):
        if f"{side}_gradient" in names:
            pair = score_and_gradient(critic, made[f"{side}_point"])
            made[f"{side}_judgement"], made[f"{side}_gradient"] = pair
        elif f"{side}_judgement" in names:
            made[f"{side}_judgement"] = per_point(critic(made[f"{side}_point"]))
    like = next(tensors(point)[0] for point in points.values() if point is not None)
    made |= drawn({name: draw for name, draw in term.draws().items() if name not in made}, like)
    if missing := [name for name in names if name not in made]:
        raise InputError(f"{type(term).__name__} looks at {missing[0]}, and it was not given")
    return {name: made[name] for name in names}


def drawn(draws: Mapping[str, Draw], like: Tensor) -> dict[str, Tensor]:
    """Noise for points such as `like`, of its type and on its device."""
    noise = {}
    for name, draw in draws.items():
        generator = torch.Generator(like.device).manual_seed(int(torch.randint(2**62, ())))
        noise[name] = draw.sample(len(like), generator, {"real": tuple(like.shape[1:])}).to(like)
    return noise
