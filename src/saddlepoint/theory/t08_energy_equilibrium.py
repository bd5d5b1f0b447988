"""T08: the equilibria of EBGAN."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from saddlepoint.objectives import EnergyMargin
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.equilibria import solved

COUNTS = ((1, 2, 3, 4), (5, 1, 1, 1, 2), (3, 3, 2, 1, 1, 6))  # of rows at each point: the data


def check() -> Sequence[Sides]:
    """The equilibrium by linear programming, which is told nothing of it; the least V over energies by subgradient descent of
    the objective for training. Tolerances: of the solver, 1e-9; of descent, whose last steps of 1e-3 m move V by Σ max(p, q)
    times that, at most 2e-3 m."""
    return [*_equilibrium(), *_discriminator(), *_constant()]


def _equilibrium() -> list[Sides]:
    """For D in [0, m], V = m + E_P D − E_Q D is linear in D and in q, and the generator, who lowers E_Q D, raises V: a matrix
    game between the corners {0, m}^n of D, who pay V, and single points of the generator."""
    found = []
    for counts, margin in product(COUNTS, (1.0, 10.0)):
        p = _law(counts)
        corners = margin * torch.tensor(list(product((0.0, 1.0), repeat=len(p))), dtype=torch.float64)
        equilibrium = solved(margin + (corners @ p)[:, None] - corners)
        where = f"data {counts}, m = {margin:g}"
        found.append(Sides(f"V, {where}", equilibrium.value, "=", margin, 1e-9))
        found.append(
            Sides(f"largest |q − p|, {where}", float((equilibrium.second - p).abs().max()), "=", 0.0, 1e-9)
        )
        energies = equilibrium.first @ corners
        found.append(
            Sides(
                f"D is constant: largest less least, {where}",
                float(energies.max() - energies.min()),
                "=",
                0.0,
                1e-9,
            )
        )
    return found


def _discriminator() -> list[Sides]:
    """Against q the least V is m Σ min(p, q) = m(1 − TV): m at q = p alone. Where q ≠ p (here at every point) the generator
    gains m Q(q > p) by moving to where the best energy is 0, so that no other q is in equilibrium."""
    found = []
    for data, fakes in (
        ((1, 2, 3, 4), (1, 2, 3, 4)),
        ((1, 2, 3, 4), (4, 3, 2, 1)),
        ((5, 1, 1, 1), (2, 2, 2, 2)),
    ):
        p, q = _law(data), _law(fakes)
        for margin in (1.0, 4.0):
            energies = _best(data, fakes, margin)
            where = f"data {data}, fakes {fakes}, m = {margin:g}"
            least = margin * float(torch.minimum(p, q).sum())
            value = float(_value(data, fakes, energies, margin))
            found.append(Sides(f"least V, {where}", value, "=", least, 3e-3 * margin))
            if data != fakes:
                gain = float(q @ energies - energies.min())
                exact = margin * float(q[q > p].sum())
                found.append(
                    Sides(f"what the generator gains by moving, {where}", gain, "=", exact, 3e-3 * margin)
                )
    return found


def _constant() -> list[Sides]:
    """At q = p every constant γ in [0, m] has V = m, and no other energy less; above m V = γ, so it is not in equilibrium."""
    found, source = [], torch.Generator().manual_seed(0)
    counts, margin = COUNTS[2], 3.0
    for level in (0.0, 1.0, 3.0, 5.0):
        value = float(_value(counts, counts, torch.full((6,), level, dtype=torch.float64), margin))
        found.append(Sides(f"V at D = {level:g}, q = p, m = 3", value, "=", max(level, margin), 1e-12))
    others = 6 * torch.rand(500, 6, generator=source, dtype=torch.float64)
    least = min(float(_value(counts, counts, energies, margin)) for energies in others)
    found.append(Sides("least V of 500 other energies, q = p, m = 3", least, ">=", margin, 1e-12))
    return found


def _law(counts: Sequence[int]) -> Tensor:
    return torch.tensor(counts, dtype=torch.float64) / sum(counts)


def _value(data: Sequence[int], fakes: Sequence[int], energies: Tensor, margin: float) -> Tensor:
    """V of energies [n] by the objective for training, on as many rows at each point as are counted."""
    real, fake = (energies.repeat_interleave(torch.tensor(counts)) for counts in (data, fakes))
    return EnergyMargin(margin=margin).discriminator(real, fake)


def _best(data: Sequence[int], fakes: Sequence[int], margin: float) -> Tensor:
    """Energies ≥ 0 of least V, by projected descent along signs of subgradients, in steps down to 1e-3 m."""
    energies = torch.full((len(data),), margin / 2, dtype=torch.float64)
    for step in range(300):
        energies.requires_grad_()
        (slope,) = torch.autograd.grad(_value(data, fakes, energies, margin), energies)
        slope = torch.where(slope.abs() < 1e-12, 0.0, slope)
        energies = (energies - margin * max(0.2 / (1 + step), 1e-3) * slope.sign()).clamp(min=0).detach()
    return energies


CLAIM = Claim(
    id="T08",
    title="equilibria of EBGAN",
    statement="at equilibrium q = p and V = m, D being any constant in [0, m] on the data",
    source="Zhao, Mathieu & LeCun, Energy-based Generative Adversarial Network, ICLR 2017, theorems 1 and 2",
    check=check,
)
