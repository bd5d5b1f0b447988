"""Averaged weights against closed forms."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent / "workers"))

from games import CASES, Played, variation

from saddlepoint.average import EMA
from saddlepoint.sampling import deployed, latents, samples
from saddlepoint.schedules import Linear


def closed(values: torch.Tensor, decays: list[float]) -> torch.Tensor:
    """θ̄_n = θ_0 Π β_i + Σ_i (1 − β_i) θ_i Π_{j>i} β_j."""
    total = values[0] * math.prod(decays)
    for i, beta in enumerate(decays):
        total = total + (1 - beta) * values[i + 1] * math.prod(decays[i + 1 :])
    return total


def run(ema: EMA, values: torch.Tensor, images: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    counter = torch.tensor(0)
    average = {"vector": values[0], "buffers": {"running": values[0] * 2, "count": counter}}
    for step, value in enumerate(values[1:]):
        present = {"vector": value, "buffers": {"running": value * 2, "count": torch.tensor(step + 1)}}
        average = ema.update(
            average, present, images, {"images": step * images, "step": step, "progress": 0.0}
        )
    return average["vector"], average["buffers"]["running"], average["buffers"]["count"]


@pytest.mark.parametrize("half_life", [10.0, 64.0, 1000.0])
def test_average_is_the_closed_form_of_its_half_life(half_life: float) -> None:
    values = torch.randn(12, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    vector, running, count = run(EMA(half_life, ramp=None), values, images=32)
    expected = closed(values, [0.5 ** (32 / half_life)] * 11)
    torch.testing.assert_close(vector, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(running, 2 * expected, atol=1e-12, rtol=0)
    assert count == 11


def test_ramp_keeps_the_half_life_below_its_share_of_the_images() -> None:
    values = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    vector, _, _ = run(EMA(500.0, ramp=0.5), values, images=100)
    decays = [0.5 ** (100 / min(500.0, 0.5 * 100 * (step + 1))) for step in range(7)]
    torch.testing.assert_close(vector, closed(values, decays), atol=1e-12, rtol=0)


def test_half_life_may_be_a_schedule_that_starts_at_nothing() -> None:
    values = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    vector, _, _ = run(EMA(Linear(0.0, 400.0, over=400), ramp=None), values, images=100)
    decays = [0.0, *(0.5 ** (100 / half_life) for half_life in (100.0, 200.0, 300.0))]
    torch.testing.assert_close(vector, closed(values, decays), atol=1e-9, rtol=0)


def test_half_of_the_start_is_left_after_a_half_life() -> None:
    """From 0 under a constant 1: the average after h images is 1/2, in whatever steps they come."""
    for steps in (1, 4, 16):
        values = torch.cat([torch.zeros(1, 1), torch.ones(steps, 1)]).double()
        vector, _, _ = run(EMA(64.0, ramp=None), values, images=64 // steps)
        torch.testing.assert_close(vector, torch.tensor([0.5], dtype=torch.float64))


def test_a_run_averages_vectors_and_batch_statistics_and_samples_with_them() -> None:
    case = variation(CASES["dcgan"], averages={"generator": EMA(48.0, ramp=None)})
    played, history = Played(replace(case).plan()), []

    def present() -> dict[str, torch.Tensor]:
        buffers = played.state.memory["buffers"]["generator"]
        return {"vector": played.state.players["generator"], **buffers}

    history.append(present())
    for _ in range(4):
        played.step()
        history.append(present())
    average = {
        "vector": played.state.average["generator"]["vector"],
        **played.state.average["generator"]["buffers"],
    }
    beta = 0.5 ** (16 / 48.0)
    for name, value in average.items():
        if value.is_floating_point():
            expected = closed(torch.stack([h[name] for h in history]).double(), [beta] * 4)
            torch.testing.assert_close(value.double(), expected, atol=1e-5, rtol=1e-5)
    counters = [n for n in average if n.endswith("num_batches_tracked")]
    assert counters
    assert all(average[n] == history[-1][n] for n in counters)
    assert any(not torch.equal(average[n], history[-1][n]) for n in average if "running" in n)

    game, noise = played.game.bound(), latents(case.method, 8, 0, "test")
    players, memory, which = deployed(game, played.state)
    assert which == "average"
    with_raw_statistics = samples(game, players, played.state.memory, noise)
    assert not torch.allclose(samples(game, players, memory, noise), with_raw_statistics)
