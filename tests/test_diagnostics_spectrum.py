"""Spectra against closed forms, dense against matrix-free, and what they predict against what happens."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from saddlepoint import methods
from saddlepoint.diagnostics import field_spectrum, step_spectrum
from saddlepoint.dynamics import Alternating, Simultaneous
from saddlepoint.dynamics.consensus import Consensus
from saddlepoint.dynamics.extragradient import Extragradient
from saddlepoint.errors import InputError
from saddlepoint.games import Bilinear, DiracGAN, Quadratic, jacobian, joined, timed
from saddlepoint.network import Functional
from saddlepoint.optim import SGD, Adam
from saddlepoint.penalties import R1
from small_games import batch, play, small

H = 0.1
RATES = {"x": SGD(H), "y": SGD(H)}


def states(game: Any, dynamics: Any) -> Any:
    players, memory = game.init(0, game.data())
    return dynamics.init(game, players, memory)


def spectrum(game: Any, dynamics: Any) -> np.ndarray:
    return step_spectrum(game, dynamics, states(game, dynamics), timed(game, 0)).values.numpy()


def nearest(found: Any, wanted: Any) -> float:
    """The largest distance of one of the wanted numbers to the found ones."""
    return max(float(abs(np.asarray(found) - w).min()) for w in wanted)


GAMES = (Quadratic(a=1.0, b=2.0, c=0.5), Bilinear(b=1.5), Quadratic(a=0.2, b=1.0, c=3.0))


@pytest.mark.parametrize("game", GAMES, ids=["quadratic", "bilinear", "uneven"])
def test_the_field_of_a_quadratic_game(game: Quadratic) -> None:
    players, memory = game.init(0, game.data())
    found = field_spectrum(game, players, memory, timed(game, 0))
    assert nearest(found.values.numpy(), game.spectrum()) < 1e-12
    assert found.growth == pytest.approx(max(v.real for v in game.spectrum()), abs=1e-12)


@pytest.mark.parametrize("game", GAMES, ids=["quadratic", "bilinear", "uneven"])
def test_steps_of_descent(game: Quadratic) -> None:
    """Simultaneous: 1 + hλ. Alternating, y seeing x's move: det and trace of the product of the two moves."""
    game = replace(game, execution=Functional())
    found = spectrum(game, Simultaneous(RATES))
    assert nearest(found, [1 + H * v for v in game.spectrum()]) < 1e-12
    first = np.array([[1 - H * game.a, -H * game.b], [0, 1]])
    second = np.array([[1, 0], [H * game.b, 1 - H * game.c]])
    alternating = Alternating(RATES, {"x": 1, "y": 1})
    assert nearest(spectrum(game, alternating), np.linalg.eigvals(second @ first)) < 1e-12


def test_momentum_doubles_the_numbers() -> None:
    """b' = μb + g, x' = x − hb': roots of z² − (1 + μ + hλ)z + μ for every eigenvalue λ of −J."""
    game, mu = replace(GAMES[0], execution=Functional()), -0.3
    found = spectrum(game, Simultaneous({player: SGD(H, mu) for player in "xy"}))
    wanted = [root for v in game.spectrum() for root in np.roots([1, -(1 + mu + H * v), mu])]
    assert len(found) == 4
    assert nearest(found, wanted) < 1e-9


def test_extragradient_and_consensus() -> None:
    """1 + hλ + h²λ², and the eigenvalues of I − h(J + γJᵀJ)."""
    game = replace(GAMES[0], execution=Functional())
    found = spectrum(game, Extragradient(RATES))
    assert nearest(found, [1 + H * v + (H * v) ** 2 for v in game.spectrum()]) < 1e-9
    field = jacobian(GAMES[0]).numpy()
    found = spectrum(game, Consensus(RATES, gamma=0.7))
    assert nearest(found, np.linalg.eigvals(np.eye(2) - H * (field + 0.7 * field.T @ field))) < 1e-9


DYNAMICS = {
    "simultaneous": Simultaneous(RATES),
    "alternating": Alternating(RATES, {"x": 1, "y": 1}),
    "extragradient": Extragradient(RATES),
    "consensus": Consensus(RATES, gamma=0.7),
    "negative momentum": Alternating({p: SGD(H, -0.3) for p in "xy"}, {"x": 1, "y": 1}),
}


@pytest.mark.parametrize("dynamics", DYNAMICS.values(), ids=DYNAMICS)
@pytest.mark.parametrize("game", GAMES, ids=["quadratic", "bilinear", "uneven"])
def test_the_spectral_radius_is_the_measured_factor(game: Quadratic, dynamics: Any) -> None:
    """From the norms over the last 400 of 600 steps, to 1 %."""
    game = replace(game, execution=Functional())
    state = states(game, dynamics)
    found = step_spectrum(game, dynamics, state, timed(game, 0))
    norms = []
    for step in range(600):
        batch = timed(game, step)
        state, _ = dynamics.step(game, state, dynamics.turns(step), lambda turn, batch=batch: batch, 1)
        norms.append(math.log(float(joined(state.players).norm()) + 1e-300))
        if norms[-1] < -300 or norms[-1] > 300:
            break
    last = norms[len(norms) // 3 :]
    factor = math.exp((last[-1] - last[0]) / (len(last) - 1))
    assert factor == pytest.approx(1 + found.growth, rel=0.01)


def test_verdicts() -> None:
    """The bilinear game: the field turns, simultaneous descent leaves, extragradient comes home."""
    game = replace(Bilinear(b=1.0), execution=Functional())
    players, memory = game.init(0, {})
    assert field_spectrum(game, players, memory, timed(game, 0)).verdict == "rotating"
    for dynamics, verdict in (
        (Simultaneous(RATES), "diverging"),
        (Alternating(RATES, {"x": 1, "y": 1}), "rotating"),
        (Extragradient(RATES), "stable"),
    ):
        found = step_spectrum(game, dynamics, states(game, dynamics), timed(game, 0))
        assert found.verdict == verdict
        assert found.turning == pytest.approx(H, rel=0.02)


@pytest.mark.parametrize("name", ["gan-r1", "wgan-gp"])
def test_arnoldi_finds_the_dense_eigenvalues_of_networks(name: str) -> None:
    method = small(replace(methods.get(name), averages={}))
    method = replace(
        method,
        dynamics=replace(method.dynamics, optimizers={p: Adam(1e-3) for p in method.dynamics.optimizers}),
    )
    game, state = play(method, execution=Functional())
    state = state._replace(
        players={n: v.double() for n, v in state.players.items()},
        optimizer={},
    )
    rows = {
        n: t.double() if isinstance(t, torch.Tensor) and t.is_floating_point() else t
        for n, t in batch(game).items()
    }
    whole = field_spectrum(game, state.players, state.memory, rows)
    found = field_spectrum(game, state.players, state.memory, rows, count=4)
    assert found.of == len(whole.values)
    assert nearest(whole.values.numpy(), found.values.numpy()) < 1e-7
    assert found.growth == pytest.approx(whole.growth, rel=1e-6)


def test_a_plain_game_is_refused() -> None:
    game = Bilinear()
    with pytest.raises(InputError, match="Functional"):
        step_spectrum(game, Simultaneous(RATES), states(game, Simultaneous(RATES)), timed(game, 0))


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.6, 2.0])
def test_the_dirac_gan_under_r1(gamma: float) -> None:
    """−γ/2 ± √(γ²/4 − f'(0)²), f'(0) = ½ (Mescheder et al. 2018, lemma 4.1): rotating without the penalty only."""
    terms = (R1(gamma=gamma),) if gamma else ()
    game = DiracGAN(replace(methods.get("gan-r1"), terms=terms, averages={}))
    players, memory = game.init(0, game.data())
    found = field_spectrum(game, {n: 0 * v for n, v in players.items()}, memory, timed(game, 0))
    root = complex(gamma**2 / 4 - 1 / 4) ** 0.5
    assert nearest(found.values.numpy(), (-gamma / 2 + root, -gamma / 2 - root)) < 1e-9
    assert found.verdict == ("stable" if gamma else "rotating")
