"""T11: Kantorovich and Rubinstein's duality."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from saddlepoint.metrics.transport import earth_mover
from saddlepoint.theory.claim import Claim, Sides


def dual(real: Tensor, fake: Tensor, lipschitz: float | None = 1.0) -> tuple[float, Tensor]:
    """max over f of mean f(real) − mean f(fake), |f(x) − f(y)| ≤ K|x − y| for all pairs of the rows [n, d] and [m, d], by
    linear programming; and f [n + m]. Without a constraint (None) infinite, f then NaN."""
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    rows = torch.cat([real, fake])
    count = len(rows)
    gain = torch.cat(
        [torch.ones(len(real)).double() / len(real), -torch.ones(len(fake)).double() / len(fake)]
    )
    i, j = torch.nonzero(~torch.eye(count, dtype=torch.bool)).T.numpy()
    lines, ones = np.arange(len(i)), np.ones(len(i))
    difference = coo_array(
        (np.append(ones, -ones), (np.append(lines, lines), np.append(i, j))), (len(i), count)
    )
    limits = (
        {}
        if lipschitz is None
        else {"A_ub": difference.tocsr(), "b_ub": lipschitz * (rows[i] - rows[j]).norm(dim=1).numpy()}
    )
    # f is known up to a constant
    found = linprog(-gain.numpy(), bounds=[(0, 0)] + [(None, None)] * (count - 1), **limits)
    if found.status == 3:  # unbounded
        return math.inf, torch.full((count,), math.nan, dtype=torch.float64)
    return -float(found.fun), torch.from_numpy(found.x)


def check() -> Sequence[Sides]:
    """Transport by an assignment of rows, the dual over Lipschitz functions by linear programming; on the line, also the area
    between the distribution functions. Tolerances: of both solvers, 1e-9 of the distance."""
    found, source = [], torch.Generator().manual_seed(0)
    for rows, d in ((20, 1), (30, 2), (20, 10)):
        real, fake = torch.randn(2, rows, d, generator=source, dtype=torch.float64)
        fake = 1.5 * fake + 0.5
        primal = earth_mover(real=real, fake=fake).value
        where = f"{rows} rows of dimension {d}"
        for constant in (1.0, 2.5):
            value, _ = dual(real, fake, constant)
            found.append(
                Sides(f"sup over {constant:g}-Lipschitz f, {where}", value, "=", constant * primal, 1e-9)
            )
        found.append(Sides(f"sup over all f, {where}", dual(real, fake, None)[0], "=", math.inf))
        found += _elsewhere(real, fake, primal, where)
        if d == 1:
            found.append(
                Sides(
                    "W₁ and the area between distribution functions",
                    primal,
                    "=",
                    _area(real[:, 0], fake[:, 0]),
                    1e-9,
                )
            )
    return found


def _elsewhere(real: Tensor, fake: Tensor, primal: float, where: str) -> list[Sides]:
    """f continues to the whole space, max_i f_i − |x − x_i| (McShane): nothing of the value is lost, and no slope between 500
    points more is above 1. A critic of any other kind stays below: 200 cones |x − c| about random points."""
    source = torch.Generator().manual_seed(1)
    anchors, (_, values) = torch.cat([real, fake]), dual(real, fake)

    def critic(x: Tensor) -> Tensor:
        return (values - (x[:, None] - anchors).norm(dim=2)).amax(1)

    points = 3 * torch.randn(500, real.shape[1], generator=source, dtype=torch.float64)
    apart = (points[:, None] - points).norm(dim=2)
    steepest = ((critic(points)[:, None] - critic(points)).abs() / apart.fill_diagonal_(math.inf)).max()
    centres = 4 * torch.randn(200, 1, real.shape[1], generator=source, dtype=torch.float64)
    cones = ((real - centres).norm(dim=2).mean(1) - (fake - centres).norm(dim=2).mean(1)).abs()
    return [
        Sides(
            f"the continued critic, {where}",
            float(critic(real).mean() - critic(fake).mean()),
            "=",
            primal,
            1e-9,
        ),
        Sides(f"its largest slope, {where}", float(steepest), "<=", 1.0, 1e-9),
        Sides(f"the best of 200 other critics, {where}", float(cones.max()), "<=", primal, 1e-9),
    ]


def _area(first: Tensor, second: Tensor) -> float:
    """∫ |F − G| dt of two samples."""
    ends = torch.cat([first, second]).sort().values
    below = [
        torch.searchsorted(side.sort().values, ends[:-1], right=True).double() / len(side)
        for side in (first, second)
    ]
    return float(((below[0] - below[1]).abs() * ends.diff()).sum())


CLAIM = Claim(
    id="T11",
    title="Kantorovich-Rubinstein duality",
    statement="the largest E_P f − E_Q f over 1-Lipschitz f is W₁(P, Q), K-Lipschitz K W₁, without a constraint infinite",
    source="Villani, Optimal Transport: Old and New, 2009; Arjovsky, Chintala & Bottou, Wasserstein GAN, 2017, section 3",
    check=check,
)
