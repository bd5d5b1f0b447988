"""T17: the distance that small discriminators see generalises; Jensen–Shannon's and Wasserstein's do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.metrics.transport import earth_mover
from saddlepoint.theory.claim import Claim, Sides

FALSE_ALARM = 1e-9  # of one pair of samples
REPEATS = 400


def check() -> Sequence[Sides]:
    """Distances between samples of two normals, against those between the normals. Upper bounds are missed with probability
    1e-9; means of 400 repeats are compared within 6 standard errors (2e-9)."""
    return [*_linear(), *_thresholds(), *_others()]


def _linear() -> list[Sides]:
    """D(x) = w·x, |w| ≤ 1, p weights: the supremum is the distance of the means. With P = Q it is 0, and between samples its
    square is 2χ²_p/m, of mean 2p/m and variance 8p/m²: so m must grow as p. With P ≠ Q the error is at most the distance
    of that of the sample means, whose square is 2χ²_p/m, too."""
    from scipy.stats import chi2

    found, source = [], torch.Generator().manual_seed(0)
    for p, m in ((2, 50), (20, 50), (20, 500), (200, 500)):
        # the mean of m rows of N(0, I) is drawn, instead of the rows
        first, second = torch.randn(2, REPEATS, p, generator=source, dtype=torch.float64) / math.sqrt(m)
        squares = (first - second).square().sum(1)
        within = 6 * math.sqrt(8 * p / REPEATS) / m
        found.append(
            Sides(
                f"mean squared distance at P = Q, p = {p}, m = {m}",
                float(squares.mean()),
                "=",
                2 * p / m,
                within,
            )
        )
        worst = math.sqrt(2 * chi2.isf(FALSE_ALARM / REPEATS, p) / m)
        shift = torch.zeros(p, dtype=torch.float64)
        shift[0] = 3.0
        off = ((first - second - shift).norm(dim=1) - 3.0).abs().max()
        found.append(Sides(f"largest error at |θ| = 3, p = {p}, m = {m}", float(off), "<=", worst))
    return found


def _thresholds() -> list[Sides]:
    """D(x) = 1 where x_j > t, 0 elsewhere, any coordinate j of d and any t: the supremum is the largest of d
    Kolmogorov–Smirnov distances, 2Φ(θ/2) − 1 between N(0, I) and N(θe₁, I). By Massart's inequality each of the 2d
    distribution functions is off by ε/2 with probability 2 exp(−mε²/2): m = 2 ln(4d/δ)/ε² rows suffice."""
    found, source = [], torch.Generator().manual_seed(1)
    for d, epsilon, theta in ((1, 0.2, 1.0), (10, 0.2, 0.0), (10, 0.1, 0.5), (100, 0.2, 2.0)):
        m = math.ceil(2 * math.log(4 * d / FALSE_ALARM) / epsilon**2)
        first, second = torch.randn(2, m, d, generator=source, dtype=torch.float64)
        second[:, 0] += theta
        exact = math.erf(theta / 2 / math.sqrt(2))
        measured = max(kolmogorov_smirnov(first[:, j], second[:, j]) for j in range(d))
        where = f"θ = {theta:g}, d = {d}, {m} rows"
        found.append(Sides(f"thresholds, {where}", measured, "=", exact, epsilon))
    return found


def kolmogorov_smirnov(first: Tensor, second: Tensor) -> float:
    """sup over t of |F(t) − G(t)| of two samples [n] and [m]."""
    ends = torch.cat([first, second])
    below = [
        torch.searchsorted(side.sort().values, ends, right=True).double() / len(side)
        for side in (first, second)
    ]
    return float((below[0] - below[1]).abs().max())


def empirical_jensen_shannon(first: Tensor, second: Tensor) -> float:
    """JSD in nats between two samples [n, d] and [m, d], as laws on their points."""
    _, where = torch.cat([first, second]).unique(dim=0, return_inverse=True)
    atoms = int(where.max()) + 1
    p, q = (
        torch.bincount(part, minlength=atoms).double() / len(part)
        for part in where.split([len(first), len(second)])
    )
    middle = (p + q) / 2
    return float((torch.special.xlogy(p, p / middle) + torch.special.xlogy(q, q / middle)).sum()) / 2


def _others() -> list[Sides]:
    """Two samples of the same N(0, I/d), d = 800, so that 0 is the truth. No two rows are equal: JSD = log 2, whatever m. The
    squared distance of two rows is 2χ²_d/d: none of m² is below 1.1 but for a probability of m² P(χ²_800 < 484) < 1e-15,
    so no transport is shorter. The means are apart by √(2χ²_d/dm), by 1.5 √(2/m) with a probability below 1e-30.
    Where samples repeat, JSD does generalise: of 64 equally likely points it is χ²_63/4m between two samples (Wilks)."""
    from scipy.stats import chi2

    found, source = [], torch.Generator().manual_seed(2)
    for m in (100, 200):
        first, second = torch.randn(2, m, 800, generator=source, dtype=torch.float64) / math.sqrt(800)
        found.append(
            Sides(
                f"JSD of two samples, m = {m}",
                empirical_jensen_shannon(first, second),
                "=",
                math.log(2),
                1e-12,
            )
        )
        found.append(
            Sides(f"W₁ of two samples, m = {m}", earth_mover(real=first, fake=second).value, ">=", 1.1)
        )
        mean = float((first.mean(0) - second.mean(0)).norm())
        found.append(Sides("what linear discriminators see of them", mean, "<=", math.sqrt(2 / m) * 1.5))
    points = torch.randint(64, (2, 100_000, 1), generator=source)
    few, bound = empirical_jensen_shannon(*points), float(chi2.isf(FALSE_ALARM, 63)) / 400_000
    found.append(Sides("JSD of two samples of 64 points, m = 100,000", few, "<=", bound))
    return found


def figure(axes: Any) -> None:
    """Distances between two samples of one N(0, I/100), against their size."""
    source, sizes = torch.Generator().manual_seed(0), [2**k for k in range(3, 10)]
    samples = [torch.randn(2, m, 100, generator=source, dtype=torch.float64) / 10 for m in sizes]
    lines = {
        "Jensen–Shannon, nats": [empirical_jensen_shannon(a, b) for a, b in samples],
        "Wasserstein-1": [earth_mover(real=a, fake=b).value for a, b in samples],
        "linear discriminators, |w| ≤ 1": [float((a.mean(0) - b.mean(0)).norm()) for a, b in samples],
    }
    for name, values in lines.items():
        axes.loglog(sizes, values, "o-", label=name)
    axes.set(xlabel="rows m of each sample", ylabel="distance of two samples of N(0, I/100); truth: 0")
    axes.legend()


CLAIM = Claim(
    id="T17",
    title="generalisation of the neural distance",
    statement="O(p log p/ε²) rows give the distance that discriminators of p parameters see up to ε; JSD and W₁ of two "
    "samples of the same normal stay at log 2 and above 1",
    source="Arora et al., Generalization and Equilibrium in Generative Adversarial Nets, ICML 2017, section 3",
    check=check,
    figure=figure,
)
