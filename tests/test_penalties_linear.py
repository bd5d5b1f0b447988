"""Terms with a linear discriminator s(x) = w·x + b, features f(x) = x and a generator G(z) = z + θ, as ordinary games.

What a term adds to the gradient of the player that it speaks to, and to nobody else's, by hand.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import Tensor, nn

from saddlepoint import penalties
from saddlepoint.bound import MethodGame
from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Minimax
from saddlepoint.optim import SGD
from saddlepoint.penalties import (
    R1,
    R2,
    ApproximateR1,
    Consistency,
    Fake,
    FeatureMatching,
    FiniteDifference,
    GradientPenalty,
    HistoricalAveraging,
    Jitter,
    LayerMatching,
    NagarajanKolter,
    NoiseBall,
    PullingAway,
    Real,
    Roth,
    Term,
)

pytestmark = pytest.mark.usefixtures("double")

N, WEIGHT, BIAS, SHIFT = 5, np.array([0.9, -1.4]), 0.2, np.array([0.3, -0.4])
NORM = float(np.linalg.norm(WEIGHT))


@dataclass(frozen=True)
class Rows:
    """Points of both kinds, and the noise that was drawn for the term."""

    real: np.ndarray
    fake: np.ndarray
    noise: Mapping[str, np.ndarray]

    def score(self, side: str) -> np.ndarray:
        return getattr(self, side) @ WEIGHT + BIAS


Hand = Callable[[Rows], np.ndarray]  # of a discriminator's term in w, of a generator's in θ


def constant(gradient: np.ndarray) -> Hand:
    return lambda rows: gradient


def along(name: str, factor: float) -> Hand:
    """factor·∇_w E(n·w)², n the drawn directions."""
    return lambda rows: factor * 2 * (rows.noise[name] * (rows.noise[name] @ WEIGHT)[:, None]).mean(0)


def roth(rows: Rows) -> np.ndarray:
    """(γ/2)|w|²(E σ(−s(x))² + E σ(s(x̃))²), γ = 3; dσ² = 2σ²(1 − σ)."""
    total, slope = 0.0, np.zeros(2)
    for side, sign in (("real", -1), ("fake", 1)):
        chance = expit(sign * rows.score(side))
        total += (chance**2).mean()
        slope += sign * ((2 * chance**2 * (1 - chance))[:, None] * getattr(rows, side)).mean(0)
    return 3 * WEIGHT * total + 1.5 * NORM**2 * slope


def nagarajan_kolter(rows: Rows) -> np.ndarray:
    """η|g|², η = .7, g the gradient of E sp(−s(x)) + E sp(s(x̃)) in w and b; dx̃ = dθ in every row."""
    chance = expit(rows.score("fake"))
    by_weight = (-expit(-rows.score("real")) @ rows.real + chance @ rows.fake) / N
    by_bias = (chance.sum() - expit(-rows.score("real")).sum()) / N
    rate = chance * (1 - chance) / N
    jacobian = np.outer(rate @ rows.fake, WEIGHT) + np.eye(2) * chance.mean()
    return 1.4 * (jacobian.T @ by_weight + by_bias * rate.sum() * WEIGHT)


def pulling_away(rows: Rows) -> np.ndarray:
    """d cos²(a, b)/da = 2 cos (b̂ − cos â)/|a|, over ordered pairs, each of which moves both ends; λ = .6."""
    lengths = np.linalg.norm(rows.fake, axis=1)
    unit, total = rows.fake / lengths[:, None], np.zeros(2)
    for i in range(N):
        for j in range(N):
            cosine = unit[i] @ unit[j]
            total += 4 * cosine * (unit[j] - cosine * unit[i]) / lengths[i]
    return 0.6 * total / (N * (N - 1))


def both_sides(weight: float, target: float) -> np.ndarray:
    """λ(|w| − g)²."""
    return 2 * weight * (NORM - target) * WEIGHT / NORM


CASES: list[tuple[Term, Hand]] = [
    (R1(3.0), constant(3 * WEIGHT)),
    (R2(3.0), constant(3 * WEIGHT)),
    (R1(3.0, by=FiniteDifference(0.1)), along("direction", 1.5)),
    (R2(3.0, by=FiniteDifference(0.1)), along("direction", 1.5)),
    (GradientPenalty(10.0), constant(both_sides(10.0, 1.0))),
    (GradientPenalty(10.0, target=0.0), constant(20 * WEIGHT)),
    (GradientPenalty(10.0, at=NoiseBall()), constant(both_sides(10.0, 1.0))),
    (GradientPenalty(10.0, 0.4, at=Real(), side="above"), constant(both_sides(10.0, 0.4))),
    (GradientPenalty(10.0, 4.0, at=Fake(), side="above"), constant(0 * WEIGHT)),
    (Roth(3.0), roth),
    (ApproximateR1(100.0, 0.1), along("direction", 1.0)),
    (Consistency(10.0, Jitter(0.5)), along("jitter", 2.5)),
    (Consistency(10.0, Jitter(0.5), at=Fake()), along("jitter", 2.5)),
    (NagarajanKolter(0.7), nagarajan_kolter),
    (PullingAway(0.6), pulling_away),
    (FeatureMatching(2.0), lambda rows: -4 * (rows.real.mean(0) - rows.fake.mean(0))),
    (LayerMatching(3.0), lambda rows: -3 * np.sign(rows.real - rows.fake).sum(0) / (2 * N)),
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
        return {"score": point @ self.weight + self.bias, "features": point}


def field(terms: tuple[Term, ...]) -> tuple[dict[str, np.ndarray], Rows]:
    rates = {"generator": SGD(0.1), "discriminator": SGD(0.1)}
    method = Method("m", objective=Minimax(), terms=terms, latent=Gaussian(2), dynamics=Simultaneous(rates))
    real, latent = torch.randn(2, N, 2, generator=torch.Generator().manual_seed(0)).unbind()
    game = MethodGame(method, {"generator": Shift(), "discriminator": Linear()}, {"real": real})
    draws = torch.Generator().manual_seed(1)
    noise = {n: d.sample(N, draws, {"real": (2,)}).double() for n, d in game.draws.items() if n != "latent"}
    data: dict[str, Any] = {"real": real, "latent": latent, **noise}
    players, memory = game.init(0, data)
    found = game.field(players, memory, {**data, "clock": {"step": 0, "images": 0, "progress": 0.0}})
    rows = Rows(real.numpy(), latent.numpy() + SHIFT, {n: v.numpy() for n, v in noise.items()})
    return {player: gradient.numpy() for player, gradient in found.items()}, rows


@pytest.mark.parametrize(("term", "hand"), CASES, ids=[repr(term) for term, _ in CASES])
def test_what_a_term_adds_to_the_gradients(term: Term, hand: Hand) -> None:
    (bare, _), (found, rows) = field(()), field((term,))
    added = {player: found[player] - bare[player] for player in found}
    expected = {"generator": np.zeros(2), "discriminator": np.zeros(3)}
    for player in term.players:
        expected[player][:2] = hand(rows)
    if isinstance(term, Roth):
        expected["discriminator"][2] = along_bias(rows)
    for player, gradient in expected.items():
        np.testing.assert_allclose(added[player], gradient, rtol=1e-10, atol=1e-12)


def along_bias(rows: Rows) -> float:
    """Roth's weights are probabilities, which b moves."""
    real, fake = expit(-rows.score("real")), expit(rows.score("fake"))
    return 1.5 * NORM**2 * float((2 * fake**2 * (1 - fake)).mean() - (2 * real**2 * (1 - real)).mean())


HEADS = (penalties.RealClass, penalties.FakeClass, penalties.MutualInformation)
ENCODERS = (penalties.CodeReconstruction, penalties.ModeRegulariser, penalties.Reconstruction)


def test_every_term_is_here() -> None:
    """Historical averaging speaks of parameters: its gradient 2λ(θ − θ̄) is in test_penalties_games. Terms on other
    heads than the score do not meet a linear score: test_conditions; nor those on encoders: test_reconstructions."""
    named = {v for _, v in inspect.getmembers(penalties, inspect.isclass) if issubclass(v, Term)}
    assert {type(term) for term, _ in CASES} == named - {Term, HistoricalAveraging, *HEADS, *ENCODERS}
