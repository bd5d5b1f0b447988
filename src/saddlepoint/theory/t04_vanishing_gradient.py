"""T04: the minimax generator's gradient vanishes as the discriminator becomes perfect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.objectives import Minimax, NonSaturating, Objective
from saddlepoint.theory.claim import Claim, Sides

ROWS = 40


@dataclass(frozen=True)
class Wave:
    """D(x) = h(1 + sin(k·x + φ))/2, which is off D* = 0 by at most h, and its gradient by at most h‖k‖/2, on the fakes."""

    height: float
    waves: Tensor
    phase: float = 0.0

    @property
    def distance(self) -> float:
        """sup|D − D*| + sup‖∇D − ∇D*‖."""
        return self.height * (1 + float(self.waves.norm()) / 2)

    def __call__(self, x: Tensor) -> Tensor:
        """The score, log D − log(1 − D)."""
        return torch.logit(self.height * (1 + (x @ self.waves + self.phase).sin()) / 2)


def check() -> Sequence[Sides]:
    """Left: the gradient of the generator's loss by automatic differentiation, G a network with one layer of tanh, 40
    latents, and D near D* = 0 where the fakes are. Right: Mε/(1 − ε), M² = E_z‖J_θ G‖² from the Jacobians' spectral norms,
    ε the distance of D from D*. No discretisation: the latents are the law of z; 1e-12 is rounding.

    Sharp: for G(z) = 3θ, M = 3, and steep waves of small height the bound is met within 12 %. Needed: the distance of the
    gradients belongs to ε, steep waves exceed the bound with ε = sup|D − D*|; and with −log D in its place the gradient
    does not vanish: it depends on ∇D/D, the same for waves of any height.
    """
    source = torch.Generator().manual_seed(0)
    parameters = torch.randn(3 * 8 + 8 * 2, generator=source, dtype=torch.float64) * 0.7
    latents = torch.randn(ROWS, 3, generator=source, dtype=torch.float64)
    jacobians = torch.func.jacrev(lambda at: _points(at, latents))(parameters)
    size = math.sqrt(float(torch.linalg.matrix_norm(jacobians, 2).square().mean()))
    found: list[Sides] = []
    steep: list[float] = []
    for index in range(4):
        waves = torch.randn(2, generator=source, dtype=torch.float64) * 3.0**index
        phase = float(torch.rand(1, generator=source)) * math.tau
        for near in (0.3, 0.03, 3e-3, 3e-4):
            judge = Wave(near / (1 + float(waves.norm()) / 2), waves, phase)
            slope = gradient(Minimax(), judge, parameters, latents)
            bound = size * judge.distance / (1 - judge.distance)
            found.append(Sides(f"D {index}, ε = {near:g}", float(slope.norm()), "<=", bound, 1e-12))
            steep.append(float(gradient(NonSaturating(), judge, parameters, latents).norm()))
    for near in (0.1, 0.01, 1e-3):
        judge = Wave(near / 101, torch.tensor([200.0], dtype=torch.float64))
        met = float(_of_a_point(judge, 0.0))
        found += [
            Sides(f"G(z) = 3θ, ε = {near:g}: the bound is met", met, ">=", 0.88 * 3 * near / (1 - near)),
            Sides(f"G(z) = 3θ, ε = {near:g}", met, "<=", 3 * near / (1 - near), 1e-12),
            Sides(
                f"above the bound with sup|D − D*| = {judge.height:.1g} for ε",
                met,
                ">=",
                50 * 3 * judge.height,
            ),
        ]
    weakest = [steep[4 * index + 3] / steep[4 * index] for index in range(4)]
    return [
        *found,
        *(
            Sides(f"D {i}, −log D: ‖∇‖ at ε = 3e-4 by that at 0.3", w, ">=", 0.5)
            for i, w in enumerate(weakest)
        ),
    ]


def gradient(objective: Objective, judge: Wave, parameters: Tensor, latents: Tensor) -> Tensor:
    at = parameters.clone().requires_grad_()
    loss = objective.generator(fake_score=judge(_points(at, latents)))  # type: ignore[attr-defined]
    return torch.autograd.grad(loss, at)[0]


def _points(parameters: Tensor, latents: Tensor) -> Tensor:
    first, last = parameters[:24].view(3, 8), parameters[24:].view(8, 2)
    return (latents @ first).tanh() @ last


def _of_a_point(judge: Wave, theta: float) -> Tensor:
    at = torch.tensor([[theta]], dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(Minimax().generator(fake_score=judge(3 * at)), at)[0].norm()


def figure(axes: Any) -> None:
    source = torch.Generator().manual_seed(0)
    parameters = torch.randn(40, generator=source, dtype=torch.float64) * 0.7
    latents = torch.randn(ROWS, 3, generator=source, dtype=torch.float64)
    jacobians = torch.func.jacrev(lambda at: _points(at, latents))(parameters)
    size = float(torch.linalg.matrix_norm(jacobians, 2).square().mean().sqrt())
    waves = torch.tensor([3.0, -4.0], dtype=torch.float64)
    near = torch.logspace(-5, -0.3, 30, dtype=torch.float64).tolist()
    judges = [Wave(e / 3.5, waves) for e in near]
    for objective, label in ((Minimax(), "E log(1 − D)"), (NonSaturating(), "−E log D")):
        axes.loglog(
            near,
            [float(gradient(objective, j, parameters, latents).norm()) for j in judges],
            label=f"‖∇ {label}‖",
        )
    axes.loglog(near, [size * e / (1 - e) for e in near], "k:", label="Mε/(1 − ε)")
    axes.set(xlabel="ε, the distance of D from the perfect D*", ylabel="norm of the generator's gradient")
    axes.legend()


CLAIM = Claim(
    id="T04",
    title="the vanishing gradient of the minimax generator",
    statement="‖∇_θ E_z log(1 − D(G(z)))‖ ≤ Mε/(1 − ε), ε = sup|D − D*| + sup‖∇D − ∇D*‖ < 1, where D* = 0 and ∇D* = 0 "
    "on the fakes, M² = E_z‖J_θ G(z)‖²",
    source="Arjovsky & Bottou, Towards Principled Methods for Training GANs, ICLR 2017",
    check=check,
    figure=figure,
)
