"""Boosting weights solve the problem that they are the closed form of."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize

from saddlepoint.boosting import boosted, level, odds
from saddlepoint.errors import InputError

ratios = st.lists(st.floats(0.0, 50.0), min_size=1, max_size=40)
shares = st.floats(0.02, 1.0)


@settings(max_examples=200, deadline=None)
@given(ratios, shares)
def test_the_level_solves_its_equation(values: list[float], share: float) -> None:
    """To 1e-12, and a bracketing solver that knows nothing of prefixes finds the same root."""
    ratio = torch.tensor(values, dtype=torch.float64)
    found = float(level(ratio, share))

    def excess(at: float) -> float:
        return float((at - (1 - share) * ratio).clamp(min=0).mean()) / share - 1

    assert abs(excess(found)) < 1e-12 * max(1.0, max(values) / share)
    assert found == pytest.approx(brentq(excess, 0.0, 60.0, xtol=1e-13), abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(ratios, shares)
def test_weights_are_a_distribution_that_falls_with_the_ratio(values: list[float], share: float) -> None:
    ratio = torch.tensor(values, dtype=torch.float64)
    weight = boosted(ratio, share)
    assert (weight >= 0).all()
    assert abs(float(weight.sum()) - 1) < 1e-12 * max(1.0, max(values) / share)
    falling = weight[ratio.argsort()]
    assert (falling.diff() <= 1e-15).all()
    torch.testing.assert_close(boosted(ratio.flip(0), share), weight.flip(0), rtol=0, atol=1e-12)


def test_weights_are_uniform_where_nothing_is_known_or_nothing_is_kept() -> None:
    """A mixture that already is the data, a first component, and one that replaces the mixture."""
    uniform = torch.full((7,), 1 / 7, dtype=torch.float64)
    torch.testing.assert_close(boosted(torch.ones(7), 0.3), uniform)
    torch.testing.assert_close(boosted(torch.rand(7), 1.0), uniform)
    torch.testing.assert_close(odds(torch.tensor([0.0, -2.0])).log(), torch.tensor([0.0, 2.0]).double())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_weights_are_the_best_next_component(share: float) -> None:
    """min over distributions w of the chi-square divergence of the new mixture from the data, by a general solver."""
    ratio = torch.rand(6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ratio = 6 * ratio.square() / ratio.square().sum()  # of mean 1, as a ratio of distributions is

    def divergence(w: list[float]) -> float:
        mixture = (1 - share) * ratio + share * 6 * torch.as_tensor(w)
        return float((mixture - 1).square().mean())

    best = minimize(
        divergence,
        [1 / 6] * 6,
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: sum(w) - 1},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    torch.testing.assert_close(boosted(ratio, share), torch.as_tensor(best.x), rtol=0, atol=1e-5)


def test_a_missed_mode_gets_all_the_weight() -> None:
    """Two modes, of which the mixture makes one only: ratios 2 and 0; a half makes up for it exactly."""
    weight = boosted(torch.tensor([2.0, 2.0, 0.0, 0.0]), 0.5)
    torch.testing.assert_close(weight, torch.tensor([0.0, 0.0, 0.5, 0.5]).double())


@pytest.mark.parametrize(
    "ratio", [torch.tensor([-1.0, 1.0]), torch.zeros(0), torch.ones(2, 2), torch.tensor([torch.nan])]
)
def test_what_is_no_ratio_is_refused(ratio: torch.Tensor) -> None:
    with pytest.raises(InputError, match="ratio that is not negative"):
        boosted(ratio, 0.5)
    with pytest.raises(InputError, match="share of 0"):
        boosted(torch.ones(3), 0)
