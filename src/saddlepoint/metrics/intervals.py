"""95 % intervals over samples for the kinds of numbers that metrics are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.score import Interval
from saddlepoint.random import generator

GROUPS = 20  # of a jackknife
HALVINGS = 10
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


def exponentiated(found: Measured) -> Measured:
    """exp of a number, its interval mapped."""
    value, low, high = np.exp([found.value, *(found.interval or (0.0, 0.0))]).tolist()
    return replace(found, value=value, interval=found.interval and (low, high))


def share(hits: Tensor) -> Measured:
    """Share of the rows that hit, with Wilson's score interval, which stays inside [0, 1] and is right for shares
    near the ends too."""
    n, value, square = len(hits), float(hits.double().mean()), NORMAL_95**2
    middle = (value + square / (2 * n)) / (1 + square / n)
    half = NORMAL_95 / (1 + square / n) * math.sqrt(value * (1 - value) / n + square / (4 * n * n))
    return Measured(value, (max(0.0, middle - half), min(1.0, middle + half)))


def student(value: float, error: float, freedom: int) -> Interval:
    """value ± t standard errors, t the quantile of Student's distribution with these degrees of freedom."""
    from scipy.stats import t

    half = float(t.ppf(0.975, freedom)) * error
    return value - half, value + half


def squared_norm(value: float, slope: float, floor: float) -> Interval:
    """All θ with |value − θ| ≤ 1.96 √(slope·θ⁺ + floor): the interval of an unbiased estimate of a squared norm, whose
    variance grows with what it estimates; slope, floor ≥ 0.

    The variance is taken at each θ, as Wilson has it for shares, and not at the estimate, with which it is correlated.
    For θ > 0 the ends are roots of (value − θ)² = 1.96² (slope·θ + floor), below that value ∓ 1.96 √floor.
    """
    half, middle = NORMAL_95 * floor**0.5, value + NORMAL_95**2 * slope / 2
    root = NORMAL_95 * max(0.0, slope * value + NORMAL_95**2 * slope**2 / 4 + floor) ** 0.5
    return middle - root if value > half else value - half, middle + root if value > -half else value + half


def clipped(found: Measured, low: float = 0.0, high: float = math.inf) -> Measured:
    """The same with its interval inside what the number can be."""
    if found.interval is None:
        return found
    return replace(found, interval=(max(low, found.interval[0]), min(high, found.interval[1])))


def halved(statistic: Callable[..., Sequence[float]], *sides: Tensor, least: int) -> list[Measured]:
    """Numbers of some sets of rows (`statistic(*sides)`, each a tensor [n, …]), with intervals from ten random halvings of
    all of the sets at once.

    The halves A and B of a halving are independent, and so Var(T_A − T_B) = 2 Var(T at n/2), which is 4 Var(T at n)
    where variances fall as 1/n: the mean of (T_A − T_B)²/4, with Student's t of ten degrees of freedom. For numbers
    of nearest neighbours, which are no smooth functions of the distribution: a bootstrap makes rows their own neighbours,
    and a jackknife counts what k rows add together about k times (Efron and Stein 1981). None with fewer than twice
    `least` rows.
    """
    values = statistic(*sides)
    if min(map(len, sides)) < 2 * least:
        note = f"no interval: {2 * least} rows of each side are needed"
        return [Measured(float(value), note=note) for value in values]
    source, squares = generator("cpu", "halvings"), torch.zeros(len(values), dtype=torch.float64)
    for _ in range(HALVINGS):
        orders = [torch.randperm(len(side), generator=source).chunk(2) for side in sides]
        first, second = (
            statistic(*(side[order[half]] for side, order in zip(sides, orders, strict=True)))
            for half in (0, 1)
        )
        squares += (torch.tensor(first) - torch.tensor(second)).double().square() / (4 * HALVINGS)
    return [_halved(float(value), float(error)) for value, error in zip(values, squares.sqrt(), strict=True)]


def _halved(value: float, error: float) -> Measured:
    if not math.isfinite(error):
        return Measured(value, note="no interval: the number is infinite, or is so for halves of the rows")
    return Measured(value, student(value, error, HALVINGS))


def jackknife(value: float, without: Tensor) -> Interval:
    """From values taken without each of G equal groups of rows: variance (G − 1)/G Σ (v_g − v̄)², and the quantile of
    Student's t with G − 1 degrees of freedom. For statistics that repeated rows would bias, as a bootstrap has them."""
    groups = len(without)
    error = math.sqrt((groups - 1) / groups * float((without - without.mean()).square().sum()))
    return student(value, error, groups - 1)


def left_out(statistic: Callable[..., float], *sides: Tensor) -> Tensor:
    """`statistic(*sides)` without each of 20 random groups of the rows of every side, float64 [20]: for `jackknife`."""
    source = generator("cpu", "left out")
    groups = [groups_of(len(side), GROUPS, source) for side in sides]
    values = [
        statistic(*(side[group != number] for side, group in zip(sides, groups, strict=True)))
        for number in range(GROUPS)
    ]
    return torch.tensor(values, dtype=torch.float64)


def groups_of(n: int, groups: int, source: torch.Generator) -> Tensor:
    """A random number 0 … groups−1 for each of n rows, each equally often up to one."""
    return (torch.arange(n) % groups)[torch.randperm(n, generator=source)]
