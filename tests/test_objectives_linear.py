"""A linear discriminator s(x) = w·x + b and a generator G(z) = z + θ, under every objective, as an ordinary game.

With the slopes of the losses in the scores by hand, ∇_w L_D = Σ_i (∂L_D/∂s_i) x_i over reals and fakes, ∇_b L_D = Σ_i
∂L_D/∂s_i and ∇_θ L_G = (Σ_i ∂L_G/∂s_i) w.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, wrightomega
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
    Divergence,
    EnergyMargin,
    GANDivergence,
    GaussianKernel,
    Hinge,
    Jeffrey,
    JensenShannon,
    LabelSmoothing,
    LeastSquares,
    Logistic,
    LossSensitive,
    Margin,
    MaximumLikelihood,
    Metric,
    Minimax,
    Neyman,
    NonSaturating,
    Objective,
    Pearson,
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
from test_objectives_divergences import TABLE

pytestmark = pytest.mark.usefixtures("double")

N, WEIGHT, BIAS, SHIFT = 5, np.array([0.7, -1.1]), 0.2, np.array([0.3, -0.4])
BALANCE = 0.37  # what BEGAN remembers
Row = Callable[[np.ndarray], np.ndarray]
Slopes = tuple[
    np.ndarray, np.ndarray, np.ndarray
]  # of L_D in the reals' and fakes' scores, of L_G in the fakes'


@dataclass(frozen=True)
class Scores:
    """What slopes may depend on."""

    real: np.ndarray
    fake: np.ndarray
    apart: np.ndarray
    """mean absolute difference of the points of each pair"""


Hand = Callable[[Scores], Slopes]


def rows(real: Row, fake: Row, generator: Row) -> Hand:
    """Losses that are means of costs of single scores."""
    return lambda s: (real(s.real) / N, fake(s.fake) / N, generator(s.fake) / N)


def one(v: np.ndarray) -> np.ndarray:
    return np.ones_like(v)


def game_value(activation: Row, composite: Row) -> Hand:
    """f-GAN: L_D = −E g(v) + E f*(g(v)), given both derivatives; zero-sum."""
    return rows(lambda v: -activation(v), composite, lambda v: -composite(v))


def tricky(activation: Row, composite: Row) -> Hand:
    return rows(lambda v: -activation(v), composite, lambda v: -activation(v))


def weighted(pi: float) -> Row:
    """f* of the weighted Jensen–Shannon divergence, e^{t/π}π = σ(v)^{1/π}."""
    return lambda v: (1 - pi) / pi * expit(v) ** (1 / pi) / (1 - expit(v) ** (1 / pi)) * expit(-v)


def below_one(alpha: float) -> Row:
    return lambda v: ((1 - alpha) * np.logaddexp(0, -v)) ** (1 / (alpha - 1)) * expit(-v)


def bell(v: np.ndarray) -> np.ndarray:
    return 0.5 / np.cosh(v) ** 2


def falling(v: np.ndarray) -> np.ndarray:
    return expit(-v)


DIVERGENCES: dict[Divergence, tuple[Row, Row]] = {
    KL(): (one, lambda v: np.exp(v - 1)),
    ReverseKL(): (lambda v: np.exp(-v), one),
    Pearson(): (one, lambda v: np.maximum(v / 2 + 1, 0)),
    Neyman(): (lambda v: np.exp(-v), lambda v: np.exp(-v / 2)),
    SquaredHellinger(): (lambda v: np.exp(-v), np.exp),
    Jeffrey(): (one, lambda v: 1 / wrightomega(1 - v).real),
    JensenShannon(): (falling, expit),
    WeightedJensenShannon(0.3): (falling, weighted(0.3)),
    GANDivergence(): (falling, expit),
    TotalVariation(): (bell, bell),
    Alpha(-1.0): (falling, below_one(-1.0)),
    Alpha(0.5): (falling, below_one(0.5)),
    Alpha(3.0): (one, lambda v: np.sqrt(np.maximum(2 * v + 1, 0))),
}


def loss_sensitive(margin: float, weight: float, data: float, slope: float) -> Hand:
    def slopes(s: Scores) -> Slopes:
        rate = weight * np.where(margin * s.apart + s.real - s.fake > 0, 1, slope)
        return (data + rate) / N, -rate / N, np.ones(N) / N

    return slopes


def paired(rate: Row) -> Hand:
    """Given c′: L_D = E c(r − f), L_G = E c(f − r)."""
    return lambda s: (rate(s.real - s.fake) / N, -rate(s.real - s.fake) / N, rate(s.fake - s.real) / N)


def averaged(rate: Row) -> Hand:
    """½E c(r − f̄) + ½E c(r̄ − f), and with the roles exchanged; the means are differentiated too."""

    def slopes(s: Scores) -> Slopes:
        reals, fakes = s.real - s.fake.mean(), s.real.mean() - s.fake
        on_real = (rate(reals) + rate(fakes).mean()) / (2 * N)
        on_fake = -(rate(fakes) + rate(reals).mean()) / (2 * N)
        return on_real, on_fake, (rate(-fakes) + rate(-reals).mean()) / (2 * N)

    return slopes


COSTS: dict[Any, Row] = {
    Logistic(): lambda d: -expit(-d),
    Squared(): lambda d: 2 * (d - 1),
    Margin(): lambda d: -1.0 * (d < 1),
}


def best_three(s: Scores) -> Slopes:
    kept = s.fake >= np.sort(s.fake)[-3]
    return -expit(-s.real) / N, expit(s.fake) / N, np.where(kept, -expit(-s.fake) / 3, 0)


def matched(s: Scores) -> Slopes:
    """The generator's term λ(E s(x) − E s(x̃))², λ = 2, on the score as the only feature."""
    gap = s.real.mean() - s.fake.mean()
    return -expit(-s.real) / N, expit(s.fake) / N, np.full(N, -4 * gap / N)


def squared_distance(s: Scores) -> Slopes:
    """Σ k over pairs, k = exp(−d²/(2·2²)), dk/dd = −(d/4)k, biased; the features play the opposite."""

    def pull(on: np.ndarray, other: np.ndarray) -> np.ndarray:
        own, cross = on[:, None] - on, on[:, None] - other
        return (2 / N**2) * ((-own / 4 * kernel(own)).sum(1) - (-cross / 4 * kernel(cross)).sum(1))

    def kernel(d: np.ndarray) -> np.ndarray:
        return np.exp(-(d**2) / 8)

    return -pull(s.real, s.fake), -pull(s.fake, s.real), pull(s.fake, s.real)


def means_apart(s: Scores) -> Slopes:
    """Sinkhorn divergence of the squared distance for ε → ∞: (r̄ − f̄)²."""
    gap = np.full(N, 2 * (s.real.mean() - s.fake.mean()) / N)
    return -gap, gap, -gap


CASES: list[tuple[Objective, Hand]] = [
    (Minimax(), rows(lambda r: -expit(-r), expit, lambda f: -expit(f))),
    (NonSaturating(), rows(lambda r: -expit(-r), expit, lambda f: -expit(-f))),
    (MaximumLikelihood(), rows(lambda r: -expit(-r), expit, lambda f: -np.exp(f) / 2)),
    (
        LabelSmoothing(0.9, 0.1),
        rows(lambda r: expit(r) - 0.9, lambda f: expit(f) - 0.1, lambda f: -expit(-f)),
    ),
    (LeastSquares(0.25, 0.5, 2.0), rows(lambda r: r - 0.5, lambda f: f - 0.25, lambda f: f - 2)),
    (Wasserstein(), rows(lambda r: -one(r), one, lambda f: -one(f))),
    (Hinge(), rows(lambda r: -1.0 * (r < 1), lambda f: 1.0 * (f > -1), lambda f: -one(f))),
    (EnergyMargin(0.4), rows(one, lambda f: -1.0 * (f < 0.4), one)),
    (BoundaryEquilibrium(), rows(one, lambda f: -BALANCE * one(f), one)),
    (LossSensitive(0.5, 0.7, 0.2, 0.3), loss_sensitive(0.5, 0.7, 0.2, 0.3)),
    *((Relativistic(cost), paired(rate)) for cost, rate in COSTS.items()),
    *((RelativisticAverage(cost), averaged(rate)) for cost, rate in COSTS.items()),
    (TopK(NonSaturating(), share=0.6), best_three),
    (Discrimination(), matched),
    (MMD(GaussianKernel((2.0,)), unbiased=False), squared_distance),
    (Sinkhorn(epsilon=1e8, iterations=3), means_apart),
    *((FGAN(d), game_value(*by)) for d, by in DIVERGENCES.items()),
    *((FGAN(d, tricky=True), tricky(*by)) for d, by in DIVERGENCES.items()),
]


class Shift(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(SHIFT))

    def forward(self, latent: Tensor) -> Tensor:
        return latent + self.theta


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.tensor(WEIGHT)), nn.Parameter(torch.tensor([BIAS]))

    def forward(self, point: Tensor) -> dict[str, Tensor]:
        score = point @ self.weight + self.bias
        return {"score": score, "features": score[:, None]}


def played(objective: Objective) -> tuple[MethodGame, Any, dict[str, Any]]:
    rates = {"generator": SGD(0.1), "discriminator": SGD(0.1)}
    terms = (FeatureMatching(2.0),) if isinstance(objective, Discrimination) else ()
    method = Method("m", objective=objective, terms=terms, latent=Gaussian(2), dynamics=Simultaneous(rates))
    draws = torch.Generator().manual_seed(4)
    data = {name: 2 * torch.randn(N, 2, generator=draws) for name in ("real", "latent")}
    game = method.game({"generator": Shift(), "discriminator": Linear()}, {"real": data["real"]})
    players, memory = game.init(0, data)
    for kept in memory.get("parts", {}).values():
        kept["balance"] = torch.tensor(BALANCE)
    clock = {"step": 0, "images": 0, "progress": 0.0}
    return game, (players, memory), {**data, "clock": clock}


@pytest.mark.parametrize(("objective", "hand"), CASES, ids=[repr(objective) for objective, _ in CASES])
def test_gradients_of_both_players(objective: Objective, hand: Hand) -> None:
    game, (players, memory), data = played(objective)
    found = game.field(players, memory, data)
    real = data["real"].numpy()
    fake = data["latent"].numpy() + SHIFT
    s = Scores(real @ WEIGHT + BIAS, fake @ WEIGHT + BIAS, np.abs(real - fake).mean(1))
    on_real, on_fake, by_generator = hand(s)
    expected = [*(on_real @ real + on_fake @ fake), on_real.sum() + on_fake.sum()]
    tolerance = 1e-6 if isinstance(objective, Sinkhorn) else 1e-10  # 1/ε, and ε's rounding
    np.testing.assert_allclose(found["discriminator"], expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        found["generator"], by_generator.sum() * WEIGHT, rtol=tolerance, atol=tolerance
    )


def exported(base: type) -> set[type]:
    named = {v for _, v in inspect.getmembers(objectives, inspect.isclass)}
    return {c for c in named if issubclass(c, base) and c not in (base, Metric)}


def test_every_objective_and_divergence_is_here() -> None:
    """Those that are no functions of two scores have a place of their own."""
    found = {type(objective).__name__ for objective, _ in CASES}
    assert found | OTHER_OBJECTIVES.keys() == {c.__name__ for c in exported(Objective)}
    assert not found & OTHER_OBJECTIVES.keys()
    assert {type(divergence) for divergence in DIVERGENCES} == exported(Divergence)
    assert {type(divergence) for divergence in TABLE} == exported(Divergence)


def test_the_scores_reach_both_sides_of_every_corner() -> None:
    """So that a slope that is right on one side alone would be noticed."""
    _, _, data = played(Hinge())
    real = data["real"].numpy() @ WEIGHT + BIAS
    fake = (data["latent"].numpy() + SHIFT) @ WEIGHT + BIAS
    for scores, corner in ((real, 1.0), (fake, -1.0), (fake, 0.4), (fake, -0.5), (real - fake, 1.0)):
        assert min(scores) < corner < max(scores)
