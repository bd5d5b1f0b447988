"""T26: packing separates a generator that drops mass from one that is as far from the data in another way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor

from saddlepoint.theory.claim import Claim, Sides

CELLS = 20  # data: as many equally likely cells


def total_variation(p: Tensor, q: Tensor) -> float:
    """½ Σ |p − q|."""
    return float((p - q).abs().sum()) / 2


def packed(p: Tensor, rows: int) -> Tensor:
    """The law [n^rows] of packs of independent rows with the law p [n]: every product of probabilities."""
    found = p
    for _ in range(rows - 1):
        found = (found[:, None] * p).flatten()
    return found


def dropping(mass: float, cells: int = CELLS) -> Tensor:
    """Uniform on the cells but the first ones, which have this mass of the data together."""
    law = torch.ones(cells, dtype=torch.float64)
    law[: round(mass * cells)] = 0
    return law / law.sum()


def spreading(mass: float, cells: int = CELLS) -> Tensor:
    """Every cell is met, half of them too rarely, (1 − 2·mass)/n, half of them too often, (1 + 2·mass)/n."""
    sign = torch.ones(cells, dtype=torch.float64)
    sign[: cells // 2] = -1
    return (1 + 2 * mass * sign) / cells


def dropped(mass: float, rows: int) -> float:
    """TV of packs: 1 − (1 − δ)^m, the probability that a pack of data holds something that is dropped."""
    return 1 - (1 - mass) ** rows


def spread(mass: float, rows: int) -> float:
    """TV of packs: ½ Σ_k C(m, k) 2^−m |1 − (1 − 2δ)^k (1 + 2δ)^(m − k)|."""
    ratio = (
        abs(1 - (1 - 2 * mass) ** k * (1 + 2 * mass) ** (rows - k)) * math.comb(rows, k)
        for k in range(rows + 1)
    )
    return sum(ratio) / 2 ** (rows + 1)


def check() -> Sequence[Sides]:
    """Sums over all packs against the closed forms, and both bounds for random laws. Tolerances: rounding of sums."""
    data, found = torch.full((CELLS,), 1 / CELLS, dtype=torch.float64), []
    for mass, rows in product((0.1, 0.2, 0.4), (1, 2, 3, 4)):
        packs = packed(data, rows)
        drop, wide = (total_variation(packs, packed(law(mass), rows)) for law in (dropping, spreading))
        where = f"δ = {mass:g}, packs of {rows}"
        found.append(Sides(f"TV, mass dropped, {where}", drop, "=", dropped(mass, rows), 1e-9))
        found.append(Sides(f"TV, mass spread, {where}", wide, "=", spread(mass, rows), 1e-9))
        if rows == 1:
            found.append(Sides(f"both, {where}", drop, "=", wide, 1e-9))
        else:
            found.append(Sides(f"dropped over spread, {where}", drop / wide, ">=", 1.1))
    return [*found, *_bounds()]


def _bounds() -> list[Sides]:
    """At most 1 − (1 − τ)^m, which dropping attains: draws can be paired so that rows differ with probability τ. At least
    what is seen when only p < q or not is told of each row, a pack of two-point laws: no map adds to a TV."""
    source, found = torch.Generator().manual_seed(0), []
    for number in range(10):
        p, q = (-torch.rand(2, 6, generator=source, dtype=torch.float64).log()).pow(2.0).unbind()
        p, q = p / p.sum(), q / q.sum()
        tau, alpha = total_variation(p, q), float(p[p < q].sum())
        two = torch.tensor([[alpha, 1 - alpha], [alpha + tau, 1 - alpha - tau]], dtype=torch.float64)
        for rows in (2, 4):
            value = total_variation(packed(p, rows), packed(q, rows))
            least = total_variation(packed(two[0], rows), packed(two[1], rows))
            where = f"random laws {number}, TV {tau:.3f}, packs of {rows}"
            found.append(Sides(f"TV and its upper bound, {where}", value, "<=", 1 - (1 - tau) ** rows, 1e-12))
            found.append(Sides(f"TV and its lower bound, {where}", value, ">=", least, 1e-12))
    return found


def figure(axes: Any) -> None:
    """Two generators at the same TV, 0.2, from the data, as the packs grow."""
    rows = range(1, 13)
    axes.plot(rows, [dropped(0.2, m) for m in rows], "o-", label="a fifth of the data is dropped")
    axes.plot(rows, [spread(0.2, m) for m in rows], "s-", label="nothing is dropped: densities 0.6 and 1.4")
    axes.set(xlabel="rows m of a pack", ylabel="TV between packs of data and of fakes", ylim=(0, 1))
    axes.legend()


CLAIM = Claim(
    id="T26",
    title="packing tells dropped mass",
    statement="at equal TV(P, Q) = δ < 1/2 and m ≥ 2, TV(P^m, Q^m) is 1 − (1 − δ)^m, the most that it can be, where Q drops "
    "mass, and less where Q spreads the mismatch over everything",
    source="Lin et al., PacGAN: The power of two samples in generative adversarial networks, NeurIPS 2018",
    check=check,
    figure=figure,
)
