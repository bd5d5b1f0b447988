"""T18: a generator of few points fools every discriminator of limited size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import relu

from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import GRID, integral, normal

FALSE_ALARM = 1e-9  # of one draw of a generator
DIMENSION = 10


def enough(discriminators: int, epsilon: float) -> int:
    """m = ⌈ln(2K/δ)/2ε²⌉: by Hoeffding's inequality m points look like the data to all K discriminators with values in
    [0, 1], up to ε, with probability 1 − δ."""
    return math.ceil(math.log(2 * discriminators / FALSE_ALARM) / (2 * epsilon**2))


def check() -> Sequence[Sides]:
    """Means over the m points that a generator was dealt, against means over the data, exact. The points miss ε with
    probability 1e-9; why the lower bounds are met as surely, is said with each."""
    return [*_networks(), *_coins(), *_memory()]


def _networks() -> list[Sides]:
    """500 discriminators σ(w·x + b), data N(0, I): w·x is N(0, |w|²), so their means over the data are integrals on the
    line."""
    source = torch.Generator().manual_seed(0)
    weights = torch.randn(500, DIMENSION, generator=source, dtype=torch.float64)
    offsets = torch.randn(500, generator=source, dtype=torch.float64)
    density = normal()
    exact = [
        integral(density * (norm * GRID + b).sigmoid())
        for norm, b in zip(weights.norm(dim=1), offsets, strict=True)
    ]
    found = []
    for epsilon in (0.2, 0.1, 0.05):
        points = torch.randn(enough(500, epsilon), DIMENSION, generator=source, dtype=torch.float64)
        seen = (points @ weights.T + offsets).sigmoid().mean(0)
        off = float((seen - torch.tensor(exact, dtype=torch.float64)).abs().max())
        found.append(Sides(f"what 500 networks see of {len(points)} points", off, "<=", epsilon))
    return found


def _coins() -> list[Sides]:
    """The number of points that K discriminators need does grow as ln K/ε²: data are K fair bits, D_k tells the kth, the
    differences are K independent binomials. That all lie below √(ln K/2m)/2, which is √(ln K/2) standard deviations, has
    probability (1 − 0.063)^1000 = 5e-29 for K = 1000."""
    source, found = torch.Generator().manual_seed(1), []
    for many, epsilon in ((1000, 0.1), (1000, 0.05), (16_000, 0.1)):
        m = enough(many, epsilon)
        bits = torch.randint(2, (m, many), generator=source, dtype=torch.uint8)
        off = float((bits.sum(0) / m - 0.5).abs().max())
        found.append(Sides(f"what {many} independent ones see of {m} points", off, "<=", epsilon))
        found.append(Sides("and at least", off, ">=", math.sqrt(math.log(many) / (2 * m)) / 2))
    return found


def _memory() -> list[Sides]:
    """With a unit for each of the m points a discriminator sees them all: D(x) = min(1, Σ_i relu(1 − |x − x_i|/r)) is 1 at
    the points. A row of the data is nearer than r = 1/4 to one of them with probability m (r²/4)^5/5! = 1e-8 at most, in ten
    dimensions; 2000 of them are taken for the mean, and 20 would have to be."""
    source = torch.Generator().manual_seed(2)
    m = enough(500, 0.1)
    points, data = (torch.randn(n, DIMENSION, generator=source, dtype=torch.float64) for n in (m, 2000))
    difference = float(_nearby(points, points).mean() - _nearby(data, points).mean())
    return [Sides(f"what a network of {m} units sees of {m} points", difference, ">=", 0.99)]


def _nearby(rows: Tensor, centres: Tensor) -> Tensor:
    # without products of matrices, whose rounding would make the distance of a point from itself 1e-7
    distances = torch.cdist(rows, centres, compute_mode="donot_use_mm_for_euclid_dist")
    return relu(1 - 4 * distances).sum(1).clamp(max=1)


CLAIM = Claim(
    id="T18",
    title="few points fool small discriminators",
    statement="m = O(log K/ε²) points of the data, dealt to a generator, look like the data to all of K discriminators up to "
    "ε (for p parameters log K becomes p log p/ε); more discriminators need more points, and a network with m units sees all",
    source="Arora et al., Generalization and Equilibrium in Generative Adversarial Nets, ICML 2017, section 3",
    check=check,
)
