"""Wasserstein distance as an independent critic sees it (Danihelka et al. 2017; Borji 2019, measure 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from saddlepoint.metrics.intervals import normal
from saddlepoint.metrics.samples import matrices
from saddlepoint.metrics.score import Interval
from saddlepoint.penalties import GradientPenalty
from saddlepoint.random import generator, key

WIDTH = 64
STEPS = 1500
BATCH = 128
RATE = 2e-3
LEAST = 8  # rows of each set


@dataclass(frozen=True, eq=False)
class CriticDistance:
    """value: (mean f(real) − mean f(fake)) over the mean slope of f, all on rows it was not trained on.
    trained: the same on its training rows; the larger by comparison, the more it has learned them by heart.
    steepest: largest slope of f on validation rows, where 1 is asked for."""

    value: float
    trained: float
    steepest: float
    interval: Interval


def critic_distance(
    *,
    real: Tensor,
    fake: Tensor,
    steps: int = STEPS,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CriticDistance:
    """Ŵ₁ = (E f(x) − E f(y)) / max(1, E|∇f|) of a critic f trained on one half of each set and read on the other.

    real [n, …], fake [m, …], n, m ≥ 8; in units of the features. f: two hidden layers of 64 on rows divided by one
    number, the standard deviation of the reals, so that distances are scaled and not bent. Loss:
    E f(y) − E f(x) + λ E max(0, |∇f| − 1)² between data and samples, λ = 10. One-sided (Petzka et al. 2018): a two-sided
    penalty holds a critic in one dimension at whichever sign of slope it began with. It leaves a slope of about
    1 + W₁/(2λ): the raw difference is above W₁, and the mean slope between validation rows is divided out; a slope below 1
    is left, so that equal sets are at 0 and not at 0/0. A small critic finds less than there is; in many dimensions its
    slope away from the lines between rows is bounded by nothing, and it may find more. Interval: 95 % over validation rows,
    f being fixed.
    """
    sides = matrices(real, fake, least=LEAST)
    scale = float((sides[0] - sides[0].mean(0)).square().mean().sqrt()) or 1.0
    real, fake = (((side - sides[0].mean(0)) / scale).float() for side in sides)
    train_real, test_real = _halves(real, "real", seed)
    train_fake, test_fake = _halves(fake, "fake", seed)
    critic = _trained(train_real, train_fake, steps, seed, progress)
    slopes = _slopes(critic, test_real, test_fake, seed)
    slope = max(1.0, float(slopes.mean())) / scale
    high, low = critic(test_real).double(), critic(test_fake).double()
    value = float(high.mean() - low.mean()) / slope
    trained = float((critic(train_real).mean() - critic(train_fake).mean()) / slope)
    variance = (float(high.var()) / len(high) + float(low.var()) / len(low)) / slope**2
    return CriticDistance(value, trained, float(slopes.max()), normal(value, variance**0.5))


def _halves(rows: Tensor, name: str, seed: int) -> tuple[Tensor, Tensor]:
    order = torch.randperm(len(rows), generator=generator("cpu", "critic split", name, seed))
    return rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]


class _Critic(nn.Module):
    """Scores [n] of rows [n, d]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 1)
        )

    def forward(self, rows: Tensor) -> Tensor:
        return self.layers(rows)[:, 0]


def _trained(
    real: Tensor, fake: Tensor, steps: int, seed: int, progress: Callable[[int, int], None]
) -> _Critic:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key("critic", seed))
        critic = _Critic(real.shape[1])
    source, penalty = generator("cpu", "critic batches", seed), GradientPenalty(weight=10.0, side="above")
    optimiser = torch.optim.Adam(critic.parameters(), RATE, betas=(0.5, 0.9))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        x, y = (side[torch.randint(len(side), (BATCH,), generator=source)] for side in (real, fake))
        mix = torch.rand(BATCH, generator=source)
        loss = critic(y).mean() - critic(x).mean() + penalty.of(critic, x, y, mix=mix)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        progress(step + 1, steps)
    return critic.requires_grad_(False)


def _slopes(critic: _Critic, real: Tensor, fake: Tensor, seed: int) -> Tensor:
    """|∇f| at one point between each pair of a real and a fake row, in scaled units."""
    source, count = generator("cpu", "critic slopes", seed), min(len(real), len(fake))
    mix = torch.rand(count, 1, generator=source)
    points = (mix * real[:count] + (1 - mix) * fake[:count]).requires_grad_()
    (found,) = torch.autograd.grad(critic(points).sum(), points)
    return found.double().norm(dim=1)
