"""T20: what duplicates in a sample say of the size of the support."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.metrics.support import birthday_batch, duplicate_probability
from saddlepoint.theory.claim import Claim, Sides

DRAWN = 20_000  # samples of a simulation


def distinct_probabilities(law: Tensor, draws: int) -> Tensor:
    """s! e_s(p), s = 0 … draws: the probability that s independent draws of p [n] are all different, e_s the elementary
    symmetric polynomial. No term is below 0, so nothing cancels."""
    found = torch.zeros(draws + 1, dtype=torch.float64)  # of the points so far
    found[0] = 1
    counts = torch.arange(1, draws + 1, dtype=torch.float64)
    for chance in law.tolist():
        found[1:] += counts * chance * found[:-1]
    return found


def laws() -> dict[str, Tensor]:
    """Laws on 1000 points."""
    ranks = torch.arange(1, 1001, dtype=torch.float64)
    half = torch.full((1000,), 0.5 / 999, dtype=torch.float64)
    half[0] = 0.5
    found = {
        "uniform": torch.ones_like(ranks),
        "p ∝ 1/rank": 1 / ranks,
        "p ∝ 0.99^rank": 0.99**ranks,
        "half on a point": half,
    }
    return {name: weights / weights.sum() for name, weights in found.items()}


def check() -> Sequence[Sides]:
    """Tolerances: rounding, and 6 standard errors of the simulations (false alarm: 2e-9)."""
    return [*_uniform(), *_others(), *_simulated()]


def _uniform() -> list[Sides]:
    """The exact product against the polynomial, and N against s(s − 1)/2 ln 2, s the least with P(duplicates) ≥ ½:
    Π_{i<s} (1 − i/N) ≤ exp(−s(s − 1)/2N), so N > (s − 1)(s − 2)/2 ln 2; and −ln(1 − x) ≤ x + x²/2(1 − x), so
    N ≤ s(s − 1)/2 ln 2 + s for s ≥ 6: within s/ln 2."""
    found = []
    for support in (23, 365, 1000, 50_000, 1_000_000):
        s, where = birthday_batch(support=support), f"{support} points"
        found.append(
            Sides(f"s(s − 1)/2 ln 2, {where}", s * (s - 1) / (2 * math.log(2)), "=", support, s / math.log(2))
        )
        if support > 1000:
            continue
        law = torch.full((support,), 1 / support, dtype=torch.float64)
        distinct = distinct_probabilities(law, 2 * s).tolist()
        for draws in (2, s - 1, s, 2 * s):
            exact, other = (
                duplicate_probability(support=support, draws=draws),
                1 - distinct[draws],
            )
            found.append(Sides(f"P(duplicates) in {draws} draws, {where}", exact, "=", other, 1e-12))
    return found


def _others() -> list[Sides]:
    """Equal chances make duplicates as rare as N points can (e_s is Schur-concave): few duplicates prove a large support.
    Many do not prove a small one: at most s(s − 1)/2 · Σp² pairs collide on average, which bounds 1/Σp², the effective
    number. With half of the mass on one point three draws repeat it with probability ½, whatever the support."""
    found = []
    for name, law in laws().items():
        s = int((distinct_probabilities(law, 60) > 0.5).sum())  # falling
        effective = 1 / float(law.square().sum())
        found.append(
            Sides(f"least s with duplicates as likely as not, {name}", s, "<=", birthday_batch(support=1000))
        )
        found.append(Sides(f"effective number of points and s(s − 1), {name}", effective, "<=", s * (s - 1)))
    for support in (100, 1000, 10_000):
        law = torch.full((support,), 0.5 / (support - 1), dtype=torch.float64)
        law[0] = 0.5
        found.append(
            Sides(
                f"P(duplicates) in 3 draws, half on one of {support} points",
                1 - float(distinct_probabilities(law, 3)[3]),
                ">=",
                0.5,
            )
        )
    return found


def _simulated() -> list[Sides]:
    source, found = torch.Generator().manual_seed(0), []
    for name, law in laws().items():
        distinct = distinct_probabilities(law, 38).tolist()
        for draws in (3, 12, 38):
            rows = (
                law.multinomial(DRAWN * draws, replacement=True, generator=source)
                .view(DRAWN, draws)
                .sort(1)
                .values
            )
            share = float((rows[:, 1:] == rows[:, :-1]).any(1).double().mean())
            exact = 1 - distinct[draws]
            within = 6 * math.sqrt(exact * (1 - exact) / DRAWN) + 6 / DRAWN
            found.append(Sides(f"P(duplicates) in {draws} draws, {name}", share, "=", exact, within))
    return found


def figure(axes: Any) -> None:
    """P(duplicates) against the size of the sample, for laws on as many points."""
    draws = range(81)
    for name, law in laws().items():
        axes.plot(
            draws,
            1 - distinct_probabilities(law, 80),
            label=f"{name}, 1/Σp² = {1 / float(law.square().sum()):.0f}",
        )
    axes.axhline(0.5, color="grey", linewidth=0.8)
    axes.set(xlabel="sample s", ylabel="P(some two are equal)", title="laws on 1000 points")
    axes.legend()


CLAIM = Claim(
    id="T20",
    title="the birthday test",
    statement="s draws from N equally likely points hold duplicates as likely as not at N = s(s − 1)/2 ln 2, up to s/ln 2; "
    "other laws on N points need no more draws, and s(s − 1) bounds 1/Σp², not the support",
    source="Arora, Risteski & Zhang, Do GANs learn the distribution? Some Theory and Empirics, ICLR 2018, section 3",
    check=check,
    figure=figure,
)
