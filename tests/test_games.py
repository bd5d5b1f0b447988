"""Games with known answers: gradients, Jacobians and whole steps against closed forms; and how a game is put
together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.bound import MethodGame
from saddlepoint.dynamics import Alternating, Dynamics, Simultaneous
from saddlepoint.game import Batch, Game, Memory, Notes, Players
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.optim import SGD
from saddlepoint.penalties import R1, R2, GradientPenalty
from small_games import CLOCK, batch, play, small

pytestmark = pytest.mark.usefixtures("double")
EXECUTIONS = pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])


# -- the bilinear game ------------------------------


class Bilinear(Game):
    """L_x = xᵀy, L_y = −xᵀy: the field (y, −x) turns about the origin."""

    players = ("x", "y")

    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        return {"x": torch.tensor([1.0, 0.3]), "y": torch.tensor([-0.5, 2.0])}, {}

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        value = players["x"].dot(players["y"])
        return {player: value if player == "x" else -value for player in who}, Notes({}, {})


def orbit(dynamics: Dynamics, steps: int, at: Players | None = None) -> list[Players]:
    game = Bilinear()
    players, memory = game.init(0, {})
    state, seen = dynamics.init(game, at or players, memory), [at or players]
    for _ in range(steps):
        state, _ = dynamics.step(game, state, dynamics.turns(0), lambda turn: {}, rows=1)
        seen.append(state.players)
    return seen


def plain(h: float) -> dict[str, Any]:
    return {"x": SGD(h), "y": SGD(h)}


@pytest.mark.parametrize("h", [0.01, 0.1, 1.0])
def test_simultaneous_descent_on_the_bilinear_game_grows(h: float) -> None:
    """|1 ± ih| = √(1 + h²): the norm after t steps is (1 + h²)^{t/2} times the first."""
    norms = [torch.cat([p["x"], p["y"]]).norm().item() for p in orbit(Simultaneous(plain(h)), 60)]
    expected = [norms[0] * (1 + h * h) ** (t / 2) for t in range(61)]
    assert norms == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("h", [0.1, 1.0, 1.9])
def test_alternating_descent_on_the_bilinear_game_keeps_an_ellipse(h: float) -> None:
    """x' = x − hy, y' = y + hx' conserves |x|² + |y|² − h x·y, an ellipse while h < 2."""
    seen = orbit(Alternating(plain(h), steps={"x": 1, "y": 1}), 200)
    kept = [(p["x"].square().sum() + p["y"].square().sum() - h * p["x"].dot(p["y"])).item() for p in seen]
    assert kept == pytest.approx([kept[0]] * len(kept), rel=1e-10)


@pytest.mark.parametrize(("h", "radius"), [(0.1, 1.0), (1.0, 1.0), (1.99, 1.0), (2.5, 4.0)])
def test_eigenvalues_of_alternating_descent_on_the_bilinear_game(h: float, radius: float) -> None:
    """Determinant 1 and trace 2 − h²: modulus 1 up to h = 2, beyond it a real pair (h = 2.5: −4 and −1/4)."""
    dynamics = Alternating(plain(h), steps={"x": 1, "y": 1})
    basis = [{"x": torch.tensor([a]), "y": torch.tensor([b])} for a, b in ((1.0, 0.0), (0.0, 1.0))]
    columns = [orbit(dynamics, 1, at)[1] for at in basis]
    matrix = np.array([[column[player].item() for column in columns] for player in ("x", "y")])
    moduli = abs(np.linalg.eigvals(matrix))
    assert moduli.max() == pytest.approx(radius, rel=1e-10)
    assert moduli.prod() == pytest.approx(1.0, rel=1e-10)


def test_products_with_the_jacobian_of_the_bilinear_game() -> None:
    """The field is linear and each loss is linear in its own player: constant gradients are no obstacle."""
    game = Bilinear()
    players, memory = game.init(0, {})
    u = {"x": torch.tensor([1.0, 2.0]), "y": torch.tensor([3.0, 5.0])}
    along = game.pushforward(players, memory, {}, u)
    back = game.pullback(players, memory, {}, u)
    torch.testing.assert_close(along, {"x": u["y"], "y": -u["x"]}, rtol=0, atol=0)
    torch.testing.assert_close(back, {"x": -u["y"], "y": u["x"]}, rtol=0, atol=0)


# -- the Dirac-GAN as an ordinary game of the catalogue ------------------------------


class Place(nn.Module):
    """G(z) = θ, whatever z."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.zeros(1))

    def forward(self, latent: Tensor) -> Tensor:
        return self.theta.expand(len(latent), 1)


class Slope(nn.Module):
    """s(x) = ψx."""

    def __init__(self) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.zeros(1))

    def forward(self, point: Tensor) -> Tensor:
        return self.psi * point[:, 0]


def dirac(method: Method, execution: Execution = Plain()) -> tuple[MethodGame, Players, Memory, Batch]:
    """Data at 0, θ = ψ = 0: the equilibrium of Mescheder et al. 2018, section 2."""
    real = torch.zeros(4, 1)
    networks = {"generator": Place(), "discriminator": Slope()}
    game = method.game(networks, {"real": real}, execution=execution)
    players, memory = game.init(0, {"real": real})
    noise = {name: draw.sample(4, torch.Generator().manual_seed(0)) for name, draw in game.draws.items()}
    return game, players, memory, {"real": real, **noise, "clock": CLOCK}


def jacobian(game: Game, players: Players, memory: Memory, data: Batch) -> np.ndarray:
    """J of the field by pushforward along the axes, checked against pullback; order θ, ψ."""
    axes = [{p: torch.ones(1) * (p == q) for p in game.players} for q in game.players]
    forward = [game.pushforward(players, memory, data, axis) for axis in axes]
    back = [game.pullback(players, memory, data, axis) for axis in axes]
    columns = np.array([[along[p].item() for p in game.players] for along in forward]).T
    rows = np.array([[along[p].item() for p in game.players] for along in back])
    np.testing.assert_allclose(rows, columns, rtol=0, atol=1e-14)
    return columns


def assert_spectrum(matrix: np.ndarray, expected: tuple[complex, complex], tolerance: float = 1e-9) -> None:
    """Eigenvalues of −J, the field that descent follows."""
    found = sorted(np.linalg.eigvals(-matrix), key=lambda value: (value.real, value.imag))
    wanted = sorted(map(complex, expected), key=lambda value: (value.real, value.imag))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


def pair(centre: float, discriminant: float) -> tuple[complex, complex]:
    """centre ± √discriminant."""
    root = complex(discriminant) ** 0.5
    return centre + root, centre - root


@EXECUTIONS
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gan", (0.5j, -0.5j)),
        ("gan-minimax", (0.5j, -0.5j)),
        ("wgan", (1j, -1j)),
        ("hinge", (1j, -1j)),
        ("lsgan", (0, 0)),
    ],
)
def test_spectrum_of_the_dirac_gan(
    name: str, expected: tuple[complex, complex], execution: Execution
) -> None:
    """gan, L_D = sp(0) + sp(ψθ), L_G = sp(−ψθ): v = (−σ(−ψθ)ψ, σ(ψθ)θ), J = ½[[0, −1], [1, 0]]; minimax the
    same with σ(ψθ)ψ. wgan, v = (−ψ, θ); hinge the same, inside its margins. lsgan (0, 1, 1), L_D = ½ +
    ½(ψθ)², L_G = ½(ψθ − 1)²: v = ((ψθ − 1)ψ, ψθ²), J = [[0, −1], [0, 0]]."""
    assert_spectrum(jacobian(*dirac(methods.get(name), execution)), expected)


def test_direction_of_the_field_of_the_dirac_gan() -> None:
    """Signs, not only eigenvalues: the generator follows the slope, the discriminator turns away from
    fakes."""
    for name, size in (("gan", 0.5), ("gan-minimax", 0.5), ("wgan", 1.0), ("hinge", 1.0), ("r3gan", 0.5)):
        found = jacobian(*dirac(methods.get(name)))
        assert found[0] == pytest.approx([0, -size], abs=1e-12)
        assert found[1, 0] == pytest.approx(size, abs=1e-12)


GAMMAS = pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0, 10.0])


@EXECUTIONS
@GAMMAS
def test_spectrum_of_the_penalised_dirac_gan(gamma: float, execution: Execution) -> None:
    """R1 = (γ/2)ψ² adds γ to J_ψψ: −γ/2 ± √(γ²/4 − 1/4), critical at γ = 1. R2 is the same number here."""
    gan_r1 = methods.get("gan-r1")
    for penalty in (R1(gamma), R2(gamma)):
        found = jacobian(*dirac(replace(gan_r1, terms=(penalty,)), execution))
        np.testing.assert_allclose(found, [[0, -0.5], [0.5, gamma]], rtol=0, atol=1e-12)
        # At γ = 1 both eigenvalues meet: rounding ε of the matrix moves them by √ε.
        assert_spectrum(found, pair(-gamma / 2, gamma**2 / 4 - 1 / 4), 1e-9 if gamma != 1 else 1e-7)


@GAMMAS
def test_spectrum_of_r3gan_on_the_dirac_gan(gamma: float) -> None:
    """L_D = sp(ψθ − ψ·0) + (γ/2)ψ² + (γ/2)ψ², L_G = sp(−ψθ): v_ψ = σ(ψθ)θ + 2γψ, v_θ = −σ(−ψθ)ψ, so
    J = [[0, −½], [½, 2γ]] and −J has λ² + 2γλ + ¼ = 0, that is −γ ± √(γ² − ¼)."""
    found = jacobian(*dirac(replace(methods.get("r3gan"), terms=(R1(gamma), R2(gamma)))))
    assert_spectrum(found, pair(-gamma, gamma**2 - 1 / 4), 1e-9 if gamma != 0.5 else 1e-7)


@pytest.mark.parametrize("weight", [0.1, 1.0, 10.0])
def test_spectrum_of_a_zero_centred_penalty_on_interpolates(weight: float) -> None:
    """λψ² adds 2λ: −λ ± √(λ² − ¼). (With the target 1 the penalty has a kink at ψ = 0, and there is no
    Jacobian.)"""
    method = replace(methods.get("gan"), terms=(GradientPenalty(weight, target=0.0),))
    assert_spectrum(jacobian(*dirac(method)), pair(-weight, weight**2 - 1 / 4))


@pytest.mark.parametrize("gamma", [0.1, 1.0, 10.0])
def test_spectrum_of_consensus_on_the_dirac_gan(gamma: float) -> None:
    """∇½‖v‖² = Jᵀv, with no factor ½ left over: v + γJᵀv has the Jacobian J + γJᵀJ at an equilibrium, for
    `gan` J + (γ/4)I: −γ/4 ± i/2."""
    game, players, memory, data = dirac(methods.get("gan"))
    matrix = jacobian(game, players, memory, data)
    axes = [{p: torch.ones(1) * (p == q) for p in game.players} for q in game.players]
    bent = [
        game.pullback(players, memory, data, game.pushforward(players, memory, data, axis)) for axis in axes
    ]
    square = np.array([[along[p].item() for p in game.players] for along in bent]).T
    assert_spectrum(matrix + gamma * square, pair(-gamma / 4, -1 / 4))


def moduli(dynamics: Callable[[dict[str, Any]], Dynamics], h: float, name: str = "gan") -> np.ndarray:
    """Moduli of the eigenvalues of one whole step of descent, linearised at the equilibrium."""
    game, _, memory, data = dirac(methods.get(name), Functional())
    rule = dynamics({player: SGD(h) for player in game.players})

    def step(vector: Tensor) -> Tensor:
        state = rule.init(game, dict(zip(game.players, vector.split(1), strict=True)), memory)
        state = state._replace(average={})
        for turn in rule.turns(0):
            state, _ = rule.move(game, state, turn, data)
        return torch.cat([state.players[player] for player in game.players])

    return abs(np.linalg.eigvals(torch.func.jacrev(step)(torch.zeros(2)).numpy()))


@pytest.mark.parametrize("h", [0.1, 1.0, 5.0])
def test_simultaneous_descent_on_the_dirac_gan_diverges(h: float) -> None:
    """1 ± ih/2."""
    assert moduli(Simultaneous, h) == pytest.approx([math.sqrt(1 + h * h / 4)] * 2, rel=1e-10)


@pytest.mark.parametrize(("g", "d"), [(1, 1), (1, 5), (2, 3)])
def test_alternating_descent_on_the_dirac_gan_circles_up_to_a_rate(g: int, d: int) -> None:
    """Determinant 1, trace 2 − h²n_g n_d/4: modulus 1 while h√(n_g n_d) ≤ 4 (Mescheder et al. 2018, lemma
    2.4)."""

    def alternating(optimizers: dict[str, Any]) -> Dynamics:
        return Alternating(optimizers, steps={"generator": g, "discriminator": d})

    for share in (0.1, 0.5, 0.99):
        assert moduli(alternating, share * 4 / math.sqrt(g * d)) == pytest.approx([1, 1], rel=1e-9)
    assert moduli(alternating, 1.1 * 4 / math.sqrt(g * d)).max() > 1.1


@pytest.mark.parametrize("dynamics", [Simultaneous, lambda o: Alternating(o)])
def test_the_penalised_dirac_gan_contracts(dynamics: Callable[[dict[str, Any]], Dynamics]) -> None:
    """With γ = 20 and h = .01 both eigenvalues of −J are negative and small against 1/h."""
    assert moduli(dynamics, 0.01, "gan-r1").max() < 1


# -- products with the Jacobian on networks ------------------------------


@EXECUTIONS
@pytest.mark.parametrize("name", ["gan", "wgan-gp", "r3gan", "sngan"])
def test_products_with_the_jacobian_equal_the_dense_one(name: str, execution: Execution) -> None:
    """Jᵀu and Ju against the dense Jacobian of the field, itself checked by a difference quotient."""
    game, state = play(small(methods.get(name)), execution)
    reference, _ = play(small(methods.get(name)))
    data, sizes = batch(game), [len(state.players[p]) for p in game.players]

    def named(vector: Tensor) -> Players:
        return dict(zip(game.players, vector.split(sizes), strict=True))

    def field(vector: Tensor) -> Tensor:
        found, _ = reference.gradients(game.players, named(vector), state.memory, data, create_graph=True)
        return torch.cat([found[p] for p in game.players])

    at = torch.cat([state.players[p] for p in game.players])
    dense = torch.autograd.functional.jacobian(field, at)
    u = torch.randn(at.shape, generator=torch.Generator().manual_seed(0))
    quotient = (field(at + 1e-5 * u) - field(at - 1e-5 * u)).detach() / 2e-5
    torch.testing.assert_close(dense @ u, quotient, rtol=1e-6, atol=1e-6 * float(quotient.abs().max()))
    for product, expected in ((game.pushforward, dense @ u), (game.pullback, dense.T @ u)):
        found = product(state.players, state.memory, data, named(u))
        torch.testing.assert_close(
            torch.cat([found[p] for p in game.players]), expected, rtol=1e-9, atol=1e-9
        )


def test_pullback_of_the_field_is_the_gradient_of_half_its_square() -> None:
    game, state = play(small(methods.get("r3gan")))
    data = batch(game)
    players = {p: v.clone().requires_grad_() for p, v in state.players.items()}
    field, _ = game.gradients(game.players, players, state.memory, data, create_graph=True)
    half = sum(v.square().sum() for v in field.values()) / 2
    expected = dict(zip(players, torch.autograd.grad(half, list(players.values())), strict=True))
    found = game.pullback(state.players, state.memory, data, game.field(state.players, state.memory, data))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


# -- two Gaussians and the exact optimal discriminator ------------------------------


class Shift(nn.Module):
    """G(z) = z + θ: N(θ, 1)."""

    def __init__(self, theta: float) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([theta]))

    def forward(self, latent: Tensor) -> Tensor:
        return latent + self.theta


class Affine(nn.Module):
    """s(x) = wx + b: with w = −θ, b = θ²/2 the log ratio of N(0, 1) to N(θ, 1)."""

    def __init__(self, weight: float, bias: float) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.tensor([weight, bias]))

    def forward(self, point: Tensor) -> Tensor:
        return point[:, 0] * self.values[0] + self.values[1]


def divergence(theta: float) -> float:
    """JSD(N(0, 1), N(θ, 1)) by quadrature."""

    def integrand(x: float) -> float:
        p, q = norm.pdf(x), norm.pdf(x - theta)
        middle = (p + q) / 2
        return 0.5 * (p * math.log(p / middle) + q * math.log(q / middle))

    return quad(integrand, -12, 12 + theta, epsabs=1e-13, limit=200)[0]


@pytest.mark.parametrize("theta", [0.5, 1.0, 3.0])
def test_generator_gradient_at_the_optimal_discriminator(theta: float) -> None:
    """minimax: 2 dJSD/dθ; non-saturating: d(KL(Q‖P) − 2JSD)/dθ with KL = θ²/2 (Arjovsky & Bottou 2017,
    theorem 2.5); Wasserstein with its optimal critic −x: dW₁/dθ = 1. Latents are the quantiles (i + ½)/n, a
    rule of order 1/n."""
    n = 20_000
    quantiles = torch.special.ndtri((torch.arange(n) + 0.5) / n)[:, None]
    slope = (divergence(theta + 1e-3) - divergence(theta - 1e-3)) / 2e-3
    optimal, critic = (-theta, theta**2 / 2), (-1.0, 0.0)
    cases = (("gan-minimax", optimal, 2 * slope), ("gan", optimal, theta - 2 * slope), ("wgan", critic, 1.0))
    for name, judge, expected in cases:
        method = replace(methods.get(name), latent=Gaussian(1), constraints=())
        networks = {"generator": Shift(theta), "discriminator": Affine(*judge)}
        game = method.game(networks, {"real": quantiles[:8]})
        players, memory = game.init(0, {"real": quantiles})
        data = {"real": quantiles, "latent": quantiles, "clock": CLOCK}
        found, _ = game.gradients(("generator",), players, memory, data)
        assert found["generator"].item() == pytest.approx(expected, abs=1e-4 * max(1.0, theta))
