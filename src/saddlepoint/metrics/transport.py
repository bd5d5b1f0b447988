"""Optimal transport between two sets of rows, exact and with entropy, with the Euclidean distance as cost.

Peyré and Cuturi, Computational Optimal Transport, 2019, chapters 2 to 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import normal
from saddlepoint.metrics.samples import distances, matrices
from saddlepoint.metrics.score import Interval

LARGEST = 5000  # rows a side: 200 MB of costs, and a minute
INNER = 10  # multiplicative updates between two on the log scale
OUTER = 100
TOLERANCE = 1e-4  # of the marginals, in total variation; the value, a maximum, is wrong by its square


@dataclass(frozen=True, eq=False)
class Transport:
    """value: the cost. gap: primal minus dual value, 0 up to rounding: a proof that the value is the optimum.
    first [n], second [m]: the dual solution, f_i + g_j ≤ C_ij with Σ f_i/n + Σ g_j/m = value − gap."""

    value: float
    gap: float
    first: Tensor
    second: Tensor

    @property
    def interval(self) -> Interval:
        """95 % interval by the delta method: a row moves the cost by its dual variable (del Barrio and Loubes 2019). It
        covers the mean of the cost at these n and m, its bias included."""
        variance = float(self.first.var()) / len(self.first) + float(self.second.var()) / len(self.second)
        return max(0.0, normal(self.value, variance**0.5)[0]), normal(self.value, variance**0.5)[1]


def earth_mover(*, real: Tensor, fake: Tensor) -> Transport:
    """W₁ = min ⟨Γ, C⟩ over Γ ≥ 0 with row sums 1/n and column sums 1/m, C_ij = |x_i − y_j|; in units of the features.

    real [n, …], fake [m, …], 2 ≤ n, m ≤ 5000. Equal numbers are an assignment, solved by SciPy, its dual found afterwards
    from the optimal assignment alone; others are solved by the network simplex of POT (`pip install saddlepoint[ot]`).
    Above that between the distributions, by O(n^(−1/d)): compare at equal n only.
    """
    first, second = matrices(real, fake, least=2)
    if max(len(first), len(second)) > LARGEST:
        raise InputError(
            f"exact transport takes at most {LARGEST} rows a side, not {len(first)} and {len(second)}; "
            "the sliced and the entropic distance take more."
        )
    cost = torch.cat([block for _, block in distances(first, second)])
    return _assigned(cost) if len(first) == len(second) else _simplex(cost)


def _assigned(cost: Tensor) -> Transport:
    from scipy.optimize import linear_sum_assignment

    # what whole rows and columns are moved by moves no optimum, and spares the solver most of its time
    level = cost - cost.mean(1, keepdim=True)
    level -= level.mean(0)
    level -= level.amin(1, keepdim=True)
    level -= level.amin(0)
    partner = torch.from_numpy(linear_sum_assignment(level.numpy())[1])
    own = cost.gather(1, partner[:, None])[:, 0]
    prices = _prices(cost[:, partner] - own[:, None], (cost - level)[0, partner])
    first, second = own - prices, torch.empty_like(prices).scatter_(0, partner, prices)
    value = float(own.mean())
    return Transport(value, value - float(first.mean() + second.mean()), first, second)


def _prices(excess: Tensor, prices: Tensor) -> Tensor:
    """p with p_j ≤ p_i + excess_ij for all i, j, from any beginning: shortest paths (Bellman–Ford), looking again only from
    where something has changed. They end where no exchange of partners pays, which is what optimality means; otherwise
    the dual is no solution, and the gap shows it."""
    changed = torch.arange(len(prices))
    for _ in range(len(prices)):
        found = torch.minimum(prices, (excess[changed] + prices[changed, None]).amin(0))
        changed, prices = torch.nonzero(found < prices)[:, 0], found
        if not len(changed):
            break
    return prices


def _simplex(cost: Tensor) -> Transport:
    try:
        import ot
    except ImportError:
        raise InputError(
            f"exact transport between {cost.shape[0]} and {cost.shape[1]} rows needs POT: "
            "pip install saddlepoint[ot], or give equal numbers."
        ) from None
    weights = [torch.full((rows,), 1 / rows, dtype=cost.dtype).numpy() for rows in cost.shape]
    value, log = ot.emd2(*weights, cost.numpy(), log=True, numItermax=10_000_000)
    first, second = torch.from_numpy(log["u"]), torch.from_numpy(log["v"])
    return Transport(float(value), float(value - first.mean() - second.mean()), first, second)


@dataclass(frozen=True, eq=False)
class Sinkhorn:
    """value: the divergence, at this epsilon. first [n], second [m]: what a row of each set adds to it. converged: whether
    the marginals of all three plans agree to 1e-4."""

    value: float
    epsilon: float
    first: Tensor
    second: Tensor
    converged: bool

    @property
    def interval(self) -> Interval:
        """95 % interval by the delta method, about the mean at these n and m, whose bias falls as 1/n (Goldfeld et al.
        2024, for distributions of bounded support)."""
        variance = float(self.first.var()) / len(self.first) + float(self.second.var()) / len(self.second)
        return normal(self.value, variance**0.5)


def sinkhorn_divergence(
    *, real: Tensor, fake: Tensor, epsilon: float | None = None, power: float = 1.0
) -> Sinkhorn:
    """S_ε = OT_ε(P, Q) − ½OT_ε(P, P) − ½OT_ε(Q, Q), cost |x − y|^power (Genevay et al. 2018, eq. 2).

    OT_ε = min ⟨Γ, C⟩ + ε KL(Γ ‖ p ⊗ q). 0 for equal sets, where OT_ε itself is not; tends to the cost of exact transport
    as ε → 0 and to ½(2E c(X, Y) − E c(X, X′) − E c(Y, Y′)) as ε → ∞. ε in units of the cost, by default a fifth of
    the mean cost between real rows, so that it does not depend on what is judged. Solved to convergence in float64, on
    the log scale, unlike the objective `Sinkhorn`, whose iterations are few and differentiated.
    """
    if epsilon is not None and not epsilon > 0:
        raise InputError(f"epsilon is {epsilon}; it must be above 0.")
    sides = matrices(real, fake, least=2)
    own = [_cost(side, side, power) for side in sides]
    chosen = epsilon or float(own[0].mean()) / 5 or 1.0
    f, g, agreed = _potentials(_cost(*sides, power), chosen)
    f_own, g_own = (_potentials(cost, chosen) for cost in own)
    # both potentials of a set with itself are equal once converged, up to a constant that their mean is free of
    first, second = f - (f_own[0] + f_own[1]) / 2, g - (g_own[0] + g_own[1]) / 2
    value = float(first.mean() + second.mean())
    return Sinkhorn(value, chosen, first, second, agreed and f_own[2] and g_own[2])


def _cost(rows: Tensor, others: Tensor, power: float) -> Tensor:
    return torch.cat([block for _, block in distances(rows, others)]).pow_(power)


def _potentials(cost: Tensor, epsilon: float) -> tuple[Tensor, Tensor, bool]:
    """The dual solution of OT_ε between uniform weights, and whether it has converged.

    ε is halved down from the largest cost, each solution being where the next one begins (Peyré and Cuturi, remark 4.9).
    Between two updates on the log scale, which no underflow can spoil, the potentials are taken into the kernel, and a few
    updates are products with it, at a tenth of the time (stabilised scaling, Schmitzer 2019).
    """
    n, m = cost.shape
    logs = [torch.full((rows,), -math.log(rows), dtype=cost.dtype) for rows in (n, m)]
    f, g = cost.new_zeros(n), cost.new_zeros(m)
    for scale in _scales(float(cost.max()), epsilon):
        for _ in range(OUTER if scale == epsilon else 1):
            f = soft_minimum(cost - g, logs[1], scale)
            g = soft_minimum(cost.T - f, logs[0], scale)
            plan = torch.exp((f[:, None] + g - cost) / scale) / (n * m)  # columns sum to 1/m
            if (plan.sum(1) - 1 / n).abs().sum() < TOLERANCE:
                break
            f, g = _scaled(plan, f, g, scale)
    return f, g, bool((plan.sum(1) - 1 / n).abs().sum() < TOLERANCE)


def _scaled(plan: Tensor, f: Tensor, g: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    n, m = plan.shape
    left, right = f.new_ones(n), g.new_ones(m)
    for _ in range(INNER):
        left = 1 / (n * (plan @ right))
        right = 1 / (m * (left @ plan))
    found = f + epsilon * left.log(), g + epsilon * right.log()
    sound = bool(torch.isfinite(found[0]).all() and torch.isfinite(found[1]).all())
    return found if sound else (f, g)


def _scales(largest: float, epsilon: float) -> list[float]:
    """From the largest cost down to epsilon, by halves."""
    steps = max(0, math.ceil(math.log2(largest / epsilon))) if largest > 0 else 0
    return [epsilon * 2**step for step in range(steps, -1, -1)]


def soft_minimum(costs: Tensor, log_weight: Tensor, epsilon: float) -> Tensor:
    """−ε log Σ_j w_j exp(−c_ij/ε) of every row [n]: one Sinkhorn update on the log scale."""
    return -epsilon * torch.logsumexp(log_weight - costs / epsilon, 1)
