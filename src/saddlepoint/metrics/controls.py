"""Fakes of known fault, made from real images: a metric that is to be believed must refuse each of them."""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.random import generator


def independent_pixels(*, training: Tensor, n: int, seed: int) -> Tensor:
    """Every number of every image drawn by itself from its own column: all marginals right, no structure."""
    rows, source = _rows(training), generator("cpu", "independent pixels", seed)
    chosen = torch.randint(len(rows), (n, rows.shape[1]), generator=source)
    return rows.gather(0, chosen).reshape(n, *training.shape[1:])


def fitted_gaussian(*, training: Tensor, n: int, seed: int) -> Tensor:
    """Draws of the one Gaussian with the mean and full covariance of the training rows, cut to [−1, 1].

    μ + Σ_i w_i (x_i − μ)/√(N − 1) with w ~ N(0, I_N) has exactly that covariance, singular or not.
    """
    rows, source = _rows(training), generator("cpu", "fitted Gaussian", seed)
    centred = rows - rows.mean(0)
    drawn = [
        torch.randn(min(256, n - start), len(rows), generator=source) @ centred for start in range(0, n, 256)
    ]
    made = rows.mean(0) + torch.cat(drawn) / (len(rows) - 1) ** 0.5
    return made.clamp(-1, 1).reshape(n, *training.shape[1:])


def averages_of_two(*, training: Tensor, n: int, seed: int) -> Tensor:
    """The mean of two different training rows."""
    source = generator("cpu", "averages of two", seed)
    first = torch.randint(len(_rows(training)), (n,), generator=source)
    step = torch.randint(1, len(training), (n,), generator=source)
    return (training[first] + training[(first + step) % len(training)]) / 2


def copies_of_training(*, training: Tensor, n: int, seed: int) -> Tensor:
    """Training rows themselves, none twice before all have come once."""
    rounds = -(-n // len(_rows(training)))
    source = generator("cpu", "copies of training", seed)
    order = [torch.randperm(len(training), generator=source) for _ in range(rounds)]
    return training[torch.cat(order)[:n]]


def fake_controls(*, training: Tensor, n: int, seed: int) -> dict[str, Tensor]:
    """All four, by name; training [N, …] in [−1, 1], each control [n, …]."""
    return {
        "independent pixels": independent_pixels(training=training, n=n, seed=seed),
        "fitted Gaussian": fitted_gaussian(training=training, n=n, seed=seed),
        "averages of two": averages_of_two(training=training, n=n, seed=seed),
        "copies of training": copies_of_training(training=training, n=n, seed=seed),
    }


def _rows(training: Tensor) -> Tensor:
    if len(training) < 2:
        raise InputError(
            f"the controls are made from at least 2 training rows, and there are {len(training)}."
        )
    return training.flatten(1)
