"""How far a game is from its equilibrium: regrets, gradient norms, spectra and curves.

Games are given by what they are made of, a loss for each player, so that any of them can be measured: those of
`saddlepoint.games`, a run with its networks, or one's own. (BEGAN's measure M is `convergence` of its objective.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from saddlepoint.errors import InputError

Vectors: TypeAlias = Mapping[str, Tensor]
Loss: TypeAlias = Callable[[Vectors], Tensor]
Search: TypeAlias = Callable[[list[Tensor]], torch.optim.Optimizer]


@dataclass(frozen=True, eq=False)
class Contest:
    """The players of a run. losses: of real rows [n, *shape] and the seed of the noise beside them, each player's loss on
    these as a function of all players' vectors."""

    players: Vectors
    losses: Callable[[Tensor, int], Mapping[str, Loss]]


def regrets(
    *,
    losses: Mapping[str, Loss],
    players: Vectors,
    steps: int,
    search: Search = partial(torch.optim.Adam, lr=1e-3),
    judged: Mapping[str, Loss] | None = None,
) -> dict[str, float]:
    """What each player could gain by moving alone: L_p(θ) − L_p(θ'_p, θ_{−p}), θ'_p found by `steps` steps of `search`
    from a copy of θ_p.

    losses: name of a player -> its loss as a function of all players' tensors. `judged` are the same losses on other
    rows (held-out ones), on which the difference is then taken; by default those of the search. At least 0 up to
    what the search misses; a lower bound, since a search of finitely many steps finds less than the best answer.
    """
    measured = losses if judged is None else judged
    if set(losses) - set(players) or set(measured) != set(losses):
        raise InputError(
            f"losses are given for {', '.join(sorted(losses))} and tensors for {', '.join(sorted(players))}; "
            "each loss belongs to a player, and `judged` to the same players."
        )
    start = {name: tensor.detach() for name, tensor in players.items()}
    found = {}
    for name, loss in losses.items():
        moved = {**start, name: _searched(loss, start, name, steps, search)}
        found[name] = _value(measured[name], start) - _value(measured[name], moved)
    return found


def duality_gap(
    *,
    losses: Mapping[str, Loss],
    players: Vectors,
    steps: int,
    search: Search = partial(torch.optim.Adam, lr=1e-3),
    judged: Mapping[str, Loss] | None = None,
) -> float:
    """The sum of all regrets (Nikaido and Isoda 1955); arguments as in `regrets`.

    Where L_G = V = −L_D it is max_D' V(D', G) − min_G' V(D, G'), the duality gap of Grnarova et al. 2019 (eq. 2), and
    only then: with another generator loss, give V and −V to obtain theirs. ≥ 0 up to the search, 0 at equilibrium.
    """
    return sum(regrets(losses=losses, players=players, steps=steps, search=search, judged=judged).values())


def _searched(loss: Loss, start: Vectors, name: str, steps: int, search: Search) -> Tensor:
    own = start[name].clone().requires_grad_()
    optimiser = search([own])
    for _ in range(steps):
        (own.grad,) = torch.autograd.grad(loss({**start, name: own}), own)
        optimiser.step()
    return own.detach()


def _value(loss: Loss, at: Vectors) -> float:
    """Not under `no_grad`: a penalty inside the loss may need gradients of its own."""
    value = float(loss(at).detach())
    if not np.isfinite(value):
        raise InputError(f"a loss is {value} where the regret is taken; a finite one is needed.")
    return value


def gradient_norm(field: Vectors) -> float:
    """‖v‖ of the vector field of all players; 0 at every stationary point, be it an equilibrium or not."""
    return float(
        torch.stack([vector.detach().double().square().sum() for vector in field.values()]).sum().sqrt()
    )


def spectral_radius(jacobian: Tensor, rate: float) -> float:
    """max |λ| of I − rate·J, [n, n]: below 1, simultaneous gradient descent with this rate converges locally."""
    step = torch.eye(len(jacobian), dtype=torch.float64) - rate * jacobian.detach().double().cpu()
    return float(torch.linalg.eigvals(step).abs().max())


def median_filter(curve: Tensor, width: int = 101) -> Tensor:
    """The running median of a curve [steps], as Arjovsky et al. 2017 show the loss of a critic; the ends are continued
    by their last values. `width` is odd."""
    from scipy.ndimage import median_filter as filtered

    if curve.dim() != 1 or not len(curve) or width < 1 or width % 2 == 0:
        raise InputError(
            f"the curve has shape {tuple(curve.shape)} and the width is {width}; [steps] and odd are needed."
        )
    return torch.tensor(filtered(curve.detach().cpu().double().numpy(), size=width, mode="nearest"))


def drift(curve: Tensor) -> float:
    """Slope a step of the least-squares line through the second half of a curve [steps]: 0 where it has settled."""
    half = curve.detach().cpu().double().numpy()[len(curve) // 2 :]
    if curve.dim() != 1 or len(half) < 2:
        raise InputError(f"the curve has shape {tuple(curve.shape)}; a drift needs at least 3 steps.")
    return float(np.polynomial.Polynomial.fit(np.arange(len(half)), half, 1).convert().coef[1])


def discriminator_accuracy(*, real: Tensor, fake: Tensor, threshold: float = 0.0) -> float:
    """Mean of the shares of reals scored above the threshold and of fakes at or below it; scores [n] and [m].

    0 is where σ(s) = ½; a critic's scores have no such zero (`separating_threshold`).
    """
    if not len(real) or not len(fake):
        raise InputError(
            f"there are {len(real)} real and {len(fake)} fake scores; accuracy needs some of both."
        )
    return float((real > threshold).double().mean() + (fake <= threshold).double().mean()) / 2
