"""Balls around rows: both ways of comparing against plain loops, ties, density and coverage, curves by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    catalogue,
    discrete_curve,
    expected_coverage,
    inside,
    prd_curve,
    prdc,
    precision_recall,
    realism,
)
from saddlepoint.metrics.balls import radii, squares
from saddlepoint.metrics.intervals import share

WIDTHS = [3, 200]  # compared by differences, and by products


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def lattice(n: int, d: int, seed: int) -> Tensor:
    """Small whole numbers: squared distances are whole and many are equal."""
    return torch.randint(0, 2, (n, d), generator=torch.Generator().manual_seed(seed)).float()


def reference_prdc(real: np.ndarray, fake: np.ndarray, k: int) -> list[float]:
    """Full matrices of squared distances and the definitions, in whole numbers or float64."""

    def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.array([[((x - y) ** 2).sum() for y in b] for x in a])

    real_reach = np.sort(apart(real, real), 1)[:, k]
    fake_reach = np.sort(apart(fake, fake), 1)[:, k]
    between = apart(real, fake)
    in_real, in_fake = between < real_reach[:, None], between < fake_reach[None]
    return [
        in_real.any(0).mean(),
        in_fake.any(1).mean(),
        in_real.sum() / (k * len(fake)),
        in_real.any(1).mean(),
    ]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("make", [noise, lattice])
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_prdc_is_the_definition(
    width: int, make: object, offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly, with ties on the lattice, and far from the origin, where a product in float32 has few digits left."""
    monkeypatch.setattr("saddlepoint.metrics.balls.BLOCK", 700)
    real, fake = make(70, width, 1) + offset, make(50, width, 2) + offset  # type: ignore[operator]
    expected = reference_prdc(real.double().numpy(), fake.double().numpy(), 5)
    assert list(prdc(real=real, fake=fake)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_boundary_belongs_to_improved_precision_and_not_to_density(width: int) -> None:
    """One number that differs, the others equal: reals 0, 1, 3 with k = 1 reach to [−1, 1], [0, 2], [1, 5]."""
    line = torch.zeros(8, width)
    line[:, 0] = torch.tensor([0.0, 1, 3, -1, 5, 2, 5.001, -1.001])
    real, fake = line[:3], line[3:]
    assert inside(points=fake, reference=real, k=1).tolist() == [True, True, True, False, False]
    found = prdc(real=real, fake=fake, k=1)
    assert found.precision == 1 / 5  # only 2, in the third ball
    assert found.density == 1 / 5
    assert found.coverage == 1 / 3


@pytest.mark.parametrize("width", WIDTHS)
def test_equal_rows_in_great_number(width: int) -> None:
    """All candidates for the k-th neighbour at distance 0, and more equal ones beyond them."""
    rows = torch.cat([noise(1, width, 0).expand(40, -1), noise(30, width, 1)])
    full = torch.tensor([[float((x - y).double().square().sum()) for y in rows] for x in rows])
    expected = full.double().fill_diagonal_(math.inf).kthvalue(5, 1).values
    assert torch.allclose(radii("rows", rows.double(), 5), expected, rtol=1e-6, atol=0)
    assert precision_recall(real=rows, fake=rows) == (1.0, 1.0)


def test_neighbours_that_rounding_cannot_tell_apart() -> None:
    """All others within rounding of each other: far from the centre on both sides, and nearer to each other than a product
    in float32 resolves. The k-th is found all the same."""
    side = torch.cat([torch.full((30, 300), 1.0), torch.full((30, 300), -1.0)]).double()
    rows = side * 100 + 1e-3 * noise(60, 300, 2).double()
    full = (rows[:, None] - rows[None]).square().sum(2).fill_diagonal_(math.inf)
    for k in (1, 5, 25):
        assert torch.allclose(radii("rows", rows, k), full.kthvalue(k, 1).values, rtol=1e-9, atol=0)


def test_bounds_of_a_product_hold() -> None:
    """low ≤ truth ≤ low + slack, for lengths from 1 to 1e4 side by side."""
    scale = torch.logspace(0, 4, 60)[:, None]
    rows, others = noise(60, 300, 0) * scale, noise(60, 300, 1) * scale
    truth = (rows.double()[:, None] - others.double()[None]).square().sum(2)
    for block in squares(rows, others):
        assert block.slack is not None
        assert block.other_slack is not None
        assert (block.low <= truth).all()
        assert (truth <= block.low + block.slack + block.other_slack).all()


def test_realism_is_the_ratio_and_says_who_is_inside() -> None:
    """Reals 0, 1, 3 with k = 1 have radii 1, 1, 2: at 5 it is 2/2, at 9 it is 2/6, at 2 the larger of 1/1 and 2/1."""
    real = torch.tensor([[0.0], [1.0], [3.0]])
    found = realism(real=real, fake=torch.tensor([[5.0], [9.0], [2.0]]), k=1)
    assert found.tolist() == pytest.approx([1, 1 / 3, 2], rel=2e-5)
    real, fake = noise(200, 4, 0), noise(150, 4, 1)
    within = inside(points=fake, reference=real)
    assert ((realism(real=real, fake=fake) > 1 - 1e-4) == within).double().mean() > 0.99


@pytest.mark.parametrize(("n", "m", "k"), [(40, 40, 5), (60, 30, 3)])
def test_equal_distributions_have_the_expected_coverage_and_density_one(n: int, m: int, k: int) -> None:
    """A fake is among the k nearest of a real with probability k/n, so E density = 1.
    Means of 300 repeats, with standard errors from the repeats."""
    found = torch.tensor(
        [prdc(real=noise(n, 2, 2 * i), fake=noise(m, 2, 2 * i + 1), k=k)[2:] for i in range(300)]
    )
    error = found.std(0) / math.sqrt(300)
    assert error.max() < 0.02
    assert abs(float(found[:, 0].mean()) - 1) < 4 * float(error[0])
    assert abs(float(found[:, 1].mean()) - expected_coverage(n, m, k)) < 4 * float(error[1])


def test_expected_coverage_by_hand() -> None:
    """n = 2, m = 1, k = 1: the other real and the fake are equally likely to be the nearer one."""
    assert expected_coverage(2, 1, 1) == 0.5
    assert expected_coverage(10**6, 10**6, 5) == pytest.approx(1 - 2**-5, abs=1e-5)


def test_dropped_modes_and_outliers() -> None:
    """Fakes on one of two equal clusters cover half the reals; an outlier among the reals adds no density."""
    real = torch.cat([noise(100, 2, 0), noise(100, 2, 1) + 100])
    assert prdc(real=real, fake=noise(200, 2, 2)).coverage <= 0.5
    lonely = torch.cat([noise(100, 2, 0), torch.full((1, 2), 50.0)])
    fake = noise(100, 2, 4) + 25
    assert prdc(real=lonely, fake=fake).precision == 1.0
    assert prdc(real=lonely, fake=fake).density <= 1 / 5 + 1e-12


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(InputError, match=r"k is 5 with 4 rows of fake"):
        prdc(real=noise(10, 2, 0), fake=noise(4, 2, 1))
    with pytest.raises(InputError, match=r"real holds NaN"):
        prdc(real=noise(10, 2, 0) * math.nan, fake=noise(9, 2, 1))


@pytest.mark.parametrize("name", ["prdc", "precision-recall", "realism"])
def test_intervals_hold_the_truth(name: str) -> None:
    """200 repeats of 100 rows of both sides; the truth is the mean of all. A binomial of 0.95 is outside [0.90, 0.985] once
    in a thousand."""
    metric, found = catalogue.get(name), []
    for i in range(200):
        found.append(metric.measure(real=noise(100, 2, i), fake=1.2 * noise(100, 2, 1000 + i)))
    for score in metric.better:
        truth = sum(one[score].value for one in found) / 200
        held = sum(one[score].interval[0] <= truth <= one[score].interval[1] for one in found)
        assert 180 <= held <= 197, score


def test_share_interval() -> None:
    """Wilson's interval at 0 of n is [0, z²/(n + z²)]."""
    z = 1.959964
    low, high = share(torch.zeros(50, dtype=torch.bool)).interval
    assert low == pytest.approx(0, abs=1e-12)
    assert high == pytest.approx(z * z / (50 + z * z), rel=1e-6)


def test_curves_of_small_distributions_by_hand() -> None:
    """p = q: α(1) = β(1) = 1. q on one of four equal bins: α(λ) = min(λ/4, 1), so that precision 1 goes with recall 1/4,
    and both lie on α = min(λ/4, 1), β = α/λ = 1/4 for λ ≤ 4. The best F_β is at λ = 4."""
    uniform, one = torch.full((4,), 0.25), torch.tensor([1.0, 0, 0, 0])
    same = discrete_curve(uniform, uniform)
    assert (same.best(8), same.best(1 / 8)) == pytest.approx((1, 1), abs=1e-5)
    recall = 65 * 0.25 / (64 + 0.25)
    precision = (1 + 1 / 64) * 0.25 / (1 / 64 + 0.25)
    collapsed = discrete_curve(uniform, one)
    assert (collapsed.best(8), collapsed.best(1 / 8)) == pytest.approx((recall, precision), rel=1e-3)
    swapped = discrete_curve(one, uniform)
    assert (swapped.best(8), swapped.best(1 / 8)) == pytest.approx((precision, recall), rel=1e-3)
    apart = discrete_curve(one, one.flip(0))
    assert (apart.best(8), apart.best(1 / 8)) == (0, 0)


def test_curves_of_samples() -> None:
    """Four far clusters, of which the fakes have one: the values of the hand-made bins. Clustering splits clusters, which
    costs a little of the overlap."""
    corners = torch.tensor([[0.0, 0], [100, 0], [0, 100], [100, 100]])
    real = (corners[:, None] + noise(400, 2, 0).view(4, 100, 2)).flatten(0, 1)
    fake = noise(400, 2, 1)
    curve = prd_curve(real=real, fake=fake, bins=4, runs=2)
    assert curve.best(8) == pytest.approx(65 * 0.25 / 64.25, rel=0.01)
    assert curve.best(1 / 8) == pytest.approx((1 + 1 / 64) * 0.25 / (1 / 64 + 0.25), rel=0.01)
    same = prd_curve(real=real, fake=real.flip(0), runs=2)
    assert (same.best(8), same.best(1 / 8)) == pytest.approx((1, 1), abs=1e-4)


def test_curves_need_equal_numbers() -> None:
    with pytest.raises(InputError, match=r"10 rows and fake has 9.*equal"):
        prd_curve(real=noise(10, 2, 0), fake=noise(9, 2, 1))
    with pytest.raises(InputError, match=r"20 bins.*2 to 10"):
        prd_curve(real=noise(5, 2, 0), fake=noise(5, 2, 1))
