"""Optimisers as values: a gradient vector in, an update vector out.

`init(vector)` makes the slots, `update(gradient, slots, vector, clock)` returns the update to be *added* to the
vector and the next slots. Nothing is changed in place, every number may be a schedule or a tensor (one learning
rate per member under `torch.vmap`), and an update is differentiable with respect to the gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.schedules import Clock, Schedule, now

Slots = Mapping[str, Any]


@dataclass(frozen=True)
class Optimizer:
    """The form of an optimiser."""

    def init(self, vector: Tensor) -> dict[str, Any]:
        return {}

    def update(
        self, gradient: Tensor, slots: Slots, vector: Tensor, clock: Clock | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Optimizer):
    """b ← μb + g (b = g at first), x ← x − lr·b: `torch.optim.SGD` with momentum μ; plain descent when μ = 0."""

    lr: float | Schedule = 1e-2
    momentum: float = 0.0

    def init(self, vector: Tensor) -> dict[str, Any]:
        return (
            {}
            if isinstance(self.momentum, float) and self.momentum == 0
            else {"buffer": torch.zeros_like(vector)}
        )

    def update(
        self, gradient: Tensor, slots: Slots, vector: Tensor, clock: Clock | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        lr = now(self.lr, clock)
        if not slots:
            return gradient * -lr, {}
        buffer = slots["buffer"] * self.momentum + gradient
        return buffer * -lr, {"buffer": buffer}


@dataclass(frozen=True)
class Adam(Optimizer):
    """m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², x ← x − lr·m̂/(√v̂ + ε) with bias-corrected m̂, v̂.

    Kingma & Ba 2015, Algorithm 1; equal to `torch.optim.Adam`. β₂ may be a schedule (R3GAN); the bias correction
    then uses the product of the β₂ so far, kept in the slots.
    """

    lr: float | Schedule = 2e-4
    betas: tuple[float, float | Schedule] = (0.5, 0.999)
    eps: float = 1e-8

    def init(self, vector: Tensor) -> dict[str, Any]:
        slots = {"mean": torch.zeros_like(vector), "square": torch.zeros_like(vector)}
        return slots | {"decay1": 1.0, "decay2": 1.0}

    def update(
        self, gradient: Tensor, slots: Slots, vector: Tensor, clock: Clock | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        beta1, beta2 = self.betas[0], now(self.betas[1], clock)
        decay1, decay2 = slots["decay1"] * beta1, slots["decay2"] * beta2
        mean = torch.lerp(slots["mean"], gradient, 1 - beta1)
        square = torch.lerp(slots["square"], gradient.square(), _like(1 - beta2, gradient))
        correction = (1 - decay2) ** 0.5
        scale = now(self.lr, clock) * correction / (decay1 - 1)
        update = _scaled(mean / _plus(_root(square), self.eps * correction), scale)
        return update, {"mean": mean, "square": square, "decay1": decay1, "decay2": decay2}


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """v ← αv + (1 − α)g², x ← x − lr·g/(√v + ε) (Tieleman & Hinton 2012); equal to `torch.optim.RMSprop`."""

    lr: float | Schedule = 5e-5
    alpha: float = 0.99
    eps: float = 1e-8

    def init(self, vector: Tensor) -> dict[str, Any]:
        return {"square": torch.zeros_like(vector)}

    def update(
        self, gradient: Tensor, slots: Slots, vector: Tensor, clock: Clock | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        square = slots["square"] * self.alpha + gradient.square() * (1 - self.alpha)
        return gradient / (_root(square) + self.eps) * -now(self.lr, clock), {"square": square}


@dataclass(frozen=True)
class Clipped(Optimizer):
    """`inner`, fed the gradient scaled to norm at most `norm`: g·min(1, norm/‖g‖), over the whole player."""

    inner: Optimizer = Adam()
    norm: float = 1.0

    def init(self, vector: Tensor) -> dict[str, Any]:
        return self.inner.init(vector)

    def update(
        self, gradient: Tensor, slots: Slots, vector: Tensor, clock: Clock | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        scale = (self.norm / (gradient.norm() + 1e-6)).clamp(max=1.0)
        return self.inner.update(gradient * scale, slots, vector, clock)


@dataclass(frozen=True)
class Optimistic(Optimizer):
    """x ← x + 2u_t − u_{t−1}, u_t the update of `inner` and u_{−1} := u_0: the first step is plain.

    With `SGD(η)` optimistic descent, x ← x − 2ηg_t + ηg_{t−1}; with `Adam` optimistic Adam (Daskalakis et al. 2018,
    Algorithm 1), whose directions m̂/(√v̂ + ε) take the place of the gradients.
    """

    inner: Optimizer = Adam()

    def init(self, vector: Tensor) -> dict[str, Any]:
        return {"inner": self.inner.init(vector), "last": torch.zeros_like(vector), "begun": 0.0}

    def update(
        self, gradient: Tensor, slots: Slots, vector: Tensor, clock: Clock | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        update, inner = self.inner.update(gradient, slots["inner"], vector, clock)
        extra = (update - slots["last"]) * slots["begun"]
        return update + extra, {"inner": inner, "last": update, "begun": 1.0}


def _root(square: Tensor) -> Tensor:
    """√, which has no derivative at 0: 1e-30 is far below ε² and only added where somebody differentiates."""
    return (square + 1e-30).sqrt() if square.requires_grad else square.sqrt()


def _plus(fresh: Tensor, number: Any) -> Tensor:
    """fresh + number; in place, which saves a pass over large vectors, where nobody differentiates."""
    return fresh + number if fresh.requires_grad else fresh.add_(number)


def _scaled(fresh: Tensor, number: Any) -> Tensor:
    """fresh * number, likewise; a tensor may be one number per member of a population."""
    return fresh * number if fresh.requires_grad or isinstance(number, Tensor) else fresh.mul_(number)


def _like(number: Any, vector: Tensor) -> Any:
    return number.to(vector) if isinstance(number, Tensor) else number
