"""Restrictions on a player's parameters, as transformations of parameters: they work on any module.

A constraint acts at up to three moments: `inside` an evaluation (the effective parameters), `after` a move (a
projection of the vector) and on its memory (`remember`, once per committed move). `bind` looks at the module once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from saddlepoint.errors import InputError

Named = Mapping[str, Tensor]


class Bound:
    """A constraint that has seen the module it restricts. By itself it restricts nothing."""

    def init(self, named: Named, generator: torch.Generator) -> dict[str, Tensor]:
        """The memory at the start."""
        return {}

    def inside(self, named: Named, memory: Named) -> Named:
        """Effective parameters for one evaluation; smooth in `named`, `memory` constant."""
        return named

    def after(self, vector: Tensor) -> Tensor:
        """The player's vector projected after a move."""
        return vector

    def remember(self, named: Named, memory: Named) -> dict[str, Tensor]:
        """The memory after a committed move."""
        return dict(memory)


@dataclass(frozen=True)
class Constraint:
    """The form of a constraint on one player."""

    player: str = "discriminator"

    def bind(self, module: nn.Module) -> Bound:
        raise NotImplementedError


@dataclass(frozen=True)
class Clip(Constraint):
    """Every parameter, biases and gains too, is clamped to [−bound, bound] after each move (Arjovsky et al. 2017)."""

    bound: float = 0.01

    def bind(self, module: nn.Module) -> Bound:
        return _Clip(self.bound)


class _Clip(Bound):
    def __init__(self, bound: float) -> None:
        self.bound = bound

    def after(self, vector: Tensor) -> Tensor:
        return vector.clamp(-self.bound, self.bound)


@dataclass(frozen=True)
class SpectralNorm(Constraint):
    """W̄ = W/σ(W), σ ≈ uᵀWv by power iteration (Miyato et al. 2018, eq. 8 and Algorithm 1).

    Every linear, convolution, transposed convolution and embedding weight, reshaped to (outputs, rest); for
    convolutions that is the authors' proxy, not the operator norm. Deviation: u and v are constants of an evaluation
    and move by one iteration per committed move (`start` iterations at initialisation), not at every forward pass;
    so the field is smooth and evaluation never changes them.
    """

    start: int = 15

    def __post_init__(self) -> None:
        if self.start < 1:
            raise InputError(f"SpectralNorm needs at least 1 power iteration to start with, not {self.start}")

    def bind(self, module: nn.Module) -> Bound:
        return _Spectral(_weights(module), self.start)


@dataclass(frozen=True)
class Orthogonal(Constraint):
    """After each move every weight matrix W = UΣVᵀ is replaced by the nearest one with orthonormal rows or columns, UVᵀ: all
    singular values are 1. A projection, not the regulariser ‖WᵀW − I‖ of Brock et al. 2017, which only pulls there.

    Linear, convolution, transposed convolution and embedding weights as (first dimension, rest); for convolutions that is
    a proxy, as for `SpectralNorm`. The projection is not differentiated: its singular values coincide.
    """

    def bind(self, module: nn.Module) -> Bound:
        weights = _weights(module)
        shapes = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
        return _Orthogonal([(math.prod(s), s[0] if name in weights else 0) for name, s in shapes.items()])


class _Orthogonal(Bound):
    def __init__(self, pieces: list[tuple[int, int]]) -> None:
        self.pieces = (
            pieces  # of the vector: numbers, and rows if it is a matrix; columns may lie in any order
        )

    def after(self, vector: Tensor) -> Tensor:
        parts = vector.split([size for size, _ in self.pieces])
        return torch.cat(
            [
                _polar(p.view(rows, -1)).flatten() if rows else p
                for p, (_, rows) in zip(parts, self.pieces, strict=True)
            ]
        )


def _polar(matrix: Tensor) -> Tensor:
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    return u @ v


_OUTPUT_SECOND = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Embedding, *_OUTPUT_SECOND)


def _weights(module: nn.Module) -> dict[str, int]:
    """Names of the weights, tied ones once, with the dimension that counts outputs (transposed convolutions: the
    second)."""
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    return {
        names[id(part._parameters["weight"])]: int(isinstance(part, _OUTPUT_SECOND))
        for part in module.modules()
        if isinstance(part, _WEIGHTED) and "weight" in part._parameters
    }


class _Spectral(Bound):
    def __init__(self, weights: dict[str, int], start: int) -> None:
        self.weights, self.start = weights, start

    def matrix(self, named: Named, name: str) -> Tensor:
        weight = named[name]
        return (weight.transpose(0, 1) if self.weights[name] else weight).flatten(1)

    def init(self, named: Named, generator: torch.Generator) -> dict[str, Tensor]:
        memory = {}
        for name in self.weights:
            matrix = self.matrix(named, name)
            u = torch.randn(len(matrix), generator=generator, device=generator.device).to(matrix)
            memory[f"{name}.u"], memory[f"{name}.v"] = normalize(u, dim=0), matrix.new_zeros(matrix.shape[1])
        for _ in range(self.start):
            memory = self.remember(named, memory)
        flat = [name for name in self.weights if not memory[f"{name}.u"].any()]
        if flat:
            raise InputError(
                f"SpectralNorm divides by the largest singular value, which is 0 for {flat[0]}: "
                "take a network none of whose weights starts at zero"
            )
        return memory

    def inside(self, named: Named, memory: Named) -> Named:
        effective = dict(named)
        for name in self.weights:
            sigma = memory[f"{name}.u"].dot(self.matrix(named, name).mv(memory[f"{name}.v"]))
            effective[name] = named[name] / sigma
        return effective

    def remember(self, named: Named, memory: Named) -> dict[str, Tensor]:
        after = {}
        for name in self.weights:
            matrix = self.matrix(named, name)
            after[f"{name}.v"] = normalize(memory[f"{name}.u"] @ matrix, dim=0)
            after[f"{name}.u"] = normalize(matrix @ after[f"{name}.v"], dim=0)
        return after
