"""The loss function of LS-GAN against a closed form, the objective for training, and its own constraints."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.objectives import LossSensitive
from saddlepoint.theory.loss_sensitive import LossFunction, distances, loss_function


def samples(n: int, m: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    points = torch.randn(n + m, d, generator=source, dtype=torch.float64)
    real, fake = torch.zeros(2, n + m, dtype=torch.float64)
    real[:n], fake[n:] = 1 / n, 1 / m
    return points, real, fake


@pytest.mark.parametrize(("weight", "lipschitz"), [(1.0, 0.25), (3.0, 0.5), (2.0, 1.0), (0.5, 4.0)])
def test_one_real_and_one_fake(weight: float, lipschitz: float) -> None:
    """l = 0 for the real, min(κ, 1)Δ for the fake: the objective is λΔ(1 − κ)_+. Above κ = 1 the fake may have more."""
    points = torch.tensor([[0.0, 1.0], [2.0, 5.0]])
    found = loss_function(points, *torch.eye(2), weight=weight, lipschitz=lipschitz)
    assert found.value == pytest.approx(weight * 3 * max(0.0, 1 - lipschitz), abs=1e-9)
    assert float(found.losses[0]) == pytest.approx(0, abs=1e-9)
    assert float(found.losses[1]) >= min(lipschitz, 1) * 3 - 1e-9


@pytest.mark.parametrize("d", [1, 3])
def test_the_value_is_that_of_the_objective_for_training(d: int) -> None:
    points, real, fake = samples(8, 6, d)
    found = loss_function(points, real, fake, weight=2.0, lipschitz=0.7)
    i, j = (axis.flatten() for axis in torch.meshgrid(torch.arange(8), torch.arange(8, 14), indexing="ij"))
    told = LossSensitive(margin=1.0, weight=2.0).discriminator(
        found.losses[i], found.losses[j], points[i], points[j]
    )
    assert float(told) == pytest.approx(found.value, abs=1e-9)
    assert found.gap == pytest.approx(0, abs=1e-9)


def test_constraints_hold_and_bounds_meet_the_losses() -> None:
    points, real, fake = samples(10, 10, 2)
    found = loss_function(points, real, fake, weight=1.0, lipschitz=0.8)
    apart = distances(points, points)
    assert bool(((found.losses[:, None] - found.losses).abs() <= 0.8 * apart + 1e-9).all())
    assert float(found.losses.min()) >= 0
    for bound in (found.lower, found.upper):
        assert torch.allclose(bound(points), found.losses, atol=1e-9)


def test_bounds_by_hand() -> None:
    found = LossFunction(torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 2.0]), 3.0, 0.0, 0.0)
    x = torch.tensor([[-1.0], [0.5], [3.0]])
    assert found.lower(x).tolist() == [0.0, 0.5, 0.0]
    assert found.upper(x).tolist() == [3.0, 1.5, 8.0]


def test_input_is_refused() -> None:
    points, real, fake = samples(2, 2, 1)
    with pytest.raises(InputError, match="lipschitz > 0"):
        loss_function(points, real, fake, weight=1.0, lipschitz=0.0)
    with pytest.raises(InputError, match="4 points, 3 and 4"):
        loss_function(points, real[:3], fake, weight=1.0, lipschitz=1.0)
