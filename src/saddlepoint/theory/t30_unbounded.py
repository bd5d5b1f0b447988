"""T30: what a critic without a Lipschitz bound does, and energies without a margin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.constraints import Clip, Constraint, SpectralNorm
from saddlepoint.dynamics import Simultaneous
from saddlepoint.games import DiracGAN, orbit
from saddlepoint.metrics.transport import earth_mover
from saddlepoint.objectives import EnergyMargin, Wasserstein
from saddlepoint.optim import SGD, Optimizer
from saddlepoint.penalties import R1, GradientPenalty, Term
from saddlepoint.theory.claim import Claim, Sides

H, STEPS = 0.15, 150
FAR = (0.5, 2.0, -1.5)  # where the samples are, the data being at 0


def critic(
    theta: float, steps: int, terms: tuple[Term, ...] = (), constraints: tuple[Constraint, ...] = ()
) -> Tensor:
    """L_D = ψθ of the Wasserstein critic s = ψx before each step of descent and after the last, the generator held."""
    method = replace(methods.get("wgan"), terms=terms, constraints=constraints)
    rules: dict[str, Optimizer] = {"generator": SGD(0.0), "discriminator": SGD(H)}
    return orbit(DiracGAN(method, (theta, 0.0)), Simultaneous(rules), steps)[:, 1] * theta


def energies(margin: float, steps: int) -> tuple[Tensor, Tensor]:
    """E_P s and E_Q s of the linear autoencoder x -> (w₁x₁, w₂x₂), s = |x − Dec(Enc(x))|², data at (1, 0) and samples at
    (0, 1), under descent on the discriminator's loss of an energy-based GAN."""
    weights = torch.full((2,), 0.5, dtype=torch.float64)
    points, seen = torch.eye(2, dtype=torch.float64), []
    objective = EnergyMargin(margin)

    def energy(w: Tensor) -> Tensor:
        return (points - w * points).square().sum(1)

    def loss(w: Tensor) -> Tensor:
        return objective.discriminator(energy(w)[:1], energy(w)[1:])

    for _ in range(steps + 1):
        seen.append(energy(weights))
        weights = weights - H * torch.func.grad(loss)(weights)
    real, fake = torch.stack(seen).unbind(1)
    return real, fake


def check() -> Sequence[Sides]:
    """Critics: after t steps of h from 0 the loss is by hand −htθ², without a bound; −c|θ| with clipping at c,
    −|θ|(1 + |θ|/2λ) with the penalty λ(|ψ| − 1)², −θ²/γ with R1, reached at a rate of 2λ or γ, hence to e^{−20}. A
    perceptron without a bound falls faster than in proportion to t: its layers multiply.

    Energies: without a margin the samples' error 1 − w₂ grows by 1 + 2h a step; with it the energy stops within one step, a
    factor (1 + 2h)², of the margin."""
    return [*_critics(), *_perceptron(), *_energies()]


def _critics() -> list[Sides]:
    found = []
    for theta in FAR:
        free = critic(theta, STEPS)
        found += [
            Sides(
                f"θ = {theta:g}, no bound: L_D after {t} steps", float(free[t]), "=", -H * t * theta**2, 1e-9
            )
            for t in (10, 50, STEPS)
        ]
        bounded = {
            "clipping at .1": (critic(theta, STEPS, constraints=(Clip(bound=0.1),)), -0.1 * abs(theta)),
            "penalty of 2": (critic(theta, STEPS, (GradientPenalty(2.0),)), -abs(theta) * (1 + abs(theta) / 4)),
            "one-sided penalty of 2": (
                critic(theta, STEPS, (GradientPenalty(2.0, side="above"),)), -abs(theta) * (1 + abs(theta) / 4),
            ),
            "R1 of 1": (critic(theta, STEPS, (R1(1.0),)), -(theta**2)),
        }  # fmt: skip
        for name, (values, limit) in bounded.items():
            found.append(
                Sides(f"θ = {theta:g}, {name}: L_D after {STEPS} steps", float(values[-1]), "=", limit, 1e-6)
            )
            found.append(
                Sides(f"θ = {theta:g}, {name}: least L_D on the way", float(values.min()), ">=", limit, 1e-6)
            )
    return found


def _perceptron() -> list[Sides]:
    """Rows of N(0, 1) against N(1, 1) in the plane. With spectral norm each layer is 1-Lipschitz, so that −L_D is at most the
    exact W₁ between the rows, up to the power iteration, which lags behind by one small step (5 %)."""
    source = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(64, 2, generator=source, dtype=torch.float64) + shift for shift in (0.0, 1.0))
    most, found = earth_mover(real=real, fake=fake).value, []
    for seed in range(2):
        free = _trained(real, fake, seed, None, 0.01, 80)
        bounded = _trained(real, fake, seed, SpectralNorm(), 0.05, 200)
        found += [
            Sides(
                f"perceptron {seed}, no bound: L_D at 80 steps over that at 40",
                free[80] / free[40],
                ">=",
                2.0,
            ),
            Sides(f"perceptron {seed}, no bound: L_D after 80 steps", free[80], "<=", -2 * most),
            Sides(f"perceptron {seed}, spectral norm: L_D after 200 steps", bounded[200], ">=", -1.05 * most),
            Sides(f"perceptron {seed}, spectral norm: L_D after 200 steps", bounded[200], "<=", -0.5 * most),
        ]
    return found


def _trained(
    real: Tensor, fake: Tensor, seed: int, constraint: Constraint | None, step: float, steps: int
) -> list[float]:
    source = torch.Generator().manual_seed(seed)
    layers = (nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    network = nn.Sequential(*layers).double()
    named = {}
    for name, parameter in network.named_parameters():
        scale = 0.0 if "bias" in name else 1 / math.sqrt(parameter.shape[1])
        named[name] = (
            scale * torch.randn(parameter.shape, generator=source, dtype=torch.float64)
        ).requires_grad_()
    bound = constraint.bind(network) if constraint else None
    memory = bound.init({n: p.detach() for n, p in named.items()}, source) if bound else {}
    seen = []
    for _ in range(steps + 1):
        at = bound.inside(named, memory) if bound else named
        score = torch.func.functional_call(network, dict(at), (torch.cat([real, fake]),))
        loss = Wasserstein().discriminator(score[: len(real)], score[len(real) :])
        seen.append(float(loss.detach()))
        slopes = torch.autograd.grad(loss, list(named.values()))
        named = {
            n: (p - step * g).detach().requires_grad_()
            for (n, p), g in zip(named.items(), slopes, strict=True)
        }
        if bound:
            memory = bound.remember({n: p.detach() for n, p in named.items()}, memory)
    return seen


def _energies() -> list[Sides]:
    found = []
    free = energies(1e300, 100)
    for t in (10, 50, 100):
        grown = 2 * t * math.log1p(2 * H) - math.log(4)
        found.append(
            Sides(f"no margin: log E_Q s after {t} steps", float(free[1][t].log()), "=", grown, 1e-9)
        )
    for margin in (0.5, 2.0, 10.0):
        real, fake = energies(margin, 100)
        found += [
            Sides(f"margin {margin:g}: largest E_Q s", float(fake.max()), "<=", margin * (1 + 2 * H) ** 2),
            Sides(f"margin {margin:g}: E_Q s after 100 steps", float(fake[-1]), ">=", margin),
            Sides(f"margin {margin:g}: E_P s after 100 steps", float(real[-1]), "<=", 1e-9),
        ]
    return found


def figure(axes: Any) -> None:
    for name, values in {
        "no bound": critic(1.0, STEPS),
        "clipping at .1": critic(1.0, STEPS, constraints=(Clip(bound=0.1),)),
        "gradient penalty of 2": critic(1.0, STEPS, (GradientPenalty(2.0),)),
        "R1 of 1": critic(1.0, STEPS, (R1(1.0),)),
    }.items():
        axes.plot(values, label=name)
    axes.set(
        xlabel="step of the critic, the generator held at θ = 1", ylabel="loss of the critic", ylim=(-6, 0.2)
    )
    axes.legend()


CLAIM = Claim(
    id="T30",
    title="losses without a bound",
    statement="against a fixed generator the loss of a Wasserstein critic falls for ever without a Lipschitz bound, and the "
    "energy of samples grows for ever without a margin; clipping, penalties, spectral norm and the margin stop them",
    source="Arjovsky, Chintala & Bottou, Wasserstein GAN, ICML 2017; Zhao, Mathieu & LeCun, Energy-based GAN, ICLR 2017",
    check=check,
    figure=figure,
)
