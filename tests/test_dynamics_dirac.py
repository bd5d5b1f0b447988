"""The Dirac-GAN: spectra against automatic differentiation, two time scales, convergence classes by the rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint import methods
from saddlepoint.dynamics import (
    Alternating,
    CompetitiveGradientDescent,
    Consensus,
    Dynamics,
    Extragradient,
    Lookahead,
    PastExtragradient,
    Simultaneous,
    SymplecticAdjustment,
    Unrolled,
)
from saddlepoint.games import DiracGAN, Quadratic, convergence, eigenvalues, joined, orbit, parted
from saddlepoint.method import Method
from saddlepoint.network import Functional
from saddlepoint.optim import SGD, Optimizer
from saddlepoint.penalties import R1

ORIGIN = (0.0, 0.0)


def rates(generator: float = 0.2, discriminator: float | None = None) -> dict[str, Optimizer]:
    return {
        "generator": SGD(generator),
        "discriminator": SGD(generator if discriminator is None else discriminator),
    }


def named(name: str, **changes: Any) -> Method:
    return replace(methods.get(name), **changes)


def linearised(game: DiracGAN, dynamics: Dynamics) -> np.ndarray:
    """Eigenvalues of one whole step at the origin."""
    start = {p: torch.zeros(1, dtype=torch.float64) for p in game.players}
    memory = game.init(0, game.data())[1]
    batch = {**game.data(), "clock": {"step": 0, "images": 0, "progress": 0.0}}

    def step(at: Tensor) -> Tensor:
        state = dynamics.init(game, parted(start, at), memory)
        for turn in dynamics.turns(0):
            state, _ = dynamics.move(game, state, turn, batch)
        return joined(state.players)

    return np.linalg.eigvals(torch.func.jacrev(step)(joined(start)).numpy())


def assert_same_spectrum(found: Any, expected: Any, tolerance: float = 1e-9) -> None:
    pairs = [sorted(np.asarray(v).tolist(), key=lambda z: (z.real, z.imag)) for v in (found, expected)]
    np.testing.assert_allclose(pairs[0], pairs[1], rtol=0, atol=tolerance)


# -- eigenvalues ------------------------------


@pytest.mark.parametrize("gamma", [0.3, 1.0, 3.0])
def test_consensus_moves_the_spectrum_by_a_quarter_of_gamma(gamma: float) -> None:
    """One step is I − h(J + γJᵀJ), JᵀJ = I/4: eigenvalues of the rule −γ/4 ± i/2."""
    h = 0.01
    found = linearised(
        DiracGAN(named("gan"), ORIGIN, execution=Functional()), Consensus(rates(h), gamma=gamma)
    )
    assert_same_spectrum((found - 1) / h, [-gamma / 4 + 0.5j, -gamma / 4 - 0.5j])


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_the_adjustment_does_the_same_where_the_jacobian_is_antisymmetric(weight: float) -> None:
    h = 0.01
    game = DiracGAN(named("gan"), ORIGIN, execution=Functional())
    found = linearised(game, SymplecticAdjustment(rates(h), weight=weight))
    assert_same_spectrum((found - 1) / h, [-weight / 4 + 0.5j, -weight / 4 - 0.5j])


def test_the_gradient_of_half_the_square_has_the_factor_one() -> None:
    """P03: away from the equilibrium, against finite differences of ½‖v‖²; a factor ½ would halve it."""
    game = DiracGAN(named("gan-r1", terms=(R1(gamma=0.7),)), (0.8, -0.6))
    players, memory = game.init(0, game.data())
    batch = {**game.data(), "clock": {"step": 0, "images": 0, "progress": 0.0}}
    state = Consensus(rates(1.0), gamma=1.0).init(game, players, memory)
    turn = Simultaneous(rates()).turns(0)[0]
    with_it, without = (
        joined(rule.move(game, state, turn, batch)[0].players)
        for rule in (Consensus(rates(1.0), gamma=1.0), Simultaneous(rates(1.0)))
    )

    def half(at: Tensor) -> float:
        return joined(game.field(parted(players, at), memory, batch)).square().sum().item() / 2

    at, axes = joined(players), torch.eye(2, dtype=torch.float64) * 1e-5
    expected = [(half(at + axis) - half(at - axis)) / 2e-5 for axis in axes]
    assert (without - with_it).tolist() == pytest.approx(expected, rel=1e-8)
    assert max(map(abs, expected)) > 0.1


@pytest.mark.parametrize(("g", "d"), [(0.01, 0.01), (0.01, 0.05), (0.04, 0.01)])
def test_two_time_scales_scale_the_rows_of_the_jacobian(g: float, d: float) -> None:
    """R1: J = [[0, −½], [½, γ]]; simultaneous descent is I − diag(h_G, h_D)J, with eigenvalues 1 − h_Dγ/2 ±
    √(h_D²γ²/4 − h_G h_D/4)."""
    gamma = 1.5
    game = DiracGAN(named("gan-r1", terms=(R1(gamma=gamma),)), ORIGIN, execution=Functional())
    root = complex(d * d * gamma**2 / 4 - g * d / 4) ** 0.5
    expected = [1 - d * gamma / 2 + root, 1 - d * gamma / 2 - root]
    assert_same_spectrum(linearised(game, Simultaneous(rates(g, d))), expected)


def test_measured_contraction_follows_the_eigenvalue() -> None:
    gamma, g, d = 1.5, 0.02, 0.1
    game = DiracGAN(named("gan-r1", terms=(R1(gamma=gamma),)), (1e-4, 1e-4))
    norms = orbit(game, Simultaneous(rates(g, d)), 300).norm(dim=1)
    slow = 1 - d * gamma / 2 + math.sqrt(d * d * gamma**2 / 4 - g * d / 4)
    assert (norms[-1] / norms[-51]).item() ** (1 / 50) == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize("ahead", [1, 3])
def test_unrolled_spectrum(ahead: int) -> None:
    """Minimax: f_θψ = f_ψθ = −½, f_ψψ = 0 for the discriminator: ψ^K = ψ − hK·½θ, and the second derivative of the
    generator's loss along θ is 2·½·½hK = hK/2: v_G = −ψ/2 + hKθ/2."""
    h = 0.1
    game = DiracGAN(named("gan-minimax"), ORIGIN, execution=Functional())
    found = linearised(game, Unrolled(rates(h), {"generator+discriminator": 1}, ahead=ahead))
    matrix = np.eye(2) - h * np.array([[h * ahead / 2, -0.5], [0.5, 0]])
    assert_same_spectrum(found, np.linalg.eigvals(matrix))


def test_spectrum_of_the_game_by_the_dense_jacobian() -> None:
    for gamma in (0.3, 2.0, 4.0):
        game = DiracGAN(named("gan-r1", terms=(R1(gamma=gamma),)), ORIGIN)
        root = complex(gamma**2 / 4 - 0.25) ** 0.5
        assert_same_spectrum(eigenvalues(game).tolist(), [-gamma / 2 + root, -gamma / 2 - root])


# -- rules that converge: h = .2 from (1, 1), 500 steps ------------------------------

CASES: dict[str, Callable[[], Dynamics]] = {
    "extragradient": lambda: Extragradient(rates()),
    "from the past": lambda: PastExtragradient(rates()),
    "lookahead": lambda: Lookahead(Alternating(rates())),
    "unrolled": lambda: Unrolled(rates(), ahead=2),
    "consensus": lambda: Consensus(rates(), gamma=1.0),
}


@pytest.mark.parametrize("name", CASES)
def test_these_rules_converge_without_a_penalty(name: str) -> None:
    """On the minimax game, where alternating descent cycles (test_convergence_classes)."""
    found = convergence(orbit(DiracGAN(named("gan-minimax")), CASES[name](), 500))
    assert found.kind == "converges", found


def test_competitive_descent_converges_too() -> None:
    game, rule = DiracGAN(named("gan-minimax")), CompetitiveGradientDescent(rates(), eta=0.2, iterations=2)
    norms = orbit(game, rule, 60).norm(dim=1)
    assert norms[-1] < 0.9 * norms[0]


def test_consensus_converges_only_locally() -> None:
    """From far away ∇½‖v‖² points to where the generator's gradient is saturated, not to the equilibrium: with the
    wide start the orbit is still far off when the near one has converged to rounding."""
    near, far = (
        orbit(DiracGAN(named("gan-minimax"), at), Consensus(rates(), gamma=20.0), 150)[-1].norm().item()
        for at in ((0.1, 0.1), (4.0, 4.0))
    )
    assert near < 1e-6
    assert far > 1


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda t: 0.99**t, "converges"),
        (lambda t: 1.003**t, "diverges"),
        (lambda t: (t + 1.0) ** -0.5, "sub-linear"),
        (lambda t: 1 + 0.2 * np.sin(t), "cycles"),
        (lambda t: 0.5**t, "converges"),
        (lambda t: 0.9995**t, "cycles"),
    ],
)
def test_the_rule_on_known_decays(make: Callable[[np.ndarray], np.ndarray], kind: str) -> None:
    """The last: −5e-4 a step is within the band, and its power −.18 over 500 steps no sub-linear decay."""
    radius = torch.from_numpy(make(np.arange(501, dtype=float)))
    angle = torch.arange(501, dtype=torch.float64)
    assert convergence(torch.stack([radius * angle.cos(), radius * angle.sin()], 1)).kind == kind


def test_quadratic_games_follow_the_bound_on_the_step() -> None:
    """T15: |1 + hλ| < 1 exactly while h < (2/|Re λ|)/(1 + (Im λ/Re λ)²)."""
    game = Quadratic(0.5, 2.0, 0.5)
    real, imaginary = -0.5, 2.0
    bound = 2 / abs(real) / (1 + (imaginary / real) ** 2)
    for share, kind in ((0.95, "converges"), (1.05, "diverges")):
        rule = Simultaneous({"x": SGD(share * bound), "y": SGD(share * bound)})
        assert convergence(orbit(game, rule, 500)).kind == kind
