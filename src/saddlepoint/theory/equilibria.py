"""Mixed equilibria of finite games between two players with opposite interests.

`payoff` [n, m] holds what the second player gets from the first, who pays it: rows minimise, columns maximise. For a GAN rows
are generators, columns discriminators, and an entry is the value of the game between the two. Strategies are probabilities,
first [n] over rows and second [m] over columns; everything is float64.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.errors import InputError


class Equilibrium(NamedTuple):
    """value: Σ_ij first_i A_ij second_j. gap: what both could still gain by moving alone (`duality_gap`); the value of the
    game is no farther than that from `value`."""

    value: float
    gap: float
    first: Tensor
    second: Tensor


def guarantees(payoff: Tensor, first: Tensor, second: Tensor) -> tuple[float, float]:
    """min_i (A·second)_i and max_j (Aᵀ·first)_j: the least that `second` gets and the most that `first` pays, whoever
    plays against them. The value of the game lies between."""
    matrix = _matrix(payoff)
    return float((matrix @ second.double()).min()), float((first.double() @ matrix).max())


def duality_gap(payoff: Tensor, first: Tensor, second: Tensor) -> float:
    """max_j (Aᵀ·first)_j − min_i (A·second)_i ≥ 0; with 0 an equilibrium, with ε an ε-approximate one."""
    least, most = guarantees(payoff, first, second)
    return most - least


def solved(payoff: Tensor) -> Equilibrium:
    """The exact equilibrium by linear programming (von Neumann's minimax theorem): min t with Aᵀ·first ≤ t, whose dual
    variables are `second`."""
    import numpy as np
    from scipy.optimize import linprog

    matrix = _matrix(payoff)
    n, m = matrix.shape
    found = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.hstack([matrix.numpy().T, -np.ones((m, 1))]),
        b_ub=np.zeros(m),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
    )
    return _reached(matrix, torch.from_numpy(found.x[:n]), torch.from_numpy(-found.ineqlin.marginals))


def fictitious_play(payoff: Tensor, rounds: int) -> Equilibrium:
    """How often each strategy was played when both, at once, answer best to the other's past (Brown 1951); both begin with
    their first. The gap tends to 0 (Robinson 1951), at a speed for which no useful bound is known."""
    matrix = _matrix(payoff)
    _check(rounds)
    paid, got = matrix[:, 0].clone(), matrix[0].clone()  # of every strategy against the other's past
    counts = [torch.zeros(size, dtype=matrix.dtype) for size in matrix.shape]
    counts[0][0] += 1
    counts[1][0] += 1
    for _ in range(rounds - 1):
        row, column = int(paid.argmin()), int(got.argmax())
        counts[0][row] += 1
        counts[1][column] += 1
        paid += matrix[:, column]
        got += matrix[row]
    return _reached(matrix, *counts)


def multiplicative_weights(payoff: Tensor, rounds: int) -> Equilibrium:
    """The mean of what both play when their weights are exp(∓η Σ payoffs so far), η = √(8 ln n / T)/Δ for T rounds and
    payoffs in an interval of length Δ (Freund & Schapire 1999). gap ≤ Δ (√ln n + √ln m)/√(2T)."""
    matrix = _matrix(payoff)
    _check(rounds)
    spread = float(matrix.max() - matrix.min()) or 1.0
    rates = [math.sqrt(8 * math.log(size) / rounds) / spread for size in matrix.shape]
    paid, got = (torch.zeros(size, dtype=matrix.dtype) for size in matrix.shape)
    sums = [torch.zeros(size, dtype=matrix.dtype) for size in matrix.shape]
    for _ in range(rounds):
        first, second = (-rates[0] * paid).softmax(0), (rates[1] * got).softmax(0)
        sums[0] += first
        sums[1] += second
        paid += matrix @ second
        got += first @ matrix
    return _reached(matrix, *sums)


def rounds_needed(payoff: Tensor, epsilon: float) -> int:
    """T = ⌈Δ² (√ln n + √ln m)² / 2ε²⌉, after which `multiplicative_weights` has a gap of at most ε."""
    matrix = _matrix(payoff)
    if not epsilon > 0:
        raise InputError(f"epsilon is {epsilon}; a gap needs a bound above 0.")
    spread = float(matrix.max() - matrix.min())
    logs = sum(math.sqrt(math.log(size)) for size in matrix.shape)
    return max(1, math.ceil((spread * logs / epsilon) ** 2 / 2))


def _reached(matrix: Tensor, first: Tensor, second: Tensor) -> Equilibrium:
    first, second = (weights.clamp(min=0) / weights.clamp(min=0).sum() for weights in (first, second))
    return Equilibrium(float(first @ matrix @ second), duality_gap(matrix, first, second), first, second)


def _matrix(payoff: Tensor) -> Tensor:
    if payoff.dim() != 2 or not payoff.numel() or not torch.isfinite(payoff).all():
        raise InputError(
            f"payoff has shape {tuple(payoff.shape)}; it must be a matrix of finite numbers, not empty."
        )
    return payoff.detach().double()


def _check(rounds: int) -> None:
    if rounds < 1:
        raise InputError(f"rounds is {rounds}; at least 1 round is played.")
