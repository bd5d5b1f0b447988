"""The Dirac-GAN for every objective: s(x) = ψx, the data at 0, one sample at θ. Field and Jacobian against closed forms."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest
import torch
from scipy.special import wrightomega
from torch import Tensor, nn

from saddlepoint import objectives
from saddlepoint.bound import MethodGame
from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import (
    FGAN,
    KL,
    MMD,
    Alpha,
    BoundaryEquilibrium,
    Discrimination,
    DistanceKernel,
    Divergence,
    EnergyMargin,
    GANDivergence,
    GaussianKernel,
    Hinge,
    Jeffrey,
    JensenShannon,
    LabelSmoothing,
    LeastSquares,
    LossSensitive,
    Margin,
    MaximumLikelihood,
    Metric,
    Minimax,
    Neyman,
    NonSaturating,
    Objective,
    Pearson,
    RationalQuadratic,
    Relativistic,
    RelativisticAverage,
    ReverseKL,
    Sinkhorn,
    Squared,
    SquaredHellinger,
    TopK,
    TotalVariation,
    Wasserstein,
    WeightedJensenShannon,
)
from saddlepoint.optim import SGD
from saddlepoint.penalties import FeatureMatching
from small_games import OTHER_OBJECTIVES

pytestmark = pytest.mark.usefixtures("double")


class Point(nn.Module):
    def __init__(self, at: float) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([at]))

    def forward(self, latent: Tensor) -> Tensor:
        return 0 * latent + self.theta


class Line(nn.Module):
    def __init__(self, slope: float) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(slope))

    def forward(self, point: Tensor) -> dict[str, Tensor]:
        score = self.psi * point[:, 0]
        return {"score": score, "features": score[:, None]}


BALANCE = 0.36  # what BEGAN remembers


def play(objective: Objective) -> tuple[MethodGame, dict[str, Any], dict[str, Any]]:
    dynamics = Simultaneous({"generator": SGD(0.1), "discriminator": SGD(0.1)})
    terms = (FeatureMatching(2.0),) if isinstance(objective, Discrimination) else ()
    method = Method("dirac", objective=objective, terms=terms, latent=Gaussian(1), dynamics=dynamics)
    data = {
        "real": torch.zeros(4, 1),
        "latent": torch.randn(4, 1, generator=torch.Generator().manual_seed(0)),
    }
    game = method.game({"generator": Point(0.3), "discriminator": Line(0.2)}, {"real": torch.zeros(4, 1)})
    _, memory = game.init(0, data)
    for kept in memory.get("parts", {}).values():
        kept["balance"] = torch.tensor(BALANCE)
    return game, memory, {**data, "clock": {"step": 0, "images": 0, "progress": 0.0}}


def field(objective: Objective, theta: float, psi: float) -> tuple[float, float]:
    game, memory, data = play(objective)
    players = {"generator": torch.tensor([theta]), "discriminator": torch.tensor([psi])}
    found = game.field(players, memory, data)
    return found["generator"].item(), found["discriminator"].item()


def sigma(v: float) -> float:
    return 1 / (1 + math.exp(-v))


def step(v: float) -> float:
    return float(v > 0)


# Slopes in the fake's score v = ψθ, of the generator's loss and of the discriminator's, the real's score being 0.
C = {
    KL(): lambda v: math.exp(v - 1),
    ReverseKL(): lambda v: 1.0,
    Pearson(): lambda v: v / 2 + 1,
    Neyman(): lambda v: math.exp(-v / 2),
    SquaredHellinger(): math.exp,
    Jeffrey(): lambda v: 1 / wrightomega(1 - v).real,
    JensenShannon(): sigma,
    WeightedJensenShannon(0.5): lambda v: 0.5 * 2 * sigma(v) ** 2 * sigma(-v) / (1 - sigma(v) ** 2),
    GANDivergence(): sigma,
    TotalVariation(): lambda v: 0.5 / math.cosh(v) ** 2,
    Alpha(-1.0): lambda v: sigma(-v) / math.sqrt(2 * math.log1p(math.exp(-v))),
    Alpha(0.5): lambda v: sigma(-v) / (0.5 * math.log1p(math.exp(-v))) ** 2,
    Alpha(3.0): lambda v: math.sqrt(2 * v + 1),
}
G = {
    KL(): lambda v: 1.0,
    ReverseKL(): lambda v: math.exp(-v),
    Neyman(): lambda v: math.exp(-v),
    JensenShannon(): lambda v: sigma(-v),
    Alpha(0.5): lambda v: sigma(-v),
}
SLOPES: list[tuple[Objective, Any, Any]] = [
    (Minimax(), lambda v: -sigma(v), sigma),
    (NonSaturating(), lambda v: -sigma(-v), sigma),
    (MaximumLikelihood(), lambda v: -0.5 * math.exp(v), sigma),
    (LabelSmoothing(0.9, 0.1), lambda v: -sigma(-v), lambda v: sigma(v) - 0.1),
    (LeastSquares(-1.0, 1.0, 0.0), lambda v: v, lambda v: v + 1),
    (Wasserstein(), lambda v: -1.0, lambda v: 1.0),
    (Hinge(), lambda v: -1.0, lambda v: step(1 + v)),
    (EnergyMargin(0.5), lambda v: 1.0, lambda v: -step(0.5 - v)),
    (LossSensitive(margin=0.0, slope=0.3), lambda v: 1.0, lambda v: -1.0 if v < 0 else -0.3),
    (Relativistic(), lambda v: -sigma(-v), sigma),
    (Relativistic(Squared()), lambda v: 2 * (v - 1), lambda v: 2 * (v + 1)),
    (Relativistic(Margin()), lambda v: -step(1 - v), lambda v: step(1 + v)),
    (RelativisticAverage(), lambda v: -sigma(-v), sigma),
    (RelativisticAverage(Squared()), lambda v: 2 * (v - 1), lambda v: 2 * (v + 1)),
    (RelativisticAverage(Margin()), lambda v: -step(1 - v), lambda v: step(1 + v)),
    (BoundaryEquilibrium(), lambda v: 1.0, lambda v: -BALANCE),
    (Discrimination(), lambda v: 4 * v, sigma),  # with 2(E s(x) − E s(x̃))² for the generator
    (TopK(NonSaturating(), share=0.5), lambda v: -sigma(-v), sigma),
    *((FGAN(d), lambda v, c=c: -c(v), c) for d, c in C.items()),
    *((FGAN(d, tricky=True), lambda v, g=g: -g(v), C[d]) for d, g in G.items()),
]
every = pytest.mark.parametrize(
    ("objective", "by_generator", "by_discriminator"), SLOPES, ids=[repr(s[0]) for s in SLOPES]
)


@every
@pytest.mark.parametrize(("theta", "psi"), [(0.7, 0.4), (-0.5, 0.6), (1.1, -0.3)])
def test_the_field(
    objective: Objective, by_generator: Any, by_discriminator: Any, theta: float, psi: float
) -> None:
    """(∂L_G/∂θ, ∂L_D/∂ψ) = (ψ a′(ψθ), θ b′(ψθ))."""
    v = psi * theta
    found = field(objective, theta, psi)
    assert found == pytest.approx((psi * by_generator(v), theta * by_discriminator(v)), rel=1e-9, abs=1e-12)


SMOOTH = [s for s in SLOPES if not isinstance(s[0], (LossSensitive, TopK))]  # with equal scores too


@pytest.mark.parametrize(
    ("objective", "by_generator", "by_discriminator"), SMOOTH, ids=[repr(s[0]) for s in SMOOTH]
)
def test_the_eigenvalues_at_the_equilibrium(
    objective: Objective, by_generator: Any, by_discriminator: Any
) -> None:
    """The Jacobian at (0, 0) is [[0, a′(0)], [b′(0), 0]]: ±√(a′(0) b′(0)), purely imaginary for every objective alone."""
    game, memory, data = play(objective)
    players = {"generator": torch.zeros(1), "discriminator": torch.zeros(1)}
    rows = []
    for which in players:
        tangent = {p: torch.ones(1) if p == which else torch.zeros(1) for p in players}
        pushed = game.pushforward(players, memory, data, tangent)
        rows.append(torch.cat([pushed[p] for p in players]))
    jacobian = torch.stack(rows, 1)
    expected = torch.tensor([[0.0, by_generator(0.0)], [by_discriminator(0.0), 0.0]])
    torch.testing.assert_close(jacobian, expected, rtol=1e-9, atol=1e-9)
    product = by_generator(0.0) * by_discriminator(0.0)
    assert product < 0 or (isinstance(objective, (LeastSquares, Discrimination)) and product == 0)
    found = torch.linalg.eigvals(jacobian)
    assert found.real.abs().max() < 1e-9
    assert found.imag.abs() == pytest.approx(math.sqrt(-product), abs=1e-9)


METRICS: list[tuple[Metric, Any]] = [  # and the slope of the distance of two points v apart
    (MMD(GaussianKernel((2.0,)), unbiased=False), lambda v: v / 2 * math.exp(-(v**2) / 8)),
    (MMD(RationalQuadratic((1.0,))), lambda v: 2 * v / (1 + v**2 / 2) ** 2),
    (MMD(DistanceKernel()), lambda v: math.copysign(2, v)),
    (Sinkhorn(epsilon=0.3), lambda v: 2 * v),
    (Sinkhorn(epsilon=0.3, power=1.0), lambda v: math.copysign(1, v)),
]


@pytest.mark.parametrize(("metric", "slope"), METRICS, ids=[repr(m[0]) for m in METRICS])
@pytest.mark.parametrize(("theta", "psi"), [(0.7, 0.4), (-0.5, 0.6)])
def test_the_field_of_a_metric(metric: Metric, slope: Any, theta: float, psi: float) -> None:
    """φ(x) = ψx, zero-sum. MMD² = 2k(0) − 2k(v); all mass of either side is one point, so Sinkhorn's plan is the only one
    and its divergence the cost |v|^p."""
    v = psi * theta
    found = field(metric, theta, psi)
    assert found == pytest.approx((psi * slope(v), -theta * slope(v)), rel=1e-9)


@pytest.mark.parametrize("metric", [m[0] for m in METRICS if m[1](1e-9) < 1e-6], ids=repr)
def test_the_equilibrium_of_a_smooth_metric_is_flat(metric: Metric) -> None:
    """The distance is quadratic in v = ψθ: no Jacobian is left at (0, 0)."""
    game, memory, data = play(metric)
    players = {"generator": torch.zeros(1), "discriminator": torch.zeros(1)}
    for which in players:
        tangent = {p: torch.full((1,), float(p == which)) for p in players}
        for pushed in game.pushforward(players, memory, data, tangent).values():
            assert abs(pushed.item()) < 1e-9


def test_every_objective_and_divergence_is_here() -> None:
    """Those that are no functions of two scores have a place of their own."""
    named = {v for _, v in inspect.getmembers(objectives, inspect.isclass)}
    found = {type(s[0]).__name__ for s in SLOPES} | {type(metric).__name__ for metric, _ in METRICS}
    every = {c.__name__ for c in named if issubclass(c, Objective)} - {"Objective", "Metric"}
    assert found | OTHER_OBJECTIVES.keys() == every
    assert not found & OTHER_OBJECTIVES.keys()
    assert {type(d) for d in C} == {c for c in named if issubclass(c, Divergence)} - {Divergence}
