"""Searches on lines against known maxima."""

from __future__ import annotations

import math

import pytest
import torch

from saddlepoint.objectives import KL, Alpha, Divergence, Neyman, Pearson, SquaredHellinger, TotalVariation
from saddlepoint.theory.search import maximum, variational


def test_maxima_inside_at_an_end_and_beside_what_is_no_number() -> None:
    """−(v − c)² for centres in and out of [−1, 2]; u v − e^v has its maximum u log u − u; log v is no number below 0."""
    centres = torch.tensor([-3.0, -1.0, 0.3, 1.9, 5.0], dtype=torch.float64)
    ends = torch.full_like(centres, -1.0), torch.full_like(centres, 2.0)
    found = maximum(lambda v: -(v - centres).square(), *ends)
    torch.testing.assert_close(
        found, -torch.tensor([4.0, 0, 0, 0, 9], dtype=torch.float64), rtol=0, atol=1e-14
    )
    u = torch.tensor([0.2, 1.0, 7.0], dtype=torch.float64)
    wide = torch.full_like(u, 30.0)
    torch.testing.assert_close(maximum(lambda v: u * v - v.exp(), -wide, wide), u * u.log() - u)
    one = torch.ones(1, dtype=torch.float64)
    at_e = maximum(lambda v: v.log() / v, -one, 9 * one)
    assert abs(at_e.item() - 1 / math.e) < 1e-12


def test_few_steps_find_less() -> None:
    """An interval of length 1 is 0.618^n after n steps, so that a slope of 1 is followed to that much of its end."""
    zero, one = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    peak = math.pi - 2.6
    missed = [-maximum(lambda v: -(v - peak).abs(), zero, one, steps=n).item() for n in (0, 5, 20)]
    assert missed[0] > missed[1] > missed[2]
    assert all(short <= 0.619**n for short, n in zip(missed, (0, 5, 20), strict=True))


@pytest.mark.parametrize(
    "kind",
    [KL(), Pearson(), Neyman(), SquaredHellinger(), Alpha(-1.0), Alpha(1.5), TotalVariation()],
    ids=repr,
)
def test_the_supremum_of_a_bound_is_the_divergence(kind: Divergence) -> None:
    """q f(p/q), for ratios of densities from 1e-3 to 1e4."""
    q = torch.tensor([3.0, 0.01, 0.5, 1.0, 1e-4], dtype=torch.float64)
    p = torch.tensor([0.003, 0.4, 0.5, 0.2, 1.0], dtype=torch.float64)
    torch.testing.assert_close(variational(kind, p, q), q * kind.f(p / q), rtol=1e-11, atol=1e-13)
