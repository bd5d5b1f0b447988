"""The form of a term, and the gradient of a score with respect to the points it judges."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.parts import Part

Point = Any  # a Tensor, or a tuple of Tensors with equal rows


@dataclass(frozen=True)
class Term(Part):
    """A number added to the losses of `players`. It asks for quantities by argument name and is a pure function.

    `every` = k > 1 (lazy regularisation, Karras et al. 2020): evaluated at steps divisible by k only, weighted by k.
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
    """‖∇s‖² of each point, over all members of a tuple: [rows]."""
    parts = [g.flatten(1).square().sum(1) for g in tensors(gradient)]
    return parts[0] if len(parts) == 1 else torch.stack(parts).sum(0)


def score_and_gradient(score: Callable[[Point], Tensor], point: Point) -> tuple[Tensor, Point]:
    """s and ∇s at each point, from one forward pass, differentiable once more (`create_graph`).

    `point` that already belongs to a graph is differentiated where it stands, so that its own graph is kept.
    """
    leaves = tuple(p if p.requires_grad else p.detach().requires_grad_() for p in tensors(point))
    value = score(leaves if isinstance(point, tuple) else leaves[0])
    gradients = torch.autograd.grad(value.sum(), leaves, create_graph=True)
    return value, gradients if isinstance(point, tuple) else gradients[0]
