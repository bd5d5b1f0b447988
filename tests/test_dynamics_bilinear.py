"""Every dynamics on the bilinear game min_x max_y xy against an independent recursion in numpy, and its known factor."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from saddlepoint import dynamics as dynamics_module
from saddlepoint.dynamics import (
    Aligned,
    Alternating,
    BestResponse,
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
from saddlepoint.games import Bilinear, Quadratic, eigenvalues, orbit
from saddlepoint.network import Functional
from saddlepoint.optim import SGD, Adam, Optimistic

Rule = Callable[[float, float], tuple[float, float]]
START, H = (2.0, 0.5), 0.1


def plain(h: float = H, **options: Any) -> dict[str, Any]:
    return {"x": SGD(h, **options), "y": SGD(h, **options)}


TURNS = {"x": 1, "y": 1}


# -- the recursions, written from the formulas ------------------------------


def repeated(rule: Rule, steps: int) -> np.ndarray:
    seen = [START]
    for _ in range(steps):
        seen.append(rule(*seen[-1]))
    return np.array(seen)


def simultaneous(x: float, y: float) -> tuple[float, float]:
    return x - H * y, y + H * x


def alternating(x: float, y: float) -> tuple[float, float]:
    x = x - H * y
    return x, y + H * x


def extragradient(x: float, y: float) -> tuple[float, float]:
    ahead = x - H * y, y + H * x
    return x - H * ahead[1], y + H * ahead[0]


def along_half_square(x: float, y: float) -> tuple[float, float]:
    """v = (y, −x), ½‖v‖² = ½(x² + y²), whose gradient is (x, y); λ = γ = .7."""
    return x - H * (y + 0.7 * x), y - H * (-x + 0.7 * y)


def competitive(x: float, y: float) -> tuple[float, float]:
    """Δx = −η(f_x + ηf_xy f_y)/(1 + η²), f = xy; Δy = η(f_y − ηf_yx f_x)/(1 + η²)."""
    return x - H * (y + H * x) / (1 + H * H), y + H * (x - H * y) / (1 + H * H)


def unrolled(x: float, y: float) -> tuple[float, float]:
    """x sees y³(x) = y + 3ηx: d/dx x(y + 3ηx) = y + 6ηx."""
    x = x - H * (y + 6 * H * x)
    return x, y + H * x


def far_opponent(x: float, y: float) -> tuple[float, float]:
    """The same without the derivative through y³."""
    x = x - H * (y + 3 * H * x)
    return x, y + H * x


def unrolled_together(x: float, y: float) -> tuple[float, float]:
    return x - H * (y + 6 * H * x), y + H * x


MEMORYLESS: list[tuple[Dynamics, Rule]] = [
    (Simultaneous(plain()), simultaneous),
    (Alternating(plain(), TURNS), alternating),
    (Extragradient(plain()), extragradient),
    (Consensus(plain(), gamma=0.7), along_half_square),
    (SymplecticAdjustment(plain(), weight=0.7), along_half_square),
    (SymplecticAdjustment(plain(), weight=0.7, alignment=Aligned()), along_half_square),
    (CompetitiveGradientDescent(plain(), eta=H, iterations=2), competitive),
    (Unrolled(plain(), TURNS, opponent="y", ahead=3), unrolled),
    (Unrolled(plain(), TURNS, opponent="y", ahead=3, through=False), far_opponent),
    (Unrolled(plain(), {"x+y": 1}, opponent="y", ahead=3), unrolled_together),
    (Unrolled(plain(), TURNS, opponent="y", ahead=0), alternating),
]


@pytest.mark.parametrize("execution", [None, Functional()], ids=["plain", "functional"])
@pytest.mark.parametrize(("dynamics", "rule"), MEMORYLESS, ids=lambda v: getattr(v, "__name__", ""))
def test_orbit_equals_an_independent_recursion(dynamics: Dynamics, rule: Rule, execution: Any) -> None:
    game = Bilinear(execution=execution) if execution else Bilinear()
    np.testing.assert_allclose(orbit(game, dynamics, 100).numpy(), repeated(rule, 100), rtol=1e-9, atol=1e-12)


def optimistic(steps: int) -> np.ndarray:
    """x_{t+1} = x_t − 2ηg_t + ηg_{t−1}, g_{−1} := g_0."""
    seen, last = [np.array(START)], None
    for _ in range(steps):
        x, y = seen[-1]
        now = np.array([y, -x])
        seen.append(seen[-1] - 2 * H * now + H * (now if last is None else last))
        last = now
    return np.array(seen)


def from_the_past(steps: int) -> tuple[np.ndarray, np.ndarray]:
    seen, half, past = [np.array(START)], [], np.zeros(2)
    for _ in range(steps):
        half.append(seen[-1] - H * past)
        past = np.array([half[-1][1], -half[-1][0]])
        seen.append(seen[-1] - H * past)
    return np.array(seen), np.array(half)


def heavy_ball(steps: int, momentum: float) -> np.ndarray:
    x, y, bx, by, seen = *START, 0.0, 0.0, [START]
    for _ in range(steps):
        bx = momentum * bx + y
        x -= H * bx
        by = momentum * by - x
        y -= H * by
        seen.append((x, y))
    return np.array(seen)


def looking_ahead(steps: int, inner: Rule) -> np.ndarray:
    """k = 4, α = .3."""
    slow, seen = np.array(START), [np.array(START)]
    for step in range(steps):
        fast = np.array(inner(*seen[-1]))
        if step % 4 == 3:
            slow = fast = slow + 0.3 * (fast - slow)
        seen.append(fast)
    return np.array(seen)


Path = Callable[[int], np.ndarray]
REMEMBERING: list[tuple[str, Dynamics, Path]] = [
    ("optimistic", Simultaneous({p: Optimistic(SGD(H)) for p in "xy"}), optimistic),
    ("from the past", PastExtragradient(plain()), lambda n: from_the_past(n)[0]),
    ("negative momentum", Alternating(plain(momentum=-0.5), TURNS), lambda n: heavy_ball(n, -0.5)),
    ("lookahead", Lookahead(Alternating(plain(), TURNS), 4, 0.3), lambda n: looking_ahead(n, alternating)),
    ("lookahead extra", Lookahead(Extragradient(plain()), 4, 0.3), lambda n: looking_ahead(n, extragradient)),
]


@pytest.mark.parametrize("execution", [None, Functional()], ids=["plain", "functional"])
@pytest.mark.parametrize(
    ("name", "dynamics", "path"), REMEMBERING, ids=lambda v: v if isinstance(v, str) else ""
)
def test_orbit_of_a_rule_with_memory(name: str, dynamics: Dynamics, path: Path, execution: Any) -> None:
    game = Bilinear(execution=execution) if execution else Bilinear()
    np.testing.assert_allclose(orbit(game, dynamics, 100).numpy(), path(100), rtol=1e-9, atol=1e-12)


NORMS: list[tuple[Dynamics, Path]] = [
    *((dynamics, lambda n, rule=rule: repeated(rule, n)) for dynamics, rule in MEMORYLESS),
    *((dynamics, path) for _, dynamics, path in REMEMBERING),
    (Alternating(plain(momentum=0.1), TURNS), lambda n: heavy_ball(n, 0.1)),
    (Alternating(plain(momentum=-0.1), TURNS), lambda n: heavy_ball(n, -0.1)),
]


@pytest.mark.parametrize(("dynamics", "path"), NORMS, ids=lambda v: type(v).__name__)
def test_norms_after_a_hundred_and_a_thousand_steps(dynamics: Dynamics, path: Path) -> None:
    found, expected = orbit(Bilinear(), dynamics, 1000).norm(dim=1), np.linalg.norm(path(1000), axis=1)
    for step in (100, 1000):
        assert found[step].item() == pytest.approx(expected[step], rel=1e-8)


@pytest.mark.parametrize("momentum", [-0.1, 0.0, 0.1])
def test_a_bounded_player_with_momentum(momentum: float) -> None:
    """y is brought back to [−1, 1] after every move; its velocity is not."""
    x, y, bx, by, seen = *START, 0.0, 0.0, [START]
    for _ in range(200):
        bx = momentum * bx + y
        x -= H * bx
        by = momentum * by - x
        y = min(max(y - H * by, -1.0), 1.0)
        seen.append((x, y))
    found = orbit(Bounded(), Alternating(plain(momentum=momentum), TURNS), 200)
    np.testing.assert_allclose(found.numpy(), np.array(seen), rtol=1e-9, atol=1e-12)
    assert found[:, 1].abs().max() == 1


class Bounded(Bilinear):
    def after(self, player: str, vector: torch.Tensor) -> torch.Tensor:
        return vector.clamp(-1, 1) if player == "y" else vector


def test_extrapolations_from_the_past_are_an_optimistic_orbit() -> None:
    """x̃_{t+1} = x̃_t − 2ηg̃_t + ηg̃_{t−1}: the two rules are one, seen at other moments."""
    seen, half = from_the_past(100)
    field = np.stack([half[:, 1], -half[:, 0]], axis=1)
    np.testing.assert_allclose(half[2:], half[1:-1] - 2 * H * field[1:-1] + H * field[:-2], rtol=1e-12)
    np.testing.assert_allclose(orbit(Bilinear(), PastExtragradient(plain()), 100).numpy(), seen, rtol=1e-9)


# -- known factors ------------------------------


@pytest.mark.parametrize("h", [0.05, 0.3, 0.9])
@pytest.mark.parametrize(
    ("make", "factor"),
    [
        (lambda h: Simultaneous(plain(h)), lambda h: math.sqrt(1 + h * h)),
        (lambda h: Extragradient(plain(h)), lambda h: math.sqrt((1 - h * h) ** 2 + h * h)),
        (lambda h: Consensus(plain(h), gamma=0.7), lambda h: math.hypot(1 - 0.7 * h, h)),
        (lambda h: SymplecticAdjustment(plain(h), weight=0.7), lambda h: math.hypot(1 - 0.7 * h, h)),
        (lambda h: CompetitiveGradientDescent(plain(h), eta=h, iterations=3), lambda h: (1 + h * h) ** -0.5),
    ],
    ids=["simultaneous", "extragradient", "consensus", "symplectic", "competitive"],
)
def test_norm_changes_by_the_known_factor_in_every_step(
    make: Callable[[float], Dynamics], factor: Callable[[float], float], h: float
) -> None:
    norms = orbit(Bilinear(), make(h), 30).norm(dim=1).numpy()
    np.testing.assert_allclose(norms[1:] / norms[:-1], factor(h), rtol=1e-12)


@pytest.mark.parametrize("h", [0.1, 0.5])
def test_lookahead_over_simultaneous_descent(h: float) -> None:
    """|1 − α + αλ^k| a period, λ = 1 + ih: contracts where the inner rule grows."""
    norms = orbit(Bilinear(), Lookahead(Simultaneous(plain(h)), 5, 0.4), 50).norm(dim=1).numpy()[::5]
    factor = abs(0.6 + 0.4 * (1 + 1j * h) ** 5)
    np.testing.assert_allclose(norms[1:] / norms[:-1], factor, rtol=1e-12)
    assert factor < 1 or h > 0.3


def test_who_converges_from_the_published_start() -> None:
    """η = .1 from (2, .5): descent grows, alternating stays, everything else shrinks; negative momentum too."""
    last = {
        type(rule).__name__: orbit(Bilinear(), rule, 300)[-1].norm().item() for rule, _ in MEMORYLESS[:8]
    } | {name: orbit(Bilinear(), rule, 300)[-1].norm().item() for name, rule, _ in REMEMBERING}
    first = math.hypot(*START)
    assert last.pop("Simultaneous") == pytest.approx(first * 1.01**150, rel=1e-9)
    assert 0.9 * first < last.pop("Alternating") < 1.1 * first
    assert all(norm < 0.75 * first for norm in last.values()), last


def test_conjugate_gradients_are_the_published_system_for_matrices() -> None:
    """Zero-sum with several numbers a player: Δx = −η(I + η²AAᵀ)⁻¹(g_x + ηA f_y) by a dense solver."""
    generator = np.random.default_rng(0)
    a, b, c = generator.normal(size=(3, 4)), generator.normal(size=(3, 3)), generator.normal(size=(4, 4))
    x, y, eta = generator.normal(size=3), generator.normal(size=4), 0.3
    b, c = b @ b.T, c @ c.T  # value ½xᵀbx + xᵀay − ½yᵀcy
    fx, fy = b @ x + a @ y, a.T @ x - c @ y
    dx = -eta * np.linalg.solve(np.eye(3) + eta**2 * a @ a.T, fx + eta * a @ fy)
    dy = eta * np.linalg.solve(np.eye(4) + eta**2 * a.T @ a, fy - eta * a.T @ fx)
    found = orbit(Matrices(a, b, c, x, y), CompetitiveGradientDescent(plain(eta), eta, iterations=7), 1)
    np.testing.assert_allclose((found[1] - found[0]).numpy(), np.concatenate([dx, dy]), rtol=1e-9)


class Matrices(Bilinear):
    """min_x max_y ½xᵀBx + xᵀAy − ½yᵀCy; with `general` y minimises a loss of its own."""

    def __init__(self, a: Any, b: Any, c: Any, x: Any, y: Any, general: float = 0.0) -> None:
        super().__init__()
        made = {"A": a, "B": b, "C": c, "X": x, "Y": y}
        for name, value in made.items():
            object.__setattr__(self, name, torch.as_tensor(value))
        object.__setattr__(self, "general", general)

    def start(self) -> Any:
        return {"x": self.X, "y": self.Y}

    def losses(self, who: Any, players: Any, memory: Any, batch: Any) -> Any:
        from saddlepoint.game import Notes

        x, y = players["x"], players["y"]
        both = x @ self.A @ y
        made = {
            "x": x @ self.B @ x / 2 + both,
            "y": y @ self.C @ y / 2 - both * (1 + self.general),
        }
        return {p: made[p] for p in who}, Notes({}, {})


def test_competitive_descent_solves_the_equilibrium_of_a_general_game() -> None:
    """Not zero-sum: (I + ηO)Δ = −ηξ by a dense solver."""
    generator = np.random.default_rng(1)
    a, x, y, eta = generator.normal(size=(2, 3)), generator.normal(size=2), generator.normal(size=3), 0.4
    game = Matrices(a, np.eye(2), np.eye(3), x, y, general=1.5)
    off = np.block([[np.zeros((2, 2)), a], [-2.5 * a.T, np.zeros((3, 3))]])
    field = np.concatenate([x + a @ y, y - 2.5 * a.T @ x])
    expected = -eta * np.linalg.solve(np.eye(5) + eta * off, field)
    found = orbit(game, CompetitiveGradientDescent(plain(eta), eta, iterations=8), 1)
    np.testing.assert_allclose((found[1] - found[0]).numpy(), expected, rtol=1e-8)


def test_alignment_turns_the_adjustment_away_from_an_unstable_point() -> None:
    """a = c = −1 repels: with the Jacobian as a matrix the rule's product is below −ε, so λ is negative."""
    game = Quadratic(-1.0, 0.5, -1.0)
    x, y = START
    field = np.array([-x + 0.5 * y, -y - 0.5 * x])
    jacobian = np.array([[-1.0, 0.5], [-0.5, -1.0]])
    skew = (jacobian - jacobian.T) / 2
    back, adjustment = jacobian.T @ field, skew.T @ field
    sign = math.copysign(1.0, (field @ back) * (adjustment @ back) + 0.1)
    assert sign < 0
    found = orbit(game, SymplecticAdjustment(plain(), 1.0, Aligned()), 1)
    expected = np.array(START) - H * (field + sign * adjustment)
    np.testing.assert_allclose(found[1].numpy(), expected, rtol=1e-12)


def test_best_response_is_descent_on_the_maximum() -> None:
    """min_x max_y ½x² + 2xy − ½·3y²: y = 2x/3 and dV/dx = x + 4x/3."""
    found = orbit(Quadratic(1.0, 2.0, 3.0), BestResponse(plain(), opponent="y"), 10)
    expected = 2.0 * (1 - H * (1 + 4 / 3)) ** np.arange(11)
    np.testing.assert_allclose(found[:, 0].numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(found[1:, 1].numpy(), expected[:-1] * 2 / 3, rtol=1e-12)


@pytest.mark.parametrize(("a", "b", "c"), [(0.5, 1.0, 2.0), (1.0, 0.3, 3.0), (0.0, 1.0, 0.0)])
def test_eigenvalues_of_the_quadratic_game(a: float, b: float, c: float) -> None:
    game = Quadratic(a, b, c)
    expected = sorted(game.spectrum(), key=lambda v: (v.real, v.imag))
    found = sorted(eigenvalues(game).tolist(), key=lambda v: (v.real, v.imag))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_adam_looks_ahead_with_moments_updated_twice() -> None:
    """ExtraAdam against torch.optim.Adam on (gradient at x, gradient at x̃): one optimiser sees both."""
    parameters = [torch.nn.Parameter(torch.tensor([v], dtype=torch.float64)) for v in START]
    twin = torch.optim.Adam(parameters, lr=0.05, betas=(0.5, 0.9))

    def move() -> None:
        x, y = (p.detach().clone() for p in parameters)
        parameters[0].grad, parameters[1].grad = y, -x
        twin.step()

    seen = []
    for _ in range(20):
        saved = [p.detach().clone() for p in parameters]
        move()
        ahead = [p.detach().clone() for p in parameters]
        move()
        with torch.no_grad():
            for parameter, old, middle in zip(parameters, saved, ahead, strict=True):
                parameter.copy_(old + parameter - middle)
        seen.append(torch.cat(parameters).detach().clone())
    rule = Extragradient({p: Adam(0.05, (0.5, 0.9)) for p in "xy"})
    torch.testing.assert_close(orbit(Bilinear(), rule, 20)[1:], torch.stack(seen), rtol=1e-12, atol=1e-12)


def test_every_rule_is_here() -> None:
    """The best response needs a strictly concave opponent: the quadratic game has it above. Skipping is alternating descent
    with moves left out: test_mixture."""
    named = {v for _, v in inspect.getmembers(dynamics_module, inspect.isclass) if issubclass(v, Dynamics)}
    assert {type(rule) for rule, _ in NORMS} == named - {Dynamics, BestResponse, dynamics_module.Skipping}
