"""Optimisers against `torch.optim`, their derivatives, members with their own rates; averaged weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saddlepoint import optim
from saddlepoint.average import EMA
from saddlepoint.optim import SGD, Adam, Clipped, Optimistic, Optimizer, RMSProp
from saddlepoint.schedules import Linear, Piecewise

Twin = Callable[[list[nn.Parameter]], torch.optim.Optimizer]

# Beside each value, what it claims to be equal to.
TWINS: list[tuple[Optimizer, Twin]] = [
    (SGD(0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
    (SGD(0.05, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    (SGD(0.05, momentum=-0.3), lambda p: _negative(p)),
    (Adam(), lambda p: torch.optim.Adam(p, lr=2e-4, betas=(0.5, 0.999))),
    (Adam(0.01, (0.0, 0.99), 1e-4), lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.0, 0.99), eps=1e-4)),
    (Adam(0.01, (0.9, 0.9), 0.1), lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.9), eps=0.1)),
    (RMSProp(), lambda p: torch.optim.RMSprop(p, lr=5e-5)),
    (RMSProp(0.01, 0.9, 1e-3), lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3)),
]
EVERY = [SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.1, (0.5, 0.9)), RMSProp(0.1), Clipped(Adam(0.1), 0.5)]


def _negative(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """torch.optim.SGD refuses a negative momentum when it is made, but computes with one."""
    twin = torch.optim.SGD(parameters, lr=0.05, momentum=0.1)
    twin.param_groups[0]["momentum"] = -0.3
    return twin


def gradients(dtype: torch.dtype, steps: int = 50) -> list[Tensor]:
    """Of all sizes, with zeros among them."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(steps, 6, generator=generator, dtype=torch.float64)
    scale = torch.tensor([1.0, 1e-3, 1e3, 1.0, 0.0, 1e-6], dtype=torch.float64)
    return list((drawn * scale).to(dtype))


def walk(optimizer: Optimizer, start: Tensor, steps: list[Tensor]) -> list[Tensor]:
    vector, slots, seen = start, optimizer.init(start), []
    for number, gradient in enumerate(steps):
        clock = {"step": number, "images": 10 * number, "progress": number / len(steps)}
        update, slots = optimizer.update(gradient, slots, vector, clock)
        vector = vector + update
        seen.append(vector)
    return seen


def assert_equal_walks(found: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    """Relative to how far each coordinate has been from its start at 0."""
    reach = torch.stack(expected).abs().cummax(0).values
    assert ((torch.stack(found) - torch.stack(expected)).abs() <= tolerance * reach).all()


def twin_walk(made: Twin, dtype: torch.dtype, clip: float | None = None) -> list[Tensor]:
    parameter = nn.Parameter(torch.zeros(6, dtype=dtype))
    optimizer, seen = made([parameter]), []
    for gradient in gradients(dtype):
        parameter.grad = gradient.clone()
        if clip is not None:
            nn.utils.clip_grad_norm_([parameter], clip)
        optimizer.step()
        seen.append(parameter.detach().clone())
    return seen


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize(("value", "twin"), TWINS, ids=lambda v: repr(v) if isinstance(v, Optimizer) else "")
def test_equal_to_torch(value: Optimizer, twin: Twin, dtype: torch.dtype, tolerance: float) -> None:
    """Roundings of 50 steps, 6e-8 or 1e-16 each, add up as a random walk: √50 times that."""
    found = walk(value, torch.zeros(6, dtype=dtype), gradients(dtype))
    assert_equal_walks(found, twin_walk(twin, dtype), tolerance)
    assert {v.dtype for v in found} == {dtype}


@pytest.mark.parametrize("norm", [1e-3, 30.0, 1e6])
@pytest.mark.parametrize(("value", "twin"), TWINS, ids=lambda v: repr(v) if isinstance(v, Optimizer) else "")
def test_clipped_is_torchs_clipping(value: Optimizer, twin: Twin, norm: float) -> None:
    found = walk(Clipped(value, norm), torch.zeros(6, dtype=torch.float64), gradients(torch.float64))
    assert_equal_walks(found, twin_walk(twin, torch.float64, norm), 1e-12)


def test_every_optimiser_has_a_twin() -> None:
    made = {v for _, v in inspect.getmembers(optim, inspect.isclass) if issubclass(v, Optimizer)}
    assert made - {Optimizer, Clipped, Optimistic} == {type(value) for value, _ in TWINS}


@pytest.mark.parametrize("optimizer", EVERY, ids=repr)
def test_nothing_is_changed_in_place(optimizer: Optimizer) -> None:
    vector, gradient = torch.ones(6), gradients(torch.float32)[0]
    _, slots = optimizer.update(gradient, optimizer.init(vector), vector)
    kept = {name: torch.as_tensor(value).clone() for name, value in slots.items()}
    before = gradient.clone(), vector.clone()
    optimizer.update(gradient, slots, vector)
    assert torch.equal(gradient, before[0])
    assert torch.equal(vector, before[1])
    assert all(torch.equal(torch.as_tensor(slots[name]), value) for name, value in kept.items())


@pytest.mark.parametrize("optimizer", EVERY, ids=repr)
def test_updates_are_differentiable(optimizer: Optimizer) -> None:
    """Through three steps, with respect to every gradient; second derivatives too."""
    start = torch.zeros(3, dtype=torch.float64)
    drawn = torch.randn(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def last(*steps: Tensor) -> Tensor:
        return walk(optimizer, start, list(steps))[-1]

    steps = tuple(row.clone().requires_grad_() for row in drawn)
    assert torch.autograd.gradcheck(last, steps)
    assert torch.autograd.gradgradcheck(last, steps)


@pytest.mark.parametrize("transform", ["autograd", "func"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("optimizer", EVERY, ids=repr)
def test_a_zero_gradient_has_a_finite_derivative(
    optimizer: Optimizer, dtype: torch.dtype, transform: str
) -> None:
    """√ at 0 would turn a dead coordinate into NaN for everybody who unrolls the step."""
    start = torch.zeros(2, dtype=dtype)

    def moved(gradient: Tensor) -> Tensor:
        return walk(optimizer, start, [gradient, gradient])[-1].sum()

    for gradient in (torch.zeros(2, dtype=dtype), torch.tensor([0.0, 1.0], dtype=dtype)):
        if transform == "func":
            derivative = torch.func.grad(moved)(gradient)
        else:
            leaf = gradient.clone().requires_grad_()
            derivative = torch.autograd.grad(moved(leaf), leaf)[0]
        assert derivative.isfinite().all()


@pytest.mark.parametrize(
    "make",
    [
        lambda lr: SGD(lr),
        lambda lr: SGD(lr, momentum=0.9),
        lambda lr: Adam(lr, (0.5, 0.9)),
        lambda lr: RMSProp(lr),
        lambda lr: Clipped(Adam(lr), 0.5),
    ],
)
def test_members_of_a_population_have_their_own_rates(make: Callable[[Any], Optimizer]) -> None:
    rates = torch.tensor([1e-3, 1e-2, 1e-1])
    starts = torch.randn(3, 6, generator=torch.Generator().manual_seed(1))
    steps = gradients(torch.float32, 5)
    together = torch.vmap(lambda lr, start: walk(make(lr), start, steps)[-1])(rates, starts)
    for index, rate in enumerate(rates):
        alone = walk(make(float(rate)), starts[index], steps)[-1]
        torch.testing.assert_close(together[index], alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("make", [SGD, lambda lr: Adam(lr, (0.5, 0.9)), RMSProp])
def test_a_scheduled_rate_is_the_rate_of_the_moment(make: Callable[[Any], Optimizer]) -> None:
    """The update is proportional to the rate, and the slots do not see it."""
    steps = gradients(torch.float64, 8)
    start = torch.zeros(6, dtype=torch.float64)
    constant = torch.stack([start, *walk(make(1.0), start, steps)]).diff(dim=0)
    scheduled = torch.stack([start, *walk(make(Linear(2.0, 1.0)), start, steps)]).diff(dim=0)
    rates = 2 - torch.arange(8, dtype=torch.float64) / 8
    torch.testing.assert_close(scheduled, constant * rates[:, None])


def test_bias_correction_with_a_changing_beta2_uses_the_product() -> None:
    """A constant gradient g: with unbiased averages every step is −lr g/(|g| + ε), whatever β₂ does."""
    optimizer = Adam(0.1, (0.5, Piecewise((0.9, 0.99, 0.5), boundaries=(20, 50))), eps=0.0)
    steps = [torch.tensor([3.0, -0.2], dtype=torch.float64)] * 10
    walked = torch.stack(walk(optimizer, torch.zeros(2, dtype=torch.float64), steps)).diff(dim=0)
    torch.testing.assert_close(walked, steps[0].sign().mul(-0.1).expand(9, 2))


# -- averaged weights ------------------------------


def averaged(ema: EMA, values: list[float], images: int) -> list[float]:
    state: dict[str, Any] = {"vector": torch.zeros(1, dtype=torch.float64), "buffers": {}}
    seen = []
    for number, value in enumerate(values):
        now = {"vector": torch.tensor([value], dtype=torch.float64), "buffers": {}}
        state = ema.update(state, now, images, {"step": number, "images": number * images, "progress": 0.0})
        seen.append(state["vector"].item())
    return seen


def test_average_of_a_constant_approaches_it_by_half_lives() -> None:
    """1 − ½^(images/half-life)."""
    found = averaged(EMA(half_life=100, ramp=None), [1.0] * 30, images=20)
    assert found == pytest.approx([1 - 0.5 ** (20 * (t + 1) / 100) for t in range(30)], rel=1e-12)


def test_average_is_a_geometric_sum() -> None:
    values = [1.0, -2.0, 0.5, 4.0, 3.0]
    beta = 0.5 ** (10 / 40)
    expected = [
        sum((1 - beta) * beta ** (t - s) * values[s] for s in range(t + 1)) for t in range(len(values))
    ]
    assert averaged(EMA(half_life=40, ramp=None), values, images=10) == pytest.approx(expected, rel=1e-12)


def test_the_ramp_forgets_the_start() -> None:
    """The half-life is at most ramp × images seen, those of this step included: after step t of n images
    ½^(n/(.5·n·(t+1))) = ½^(2/(t+1)), until the half-life is reached."""
    ema = EMA(half_life=40, ramp=0.5)
    found = [ema.decay(10, {"images": 10 * t}) for t in range(12)]
    assert found == pytest.approx([0.5 ** max(2 / (t + 1), 10 / 40) for t in range(12)], rel=1e-12)
    tensors = [ema.decay(10, {"images": torch.tensor(10.0 * t, dtype=torch.float64)}) for t in range(12)]
    assert [float(value) for value in tensors] == pytest.approx(found, rel=1e-12)


def test_running_statistics_are_averaged_and_counters_copied() -> None:
    ema, clock = EMA(half_life=10, ramp=None), {"step": 0, "images": 0, "progress": 0.0}
    state = {"vector": torch.zeros(2), "buffers": {"mean": torch.tensor([4.0]), "count": torch.tensor(3)}}
    now = {"vector": torch.ones(2), "buffers": {"mean": torch.tensor([8.0]), "count": torch.tensor(7)}}
    after = ema.update(state, now, 10, clock)  # one half-life
    assert after["vector"].tolist() == [0.5, 0.5]
    assert after["buffers"]["mean"].item() == 6.0
    assert after["buffers"]["count"].item() == 7
    assert state["vector"].tolist() == [0.0, 0.0]
    now["buffers"]["count"] += 1
    assert after["buffers"]["count"].item() == 7, "a copy, not a view"


def test_a_scheduled_half_life_works_with_tensors_too() -> None:
    ema = EMA(half_life=Linear(10.0, 30.0), ramp=None)
    for progress in (0.5, torch.tensor(0.5, dtype=torch.float64)):
        assert float(ema.decay(20, {"images": 0, "progress": progress})) == pytest.approx(0.5)
