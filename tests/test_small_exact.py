"""Small games against their closed forms: fields, Jacobians, eigenvalues, best responses, divergences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor

from saddlepoint import methods
from saddlepoint.dynamics import Alternating, BestResponse, Simultaneous
from saddlepoint.games import (
    DiracGAN,
    GaussianShift,
    Intervals,
    LinearQuadratic,
    ParallelLines,
    Quadratic,
    Small,
    eigenvalues,
    jacobian,
    open_intervals,
    orbit,
    timed,
)
from saddlepoint.objectives import Minimax, NonSaturating, Wasserstein
from saddlepoint.optim import SGD, Optimizer

EQUILIBRIUM = (1.0, 0.0)


def rates(h: float) -> dict[str, Optimizer]:
    return {"generator": SGD(h), "discriminator": SGD(h)}


def field(game: Small) -> list[float]:
    players, memory = game.init(0, game.data())
    found = game.field(players, memory, timed(game, 0))
    return torch.cat(list(found.values())).tolist()


def spectrum(game: Small) -> list[complex]:
    return sorted(eigenvalues(game).tolist(), key=lambda v: (v.real, v.imag))


def pair(centre: float, discriminant: float) -> list[complex]:
    root = complex(discriminant) ** 0.5
    return sorted([centre + root, centre - root], key=lambda v: (v.real, v.imag))


# -- two numbers ------------------------------


def test_field_and_jacobian_of_the_quadratic_game() -> None:
    game = Quadratic(0.5, 2.0, 3.0, begin=(1.5, -0.7))
    assert field(game) == pytest.approx([0.5 * 1.5 + 2 * -0.7, 3 * -0.7 - 2 * 1.5], rel=1e-12)
    assert jacobian(game).tolist() == [[0.5, 2.0], [-2.0, 3.0]]


@pytest.mark.parametrize("name", ["gan", "gan-minimax", "wgan", "hinge"])
@pytest.mark.parametrize("at", [(0.7, -0.4), (-0.2, 0.9)])
def test_field_of_the_dirac_gan(name: str, at: tuple[float, float]) -> None:
    """s = ψθ at the fake, 0 at the datum: v = (slope of L_G · ψ, slope of L_D's fake half · θ)."""
    theta, psi = at
    up, down = (1 / (1 + math.exp(sign * psi * theta)) for sign in (-1, 1))
    slopes = {"gan": (-down, up), "gan-minimax": (-up, up), "wgan": (-1.0, 1.0), "hinge": (-1.0, 1.0)}[name]
    game = DiracGAN(replace(methods.get(name), constraints=()), at)
    assert field(game) == pytest.approx([slopes[0] * psi, slopes[1] * theta], rel=1e-9)


def test_the_critic_of_parallel_lines_attains_the_wasserstein_distance() -> None:
    for theta in (-0.7, 0.3):
        game = ParallelLines(begin=(theta, 0.2))
        players, memory = game.init(0, {})
        best = game.best_response("discriminator", players, memory, {})
        losses, _ = game.losses(game.players, {**players, "discriminator": best}, memory, {})
        distances = ParallelLines.divergences(theta)
        assert -losses["discriminator"].item() == pytest.approx(distances["wasserstein"])
        assert distances["jensen-shannon"] == math.log(2)
        assert field(game) == pytest.approx([-0.2, theta])
    assert set(ParallelLines.divergences(0.0).values()) == {0.0}
    orbits = orbit(ParallelLines(), Alternating(rates(0.3)), 50)
    assert orbits[:, 1].abs().max() <= 1


def test_descent_against_the_best_critic_walks_to_the_data() -> None:
    """The slope of |θ| is ±1: steps of h until the distance is below h."""
    found = orbit(ParallelLines(begin=(1.0, 0.0)), BestResponse(rates(0.15)), 30)[:, 0]
    np.testing.assert_allclose(found[:6].numpy(), 1 - 0.15 * np.arange(6), rtol=1e-12)
    assert found[10:].abs().max() < 0.15


# -- the absolutely continuous example ------------------------------


def lq(name: str, at: tuple[float, float] = EQUILIBRIUM) -> LinearQuadratic:
    return LinearQuadratic(replace(methods.get(name), constraints=(), terms=()), at)


def test_linear_quadratic_wasserstein_rotates_and_the_gan_is_stable() -> None:
    """T31. WGAN: v = (−2ψθ, θ² − 1), J = [[0, −2], [2, 0]]: ±2i. GAN: J = [[0, −1], [1, ¼·3 + ¼·3]]: −¾ ± i√(7/16),
    stable without any penalty, since E x⁴ = 3."""
    np.testing.assert_allclose(spectrum(lq("wgan")), pair(0, -4), atol=1e-9)
    for name in ("gan", "gan-minimax"):
        np.testing.assert_allclose(jacobian(lq(name)).numpy(), [[0, -1], [1, 1.5]], atol=1e-9)
        np.testing.assert_allclose(spectrum(lq(name)), pair(-0.75, 0.75**2 - 1), atol=1e-9)


def test_linear_quadratic_wasserstein_field_is_exact_everywhere() -> None:
    theta, psi = 1.7, -0.6
    assert field(lq("wgan", (theta, psi))) == pytest.approx([-2 * psi * theta, theta**2 - 1], rel=1e-12)


def test_linear_quadratic_orbits() -> None:
    gan = orbit(lq("gan", (1.2, 0.1)), Simultaneous(rates(0.1)), 200) - torch.tensor(EQUILIBRIUM)
    wgan = orbit(lq("wgan", (1.02, 0.0)), Simultaneous(rates(0.01)), 200) - torch.tensor(EQUILIBRIUM)
    assert gan[-1].norm() < 1e-4
    assert wgan[-1].norm() > wgan[0].norm()


# -- two Gaussians ------------------------------


def divergence(theta: float) -> float:
    """JSD(N(0, 1), N(θ, 1)) by quadrature."""

    def integrand(x: float) -> float:
        p, q = norm.pdf(x), norm.pdf(x - theta)
        middle = (p + q) / 2
        return 0.5 * (p * math.log(p / middle) + q * math.log(q / middle))

    return quad(integrand, -12, 12 + theta, epsabs=1e-13, limit=200)[0]


def slope(theta: float) -> float:
    """dJSD/dθ = ½∫ ∂q/∂θ log(q/m), ∂q/∂θ = (x − θ)q."""

    def integrand(x: float) -> float:
        p, q = norm.pdf(x), norm.pdf(x - theta)
        return 0.5 * (x - theta) * q * math.log(q / ((p + q) / 2))

    return quad(integrand, -12, 12 + theta, epsabs=1e-13, limit=200)[0]


@pytest.mark.parametrize("theta", [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0])
def test_gaussian_shift_at_the_optimal_discriminator(theta: float) -> None:
    """T02, T05: the value is −log 4 + 2 JSD; L_G falls along 2 JSD (minimax), KL − 2 JSD (non-saturating), W₁ (critic
    −x), to six digits."""
    expected = {Minimax(): 2 * slope(theta), NonSaturating(): theta - 2 * slope(theta)}
    for objective, gradient in expected.items():
        game = GaussianShift(objective, begin=(theta, -theta, theta**2 / 2), nodes=250)
        players, memory = game.init(0, game.data())
        best = game.best_response("discriminator", players, memory, game.data())
        torch.testing.assert_close(best, players["discriminator"])
        losses, _ = game.losses(game.players, players, memory, game.data())
        assert -losses["discriminator"].item() == pytest.approx(
            -math.log(4) + 2 * divergence(theta), abs=1e-8
        )
        found = field(game)
        assert found[0] == pytest.approx(gradient, rel=1e-6)
        assert found[1:] == pytest.approx([0, 0], abs=1e-6)
    assert field(GaussianShift(Wasserstein(), begin=(theta, -1.0, 0.0)))[0] == pytest.approx(1, rel=1e-12)


# -- two mixtures and two intervals ------------------------------


def total_variation(target: tuple[float, ...], means: tuple[float, ...]) -> float:
    grid = np.linspace(-30, 30, 2_000_001)
    p, q = (sum(norm.pdf(grid - m) for m in ms) / 2 for ms in (target, means))
    return float(np.abs(p - q).sum() * (grid[1] - grid[0]) / 2)


@pytest.mark.parametrize(
    "means",
    [
        (-1.0, 1.0),
        (0.0, 3.0),
        (-2.0, 2.5),
        (2.0, 2.0),
        (-3.0, -3.0),
        (0.5, -2.0),
        (-1.959, -1.959),
        (2.03, 1.9),
    ],
)
def test_the_best_intervals_attain_the_total_variation(means: tuple[float, float]) -> None:
    game = Intervals(means=means)
    found = game.total_variation(torch.tensor(means, dtype=torch.float64))
    assert found == pytest.approx(total_variation(game.target, means), abs=1e-8)
    players, memory = game.init(0, {})
    best = game.best_response("discriminator", players, memory, {})
    losses, _ = game.losses(("generator",), {**players, "discriminator": best}, memory, {})
    assert losses["generator"].item() == pytest.approx(1 + found, abs=1e-12)


def test_the_value_of_equal_mixtures_is_one_whatever_the_intervals() -> None:
    game = Intervals(means=(2.0, -2.0))
    players, memory = game.init(0, {})
    assert game.losses(("generator",), players, memory, {})[0]["generator"].item() == 1.0
    assert game.total_variation(players["generator"]) == pytest.approx(0, abs=1e-12)


def test_field_of_the_intervals_by_hand() -> None:
    """∂/∂r F = density there; ∂/∂μ̂ of Φ(r − μ̂) = −density."""
    game = Intervals(means=(-1.0, 1.5), ends=(-3.0, -0.5, 0.7, 2.0))
    ends, means = np.array(game.ends), np.array(game.means)
    p, q = (norm.pdf(ends[:, None] - np.array(m)).mean(1) for m in (game.target, game.means))
    along_ends = -(p - q) * np.array([-1, 1, -1, 1])
    bells = norm.pdf(ends[:, None] - means) / 2
    along_means = (bells * np.array([-1, 1, -1, 1])[:, None]).sum(0)
    assert field(game) == pytest.approx([*along_means, *along_ends], rel=1e-12)


@pytest.mark.parametrize("ends", [(1.0, -1.0, 0.5, 2.0), (1.0, 1.0, 0.5, 2.0)])
def test_an_interval_whose_ends_meet_or_cross_is_empty_and_frozen(
    ends: tuple[float, float, float, float],
) -> None:
    """Discriminator collapse: no mass, no gradient, and it stays for ever; `signed` lets it open again."""
    frozen, signed = (Intervals(ends=ends, collapsed=rule) for rule in ("frozen", "signed"))
    alone = field(Intervals(ends=(0.0, 0.0, 0.5, 2.0)))
    assert field(frozen)[2:4] == [0.0, 0.0]
    assert field(frozen)[:2] == alone[:2]
    assert any(abs(v) > 1e-3 for v in field(signed)[2:4])
    after = orbit(frozen, Simultaneous(rates(0.3)), 50)[-1]
    assert after[2:4].tolist() == list(ends[:2])
    assert open_intervals(after[2:]).tolist() == [False, bool(after[5] > after[4])]


@pytest.mark.parametrize("means", [(-1.0, 3.0), (3.0, 0.0), (0.0, 1.0), (-3.0, 2.0)])
def test_the_optimal_discriminator_leads_to_the_data(means: tuple[float, float]) -> None:
    """From means that differ, within TV .1 (the rule of success) after a few hundred steps of .3."""
    game = Intervals(means=means)
    last = orbit(game, BestResponse(rates(0.3)), 200)[-1, :2]
    assert game.total_variation(last) < 0.1


def test_equal_means_are_never_parted_even_by_the_optimal_discriminator() -> None:
    found = orbit(Intervals(means=(1.0, 1.0)), BestResponse(rates(0.3)), 50)
    torch.testing.assert_close(found[:, 0], found[:, 1], rtol=0, atol=1e-12)


def test_first_order_dynamics_fail_from_starts_where_the_optimal_discriminator_succeeds() -> None:
    """Ten random pairs of intervals: some runs end far from the data, most of those with an interval collapsed."""
    generator = torch.Generator().manual_seed(0)
    failed, collapsed = 0, 0
    for _ in range(10):
        drawn: Tensor = torch.rand(4, generator=generator, dtype=torch.float64).mul(10).sub(5).sort().values
        game = Intervals(means=(1.0, 3.0), ends=tuple(drawn.tolist()))
        last = orbit(game, Simultaneous(rates(0.3)), 300)[-1]
        if game.total_variation(last[:2]) > 0.1:
            failed += 1
            collapsed += int(not open_intervals(last[2:]).all())
    assert failed >= 3
    assert collapsed >= 1
    best = orbit(Intervals(means=(1.0, 3.0)), BestResponse(rates(0.3)), 300)[-1, :2]
    assert Intervals().total_variation(best) < 0.1
