"""Exact, entropic and sliced transport against other solvers, closed forms and duality."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    directions,
    earth_mover,
    sinkhorn_divergence,
    sliced_wasserstein,
    sliced_wasserstein_interval,
    wasserstein_1d,
)


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cost(real: Tensor, fake: Tensor) -> Tensor:
    return (real[:, None] - fake[None]).norm(dim=2)


@pytest.mark.parametrize(("n", "m", "d"), [(60, 60, 3), (40, 25, 2), (2, 5, 1), (30, 30, 20)])
def test_exact_transport_agrees_with_two_solvers_and_proves_itself(n: int, m: int, d: int) -> None:
    import ot
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, kron

    real, fake = noise(n, d, 0), 1.5 * noise(m, d, 1) + 0.5
    costs, found = cost(real, fake), earth_mover(real=real, fake=fake)
    weights = np.full(n, 1 / n), np.full(m, 1 / m)
    assert found.value == pytest.approx(ot.emd2(*weights, costs.numpy()), rel=1e-9)
    sums = kron(eye_array(n), np.ones((1, m))), kron(np.ones((1, n)), eye_array(m))
    from scipy.sparse import vstack

    solved = linprog(costs.numpy().ravel(), A_eq=vstack(sums), b_eq=np.concatenate(weights), method="highs")
    assert found.value == pytest.approx(solved.fun, rel=1e-9)
    assert abs(found.gap) < 1e-12 * max(1, found.value)
    assert (found.first[:, None] + found.second <= costs + 1e-9).all()
    assert float(found.first.mean() + found.second.mean()) == pytest.approx(found.value, abs=1e-9)


def test_exact_transport_identity_shift_order_and_metric() -> None:
    """A pure shift costs its length; W₁ is symmetric and obeys the triangle inequality."""
    a, b, c = noise(40, 3, 0), noise(40, 3, 1) + 1, 2 * noise(40, 3, 2)

    def w(x: Tensor, y: Tensor) -> float:
        return earth_mover(real=x, fake=y).value

    assert w(a, a.flip(0)) == 0
    assert w(a, a + torch.tensor([3.0, 4.0, 0.0])) == pytest.approx(5, rel=1e-12)
    assert w(a, b) == pytest.approx(w(b.flip(0), a), rel=1e-12)
    assert w(a, c) <= w(a, b) + w(b, c)


def test_one_column_is_sorting() -> None:
    """n = m: mean |x_(i) − y_(i)|; unequal: scipy, and exact transport; W₂ by repeating rows to a common number."""
    from scipy.stats import wasserstein_distance

    real, fake = noise(30, 1, 0), 2 * noise(30, 1, 1) + 1
    equal = float(wasserstein_1d(real=real, fake=fake))
    assert equal == pytest.approx(float((real.sort(0).values - fake.sort(0).values).abs().mean()), rel=1e-12)
    assert earth_mover(real=real, fake=fake).value == pytest.approx(equal, rel=1e-12)
    some = fake[:12]
    expected = wasserstein_distance(real[:, 0], some[:, 0])
    assert float(wasserstein_1d(real=real, fake=some)) == pytest.approx(expected, rel=1e-12)
    assert earth_mover(real=real, fake=some).value == pytest.approx(expected, rel=1e-9)
    repeated = real.repeat(2, 1).sort(0).values - some.repeat(5, 1).sort(0).values
    expected = float(repeated.square().mean().sqrt())
    assert float(wasserstein_1d(real=real, fake=some, p=2)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("m", [50, 31])
def test_sliced_agrees_with_pot_along_equal_directions(p: int, m: int) -> None:
    import ot

    real, fake, along = noise(50, 5, 0), 1.4 * noise(m, 5, 1) + 0.3, directions(width=5, count=70, seed=3)
    expected = ot.sliced_wasserstein_distance(real.numpy(), fake.numpy(), projections=along.numpy(), p=p)
    assert sliced_wasserstein(real=real, fake=fake, along=along, p=p) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("d", [2, 10])
def test_sliced_distance_of_a_shift(d: int) -> None:
    """|θ·m| of a uniform direction has mean |m| Γ(d/2)/(√π Γ((d + 1)/2)) and mean square |m|²/d; 4,000 directions know
    the mean to 4·|m|/√(4000 d)."""
    real = noise(20, d, 0)
    shift = torch.linspace(1, 2, d).double()
    along = directions(width=d, count=4000, seed=0)
    found = sliced_wasserstein(real=real, fake=real + shift, along=along)
    expected = float(shift.norm()) * math.gamma(d / 2) / (math.sqrt(math.pi) * math.gamma((d + 1) / 2))
    assert found == pytest.approx(expected, abs=4 * float(shift.norm()) / math.sqrt(4000 * d))
    assert along.norm(dim=0).numpy() == pytest.approx(1)
    assert sliced_wasserstein(real=real, fake=real.flip(0), along=along) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", ["sliced", "exact", "entropic"])
def test_intervals_hold_the_mean(kind: str) -> None:
    """200 pairs of N(0, I_2) and N(1, 1.44 I_2), 70 and 70 rows: 90 to 98 % of the intervals hold the mean of all 200."""
    along, ends, values = directions(width=2, count=16, seed=0), [], []
    for seed in range(200):
        real, fake = noise(70, 2, seed), 1.2 * noise(70, 2, seed + 999) + 1
        if kind == "sliced":
            found = sliced_wasserstein_interval(real=real, fake=fake, along=along)
        elif kind == "exact":
            found = earth_mover(real=real, fake=fake)
        else:
            found = sinkhorn_divergence(real=real, fake=fake, epsilon=1.0)
        values.append(found.value)
        ends.append(found.interval)
    truth = np.mean(values)
    assert 0.90 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.98


def entropic(x: Tensor, y: Tensor, epsilon: float) -> float:
    import ot

    costs = cost(x, y).numpy()
    return float(ot.solve(costs, reg=epsilon, reg_type="KL", tol=1e-8, max_iter=5000).value)


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 10.0])
def test_sinkhorn_agrees_with_pot(epsilon: float) -> None:
    real, fake = noise(40, 3, 0), noise(30, 3, 1) + 0.4
    found = sinkhorn_divergence(real=real, fake=fake, epsilon=epsilon)
    expected = (
        entropic(real, fake, epsilon) - (entropic(real, real, epsilon) + entropic(fake, fake, epsilon)) / 2
    )
    assert found.converged
    assert found.value == pytest.approx(expected, rel=1e-4)


def test_sinkhorn_lies_between_exact_transport_and_energy_distance() -> None:
    """ε → 0: exact transport, within 2 %; ε → ∞: half the energy distance, within 1e-4."""
    real, fake = noise(60, 2, 0), noise(60, 2, 1) + 1
    near = sinkhorn_divergence(real=real, fake=fake, epsilon=0.005).value
    assert near == pytest.approx(earth_mover(real=real, fake=fake).value, rel=0.02)
    far = sinkhorn_divergence(real=real, fake=fake, epsilon=1e5).value
    energy = cost(real, fake).mean() - (cost(real, real).mean() + cost(fake, fake).mean()) / 2
    assert far == pytest.approx(float(energy), rel=1e-4)


def test_sinkhorn_identity_symmetry_and_grades() -> None:
    real, clean = noise(60, 3, 0), noise(60, 3, 1)
    assert sinkhorn_divergence(real=real, fake=real.flip(0)).value == pytest.approx(0, abs=1e-6)
    ways = [sinkhorn_divergence(real=x, fake=y, epsilon=0.3).value for x, y in ((real, clean), (clean, real))]
    assert ways[0] == pytest.approx(ways[1], rel=1e-3)
    moved = [sinkhorn_divergence(real=real, fake=clean + grade).value for grade in (0, 0.25, 0.5, 1)]
    assert moved == sorted(moved)
    constant = sinkhorn_divergence(real=torch.zeros(5, 2), fake=torch.ones(5, 2))
    assert constant.value == pytest.approx(2**0.5, rel=1e-6)


def test_bad_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = noise(9, 2, 0)
    with pytest.raises(InputError, match="at most 5000 rows"):
        earth_mover(real=torch.zeros(5001, 1), fake=rows[:, :1])
    with pytest.raises(InputError, match="epsilon is 0"):
        sinkhorn_divergence(real=rows, fake=rows, epsilon=0)
    with pytest.raises(InputError, match=r"p is 0\.5"):
        wasserstein_1d(real=rows, fake=rows, p=0.5)
    with pytest.raises(InputError, match="directions of 3"):
        sliced_wasserstein(real=rows, fake=rows, along=directions(width=3, seed=0))
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(InputError, match=r"pip install saddlepoint\[ot\]"):
        earth_mover(real=rows, fake=rows[:4])
