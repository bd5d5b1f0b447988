"""M07, M08, M09: critics on a fixed generator, the data plus N(0, I) (Gulrajani et al. 2017, figure 2; here of width 64)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from claims.check import Check, Numbers, Range, at_least, at_most
from saddlepoint import Method, methods
from saddlepoint.data.densities import Ring
from saddlepoint.experiments.playing import Moment, NearRing, Slope, critic_only, last, play
from saddlepoint.networks import MLP
from saddlepoint.networks.mlp import Activation
from saddlepoint.optim import Adam, RMSProp
from saddlepoint.penalties import GradientPenalty
from saddlepoint.schedules import Linear

RING = Ring()
CLIP = 0.01
CLIPPED = critic_only(methods.get("wgan"), RMSProp(5e-5), 5)
DECAY = Adam(Linear(2e-3, 0.0), (0.5, 0.9))


def pair(seed: int, spread: float = 1.0, activation: Activation = "relu") -> dict[str, nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = MLP(width=64, depth=3, activation=activation).build((2,), 5)["discriminator"]
    return {"generator": NearRing(RING, spread), "discriminator": critic}


def penalised(weight: float, side: str = "both") -> Method:
    term = replace(GradientPenalty(weight=weight), side=side)
    return critic_only(replace(methods.get("wgan-gp"), terms=(term,)), DECAY, 5)


def points(moment: Moment, n: int = 4000) -> tuple[Tensor, Tensor]:
    """Held-out data and draws of the fixed generator."""
    return RING.held_out(n)["real"], moment.sample(n)


def clipping(seed: int) -> Numbers:
    """All weights start within ±c/2, so that none is at ±c before it is trained; leaky units, so that none is dead there."""
    networks = pair(seed, activation="leaky_relu")
    with torch.no_grad():
        for parameter in networks["discriminator"].parameters():
            parameter *= CLIP / 2 / parameter.abs().max()
    end = last(play(CLIPPED, RING, networks, 2000, seed, 256))
    vector = end.state.players["discriminator"]
    slope = Slope(end.module("discriminator"))(points(end)[0]).mean()
    return {
        "share of weights within 5 % of ±c": float((vector.abs() >= 0.95 * CLIP).double().mean()),
        "mean slope on data": float(slope),
    }


def transport(real: Tensor, fake: Tensor) -> float:
    """W₁ of two equal samples by optimal assignment."""
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(real.double(), fake.double()).numpy()
    return float(cost[linear_sum_assignment(cost)].mean())


def slopes(seed: int) -> Numbers:
    """Mean ‖∇s‖ on fresh interpolates over 1 + W₁/2λ."""
    found: Numbers = {}
    for weight in (0.1, 1.0, 10.0):
        end = last(play(penalised(weight), RING, pair(seed), 1500, seed, 256))
        real, fake = points(end)
        mix = torch.rand(len(real), 1, generator=torch.Generator().manual_seed(seed))
        mean = float(Slope(end.module("discriminator"))(torch.lerp(fake, real, mix)).mean())
        expected = 1 + transport(real[:1500], fake[:1500]) / (2 * weight)
        found[f"slope over the predicted, λ = {weight:g}"] = mean / expected
    return found


def equal_laws(seed: int) -> Numbers:
    """P = Q: nothing is to be learnt, and the two penalties pull differently."""
    found = {}
    for side in ("above", "both"):
        end = last(play(penalised(10.0, side), RING, pair(seed, spread=0.0), 800, seed, 256))
        real, fake = points(end)
        mix = torch.rand(len(real), 1, generator=torch.Generator().manual_seed(seed))
        found[side] = Slope(end.module("discriminator"))(torch.lerp(fake, real, mix))
    return {
        "one-sided penalty": float((found["above"] - 1).relu().square().mean()),
        "slope, one-sided": float(found["above"].mean()),
        "slope, two-sided": float(found["both"].mean()),
    }


CHECKS = (
    Check(
        "M07",
        "a clipped critic on data plus N(0, I)",
        "at least 60 % of the weights within 5 % of ±c; mean slope on data far from 1 (below ½: chosen)",
        "published-unverified",
        {"share of weights within 5 % of ±c": at_least(0.6), "mean slope on data": at_most(0.5)},
        clipping,
        seeds=5,
        budget="2,000 critic steps of batch 256, width 64",
        values=(CLIPPED,),
    ),
    Check(
        "M08",
        "mean slope on interpolates of a penalised critic on data plus N(0, I)",
        "1 + W₁/2λ within 10 %",
        "exact",
        {f"slope over the predicted, λ = {w}": Range(0.9, 1.1) for w in ("0.1", "1", "10")},
        slopes,
        seeds=5,
        budget="1,500 critic steps of batch 256, width 64, for each λ",
        values=(penalised(0.1),),
    ),
    Check(
        "M09",
        "critics where P = Q, λ = 10",
        "one-sided penalty ≈ 0 (at most .001: chosen), two-sided critic pushed to slope 1 (.9 to 1.1: chosen)",
        "published-unverified",
        {
            "one-sided penalty": at_most(1e-3),
            "slope, two-sided": Range(0.9, 1.1),
        },
        equal_laws,
        seeds=5,
        budget="800 critic steps of batch 256, width 64, for each penalty",
        values=(penalised(10.0),),
    ),
)
