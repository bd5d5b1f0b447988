"""The discriminator of LS-GAN without a network: losses of finitely many points, and how they continue to all others.

Qi, Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities, 2017: the non-parametric solution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.errors import InputError


@dataclass(frozen=True, eq=False)
class LossFunction:
    """points [n, d], losses [n]: the optimal loss at each. value: the objective there; gap: primal minus dual value, 0 up to
    rounding. Every κ-Lipschitz function that meets the losses lies between `lower` and `upper`, and every mean of these two
    is optimal; both are piecewise linear."""

    points: Tensor
    losses: Tensor
    lipschitz: float
    value: float
    gap: float

    def lower(self, x: Tensor) -> Tensor:
        """max_i (l_i − κ Δ(x, x_i))_+ of x [m, d]: [m]."""
        return (self.losses - self.lipschitz * distances(x, self.points)).amax(1).clamp(min=0)

    def upper(self, x: Tensor) -> Tensor:
        """min_i l_i + κ Δ(x, x_i) of x [m, d]: [m]."""
        return (self.losses + self.lipschitz * distances(x, self.points)).amin(1)


def distances(x: Tensor, y: Tensor) -> Tensor:
    """Δ = mean |x − y| over the numbers of a row, as the objective `LossSensitive` has it: [n, d] and [m, d] -> [n, m]."""
    return (x[:, None] - y).abs().mean(2)


def loss_function(
    points: Tensor, real: Tensor, fake: Tensor, *, weight: float, lipschitz: float
) -> LossFunction:
    """min over l of Σ_i p_i l_i + λ Σ_ij p_i q_j (Δ_ij + l_i − l_j)_+ with l ≥ 0, |l_i − l_j| ≤ κ Δ_ij, a linear programme.

    points [n, d]; real [n] and fake [n]: the probabilities p and q of each under data and generator; weight λ, lipschitz κ.
    Samples are 1/rows on their own rows and 0 on the others'.
    """
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, eye_array, hstack, vstack

    points, real, fake = points.double(), real.double(), fake.double()
    if not (weight >= 0 and lipschitz > 0):
        raise InputError(
            f"weight {weight} and lipschitz {lipschitz} are refused; weight ≥ 0 and lipschitz > 0."
        )
    if not (len(points) == len(real) == len(fake)):
        raise InputError(
            f"{len(points)} points, {len(real)} and {len(fake)} probabilities: as many of each are needed."
        )
    apart, joint, count = distances(points, points), real[:, None] * fake, len(points)

    def difference(i: Tensor, j: Tensor) -> coo_array:
        """The matrix that takes l to l_i − l_j."""
        lines, ones = np.arange(len(i)), np.ones(len(i))
        where = np.append(lines, lines), np.append(i.numpy(), j.numpy())
        return coo_array((np.append(ones, -ones), where), (len(i), count))

    pairs, others = torch.nonzero(joint > 0).T, torch.nonzero(~torch.eye(count, dtype=torch.bool)).T
    slack = -eye_array(pairs.shape[1])  # minus the hinge of a pair
    table = vstack([
        hstack([difference(*pairs), slack]),
        hstack([difference(*others), coo_array((others.shape[1], pairs.shape[1]))]),
    ])  # fmt: skip
    limits = torch.cat([-apart[tuple(pairs)], lipschitz * apart[tuple(others)]]).numpy()
    costs = torch.cat([real, weight * joint[tuple(pairs)]]).numpy()
    found = linprog(costs, A_ub=table.tocsr(), b_ub=limits)
    losses = torch.from_numpy(found.x[:count])
    return LossFunction(
        points, losses, lipschitz, float(found.fun), float(found.fun - limits @ found.ineqlin.marginals)
    )
