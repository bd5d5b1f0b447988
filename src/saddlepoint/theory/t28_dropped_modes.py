"""T28: which divergences fit one Gaussian to one of two modes, and from which separation on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from saddlepoint.objectives import (
    KL,
    Divergence,
    Jeffrey,
    JensenShannon,
    Pearson,
    ReverseKL,
    SquaredHellinger,
)
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import log_divergence, log_normal

X = torch.linspace(-80, 80, 1601, dtype=torch.float64)
NARROWEST = math.log(0.75)  # the Pearson divergence is finite above a variance of one half
COVER: tuple[Divergence, ...] = (KL(), Pearson())
DROP: tuple[tuple[Divergence, float, float], ...] = (  # with separations before and after the switch
    (ReverseKL(), 2.0, 4.0),
    (JensenShannon(), 3.0, 6.0),
    (SquaredHellinger(), 3.0, 6.0),
    (Jeffrey(), 5.0, 11.0),
)


class Fit(NamedTuple):
    """The divergence of N(mean, deviation²), a minimum."""

    value: float
    mean: float
    deviation: float


def check() -> Sequence[Sides]:
    """Minima by a descent (SciPy's L-BFGS-B) on quadratures, about the middle and about a mode. Beside them: moments for KL;
    the closed form of Pearson's χ² for Q = N(0, s²), minimised over s; the price f(½) + ½f′(∞) of a dropped mode where
    f′(∞) is finite, up to the overlap of modes 2a = 16 apart, exp(−a²/2) = 1e-14; and a search of a whole grid of means and
    deviations 2 % below and above the separation at which both minima are equal, which must find the middle and a mode.
    A descent that stops at slopes of 1e-8 finds parameters to 1e-5 where curvatures are above 0.001, values to its square.
    """
    found: list[Sides] = []
    for a in (0.5, 1.0, 2.0, 4.0, 8.0):
        entropy, square = (min(fits(kind, a)) for kind in COVER)
        found += [
            Sides(f"KL, a = {a:g}: mean", entropy.mean, "=", 0.0, 1e-5),
            Sides(f"KL, a = {a:g}: variance", entropy.deviation**2, "=", 1 + a**2, 1e-5 * (1 + a**2)),
            Sides(f"Pearson, a = {a:g}: mean", square.mean, "=", 0.0, 1e-5),
            Sides(f"Pearson, a = {a:g}: value", square.value, "=", _pearson(a), 1e-9 * (1 + square.value)),
        ]
    for kind, low, high in DROP:
        name, a = type(kind).__name__, switch(kind, low, high)
        before, after = searched(kind, 0.98 * a), searched(kind, 1.02 * a)
        found += [
            Sides(f"{name}, 2 % below a = {a:.4g}: |mean|/a", abs(before.mean) / (0.98 * a), "<=", 0.1),
            Sides(f"{name}, 2 % above a = {a:.4g}: |mean|/a", abs(after.mean) / (1.02 * a), ">=", 0.8),
        ]
        if kind != Jeffrey():
            far = torch.tensor([0.5, 1e30], dtype=torch.float64)
            price = kind.f(far)[0] + kind.optimum(far)[1] / 2
            one = min(fits(kind, 8.0))
            found += [
                Sides(f"{name}, a = 8: mean", one.mean, "=", 8.0, 1e-5),
                Sides(f"{name}, a = 8: value", one.value, "=", float(price), 1e-9),
            ]
    for kind in COVER:
        stays = searched(kind, 10.0)
        found.append(Sides(f"{type(kind).__name__}, a = 10: mean", stays.mean, "=", 0.0))
    return found


def fits(kind: Divergence, a: float) -> tuple[Fit, Fit]:
    """The minimum among Q = N(0, s²), and one among N(m, s²) near a mode (m > 0; or the first, where there is none)."""
    from scipy.optimize import minimize

    p, found = _log_target(a), []
    wide, narrow = math.log1p(a**2) / 2, math.log1p(math.sqrt(2) * a) / 2
    for middle, start in ((True, (0.0, wide)), (False, (a, narrow)), (False, (a, 0.0))):

        def value(at: Any, middle: bool = middle) -> tuple[float, Any]:
            leaf = torch.tensor(at, dtype=torch.float64, requires_grad=True)
            distance = log_divergence(kind, p, log_normal(leaf[0] * (not middle), leaf[1], X), X)
            return distance.item(), torch.autograd.grad(distance, leaf)[0].numpy()

        best = minimize(
            value,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, 2 * a), (NARROWEST, 4)],
            options={"ftol": 1e-16, "gtol": 1e-8},
        )
        found.append(Fit(float(best.fun), float(best.x[0]), math.exp(best.x[1])))
    return found[0], min(found[1:])


def switch(kind: Divergence, low: float, high: float) -> float:
    """The separation a at which a fit to one mode becomes as good as that between the modes, by bisection."""
    for _ in range(14):
        a = (low + high) / 2
        middle, mode = fits(kind, a)
        low, high = (low, a) if mode.value < middle.value - 1e-9 else (a, high)
    return (low + high) / 2


def searched(kind: Divergence, a: float) -> Fit:
    """The best of a grid: 31 means from 0 to 1.2a, 40 deviations from 0.75 to twice that of P."""
    p = _log_target(a)
    means = torch.linspace(0, 1.2 * a, 31, dtype=torch.float64)
    logs = torch.linspace(NARROWEST, math.log(4 * (1 + a**2)) / 2, 40, dtype=torch.float64)
    values = torch.stack([log_divergence(kind, p, log_normal(mean, logs[:, None], X), X) for mean in means])
    mean, log = divmod(int(values.argmin()), len(logs))
    return Fit(float(values.min()), float(means[mean]), float(logs[log].exp()))


def _log_target(a: float) -> Tensor:
    return torch.logaddexp(log_normal(-a, 0.0, X), log_normal(a, 0.0, X)) - math.log(2)


def _pearson(a: float) -> float:
    """The least ∫p²/N(0, s²) − 1: p² is ¼ΣΣ N(mᵢ; mⱼ, 2) N(x; c, ½), c = (mᵢ + mⱼ)/2, and of each the integral is known."""
    from scipy.optimize import minimize_scalar

    def value(s: float) -> float:
        room, total = 1 - 1 / (2 * s**2), 0.0
        for centre, weight in ((a, 0.5), (0.0, 0.5 * math.exp(-(a**2)))):
            total += weight / math.sqrt(2 * math.tau) * math.exp(centre**2 / (2 * s**2 * room))
        return math.sqrt(math.tau) * s * total / math.sqrt(room) - 1

    widest = 3 * (1 + a)
    return float(minimize_scalar(value, bounds=(0.75, widest), method="bounded", options={"xatol": 1e-9}).fun)


def figure(axes: Any) -> None:
    for kind, width in zip(COVER, (6, 2), strict=True):
        places = torch.linspace(0.5, 10, 12).tolist()
        axes.plot(
            places, [min(fits(kind, a)).mean / a for a in places], linewidth=width, label=type(kind).__name__
        )
    for kind, low, high in DROP:
        a = switch(kind, low, high)
        after = torch.linspace(a + 1e-3, max(10.0, a + 1), 20).tolist()
        height = [0.0, 0.0] + [fits(kind, place)[1].mean / place for place in after]
        axes.plot([0.5, a, *after], height, label=f"{type(kind).__name__}: from a = {a:.2f}")
    axes.set(
        xlabel="a, modes at ±a of deviation 1",
        ylabel="|mean| / a of the best single Gaussian",
        ylim=(-0.05, 1.1),
    )
    axes.legend(fontsize="small")


CLAIM = Claim(
    id="T28",
    title="dropped modes",
    statement="the best N(m, s²) for ½N(−a, 1) + ½N(a, 1): KL and Pearson have m = 0 for all a; reverse KL, JS, squared "
    "Hellinger and Jeffrey leave the middle for one mode, each from its own a on, by a jump",
    source="divergences of Nowozin, Cseke & Tomioka, f-GAN, NIPS 2016",
    check=check,
    figure=figure,
)
