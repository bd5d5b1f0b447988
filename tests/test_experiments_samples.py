"""Arithmetic of the experiments that judge samples: floors, slopes, duplicates, copies, orders that change."""

from __future__ import annotations

import math

import pytest
import torch

from saddlepoint.experiments.corrupting import Response
from saddlepoint.experiments.e06_generalisation import first_duplicate, slope
from saddlepoint.experiments.e19_metric_calibration import frechet_floor, sliced_shift, standard
from saddlepoint.experiments.e25_likelihood_proxies import flips
from saddlepoint.experiments.e26_few_images import copier
from saddlepoint.experiments.few_images import first_rows, logit_gap


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_the_floor_on_a_line_is_that_of_means_and_deviations() -> None:
    """d = 1: E (x̄ − ȳ)² = 2/n and E (s − s')² = 2 var s = 1/(n − 1) to first order, from 4,000 pairs of 200 rows within
    6 standard errors and the next order, 1/n of it."""
    rows = noise(4000, 2, 200)
    means, deviations = rows.mean(2), rows.std(2)
    values = (means[:, 0] - means[:, 1]).square() + (deviations[:, 0] - deviations[:, 1]).square()
    within = 6 * float(values.std()) / math.sqrt(4000) + frechet_floor(200, 1) / 200
    assert float(values.mean()) == pytest.approx(frechet_floor(200, 1), abs=within)


def test_the_share_of_a_shift_that_slices_see() -> None:
    """d = 2: the mean of |cos| is 2/π, its variance ½ − 4/π²; d = 3: u₁ is uniform, mean ½ and variance 1/12."""
    assert sliced_shift(2) == pytest.approx((2 / math.pi, math.sqrt(0.5 - 4 / math.pi**2)))
    assert sliced_shift(3) == pytest.approx((0.5, math.sqrt(1 / 12)))


def test_standard_rows_have_exact_moments() -> None:
    rows = standard(torch.Generator().manual_seed(0), 40, 5)
    assert torch.allclose(rows.mean(0), torch.zeros(5, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(rows.T.cov(), torch.eye(5, dtype=torch.float64), atol=1e-12)


def test_slope_of_a_power_law() -> None:
    assert slope((10, 100, 1000), [5.0, 0.5, 0.05]) == pytest.approx(-1)
    assert slope((4, 16, 64), [3.0, 6.0, 12.0]) == pytest.approx(0.5)


def test_the_first_duplicate_is_counted_from_one() -> None:
    points = torch.tensor([[0.0], [5.0], [9.0], [5.1], [0.0]])
    assert first_duplicate(points) == 4
    assert first_duplicate(points[:3]) == 3


def test_a_response_has_to_leave_the_noise_and_not_return() -> None:
    usual = (1.0, 1.1, 0.9, 1.05)
    assert Response(usual, (2.0, 3.0, 4.0)).worsens
    assert not Response(usual, (1.0, 1.0, 1.0)).worsens
    assert not Response(usual, (9.0, 2.0, 3.0)).worsens  # better again on the way
    assert Response(usual, (2.0, 3.0, 4.0)).margin == pytest.approx(2.9 / torch.tensor(usual).std().item())


def test_orders_change_by_the_smaller_of_both_sides() -> None:
    """Means over rows ±1 and 2 with deviations 1: 4 rows give ±2 and 4 standard errors."""
    spread = torch.tensor([-1.0, 1.0, -1.0, 1.0], dtype=torch.float64) * math.sqrt(3 / 4)
    zero = torch.zeros(2, 4, dtype=torch.float64)
    crossing = torch.stack([1 + spread, -2 + spread])
    above = torch.stack([1 + spread, 2 + spread])
    found = flips({"a": zero, "b": crossing, "c": above})
    assert found["a", "b"] == pytest.approx(2)
    assert ("a", "c") not in found


def test_copies_stay_by_their_own_row() -> None:
    rows = noise(30, 1, 4, 4).float()
    copies, flat = copier(rows, 50, 0).flatten(1), rows.flatten(1)
    apart = torch.cdist(flat, flat).fill_diagonal_(torch.inf).amin(1)
    near, own = torch.cdist(copies, flat).min(1)
    assert torch.allclose(near, 0.1 * apart[own], atol=1e-4)


def test_fewer_rows_are_those_of_the_seed_and_held_out_ones_stay() -> None:
    one, other = (first_rows("digits", 200, seed) for seed in (0, 1))
    assert len(one.training()["real"]) == 200
    assert not torch.equal(one.training()["real"], other.training()["real"])
    assert torch.equal(one.held_out()["real"], other.held_out()["real"])
    assert one.identity != other.identity


def test_the_gap_of_logits_is_in_deviations_of_held_out_rows() -> None:
    """A linear score, the sum of the pixels: the difference of the means over the deviation."""
    data = first_rows("digits", 200)
    total = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1, bias=False), torch.nn.Flatten(0))
    torch.nn.init.ones_(total[1].weight)
    seen, unseen = (part["real"].flatten(1).sum(1) for part in (data.training(), data.held_out()))
    assert logit_gap(total.requires_grad_(False), data) == pytest.approx(
        float((seen.mean() - unseen.mean()) / unseen.std()), rel=1e-4
    )
