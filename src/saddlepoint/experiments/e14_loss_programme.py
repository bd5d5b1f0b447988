"""E14: the loss function of LS-GAN without a network, by linear programming (Qi 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint.experiments.accept import EachSeed, Numbers, at_least, at_most
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.objectives import LossSensitive, Wasserstein
from saddlepoint.random import generator
from saddlepoint.theory.loss_sensitive import LossFunction, distances
from saddlepoint.theory.t13_loss_sensitive import samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETS = (  # reals, fakes, numbers of a row, λ, κ
    (12, 12, 1, 1.0, 1.0),
    (10, 15, 2, 3.0, 0.5),
    (15, 10, 2, 2.0, 1.5),
    (10, 10, 5, 0.5, 2.0),
)
PROBES = 400
SLOPES = {"0: LS-GAN": 0.0, "1: WGAN": 1.0, "−1: L1": -1.0}


def programmes(seed: int, quick: bool) -> Measured:
    """The worst over all sets; there is nothing to make quick."""
    source = generator("cpu", "loss programme", seed)
    found: dict[str, list[float]] = {}
    for n, m, d, weight, lipschitz in SETS:
        real = torch.randn(n, d, generator=source, dtype=torch.float64)
        fake = torch.randn(m, d, generator=source, dtype=torch.float64) * 0.5 + 1
        probes = 2 * torch.randn(PROBES, d, generator=source, dtype=torch.float64)
        best = samples(real, fake, weight, lipschitz)
        lower, upper = best.lower(probes), best.upper(probes)
        between = distances(probes, probes).fill_diagonal_(1)
        steep = [float(((v[:, None] - v).abs() / between).max()) / lipschitz for v in (lower, upper)]
        known = [float((bound(best.points) - best.losses).abs().max()) for bound in (best.lower, best.upper)]
        measured = {
            "value: difference from the dual's": abs(best.value - dual(real, fake, weight, lipschitz)),
            "value: difference from the objective's": abs(best.value - trained(best, real, fake, weight)),
            "bounds: difference from the losses": max(known),
            "bounds: slope over κ": max(steep),
            "bounds: lower above upper by": float((lower - upper).max()),
            "bounds: widest": float((upper - lower).max()),
        }
        for name, value in measured.items():
            found.setdefault(name, []).append(value)
    numbers = {name: max(values) for name, values in found.items()}
    return Measured(numbers | slopes(source), line(source))


def dual(real: Tensor, fake: Tensor, weight: float, lipschitz: float) -> float:
    """The largest Σ_ij y_ij Δ_ij − κ Σ_kl z_kl Δ_kl over 0 ≤ y_ij ≤ λ/nm of pairs and z ≥ 0 of ordered pairs of points, where
    for no point k Σ_i y_ik (of a real: −Σ_j y_kj) + Σ_l (z_lk − z_kl) is above its cost, 1/n of a real and 0 of a fake: the
    dual programme, by an interior point method."""
    import numpy as np
    from scipy.optimize import linprog

    n, m = len(real), len(fake)
    points = torch.cat([real, fake])
    apart = (points[:, None] - points).abs().mean(2).numpy()
    total = n + m
    rows = np.zeros((total, n * m + total * total))
    for i in range(n):
        for j in range(m):
            rows[i, m * i + j], rows[n + j, m * i + j] = -1, 1
    for k in range(total):
        for other in range(total):
            if k != other:
                rows[k, n * m + total * k + other] -= 1
                rows[other, n * m + total * k + other] += 1
    gains = np.concatenate([apart[:n, n:].ravel(), -lipschitz * apart.ravel()])
    limits = [(0, weight / (n * m))] * (n * m) + [(0, None)] * total**2
    costs = np.concatenate([np.full(n, 1 / n), np.zeros(m)])
    found = linprog(-gains, A_ub=rows, b_ub=costs, bounds=limits, method="highs-ipm")
    return float(-found.fun)


def trained(best: LossFunction, real: Tensor, fake: Tensor, weight: float) -> float:
    """The objective that networks are trained with, over all pairs of a real and a fake, of the lower bound."""
    i, j = torch.cartesian_prod(torch.arange(len(real)), torch.arange(len(fake))).T
    objective = LossSensitive(margin=1.0, weight=weight)
    return float(objective.discriminator(best.lower(real)[i], best.lower(fake)[j], real[i], fake[j]))


def slopes(source: torch.Generator) -> Numbers:
    """The gradients in the scores of GLS-GAN's slopes against those of the losses they are said to be."""
    real, fake = (torch.randn(512, generator=source, dtype=torch.float64).requires_grad_() for _ in range(2))
    first, second = torch.randn(2, 512, 3, generator=source, dtype=torch.float64)
    apart = (first - second).abs().mean(1)
    named = {
        "0: LS-GAN": (apart + real - fake).clamp(min=0).mean(),
        "1: WGAN": Wasserstein().discriminator(-real, -fake),
        "−1: L1": (apart + real - fake).abs().mean(),
    }
    found = {}
    for name, slope in SLOPES.items():
        own = LossSensitive(data=0.0, slope=slope).discriminator(real, fake, first, second)
        ours, theirs = (torch.autograd.grad(loss, [real, fake]) for loss in (own, named[name]))
        found[f"slope {name}: difference of the gradients"] = max(
            float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True)
        )
    return found


def line(source: torch.Generator) -> dict[str, list[float]]:
    """The bounds of a small set on the line, for the figure."""
    real = torch.randn(6, 1, generator=source, dtype=torch.float64)
    fake = torch.randn(5, 1, generator=source, dtype=torch.float64) * 0.7 + 2.5
    best = samples(real, fake, weight=1.0, lipschitz=1.0)
    x = torch.linspace(-4, 6, 401, dtype=torch.float64)
    return {
        "x": x.tolist(),
        "lower": best.lower(x[:, None]).tolist(),
        "upper": best.upper(x[:, None]).tolist(),
        "real": real[:, 0].tolist(),
        "fake": fake[:, 0].tolist(),
        "losses": best.losses.tolist(),
    }


def draw(figure: Figure, results: Results) -> None:
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    x, lower, upper, real, fake, losses = (
        results.curves(name)[0] for name in ("x", "lower", "upper", "real", "fake", "losses")
    )
    left.fill_between(x, lower, upper, alpha=0.2, label="optimal loss functions between the bounds")
    left.plot(x, lower, label="lower bound")
    left.plot(x, upper, label="upper bound")
    left.plot(real, losses[: len(real)], "o", color="C2", label="losses of reals")
    left.plot(fake, losses[len(real) :], "s", color="C3", label="losses of fakes")
    left.set(
        xlabel="x", ylabel="loss L(x), λ = κ = 1", title="seed 0, 6 reals and 5 fakes", ylim=(-0.2, None)
    )
    left.legend(fontsize=7)
    names = ("value: difference from the dual's", "bounds: difference from the losses")
    for place, name in enumerate(names):
        errors = [max(error, 1e-17) for error in results.all(name)]
        right.plot(
            [place] * len(errors), errors, "o", alpha=0.6, color="C0", label=None if place else "a seed"
        )
    right.axhline(1e-9, color="C1", label="accepted")
    right.set_xticks((0, 1), ("value less\nthe dual's", "bounds less\nthe losses"))
    right.set(
        ylabel="largest error over four sets (1e-17: none)",
        yscale="log",
        ylim=(1e-18, 1e-7),
        xlim=(-0.5, 1.5),
    )
    right.legend(fontsize=7)


EXPERIMENT = Experiment(
    id="E14",
    name="loss-programme",
    title="The loss function of LS-GAN without a network",
    question="On finitely many samples the best loss function of LS-GAN is a linear programme. Is it solved, and do the "
    "two bounds that continue it to all points have the properties that are claimed?",
    protocol="Four sets of 10 to 15 reals and as many fakes in 1, 2 and 5 dimensions, λ from .5 to 3, κ from .5 to 2; primal "
    "programme by HiGHS as it chooses, dual by its interior point method; bounds at 400 points; GLS-GAN's "
    "gradients at 512 pairs.",
    source="Qi, Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities, 2017",
    parts=(Part("programmes", programmes, minutes=0.02),),
    rows=(
        Row("|primal − dual|, largest", "value: difference from the dual's", exact=0.0),
        Row(
            "|primal − training objective of the bound|, largest",
            "value: difference from the objective's",
            exact=0.0,
        ),
        Row(
            "|bounds − losses| at the samples, largest",
            "bounds: difference from the losses",
            "interpolate",
            "M",
            exact=0.0,
        ),
        Row("slope of the bounds over κ, largest", "bounds: slope over κ", "κ-Lipschitz", "M", exact=1.0),
        Row("upper − lower, largest", "bounds: widest"),
        *(
            Row(
                f"gradients of slope {name}, largest difference",
                f"slope {name}: difference of the gradients",
                exact=0.0,
            )
            for name in SLOPES
        ),
    ),
    accept=(
        EachSeed(
            "the value equals that of the dual programme by another solver to 1e-9",
            {"value: difference from the dual's": at_most(1e-9)},
        ),
        EachSeed(
            "it is the value of the training objective at the lower bound to 1e-9",
            {"value: difference from the objective's": at_most(1e-9)},
        ),
        EachSeed(
            "both bounds go through the losses to 1e-9", {"bounds: difference from the losses": at_most(1e-9)}
        ),
        EachSeed("both bounds are κ-Lipschitz", {"bounds: slope over κ": at_most(1 + 1e-9)}),
        EachSeed(
            "the lower is nowhere above the upper, and they differ somewhere",
            {"bounds: lower above upper by": at_most(1e-9), "bounds: widest": at_least(0.01)},
        ),
        EachSeed(
            "slopes 0, 1 and −1 of GLS-GAN have the gradients of LS-GAN, WGAN and the absolute value",
            {f"slope {name}: difference of the gradients": at_most(1e-15) for name in SLOPES},
        ),
    ),
    draw=draw,
    differs="The paper gives the programme and the bounds without numbers; the formulas are from memory of it. Distances are "
    "means over the numbers of a row.",
)
