"""Equilibria of matrix games against closed forms, another solver, and the bounds that the solvers promise."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.theory.equilibria import (
    duality_gap,
    fictitious_play,
    guarantees,
    multiplicative_weights,
    rounds_needed,
    solved,
)

PENNIES = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
SCISSORS = torch.tensor([[0.0, 1, -1], [-1, 0, 1], [1, -1, 0]], dtype=torch.float64)


def random_game(n: int, m: int, seed: int = 0) -> Tensor:
    return torch.rand(n, m, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4))
@settings(max_examples=50, deadline=None)
def test_games_of_two_by_two_have_a_closed_form(entries: list[float]) -> None:
    """A saddle point of pure strategies where there is one, else (ad − bc)/(a + d − b − c)."""
    a, b, c, d = entries
    game = torch.tensor([[a, b], [c, d]], dtype=torch.float64)
    low, high = float(game.min(0).values.max()), float(game.max(1).values.min())
    value = low if low == high else (a * d - b * c) / (a + d - b - c)
    found = solved(game)
    assert found.value == pytest.approx(value, abs=1e-7)
    assert abs(found.gap) < 1e-7


def test_known_strategies() -> None:
    assert torch.allclose(solved(SCISSORS).first, torch.full((3,), 1 / 3, dtype=torch.float64))
    found = solved(torch.diag(torch.tensor([1.0, 2.0, 4.0])))  # weights as 1/d, value 1/Σ(1/d)
    assert found.value == pytest.approx(4 / 7)
    for side in (found.first, found.second):
        assert side.tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7])


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 5), (6, 1), (7, 4), (30, 60)])
def test_an_equilibrium_proves_itself_and_turns_with_the_game(n: int, m: int) -> None:
    game = random_game(n, m)
    found, turned = solved(game), solved(-game.T)
    assert found.gap == pytest.approx(0, abs=1e-9)
    assert turned.value == pytest.approx(-found.value, abs=1e-9)
    for side in (found.first, found.second):
        assert float(side.sum()) == pytest.approx(1)
        assert float(side.min()) >= 0


def test_guarantees_by_hand() -> None:
    first, second = torch.tensor([0.75, 0.25]).double(), torch.tensor([1.0, 0.0]).double()
    assert guarantees(PENNIES, first, second) == (-1.0, 0.5)
    assert duality_gap(PENNIES, first, second) == 1.5


@pytest.mark.parametrize("epsilon", [0.2, 0.05])
@pytest.mark.parametrize(("n", "m"), [(2, 2), (1, 20), (20, 1), (10, 40)])
def test_multiplicative_weights_keep_their_promise(n: int, m: int, epsilon: float) -> None:
    game = 3 * random_game(n, m) - 7
    found = multiplicative_weights(game, rounds_needed(game, epsilon))
    assert 0 <= found.gap <= epsilon
    assert abs(found.value - solved(game).value) <= found.gap + 1e-12


def test_multiplicative_weights_in_two_rounds_by_hand() -> None:
    """[[0], [1]]: the first row has weight ½, then e^η against 1, η = √(8 ln 2 / 2)."""
    eta = math.sqrt(4 * math.log(2))
    found = multiplicative_weights(torch.tensor([[0.0], [1.0]]), 2)
    assert float(found.first[0]) == pytest.approx((0.5 + 1 / (1 + math.exp(-eta))) / 2)
    assert found.second.tolist() == [1.0]


def test_fictitious_play_in_three_rounds_by_hand() -> None:
    """The second matches, the first evades: rows 0, 1, 1 and columns 0, 0, 0 (the first of equals is played)."""
    found = fictitious_play(PENNIES, 3)
    assert found.first.tolist() == pytest.approx([1 / 3, 2 / 3])
    assert found.second.tolist() == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize(
    "game", [PENNIES, SCISSORS, random_game(8, 12)], ids=["pennies", "scissors", "random"]
)
def test_fictitious_play_comes_near(game: Tensor) -> None:
    """The gap falls at least as T^(−1/(n + m − 2)) by Shapiro's bound; here far faster."""
    early, late = fictitious_play(game, 100), fictitious_play(game, 10_000)
    assert 0 <= late.gap < 0.03
    assert late.gap < early.gap
    assert abs(late.value - solved(game).value) <= late.gap + 1e-12


def test_input_is_refused() -> None:
    with pytest.raises(InputError, match="matrix of finite numbers"):
        solved(torch.tensor([1.0, math.nan])[None])
    with pytest.raises(InputError, match="shape"):
        fictitious_play(torch.ones(3), 5)
    with pytest.raises(InputError, match="at least 1"):
        multiplicative_weights(PENNIES, 0)
    with pytest.raises(InputError, match="epsilon is 0"):
        rounds_needed(PENNIES, 0)


def test_a_game_without_stakes() -> None:
    assert rounds_needed(torch.zeros(3, 2), 0.1) == 1
    assert multiplicative_weights(torch.zeros(3, 2), 1).gap == 0
