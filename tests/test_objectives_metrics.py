"""Metrics between batches: closed forms between Gaussians, exact transport, gradients against finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.stats import energy_distance
from torch import Tensor

from saddlepoint.objectives import (
    MMD,
    DistanceKernel,
    GaussianKernel,
    Kernel,
    Metric,
    RationalQuadratic,
    Sinkhorn,
    Weighted,
)

pytestmark = pytest.mark.usefixtures("double")

KERNELS: list[Kernel] = [GaussianKernel((0.5, 2.0)), RationalQuadratic(), DistanceKernel()]
METRICS: list[Metric] = [
    *(MMD(kernel, unbiased) for kernel in KERNELS for unbiased in (True, False)),
    Sinkhorn(epsilon=0.5),
    Sinkhorn(epsilon=0.5, power=1.0, iterations=7),
]
every = pytest.mark.parametrize("metric", METRICS, ids=repr)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def normal(mean: Tensor, deviation: float) -> Weighted:
    """N(mean, deviation²) as points on a grid with the density as weights: the trapezoidal rule."""
    z = torch.linspace(-9, 9, 500)
    return Weighted((mean + deviation * z)[:, None], (-0.5 * z**2).exp())


def test_gaussian_mmd_between_gaussians() -> None:
    """E k(x, y) = σ/√(σ² + s² + t²) exp(−(a − b)²/(2(σ² + s² + t²))), a, b means and s, t deviations; and the gradient in a
    mean. In plain numbers, by quadrature in the objective."""
    widths, b, s, t = (0.5, 2.0), 0.3, 1.0, 0.6
    a = torch.tensor(1.1, requires_grad=True)

    def across(gap: Tensor, spread: float) -> Tensor:
        return sum(
            (w / math.sqrt(w**2 + spread) * (-(gap**2) / (2 * (w**2 + spread))).exp() for w in widths),
            torch.zeros(()),
        )

    zero = torch.zeros(())
    expected = across(zero, 2 * s**2) + across(zero, 2 * t**2) - 2 * across(a - b, s**2 + t**2)
    metric = MMD(GaussianKernel(widths), unbiased=False)
    found = metric.generator(normal(torch.tensor(b), t), normal(a, s))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    slopes = [torch.autograd.grad(value, a)[0] for value in (found, expected)]
    torch.testing.assert_close(*slopes, rtol=1e-9, atol=0)


def by_hand(kernel: Kernel, x: np.ndarray, y: np.ndarray, unbiased: bool) -> float:
    """The estimates as they are printed, pair by pair."""
    forms = {
        GaussianKernel: lambda r: sum(math.exp(-(r**2) / (2 * w**2)) for w in (0.5, 2.0)),
        RationalQuadratic: lambda r: sum((1 + r**2 / (2 * a)) ** -a for a in (0.2, 0.5, 1, 2, 5)),
        DistanceKernel: lambda r: -r,
    }
    k = forms[type(kernel)]

    def pairs(a: np.ndarray, b: np.ndarray, same: bool) -> float:
        values = [
            k(float(np.linalg.norm(p - q)))
            for i, p in enumerate(a)
            for j, q in enumerate(b)
            if not (same and i == j)
        ]
        return sum(values) / len(values)

    return pairs(x, x, unbiased) + pairs(y, y, unbiased) - 2 * pairs(x, y, False)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("unbiased", [True, False])
def test_both_estimates_pair_by_pair(kernel: Kernel, unbiased: bool) -> None:
    x, y = draw(7, 2, 3), draw(5, 2, 3, seed=1) + 0.4
    expected = by_hand(kernel, x.flatten(1).numpy(), y.flatten(1).numpy(), unbiased)
    assert MMD(kernel, unbiased).distance(x, y).item() == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_the_unbiased_estimate_is_right_on_average_and_the_other_is_not() -> None:
    """Batches of 4 from one law, P = Q: mean 0 within 4 standard errors; the biased one is (2/n)(k(0) − E k) too large."""
    kernel, n = GaussianKernel((1.0,)), 4
    batches = [(draw(n, 1, seed=2 * i), draw(n, 1, seed=2 * i + 1)) for i in range(1500)]
    free, bound = (
        torch.stack([MMD(kernel, unbiased).distance(x, y) for x, y in batches]) for unbiased in (True, False)
    )
    error = free.std() / math.sqrt(len(batches))
    assert abs(free.mean()) < 4 * error
    excess = 2 / n * (1 - 1 / math.sqrt(3))  # E k(x, x′) = 1/√(1 + 2)
    assert abs(bound.mean() - excess) < 4 * error
    assert free.min() < 0 <= bound.min()


def test_the_energy_distance_on_a_line_is_the_integral_of_squared_differences() -> None:
    """2∫(F − G)² dx over the two empirical distribution functions, summed here; and SciPy's root of it."""
    x, y = draw(40), draw(30, seed=1) * 1.5 + 0.5
    both = torch.cat([x, y]).sort().values
    f, g = ((sample[:, None] <= both[:-1]).double().mean(0) for sample in (x, y))
    integral = (2 * (f - g).square() * both.diff()).sum().item()
    found = MMD(DistanceKernel(), unbiased=False).distance(x[:, None], y[:, None]).item()
    assert found == pytest.approx(integral, abs=1e-5)
    assert math.sqrt(found) == pytest.approx(energy_distance(x.numpy(), y.numpy()), abs=1e-5)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_the_witness_gains_the_squared_distance(kernel: Kernel) -> None:
    """E_P w − E_Q w = MMD² of the batches."""
    x, y = draw(9, 2), draw(6, 2, seed=1) + 0.3
    metric = MMD(kernel, unbiased=False)
    gain = metric.witness(x, x, y).mean() - metric.witness(y, x, y).mean()
    torch.testing.assert_close(gain, metric.distance(x, y))


# -- transport ------------------------------


def assigned(x: Tensor, y: Tensor, power: float) -> float:
    cost = np.linalg.norm(x.numpy()[:, None] - y.numpy(), axis=-1) ** power
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean())


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_sinkhorn_tends_to_optimal_transport(power: float) -> None:
    """ε → 0: the cost of the best assignment, from which S_ε differs by ε log n at most (the entropy of a plan)."""
    x, y = draw(6, 2), draw(6, 2, seed=1) + 1
    exact = assigned(x, y, power)
    for epsilon, iterations in ((1.0, 100), (0.3, 500), (0.1, 1000), (0.03, 3000)):
        error = abs(Sinkhorn(epsilon, iterations, power).distance(x, y).item() - exact)
        assert error < epsilon * math.log(6)
    assert error < 1e-2 * exact


def test_sinkhorn_with_much_entropy_compares_means() -> None:
    """ε → ∞: π = p⊗q, and E C(x, y) − ½E C(x, x′) − ½E C(y, y′) = ‖E x − E y‖² for the squared distance; half of the energy
    distance for the distance itself."""
    x, y = draw(6, 3), draw(9, 3, seed=1) + 1
    means = (x.mean(0) - y.mean(0)).square().sum().item()
    assert Sinkhorn(1e6).distance(x, y).item() == pytest.approx(means, rel=1e-4)
    energy = MMD(DistanceKernel(), unbiased=False).distance(x, y).item()
    assert Sinkhorn(1e6, power=1.0).distance(x, y).item() == pytest.approx(energy / 2, rel=1e-4)


def test_sinkhorn_of_shifted_gaussians() -> None:
    """A shift by m adds exactly ‖m‖² to the squared-distance cost for every ε: OT_ε(P, P + m) = OT_ε(P, P) + ‖m‖²."""
    x, shift = draw(7, 2), torch.tensor([0.8, -0.3])
    value = Sinkhorn(1.0, 600).distance(x, x + shift)
    assert value.item() == pytest.approx(shift.square().sum().item(), rel=1e-8)


def test_through_the_iterations_is_the_envelope_when_they_have_converged() -> None:
    """∂OT_ε/∂x_i = Σ_j π_ij ∇C(x_i, y_j), π the optimal plan, found here by scaling in plain numbers."""
    x, y, epsilon = draw(5, 2), draw(5, 2, seed=1) + 0.5, 0.5

    def plan(a: Tensor, b: Tensor) -> Tensor:
        gibbs = torch.exp(-(a[:, None] - b).square().sum(-1) / epsilon)
        u = torch.ones(5)
        for _ in range(3000):
            v = 0.2 / (gibbs.T @ u)
            u = 0.2 / (gibbs @ v)
        return u[:, None] * gibbs * v

    point = x.clone().requires_grad_()
    found = torch.autograd.grad(Sinkhorn(epsilon, 1000).distance(point, y), point)[0]
    to_y = (plan(x, y)[..., None] * 2 * (x[:, None] - y)).sum(1)
    to_x = (plan(x, x)[..., None] * 2 * (x[:, None] - x)).sum(1)
    torch.testing.assert_close(found, to_y - to_x, rtol=1e-7, atol=1e-9)


# -- all of them ------------------------------


@every
def test_gradients_are_derivatives(metric: Metric) -> None:
    """First and second, against finite differences."""
    x, y, along = draw(5, 2), draw(5, 2, seed=1), draw(5, 2, seed=2)

    def value(step: Tensor) -> Tensor:
        return metric.generator(x, y + step * along)

    def rate(step: float, order: int) -> float:
        at = torch.tensor(step, requires_grad=True)
        found = value(at)
        for _ in range(order):
            (found,) = torch.autograd.grad(found, at, create_graph=True)
        return found.item()

    h = 1e-5
    for order in (1, 2):
        numeric = (rate(h, order - 1) - rate(-h, order - 1)) / (2 * h)
        assert rate(0.0, order) == pytest.approx(numeric, rel=1e-5, abs=1e-8)


@every
def test_the_feature_network_plays_the_opposite(metric: Metric) -> None:
    x, y = draw(6, 4), draw(6, 4, seed=1)
    assert metric.discriminator(x, y) == -metric.generator(x, y)
    assert metric.couples_rows


@every
def test_a_metric_does_not_care_where_the_origin_is_nor_which_side_is_which(metric: Metric) -> None:
    x, y = draw(6, 2), draw(5, 2, seed=1)
    torch.testing.assert_close(metric.distance(x + 3, y + 3), metric.distance(x, y), rtol=1e-6, atol=1e-9)
    tolerance = 1e-2 if isinstance(metric, Sinkhorn) else 1e-9  # Sinkhorn updates one side last
    torch.testing.assert_close(metric.distance(y, x), metric.distance(x, y), rtol=tolerance, atol=1e-9)


@pytest.mark.parametrize("metric", [m for m in METRICS if not (isinstance(m, MMD) and m.unbiased)], ids=repr)
def test_a_batch_is_at_distance_0_from_itself_with_no_slope(metric: Metric) -> None:
    x = draw(6, 2)
    y = x.clone().requires_grad_()
    value = metric.distance(x, y)
    assert abs(value.item()) < 1e-9
    assert metric.distance(x, y + 0.5).item() > 0.05
    if (
        not (isinstance(metric, MMD) and metric.kernel == DistanceKernel())
        and getattr(metric, "power", 2) == 2
    ):
        tolerance = 1e-3 if isinstance(metric, Sinkhorn) else 1e-9  # its last update is of one side
        assert torch.autograd.grad(value, y)[0].abs().max() < tolerance


@pytest.mark.parametrize(
    "metric", [MMD(unbiased=False), MMD(DistanceKernel(), unbiased=False), Sinkhorn(0.1, 30)], ids=repr
)
def test_samples_that_follow_the_slope_come_to_the_data(metric: Metric) -> None:
    """Gradient flow of 24 points towards a ring of 24: the distance falls all the way, below a tenth."""
    angles = torch.arange(24) * math.tau / 24
    data = torch.stack([angles.cos(), angles.sin()], 1)
    points, path = 0.3 * draw(24, 2), []
    for _ in range(120):
        points.requires_grad_()
        value = metric.generator(data, points)
        path.append(value.item())
        points = (points - 24 * 0.02 * torch.autograd.grad(value, points)[0]).detach()
    smooth = np.convolve(path, np.ones(10) / 10, "valid")
    assert (np.diff(smooth) < 1e-4 * path[0]).all()
    assert path[-1] < 0.1 * path[0]
