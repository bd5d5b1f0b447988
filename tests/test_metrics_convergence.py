"""Regrets, norms, spectra and curves: closed forms of the quadratic game, and the games of `saddlepoint.games`."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.games import Quadratic, jacobian
from saddlepoint.games.small import timed
from saddlepoint.metrics import (
    discriminator_accuracy,
    drift,
    duality_gap,
    gradient_norm,
    median_filter,
    regrets,
    spectral_radius,
)
from saddlepoint.metrics.convergence import Loss

A, B, C = 2.0, 3.0, 0.5
GAME = Quadratic(a=A, b=B, c=C, begin=(1.3, -0.4))


def descent(rate: float) -> partial:
    return partial(torch.optim.SGD, lr=rate)


def losses(game: Quadratic) -> dict[str, Loss]:
    """How any game is handed over: the loss of each player at some vectors."""

    def loss(player: str, at: dict[str, Tensor]) -> Tensor:
        return game.losses((player,), at, {}, timed(game, 0))[0][player]

    return {player: partial(loss, player) for player in game.players}


def gained(rate: float, steps: int) -> dict[str, float]:
    """x descends from x₀ to the best answer −(b/a)y by a factor 1 − ηa a step; so does y to (b/c)x by 1 − ηc. What is
    gained is (a/2)(x₀ − x*)²(1 − (1 − ηa)^{2k})."""
    x, y = GAME.begin
    share = {"x": 1 - (1 - rate * A) ** (2 * steps), "y": 1 - (1 - rate * C) ** (2 * steps)}
    return {"x": A / 2 * (x + B / A * y) ** 2 * share["x"], "y": C / 2 * (y - B / C * x) ** 2 * share["y"]}


@pytest.mark.parametrize(("rate", "steps"), [(0.1, 1), (0.1, 7), (0.3, 300)])
def test_regrets_of_the_quadratic_game(rate: float, steps: int) -> None:
    found = regrets(losses=losses(GAME), players=GAME.start(), steps=steps, search=descent(rate))
    assert found == pytest.approx(gained(rate, steps), rel=1e-9)


def test_the_gap_is_what_is_left_between_best_answers() -> None:
    """V = ½ax² + bxy − ½cy²: max_y' V(x, y') = ½(a + b²/c)x² and min_x' V(x', y) = −½(c + b²/a)y²."""
    x, y = GAME.begin
    expected = (A + B**2 / C) * x**2 / 2 + (C + B**2 / A) * y**2 / 2
    found = duality_gap(losses=losses(GAME), players=GAME.start(), steps=400, search=descent(0.3))
    assert found == pytest.approx(expected, rel=1e-9)


def test_no_gap_at_the_equilibrium_and_a_growing_one_away() -> None:
    def gap(scale: float) -> float:
        at = {name: scale * vector for name, vector in GAME.start().items()}
        return duality_gap(losses=losses(GAME), players=at, steps=5, search=descent(0.1))

    assert gap(0.0) == 0
    assert gap(0.5) == pytest.approx(gap(1.0) / 4, rel=1e-9)
    assert gap(0.5) > 0


def test_more_steps_find_more_with_the_default_search() -> None:
    values = [duality_gap(losses=losses(GAME), players=GAME.start(), steps=k) for k in (0, 10, 100)]
    assert values[0] == 0
    assert values == sorted(values)
    assert values[1] < values[2]


def test_the_players_are_left_where_they_are() -> None:
    at = GAME.start()
    before = {name: vector.clone() for name, vector in at.items()}
    regrets(losses=losses(GAME), players=at, steps=3)
    assert all(torch.equal(at[name], before[name]) for name in at)
    assert not any(vector.requires_grad for vector in at.values())


def test_other_rows_judge_what_the_search_found() -> None:
    """The search fits m to the mean 1 of its rows; on rows of mean 0 that costs ½(1² − 0²)."""
    found = regrets(
        losses={"m": lambda at: (at["m"] - 1).square().sum() / 2},
        judged={"m": lambda at: at["m"].square().sum() / 2},
        players={"m": torch.zeros(1, dtype=torch.float64)},
        steps=200,
        search=descent(0.5),
    )
    assert found == pytest.approx({"m": -0.5})


def test_norm_and_spectral_radius() -> None:
    """|v|² = (ax + by)² + (cy − bx)²; λ(I − ηJ) = 1 + η λ(−J), with λ(−J) as the game knows them."""
    x, y = GAME.begin
    field = GAME.field(GAME.start(), {}, timed(GAME, 0))
    assert gradient_norm(field) == pytest.approx(math.hypot(A * x + B * y, C * y - B * x))
    expected = max(abs(1 + 0.1 * eigenvalue) for eigenvalue in GAME.spectrum())
    assert spectral_radius(jacobian(GAME), 0.1) == pytest.approx(expected)


def test_median_filter_removes_spikes_and_keeps_steps() -> None:
    curve = torch.zeros(300)
    curve[150:] = 1.0
    spiked = curve.clone()
    spiked[40::60] = 1e3
    filtered = median_filter(spiked)
    assert filtered.unique().tolist() == [0, 1]
    assert abs(int(filtered.sum()) - 150) <= 2  # the spikes on one side of a window move the step by a place
    rough = torch.randn(50, generator=torch.Generator().manual_seed(0))
    padded = np.pad(rough.double().numpy(), 2, mode="edge")
    assert median_filter(rough, width=5).tolist() == [float(np.median(padded[i : i + 5])) for i in range(50)]


def test_drift_is_the_slope_of_the_second_half() -> None:
    curve = torch.cat([torch.randn(50), 3 + 0.25 * torch.arange(50)])
    assert drift(curve) == pytest.approx(0.25)
    assert drift(torch.ones(9)) == pytest.approx(0, abs=1e-12)


def test_accuracy_weighs_both_sides_alike() -> None:
    real, fake = torch.tensor([1.0, 2.0, -1.0, 3.0]), torch.tensor([-1.0, 1.0])
    assert discriminator_accuracy(real=real, fake=fake) == (0.75 + 0.5) / 2
    assert discriminator_accuracy(real=real, fake=fake, threshold=1.0) == (0.5 + 1) / 2


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(InputError, match="each loss belongs to a player"):
        regrets(losses=losses(GAME), players={"x": torch.zeros(1)}, steps=1)
    with pytest.raises(InputError, match="a loss is nan"):
        regrets(losses={"x": lambda at: at["x"].sum() * torch.nan}, players={"x": torch.zeros(1)}, steps=0)
    with pytest.raises(InputError, match="odd"):
        median_filter(torch.zeros(5), width=4)
    with pytest.raises(InputError, match="at least 3 steps"):
        drift(torch.zeros(2))
    with pytest.raises(InputError, match="some of both"):
        discriminator_accuracy(real=torch.zeros(0), fake=torch.zeros(3))
