"""Who converges on the Dirac-GAN (Mescheder et al. 2018, section 2 and table 1), by the rule of `games.convergence`.

Every method in three dynamics against the recursion of fields by hand (`theory/dirac.py`): h = .2 from (1, 1), 500 steps.
Beside it the absolutely continuous example (Nagarajan & Kolter 2017), where fewer remedies are needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from saddlepoint import methods
from saddlepoint.constraints import Clip
from saddlepoint.dynamics import Alternating, Consensus, Dynamics, Simultaneous
from saddlepoint.games import DiracGAN, LinearQuadratic, convergence, eigenvalues, orbit
from saddlepoint.method import Method
from saddlepoint.optim import SGD, Optimizer
from saddlepoint.penalties import (
    R1,
    R2,
    GradientPenalty,
    HistoricalAveraging,
    NagarajanKolter,
    NoiseBall,
    Roth,
    Term,
)
from saddlepoint.theory.dirac import (
    NODES,
    Slopes,
    above_one,
    centred_at_one,
    consensus,
    hinge,
    minimax,
    nagarajan_kolter,
    noisy,
    non_saturating,
    play,
    plus,
    roth,
    wasserstein,
    zero_centred,
)
from saddlepoint.treatments import InstanceNoise

H, STEPS = 0.2, 500


# -- the table ------------------------------


def named(name: str, *terms: Term, **changes: Any) -> Method:
    return replace(methods.get(name), terms=terms, **changes)


@dataclass(frozen=True)
class Row:
    """A method, its slopes by hand and what is published: `kinds` for simultaneous, alternating 1:1 and 1:5."""

    method: Method
    slopes: Slopes
    kinds: tuple[str, str, str]
    bound: float = math.inf
    """of ψ after each of its moves"""


CYCLES, CONVERGES = ("cycles",) * 3, ("converges",) * 3
FREE: dict[str, Any] = {"constraints": ()}
NOISE = named("gan", treatments=(InstanceNoise(0.7),))
AROUND = GradientPenalty(0.35, at=NoiseBall())
ABOVE = GradientPenalty(0.35, side="above")
TABLE = {
    "unregularised": Row(named("gan-minimax"), minimax, CYCLES),
    # Third-order damping: dr/dt ∝ −r³. Simultaneous steps feed r by √(1 + h²/4) each, which holds a circle.
    "non-saturating": Row(named("gan"), non_saturating, ("cycles", "sub-linear", "sub-linear")),
    "wgan, clipped": Row(named("wgan", constraints=(Clip(bound=1.0),)), wasserstein, CYCLES, bound=1.0),
    "wgan, free": Row(named("wgan", **FREE), wasserstein, ("diverges", "cycles", "cycles")),
    "hinge": Row(named("hinge"), hinge, CYCLES),
    "wgan-gp": Row(named("wgan-gp", GradientPenalty(0.35)), plus(wasserstein, centred_at_one(0.35)), CYCLES),
    "wgan-lp": Row(named("wgan-gp", ABOVE), plus(wasserstein, above_one(0.35)), CYCLES),
    "dragan": Row(named("gan", AROUND), plus(non_saturating, centred_at_one(0.35)), CYCLES),
    "instance noise": Row(NOISE, noisy(0.7), CONVERGES),
    "roth": Row(named("gan", Roth(0.3)), roth(0.3), CONVERGES),
    "r1 .3": Row(named("gan", R1(0.3)), plus(non_saturating, zero_centred(0.3)), CONVERGES),
    "r1 1": Row(named("gan", R1(1.0)), plus(non_saturating, zero_centred(1.0)), CONVERGES),
    "r2 .3": Row(named("gan", R2(0.3)), plus(non_saturating, zero_centred(0.3)), CONVERGES),
    "r1 and r2": Row(named("r3gan", R1(0.2), R2(0.1)), plus(non_saturating, zero_centred(0.3)), CONVERGES),
    "interpolates at 0": Row(
        named("gan", GradientPenalty(0.15, target=0.0)), plus(non_saturating, zero_centred(0.3)), CONVERGES
    ),
    "nagarajan-kolter": Row(named("gan-minimax", NagarajanKolter(0.5)), nagarajan_kolter(0.5), CONVERGES),
}
DYNAMICS: tuple[Callable[[], Dynamics], ...] = (
    lambda: Simultaneous(rates(H)),
    lambda: Alternating(rates(H)),
    lambda: Alternating(rates(H), {"generator": 1, "discriminator": 5}),
)
NAMES = ("simultaneous", "alternating 1:1", "alternating 1:5")
CASES = [(name, index) for name in TABLE for index in range(3)]


def rates(h: float) -> dict[str, Optimizer]:
    return {"generator": SGD(h), "discriminator": SGD(h)}


def recursion(row: Row, index: int) -> np.ndarray:
    return np.array(play(row.slopes, (0, 1, 5)[index], H, STEPS, bound=row.bound))


def played(row: Row, dynamics: Dynamics) -> torch.Tensor:
    game = DiracGAN(row.method, rows=len(NODES))
    noise = torch.tensor(NODES, dtype=torch.float64)[:, None]
    game.rows.update({name: noise for name in game.rows if name.startswith("instance_noise")})
    return orbit(game, dynamics, STEPS)


@pytest.mark.parametrize(("name", "index"), CASES, ids=[f"{n}, {NAMES[i]}" for n, i in CASES])
def test_orbit_by_hand_and_class_as_published(name: str, index: int) -> None:
    row = TABLE[name]
    found = played(row, DYNAMICS[index]())
    np.testing.assert_allclose(found.numpy(), recursion(row, index), rtol=1e-6, atol=1e-9)
    seen = convergence(found)
    assert seen.kind == row.kinds[index], seen
    if seen.kind == "sub-linear":
        assert seen.power == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize("gamma", [0.3, 1.0])
def test_consensus_by_hand_converges(gamma: float) -> None:
    row = Row(named("gan"), consensus(gamma), CONVERGES)
    found = played(row, Consensus(rates(H), gamma=gamma))
    np.testing.assert_allclose(found.numpy(), recursion(row, 0), rtol=1e-6, atol=1e-9)
    assert convergence(found).kind == "converges"


@pytest.mark.parametrize("deviation", [0.7, 2.0])
def test_eigenvalues_of_instance_noise(deviation: float) -> None:
    """f''(0)σ² ± √(f''(0)²σ⁴ − f'(0)²), f'(0) = ½, f''(0) = −¼: the six rows have the normal law's variance exactly."""
    game = DiracGAN(named("gan", treatments=(InstanceNoise(deviation),)), (0.0, 0.0), rows=len(NODES))
    noise = torch.tensor(NODES, dtype=torch.float64)[:, None]
    game.rows.update({name: noise for name in game.rows if name.startswith("instance_noise")})
    centre = -(deviation**2) / 4
    root = complex(centre**2 - 0.25) ** 0.5
    assert_spectrum(game, [centre + root, centre - root])


def assert_spectrum(game: DiracGAN | LinearQuadratic, expected: list[complex]) -> None:
    pairs = [sorted(v, key=lambda z: (z.real, z.imag)) for v in (eigenvalues(game).tolist(), expected)]
    np.testing.assert_allclose(pairs[0], pairs[1], rtol=0, atol=1e-9)


def test_a_term_on_the_past_damps_the_bilinear_game() -> None:
    """M64 from (2, .5), h = .1: the Wasserstein game of the two numbers is bilinear. Means over θ₀ … θ_t, held constant;
    the recursion sums the past anew."""
    for weight in (0.01, 0.1, 1.0):
        terms = (HistoricalAveraging("generator", weight), HistoricalAveraging("discriminator", weight))
        found = orbit(DiracGAN(named("wgan", *terms, **FREE), (2.0, 0.5)), Simultaneous(rates(0.1)), 1000)
        past = np.array([[2.0, 0.5]])
        for _ in range(1000):
            (t, p), away = past[-1], past[-1] - past.mean(0)
            past = np.vstack([past, past[-1] - 0.1 * (np.array([-p, t]) + 2 * weight * away)])
        norms = np.linalg.norm(past, axis=1)
        for step in (100, 1000):
            assert found[step].norm().item() == pytest.approx(norms[step], rel=1e-8)
        # Undamped descent grows by √1.01 a step; the term takes 2hλ of what is not in the mean.
        assert (norms[-1] < norms[0]) == (weight > 0.05)


# -- the absolutely continuous example: P = N(0, 1), Q = N(0, θ²), s = ψx² ------------------------------


def pair(centre: float, discriminant: float) -> list[complex]:
    root = complex(discriminant) ** 0.5
    return [centre + root, centre - root]


CONTINUOUS: dict[str, tuple[Method, list[complex], str]] = {
    # J = [[0, −1], [1, ½E x⁴]]: stable without any remedy, unlike the Dirac-GAN.
    "unregularised": (named("gan-minimax"), pair(-0.75, 0.75**2 - 1), "converges"),
    "non-saturating": (named("gan"), pair(-0.75, 0.75**2 - 1), "converges"),
    "wgan": (named("wgan", **FREE), pair(0, -4), "cycles"),
    # R1 is 2γψ²E x², R2 2γψ²θ²: both add 4γ to J_ψψ. The slope ∂_ψL_D = θ² − 1 squared adds 8η to J_θθ.
    "wgan and r1": (named("wgan", R1(0.3), **FREE), pair(-0.6, 0.6**2 - 4), "converges"),
    "wgan and r2": (named("wgan", R2(0.3), **FREE), pair(-0.6, 0.6**2 - 4), "converges"),
    "wgan, slopes": (named("wgan", NagarajanKolter(0.1), **FREE), pair(-0.4, 0.4**2 - 4), "converges"),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_the_absolutely_continuous_example(name: str) -> None:
    """T31: the GAN is stable unregularised, the Wasserstein game turns about the equilibrium (1, 0)."""
    method, expected, kind = CONTINUOUS[name]
    assert_spectrum(LinearQuadratic(method, (1.0, 0.0)), expected)
    game, equilibrium = LinearQuadratic(method, (1.01, 0.01)), torch.tensor([1.0, 0.0], dtype=torch.float64)
    seen = convergence(orbit(game, Alternating(rates(0.02)), STEPS) - equilibrium)
    assert seen.kind == kind, seen


def test_consensus_on_the_absolutely_continuous_example() -> None:
    """JᵀJ = 4I: −4γ ± 2i, with h = .02 a factor |1 − h(4γ ∓ 2i)| a step."""
    game = LinearQuadratic(named("wgan", **FREE), (1.001, 0.0))
    gaps = (orbit(game, Consensus(rates(0.02), gamma=0.1), STEPS) - torch.tensor([1.0, 0.0])).norm(dim=1)
    factor = abs(1 - 0.02 * (0.4 - 2j))
    assert (gaps[-1] / gaps[-101]).item() ** 0.01 == pytest.approx(factor, rel=1e-4)
