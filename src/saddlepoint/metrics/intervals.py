"""95 % intervals over samples for the kinds of numbers that metrics are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.score import Interval

NORMAL_95 = 1.959964  # the .975 quantile of the standard normal


def normal(value: float, error: float) -> Interval:
    """value ± 1.96 standard errors."""
    return value - NORMAL_95 * error, value + NORMAL_95 * error


def standard_error(influence: Tensor) -> float:
    """Of a smooth function of a distribution, from the influence of each row [n] on it: s/√n."""
    return float(influence.std() / len(influence) ** 0.5) if len(influence) > 1 else 0.0


def mean(rows: Tensor) -> Measured:
    """The mean of numbers [n] with its normal interval."""
    rows = rows.double()
    value = float(rows.mean())
    return Measured(value, normal(value, standard_error(rows)))


def exponential(logarithm: float, error: float) -> Measured:
    """exp of a number known to within a standard error; the interval is that of the number, mapped."""
    low, high = normal(logarithm, error)
    return Measured(math.exp(logarithm), (math.exp(low), math.exp(high)))


def share(hits: Tensor) -> Measured:
    """Share of the rows that hit, with Wilson's score interval, which stays inside [0, 1] and is right for shares
    near the ends too."""
    n, value, square = len(hits), float(hits.double().mean()), NORMAL_95**2
    middle = (value + square / (2 * n)) / (1 + square / n)
    half = NORMAL_95 / (1 + square / n) * math.sqrt(value * (1 - value) / n + square / (4 * n * n))
    return Measured(value, (max(0.0, middle - half), min(1.0, middle + half)))


def jackknife(value: float, without: Tensor) -> Interval:
    """From values taken without each of G equal groups of rows: variance (G − 1)/G Σ (v_g − v̄)², and the quantile of
    Student's t with G − 1 degrees of freedom. For statistics that repeated rows would bias, as a bootstrap has them."""
    from scipy.stats import t

    groups = len(without)
    error = math.sqrt((groups - 1) / groups * float((without - without.mean()).square().sum()))
    half = float(t.ppf(0.975, groups - 1)) * error
    return value - half, value + half


def groups_of(n: int, groups: int, source: torch.Generator) -> Tensor:
    """A random number 0 … groups−1 for each of n rows, each equally often up to one."""
    return (torch.arange(n) % groups)[torch.randperm(n, generator=source)]
