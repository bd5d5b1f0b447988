"""T12: the gradient of an optimal critic along the rays of the transport."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.t11_duality import dual

PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)  # along a ray


def _critic(anchors: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """The mean of the smallest and the largest continuation of f from the rows to the space, both optimal."""
    away = (x[:, None] - anchors).norm(dim=2)
    return ((values - away).amax(1) + (values + away).amin(1)) / 2


def _gradients(anchors: Tensor, values: Tensor, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    found: Tensor = torch.autograd.grad(_critic(anchors, values, x).sum(), x)[0]
    return found


def _partners(real: Tensor, fake: Tensor) -> Tensor:
    """An optimal transport: the fake that each real row is carried to."""
    from scipy.optimize import linear_sum_assignment

    return fake[torch.from_numpy(linear_sum_assignment((real[:, None] - fake).norm(dim=2).numpy())[1])]


def check() -> Sequence[Sides]:
    """f by linear programming over Lipschitz functions, its gradient by automatic differentiation; the rays by an assignment,
    which knows nothing of f. Tolerances: of the solver, 1e-9, and of gradients of norms, 1e-9."""
    found, source = [], torch.Generator().manual_seed(0)
    for rows, d in ((30, 2), (25, 3), (20, 10)):
        real, fake = torch.randn(2, rows, d, generator=source, dtype=torch.float64)
        fake = 0.5 * fake + 0.3
        _, values = dual(real, fake)
        anchors, partners = torch.cat([real, fake]), _partners(real, fake)
        rays = real - partners
        on = torch.cat([partners + t * rays for t in PLACES])
        uphill = (rays / rays.norm(dim=1, keepdim=True)).repeat(len(PLACES), 1)
        wrong = (_gradients(anchors, values, on) - uphill).norm(dim=1).max()
        where = f"{rows} rows of dimension {d}"
        found.append(Sides(f"largest |∇f − (x − y)/|x − y|| on rays, {where}", float(wrong), "=", 0.0, 1e-9))
        risen = (
            (_critic(anchors, values, real) - _critic(anchors, values, partners) - rays.norm(dim=1))
            .abs()
            .max()
        )
        found.append(Sides(f"rise of f over the length of a ray, {where}", float(risen), "=", 0.0, 1e-9))
        found += _elsewhere(real, fake, values, where)
    return found


def _elsewhere(real: Tensor, fake: Tensor, values: Tensor, where: str) -> list[Sides]:
    """Off the rays the norm is at most 1, and below: on segments between a real row and any other fake, where WGAN-GP takes
    its points. So a gradient of norm 1 there, as the penalty asks for, is more than optimality does."""
    others = fake.roll(1, 0)
    between = torch.cat([t * real + (1 - t) * others for t in PLACES])
    norms = _gradients(torch.cat([real, fake]), values, between).norm(dim=1)
    return [
        Sides(f"largest |∇f| between independent rows, {where}", float(norms.max()), "<=", 1.0, 1e-9),
        Sides(f"smallest |∇f| between independent rows, {where}", float(norms.min()), "<=", 0.9),
    ]


def figure(axes: Any) -> None:
    """Level lines of an optimal critic, and the rays."""
    source = torch.Generator().manual_seed(3)
    real, fake = torch.randn(2, 12, 2, generator=source, dtype=torch.float64)
    fake = 0.6 * fake + torch.tensor([3.0, 0.0])
    _, values = dual(real, fake)
    x, y = torch.meshgrid(torch.linspace(-3, 5.5, 171), torch.linspace(-3, 3, 121), indexing="xy")
    points = torch.stack([x, y], 2).flatten(0, 1).double()
    heights = _critic(torch.cat([real, fake]), values, points).view(x.shape)
    drawn = axes.contourf(x, y, heights, levels=24, cmap="Greys_r", alpha=0.7)
    axes.figure.colorbar(drawn, ax=axes, label="optimal critic f")
    for number, (a, b) in enumerate(zip(real, _partners(real, fake), strict=True)):
        axes.plot(
            [a[0], b[0]],
            [a[1], b[1]],
            color="C2",
            linewidth=1,
            label=None if number else "rays of the transport",
        )
    axes.plot(*real.T, "o", color="C0", label="real")
    axes.plot(*fake.T, "s", color="C1", label="fake")
    axes.set(xlabel="x₁", ylabel="x₂", aspect="equal")
    axes.legend(loc="lower right")


CLAIM = Claim(
    id="T12",
    title="gradient norm one on transport rays",
    statement="an optimal 1-Lipschitz critic has the gradient (x − y)/|x − y| at tx + (1 − t)y, where optimal transport "
    "carries x to y; elsewhere |∇f| ≤ 1 suffices",
    source="Gulrajani et al., Improved Training of Wasserstein GANs, NIPS 2017, proposition 1",
    check=check,
    figure=figure,
)
