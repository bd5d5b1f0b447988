"""M03: the best Gaussian under five f-divergences, P = .33 N(−1, .065) + .67 N(2, 2) in means and variances (f-GAN, table 2;
the weights and variances are those with which the published exact cells come out)."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from claims.check import Check, Numbers, at_least, at_most
from claims.exactly import GRID, integral, log_normal
from saddlepoint import methods
from saddlepoint.data.split import Split, fingerprint
from saddlepoint.data.table import Table
from saddlepoint.dynamics import Alternating, Dynamics, Simultaneous
from saddlepoint.experiments.playing import Moment, play
from saddlepoint.latents import Gaussian
from saddlepoint.objectives import FGAN, KL, Divergence, Jeffrey, JensenShannon, Pearson, ReverseKL
from saddlepoint.optim import Adam, Optimizer
from saddlepoint.schedules import Linear

ROWS: dict[str, Divergence] = {
    "KL": KL(),
    "reverse KL": ReverseKL(),
    "JS": JensenShannon(),
    "Jeffrey": Jeffrey(),
    "Pearson": Pearson(),
}
PUBLISHED = {  # D_f, μ*, σ*
    "KL": (0.2831, 1.0100, 1.8308),
    "reverse KL": (0.2480, 1.5782, 1.6319),
    "JS": (0.1280, 1.3070, 1.7542),
    "Jeffrey": (0.5705, 1.3218, 1.7034),
    "Pearson": (0.6457, 0.5737, 1.9274),
}
STEPS, BATCH = 3000, 512
LOG_P = torch.logaddexp(
    math.log(0.33) + log_normal(GRID, -1.0, 0.065**0.5), math.log(0.67) + log_normal(GRID, 2.0, 2**0.5)
)
RATES: dict[str, Optimizer] = {p: Adam(Linear(5e-3, 0.0)) for p in ("generator", "discriminator")}
ALTERNATING = Alternating(
    {p: Adam(Linear(r, 0.0)) for p, r in (("generator", 5e-3), ("discriminator", 5e-3))}
)


def divergence(row: Divergence, at: Tensor) -> Tensor:
    """D_f(P‖N(μ, σ²)) by quadrature, at = (μ, log σ); where p and q both vanish nothing is counted."""
    log_q = log_normal(GRID, at[0], at[1].exp())
    ratio = (LOG_P - log_q).clamp(-60, 60).exp()
    return integral(torch.where(LOG_P > -60, log_q.exp() * row.f(ratio), 0.0))


@functools.cache
def best(name: str) -> tuple[float, float]:
    at = torch.tensor([1.2, math.log(1.7)], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([at], max_iter=200, line_search_fn="strong_wolfe", tolerance_change=1e-14)

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = divergence(ROWS[name], at)
        value.backward()
        return value

    optimizer.step(loss)
    return float(at[0].detach()), float(at[1].detach().exp())


def cell(evaluated: str, mean: float, deviation: float) -> float:
    return float(divergence(ROWS[evaluated], torch.tensor([mean, math.log(deviation)], dtype=torch.float64)))


def exact(seed: int) -> Numbers:
    """Against the published cells; and the diagonal of the train × test table, whose row is the divergence trained."""
    errors = []
    for name, (value, mean, deviation) in PUBLISHED.items():
        found = best(name)
        errors += [cell(name, *found) - value, found[0] - mean, found[1] - deviation]
    margins = [
        cell(column, *best(row)) - cell(column, *best(column))
        for column in ROWS
        for row in ROWS
        if row != column
    ]
    return {"error of D_f, μ*, σ*": max(map(abs, errors)), "least margin of the diagonal": min(margins)}


class Line(nn.Module):
    """x = μ + σε."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.tensor([0.0, 0.0]))

    def forward(self, latent: Tensor) -> Tensor:
        return self.place[0] + self.place[1].exp() * latent


def variational() -> nn.Module:
    return nn.Sequential(
        nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1), nn.Flatten(0)
    )


def data(seed: int, rows: int = 200_000) -> Table:
    random = np.random.default_rng(seed)
    left = random.random(rows) < 0.33
    values = np.where(left, random.normal(-1, 0.065**0.5, rows), random.normal(2, 2**0.5, rows))
    table = values.astype(np.float32)[:, None]
    split = Split(np.arange(1000, rows), np.arange(1000))
    return Table("mixture on a line", (1,), fingerprint(table), table, split)


def fitted(name: str, seed: int, rule: Dynamics) -> tuple[float, float, float]:
    """μ̂, σ̂ and F(ω̂) − D_f(P‖Q_θ̂), F on the grid."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = {"generator": Line(), "discriminator": variational()}
    method = replace(
        methods.get("fgan-kl"), objective=FGAN(ROWS[name]), dynamics=rule, latent=Gaussian(1), averages={}
    )
    moments = play(method, data(seed), networks, STEPS, seed, BATCH)
    *_, end = moments
    mean, log_deviation = end.state.players["generator"].double().tolist()
    deviation = math.exp(log_deviation)
    return mean, deviation, bound(end, ROWS[name], mean, deviation) - cell(name, mean, deviation)


def bound(end: Moment, row: Divergence, mean: float, deviation: float) -> float:
    """F(ω̂) = E_P g(v) − E_Q f*(g(v)) on the grid."""
    raw = end.module("discriminator")(GRID.float()[:, None]).double()
    p, q = LOG_P.exp(), log_normal(GRID, mean, deviation).exp()
    gains = torch.where(p > 1e-30, p * row.activation(raw), 0.0)
    costs = torch.where(q > 1e-30, q * row.composite(raw), 0.0)
    return float(integral(gains - costs))


def trained(seed: int, rule: Any = ALTERNATING) -> Numbers:
    fits = {name: fitted(name, seed, rule) for name in ROWS}
    found: Numbers = {}
    for name, (mean, deviation, _) in fits.items():
        wanted = best(name)
        found[f"error, {name}"] = max(abs(mean - wanted[0]), abs(deviation - wanted[1]))
    found["F − D_f at most"] = max(fit[2] for fit in fits.values())
    found["diagonal over the column's least, at most"] = max(
        cell(column, *fits[column][:2]) / min(cell(column, *fit[:2]) for fit in fits.values())
        for column in ROWS
    )
    return found


def together(seed: int) -> Numbers:
    return trained(seed, Simultaneous(RATES))


NEAR = {f"error, {name}": at_most(0.08) for name in ROWS}
ACCEPT = {
    **NEAR,
    "F − D_f at most": at_most(1e-3),
    "diagonal over the column's least, at most": at_most(1.05),
}
CHECKS = (
    Check(
        "M03",
        "best Gaussian under five divergences by quadrature; every column of the 5 × 5 table least on the diagonal",
        "D_f, μ*, σ* of table 2 to 1e-3",
        "published-unverified",
        {"error of D_f, μ*, σ*": at_most(1e-3), "least margin of the diagonal": at_least(1e-9)},
        exact,
    ),
    Check(
        "M03",
        "the same fits learned by alternating descent, V of 2 × 64 tanh",
        "μ̂, σ̂ within .08 in at least 4 of 5 seeds, F(ω̂) ≤ D_f, diagonal within 5 %",
        "published-unverified",
        ACCEPT,
        trained,
        seeds=5,
        needed=4,
        budget="3,000 steps of batch 512 for each divergence, rate .005 falling to 0",
        values=tuple(ROWS.values()),
    ),
    Check(
        "M03",
        "the same fits learned by simultaneous descent (Algorithm 1)",
        "μ̂, σ̂ within .08 in at least 4 of 5 seeds, F(ω̂) ≤ D_f, diagonal within 5 %",
        "published-unverified",
        ACCEPT,
        together,
        seeds=5,
        needed=4,
        budget="3,000 steps of batch 512 for each divergence, rate .005 falling to 0",
        values=tuple(ROWS.values()),
    ),
)
