"""Optimistic updates against torch.optim, their derivatives, members with their own rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from saddlepoint.optim import SGD, Adam, Clipped, Optimistic, Optimizer, RMSProp

VALUES = [Optimistic(SGD(0.1)), Optimistic(Adam(0.1, (0.5, 0.9))), Optimistic(RMSProp(0.1))]


def walk(optimizer: Optimizer, start: Tensor, steps: Any) -> Tensor:
    vector, slots, seen = start, optimizer.init(start), [start]
    for gradient in steps:
        update, slots = optimizer.update(gradient, slots, vector)
        vector = vector + update
        seen.append(vector)
    return torch.stack(seen)


def drawn(rows: int, columns: int = 5) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(
    ("inner", "twin"),
    [
        (SGD(0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
        (SGD(0.05, 0.9), lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
        (Adam(0.05, (0.5, 0.9)), lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.5, 0.9))),
        (RMSProp(0.05), lambda p: torch.optim.RMSprop(p, lr=0.05)),
    ],
    ids=lambda part: type(part).__name__,
)
def test_twice_the_update_of_torch_less_the_one_before(inner: Optimizer, twin: Callable[..., Any]) -> None:
    """u_t are the moves of torch's optimiser on the same gradients; u_{−1} := u_0, so the first step is plain."""
    steps = drawn(40)
    parameter = torch.nn.Parameter(torch.zeros(5, dtype=torch.float64))
    optimizer, seen = twin([parameter]), [parameter.detach().clone()]
    for gradient in steps:
        parameter.grad = gradient.clone()
        optimizer.step()
        seen.append(parameter.detach().clone())
    updates = torch.stack(seen).diff(dim=0)
    before = torch.cat([updates[:1], updates[:-1]])
    expected = torch.cat([torch.zeros(1, 5, dtype=torch.float64), (2 * updates - before).cumsum(0)])
    found = walk(Optimistic(inner), torch.zeros(5, dtype=torch.float64), steps)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("optimizer", VALUES, ids=repr)
def test_updates_are_differentiable(optimizer: Optimizer) -> None:
    steps = tuple(row.clone().requires_grad_() for row in drawn(3, 3))

    def last(*gradients: Tensor) -> Tensor:
        return walk(optimizer, torch.zeros(3, dtype=torch.float64), gradients)[-1]

    assert torch.autograd.gradcheck(last, steps)
    assert torch.autograd.gradgradcheck(last, steps)


@pytest.mark.parametrize("optimizer", VALUES, ids=repr)
def test_nothing_is_changed_in_place_and_a_zero_gradient_has_a_derivative(optimizer: Optimizer) -> None:
    start, gradient = torch.ones(5, dtype=torch.float64), drawn(1)[0]
    _, slots = optimizer.update(gradient, optimizer.init(start), start)
    kept = slots["last"].clone(), gradient.clone(), start.clone()
    optimizer.update(gradient, slots, start)
    assert torch.equal(slots["last"], kept[0])
    assert torch.equal(gradient, kept[1])
    assert torch.equal(start, kept[2])
    zero = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.grad(walk(optimizer, start, [zero, zero]).sum(), zero)[0].isfinite().all()


@pytest.mark.parametrize("make", [SGD, lambda lr: Adam(lr, (0.5, 0.9)), lambda lr: Clipped(RMSProp(lr), 0.5)])
def test_members_of_a_population_have_their_own_rates(make: Callable[[Any], Optimizer]) -> None:
    rates, steps = torch.tensor([1e-3, 1e-2, 1e-1]), drawn(6).float()
    start = torch.zeros(5)
    together = torch.vmap(lambda lr: walk(Optimistic(make(lr)), start, steps)[-1])(rates)
    for index, rate in enumerate(rates):
        alone = walk(Optimistic(make(float(rate))), start, steps)[-1]
        torch.testing.assert_close(together[index], alone, rtol=1e-5, atol=1e-6)
