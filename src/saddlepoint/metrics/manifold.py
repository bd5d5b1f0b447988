"""Precision and recall, density and coverage, by balls around the rows of each set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.metrics.balls import radii, squares
from saddlepoint.metrics.samples import distances, matrices

CLOSEST = 1e-5  # added to a distance before something is divided by it


class PrecisionRecall(NamedTuple):
    precision: float
    recall: float


def precision_recall(*, real: Tensor, fake: Tensor, k: int = 3) -> PrecisionRecall:
    """precision: share of fakes inside the manifold of the reals; recall: share of reals inside that of the
    fakes (Kynkäänniemi et al. 2019, equations 1 and 2).

    Both in [0, 1], 1 is best. Features [n, …] and [m, …]. Depends on n and m (more rows, smaller balls), and
    a copy of the real data scores 1 in both.
    """
    return PrecisionRecall(
        precision=float(inside(points=fake, reference=real, k=k).double().mean()),
        recall=float(inside(points=real, reference=fake, k=k).double().mean()),
    )


def inside(*, points: Tensor, reference: Tensor, k: int = 3) -> Tensor:
    """For each point, whether some reference row is no farther than that row's own k-th neighbour in the
    reference.

    Boolean [len(points)]. A row is not its own neighbour; the boundary belongs to the ball (≤).
    """
    rows, asked = matrices(reference, points)
    reach = radii("the reference", rows, k)
    return torch.cat([block.within(reach).any(1) for block in squares(asked, rows)])


def realism(*, real: Tensor, fake: Tensor, k: int = 3) -> Tensor:
    """max_r radius(r) / |fake − r| over the real rows r, for each fake; float64 [m], at least 1 inside the manifold.

    Kynkäänniemi et al. 2019, equation 3, with 1e-5 added to the distance. All balls count; the paper leaves out the half
    with the larger radii when it ranks pictures.
    """
    rows, asked = matrices(real, fake)
    reach = radii("real", rows, k).sqrt()
    return torch.cat([(reach / (block + CLOSEST)).amax(1) for _, block in distances(asked, rows)])


@dataclass(frozen=True, eq=False)
class BallCounts:
    """What a mean is taken of. Of each fake: `precise`, boolean [m], and `dense`, float64 [m]; of each real:
    `recalled` and `covered`, boolean [n]."""

    precise: Tensor
    recalled: Tensor
    dense: Tensor
    covered: Tensor


class Prdc(NamedTuple):
    precision: float
    recall: float
    density: float
    coverage: float


def prdc(*, real: Tensor, fake: Tensor, k: int = 5) -> Prdc:
    """Naeem et al. 2020, with balls that reach to the k-th neighbour, the boundary left out (<).

    precision: share of fakes in a ball around a real; recall: share of reals in a ball around a fake.
    density: balls of reals that hold a fake, over k, mean of the fakes; 1 for equal distributions, and it may
        exceed 1 where fakes crowd where reals are dense.
    coverage: share of reals whose ball holds a fake; about 1 − 2^−k for equal distributions (`expected_coverage`).
        Comparable at equal n and m only.
    """
    found = ball_counts(real=real, fake=fake, k=k)
    return Prdc(
        precision=float(found.precise.double().mean()),
        recall=float(found.recalled.double().mean()),
        density=float(found.dense.mean()),
        coverage=float(found.covered.double().mean()),
    )


def expected_coverage(n: int, m: int, k: int) -> float:
    """E coverage of m fakes that are distributed like the n reals, whatever that distribution (Naeem et al. 2020,
    lemma 2): 1 − Π_{i<k} (n − 1 − i) / (n + m − 1 − i).

    None of the k nearest among the other n − 1 + m rows is a fake. For n = m and n → ∞ it is 1 − 2^−k.
    """
    missed = 1.0
    for i in range(k):
        missed *= (n - 1 - i) / (n + m - 1 - i)
    return 1 - missed


def ball_counts(*, real: Tensor, fake: Tensor, k: int = 5) -> BallCounts:
    """The counts behind `prdc`, from one pass over the distances between the sets and one inside each."""
    reals, fakes = matrices(real, fake)
    real_reach, fake_reach = radii("real", reals, k), radii("fake", fakes, k)
    recalled, covered = (torch.zeros(len(reals), dtype=torch.bool) for _ in range(2))
    held = []
    for block in squares(fakes, reals):
        in_real = block.within(real_reach, strict=True)
        own = fake_reach[block.start : block.start + len(in_real), None]
        recalled |= block.within(own, strict=True).any(0)
        covered |= in_real.any(0)
        held.append(in_real.sum(1))
    balls = torch.cat(held)
    return BallCounts(balls > 0, recalled, balls.double() / k, covered)
