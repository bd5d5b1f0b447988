"""What a generator makes of its latents: lengths of paths, conditioning of the Jacobian, latents found again.

A generator is a function of latents [n, k] -> [n, …] that treats every row alone (evaluation mode).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from saddlepoint.errors import InputError
from saddlepoint.metrics.models import Generate, parts
from saddlepoint.metrics.samples import matrix


def path_lengths(*, generate: Generate, start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """|d/dt G(z(t))|² on the straight line z(t) from start to end [n, k], at t = share [n]: float64 [n].

    Karras et al. 2019, eq. 3, take d(G(z(t)), G(z(t + ε)))/ε² with ε = 1e-4 and a perceptual d. With a squared distance
    of samples its limit ε → 0 is this derivative, free of the rounding of small differences. In squared units of the
    samples a whole line; lower is smoother; 0 where the generator is constant.
    """
    at = torch.lerp(start, end, share.view(-1, 1).to(start.dtype))
    return torch.cat(
        [
            _tangent(generate, point, direction).double().flatten(1).square().sum(1)
            for point, direction in zip(parts(at), parts(end - start), strict=True)
        ]
    )


def _tangent(generate: Generate, at: Tensor, direction: Tensor) -> Tensor:
    """J(z) v for each row, by forward differentiation."""
    with torch.no_grad(), forward_ad.dual_level():
        made = forward_ad.unpack_dual(generate(forward_ad.make_dual(at, direction)))
        tangent = made.tangent
        return torch.zeros_like(made.primal) if tangent is None else tangent.clone()


def singular_values(*, generate: Generate, latents: Tensor) -> Tensor:
    """Singular values of the Jacobian dG/dz at each latent [n, k], descending: float64 [n, min(k, numbers of a sample)]."""
    axes = torch.eye(latents.shape[1], dtype=latents.dtype)
    found = []
    for part in parts(latents):
        columns = [_tangent(generate, part, axis.expand_as(part)).flatten(1) for axis in axes]
        found.append(torch.linalg.svdvals(torch.stack(columns, 2).double()))
    return torch.cat(found)


def log_conditions(values: Tensor) -> Tensor:
    """ln of the condition number of JᵀJ on its range, 2 (ln s_max − ln s_min) (Odena et al. 2018): float64 [n].

    values [n, r] as from `singular_values`. At most as many directions as a sample has numbers can be moved, so with
    more latents than numbers the others are left out. No condition is above that of the rounding of float32, 31.9, which
    a constant generator has.
    """
    largest, smallest = values.double().amax(1), values.double().amin(1)
    share = torch.where(largest > 0, smallest / largest, 0.0)
    return -2 * share.clamp(min=torch.finfo(torch.float32).eps).log()


class Found(NamedTuple):
    """The best latents of each target [n, k], the mean squared error of their samples [n], and the mean of that error
    over the targets at every step of the search [steps]."""

    latents: Tensor
    errors: Tensor
    curve: Tensor


def nearest_latents(
    *, generate: Generate, targets: Tensor, starts: Tensor, steps: int = 200, rate: float = 0.1
) -> Found:
    """argmin_z |x − G(z)|² for each target [n, …] by Adam from every start [restarts, n, k], the best of them kept.

    Metz et al. 2017 (section 3.5) and Srivastava et al. 2017 call the error inference via optimisation (IvOM). The rate
    falls to 0 along a cosine. Rows do not see each other. What is found is an upper bound of the least error, and with
    it the effort belongs to the number. Latents may leave the bulk of the prior: what counts is the range of G.
    """
    if starts.dim() != 3 or starts.shape[1] != len(targets):
        raise InputError(
            f"starts have shape {tuple(starts.shape)}; [restarts, {len(targets)} targets, latents] is needed."
        )
    matrix("targets", targets)
    found = [
        _found(generate, part, start.transpose(0, 1), (steps, rate))
        for part, start in zip(parts(targets), parts(starts.transpose(0, 1)), strict=True)
    ]
    weights = torch.tensor([len(one.errors) for one in found], dtype=torch.float64) / len(targets)
    curve = torch.stack([one.curve for one in found], 1) @ weights
    return Found(torch.cat([one.latents for one in found]), torch.cat([one.errors for one in found]), curve)


def _found(generate: Generate, targets: Tensor, starts: Tensor, effort: tuple[int, float]) -> Found:
    steps, rate = effort
    restarts, n, k = starts.shape
    z = starts.reshape(-1, k).clone().requires_grad_()
    optimiser = torch.optim.Adam([z], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    wanted = targets.flatten(1).repeat(restarts, 1)
    best, kept = torch.full((len(z),), math.inf, dtype=torch.float64), z.detach().clone()
    curve = []
    for step in range(steps + 1):
        errors = (generate(z).flatten(1) - wanted).square().mean(1)
        better = errors.detach().double() < best
        best = torch.where(better, errors.detach().double(), best)
        kept = torch.where(better[:, None], z.detach(), kept)
        curve.append(best.view(restarts, n).amin(0).mean())
        if step < steps:
            (z.grad,) = torch.autograd.grad(errors.sum(), z)
            optimiser.step()
            schedule.step()
    chosen = best.view(restarts, n).argmin(0) * n + torch.arange(n)
    return Found(kept[chosen], best[chosen], torch.stack(curve))
