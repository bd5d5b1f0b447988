"""T13: equilibria of LS-GAN, and its discriminator without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.objectives import LossSensitive
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.loss_sensitive import LossFunction, distances, loss_function


def check() -> Sequence[Sides]:
    """Optima by linear programming, against algebra, the objective that networks are trained with, and other functions.
    Tolerances: of the solver, 1e-9."""
    return [*_equilibria(), *_nonparametric()]


def _equilibria() -> list[Sides]:
    """With L = 0 nothing moves the generator, and by the slope of S at L = 0, p_j (1 + λ) − λ q_j for the loss of point j,
    nothing the discriminator exactly if q ≤ (1 + 1/λ)p. (Any other equilibrium has L = 0 on data and fakes, too, since
    S(L) ≤ S(0), and hence such a q.) So ∫|p − q| ≤ 2/λ; of n equally likely points the generator may leave out n/(1 + λ),
    at a distance of 2/(1 + λ). One more is seen: then S falls by at least t (λ q_j − (1 + λ) p_j), t = min(κ, 1) times the
    distance to the next point."""
    found = []
    for points, weight in ((8, 1), (8, 3), (8, 7), (24, 11)):
        source = torch.Generator().manual_seed(points + weight)
        rows = torch.randn(points, 2, generator=source, dtype=torch.float64)
        p, out = torch.full((points,), 1 / points, dtype=torch.float64), points // (1 + weight)
        near = (distances(rows, rows) + torch.eye(points) * 1e9).amin(1)
        for lipschitz in (0.5, 2.0):
            where = f"{points} points, λ = {weight}, κ = {lipschitz:g}"
            q, worse = _left_out(p, out), _left_out(p, out + 1)
            best = loss_function(rows, p, q, weight=weight, lipschitz=lipschitz).value
            at_zero = weight * float(p @ distances(rows, rows) @ q)
            found.append(Sides(f"min S and S at L = 0, {where}", best, "=", at_zero, 1e-9))
            best = loss_function(rows, p, worse, weight=weight, lipschitz=lipschitz).value
            at_zero = weight * float(p @ distances(rows, rows) @ worse)
            gain = min(lipschitz, 1) * float((near * (weight * worse - (1 + weight) * p)).max())
            found.append(Sides(f"min S with a point less, {where}", best, "<=", at_zero - gain, 1e-9))
            found.append(Sides(f"and that is below S at L = 0, {where}", gain, ">=", 1e-4))
        distance = float((p - q).abs().sum())
        found.append(
            Sides(f"∫|p − q| at that equilibrium, λ = {weight}", distance, "=", 2 / (1 + weight), 1e-12)
        )
        found.append(Sides(f"and the bound, λ = {weight}", distance, "<=", 2 / weight))
    return found


def _left_out(p: Tensor, points: int) -> Tensor:
    """p without its first points."""
    q = p.clone()
    q[:points] = 0
    return q / q.sum()


def _nonparametric() -> list[Sides]:
    source = torch.Generator().manual_seed(0)
    found = []
    for n, m, d, weight, lipschitz in ((12, 12, 1, 1.0, 1.0), (10, 15, 2, 3.0, 0.5), (10, 10, 5, 0.5, 2.0)):
        real = torch.randn(n, d, generator=source, dtype=torch.float64)
        fake = 0.5 * torch.randn(m, d, generator=source, dtype=torch.float64) + 0.5
        probes = 2 * torch.randn(300, d, generator=source, dtype=torch.float64)
        best, where = samples(real, fake, weight, lipschitz), f"{n} + {m} rows of dimension {d}"
        found.append(Sides(f"primal minus dual, {where}", best.gap, "=", 0.0, 1e-9))
        found += [*_optimal(best, real, fake, weight, probes, where), *_between(best, probes, where)]
    return found


def samples(real: Tensor, fake: Tensor, weight: float, lipschitz: float) -> LossFunction:
    """The loss function of two samples [n, d] and [m, d], the points real before fake."""
    p, q = torch.zeros(2, len(real) + len(fake), dtype=torch.float64)
    p[: len(real)], q[len(real) :] = 1 / len(real), 1 / len(fake)
    return loss_function(torch.cat([real, fake]), p, q, weight=weight, lipschitz=lipschitz)


def _optimal(
    best: LossFunction, real: Tensor, fake: Tensor, weight: float, probes: Tensor, where: str
) -> list[Sides]:
    """Both bounds, a mean of them and 300 other κ-Lipschitz functions, the losses moved towards cones, in the objective for
    training, over all pairs of a real row and a fake."""
    objective, pairs = (
        LossSensitive(margin=1.0, weight=weight),
        torch.cartesian_prod(*map(torch.arange, (len(real), len(fake)))),
    )
    i, j = pairs.T

    def value(of_real: Tensor, of_fake: Tensor) -> float:
        return float(objective.discriminator(of_real[i], of_fake[j], real[i], fake[j]))

    lower, upper = ((bound(real), bound(fake)) for bound in (best.lower, best.upper))
    mean = (0.3 * lower[0] + 0.7 * upper[0], 0.3 * lower[1] + 0.7 * upper[1])
    cones = best.lipschitz * distances(probes, torch.cat([real, fake]))
    moved = 0.95 * best.losses + 0.05 * cones
    others = min(value(*losses.split([len(real), len(fake)])) for losses in moved)
    return [
        Sides(f"S of the lower bound, {where}", value(*lower), "=", best.value, 1e-9),
        Sides(f"S of the upper bound, {where}", value(*upper), "=", best.value, 1e-9),
        Sides(f"S of a mean of both, {where}", value(*mean), "=", best.value, 1e-9),
        Sides(f"least S of 300 others, {where}", others, ">=", best.value, 1e-9),
    ]


def _between(best: LossFunction, x: Tensor, where: str) -> list[Sides]:
    apart = distances(x, x).fill_diagonal_(1)
    slopes = [float(((f(x)[:, None] - f(x)).abs() / apart).max()) for f in (best.lower, best.upper)]
    return [
        Sides(
            f"least upper minus lower, {where}", float((best.upper(x) - best.lower(x)).min()), ">=", 0.0, 1e-9
        ),
        Sides(f"largest slope of the lower bound, {where}", slopes[0], "<=", best.lipschitz, 1e-9),
        Sides(f"largest slope of the upper bound, {where}", slopes[1], "<=", best.lipschitz, 1e-9),
    ]


def figure(axes: Any) -> None:
    """Both continuations on the line."""
    source = torch.Generator().manual_seed(1)
    real, fake = torch.randn(5, generator=source), 0.7 * torch.randn(4, generator=source) + 2.5
    best = samples(real[:, None], fake[:, None], weight=1.0, lipschitz=1.0)
    x = torch.linspace(-3, 5, 801, dtype=torch.float64)
    axes.fill_between(
        x, best.lower(x[:, None]), best.upper(x[:, None]), alpha=0.2, label="optimal loss functions"
    )
    axes.plot(x, best.lower(x[:, None]), label="lower bound")
    axes.plot(x, best.upper(x[:, None]), label="upper bound")
    axes.plot(real, best.losses[:5], "o", color="C2", label="real")
    axes.plot(fake, best.losses[5:], "s", color="C3", label="fake")
    axes.set(xlabel="x", ylabel="loss L(x)")
    axes.legend()


CLAIM = Claim(
    id="T13",
    title="loss-sensitive equilibria and bounds",
    statement="at every equilibrium of LS-GAN ∫|p − q| ≤ 2/λ; without a network the means of two piecewise linear bounds "
    "are optimal loss functions, and every one that meets the same losses lies between them",
    source="Qi, Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities, 2017, arXiv:1701.06264",
    check=check,
    figure=figure,
)
