"""T19: a few networks of each side, mixed, are nearly in equilibrium."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import relu

from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.equilibria import duality_gap, multiplicative_weights, rounds_needed, solved

FALSE_ALARM = 1e-9  # of one draw of networks
RAMP = 1e-4  # share of the noise over which the selector of the pure generator changes its mind


def check() -> Sequence[Sides]:
    """Mixtures by multiplicative weights and by drawing networks from the exact equilibrium, against linear programming;
    one wider network against the mixture that it stands for. Tolerances: rounding; draws miss with probability 1e-9."""
    return [*_learned(), *_drawn(), *_few(), *_pure()]


def _game(n: int, m: int, spread: float, seed: int) -> Tensor:
    """Payoffs that fill [0, spread]: the distance between generator i and data as discriminator j sees it."""
    payoff = torch.rand(n, m, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return spread * (payoff - payoff.min()) / (payoff.max() - payoff.min())


def _learned() -> list[Sides]:
    """The gap after T rounds, against ε, and the value against the exact one. The last game, where one discriminator faces n
    generators, uses half of the bound: Δ/(1 + e^(ηt)/(n − 1)) is lost in round t, until the good one is found."""
    found = []
    for n, m, spread, epsilon in (
        (10, 10, 1.0, 0.1),
        (40, 60, 2.0, 0.1),
        (300, 200, 1.0, 0.05),
        (30, 30, 1.0, 0.02),
    ):
        payoff = _game(n, m, spread, seed=n)
        play, where = (
            multiplicative_weights(payoff, rounds_needed(payoff, epsilon)),
            f"{n} x {m}, Δ = {spread:g}",
        )
        found.append(Sides(f"gap of multiplicative weights, {where}", play.gap, "<=", epsilon, 1e-12))
        found.append(Sides(f"value, {where}", play.value, "=", solved(payoff).value, play.gap))
    payoff = torch.ones(1000, 1, dtype=torch.float64).index_fill(0, torch.tensor([0]), 0.0)
    rounds = rounds_needed(payoff, 0.05)
    past = math.sqrt(8 * math.log(1000) / rounds) * torch.arange(rounds, dtype=torch.float64)
    lost = float((999 / (999 + past.exp())).mean())
    gap = multiplicative_weights(payoff, rounds).gap
    found.append(Sides("gap, one generator of 1000 is good", gap, "=", lost, 1e-9))
    found.append(Sides("of which the bound allows", lost, "<=", 0.05))
    return found


def _drawn() -> list[Sides]:
    """T networks a side drawn from the equilibrium, with equal weights: by Hoeffding's inequality each of n + m averages is
    off by more than ε/2 with probability exp(−Tε²/2Δ²) at most."""
    found = []
    for n, m, epsilon in ((50, 50, 0.25), (200, 100, 0.25), (200, 100, 0.1)):
        payoff, source = _game(n, m, 1.0, seed=n + 1), torch.Generator().manual_seed(n)
        exact = solved(payoff)
        rounds = math.ceil(2 * math.log((n + m) / FALSE_ALARM) / epsilon**2)
        sides = [
            torch.bincount(
                weights.multinomial(rounds, replacement=True, generator=source), minlength=len(weights)
            )
            for weights in (exact.first, exact.second)
        ]
        gap = duality_gap(payoff, sides[0] / rounds, sides[1] / rounds)
        found.append(Sides(f"gap of {rounds} networks drawn of {n} and {m}", gap, "<=", epsilon, 1e-9))
    return found


def _few() -> list[Sides]:
    """With n ways to be recognised, generator i by discriminator i alone, the best T of n generators are recognised T times
    as rarely as one: 1/T, where all n reach 1/n. So one network alone is far from equilibrium, and T ≥ 1/(ε + 1/n)."""
    identity = torch.eye(20, dtype=torch.float64)
    return [
        Sides(f"value with {few} of 20 generators", solved(identity[:few]).value, "=", 1 / few, 1e-9)
        for few in (1, 2, 5, 10, 20)
    ]


def _pure() -> list[Sides]:
    """G(z, h) = Σ_i relu(G_i(z) − 1 + gate_i(h)), outputs in [0, 1]: one layer more, a gate of ReLUs of uniform noise h, in
    place of T generators. It differs from the mixture only where h is on one of T − 1 ramps, of mass `RAMP` each."""
    source = torch.Generator().manual_seed(6)
    slopes, offsets = 3 * torch.randn(2, 5, 1, generator=source, dtype=torch.float64)
    waves, phases = 6 * torch.rand(2, 8, 1, 1, generator=source, dtype=torch.float64)
    z, h = _middles(200), _middles(20_000)
    parts = (slopes * z + offsets).sigmoid()  # [T, z]: five generators
    payoff = (waves * parts + phases).cos().mean(2).T  # [T, 8 discriminators]
    exact = solved(payoff)
    edges = exact.first.cumsum(0)[:-1, None]
    below = relu((edges - h) / RAMP + 0.5) - relu((edges - h) / RAMP - 0.5)  # 1 before the edge, 0 behind it
    gates = torch.cat([below, torch.ones_like(h)[None]]) - torch.cat([torch.zeros_like(h)[None], below])
    seen = torch.zeros(8, dtype=torch.float64)
    for block in gates.split(2000, 1):
        points = relu(parts[:, None] - 1 + block[..., None]).sum(0)
        seen += torch.stack([(w * points + c).cos().sum() for w, c in zip(waves, phases, strict=True)])
    seen /= len(z) * len(h)
    bound = (
        2 * (len(parts) - 1) * (RAMP + 1 / len(h))
    )  # payoffs in [−1, 1]; the grid of h meets an edge to 1/20,000
    off = float((seen - exact.first @ payoff).abs().max())
    return [
        Sides(
            "one generator with a selector against the mixture, largest difference of payoffs",
            off,
            "<=",
            bound,
        ),
        Sides("what the best discriminator gets of it", float(seen.max()), "=", exact.value, bound),
        Sides(
            "and of the best of the five alone", float(payoff.amax(1).min()), ">=", exact.value + 5 * bound
        ),
    ]


def _middles(cells: int) -> Tensor:
    return (torch.arange(cells, dtype=torch.float64) + 0.5) / cells


def figure(axes: Any) -> None:
    """The gap against the number of networks, for a random game, beside the bound."""
    payoff = _game(100, 100, 1.0, seed=0)
    numbers = [2**k for k in range(1, 15)]
    gaps = [multiplicative_weights(payoff, number).gap for number in numbers]
    bounds = [2 * math.sqrt(math.log(100) / (2 * number)) for number in numbers]
    axes.loglog(numbers, bounds, label="bound Δ (√ln n + √ln m) / √(2T)")
    axes.loglog(numbers, gaps, "o-", label="multiplicative weights, 100 × 100 payoffs")
    axes.set(xlabel="rounds T", ylabel="duality gap")
    axes.legend()


CLAIM = Claim(
    id="T19",
    title="approximate equilibria of few networks",
    statement="mixtures of T = O(Δ² log(n + m)/ε²) generators and discriminators out of n and m are an ε-approximate "
    "equilibrium; one generator with a layer more does what the mixture does",
    source="Arora et al., Generalization and Equilibrium in Generative Adversarial Nets, ICML 2017, section 4",
    check=check,
    figure=figure,
)
