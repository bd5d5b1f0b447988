"""M72: MMD, energy distance and Sinkhorn divergence as generators' objectives with fixed features."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from claims.check import Check, Numbers, at_most
from saddlepoint import methods
from saddlepoint.data.densities import Ring
from saddlepoint.experiments.playing import play, rates
from saddlepoint.networks import MLP
from saddlepoint.objectives import MMD, DistanceKernel, GaussianKernel, Metric, Sinkhorn
from saddlepoint.optim import Adam
from saddlepoint.schedules import Linear

RING = Ring()
NAMES = ("mmd-gan-fixed", "cramer-gan-fixed", "sinkhorn-gan-fixed")
METHODS = {name: rates(methods.get(name), Adam(Linear(2e-3, 0.0))) for name in NAMES}
STEPS, MARKS, COUNT = 1500, 10, 500


def libraries(seed: int) -> Numbers:
    """On 60 and 50 points: SciPy's energy distance on a line, kernels over SciPy's distances, POT's Sinkhorn plan."""
    import ot
    from scipy.spatial.distance import cdist
    from scipy.stats import energy_distance

    random = np.random.default_rng(seed)
    x, y = random.normal(size=(60, 2)), random.normal(0.7, 1.3, size=(50, 2))
    tensors = torch.from_numpy(x), torch.from_numpy(y)
    energy = float(MMD(DistanceKernel(), unbiased=False).distance(tensors[0][:, :1], tensors[1][:, :1]))
    kernels = [np.exp(-(cdist(a, b) ** 2) / 2 / 2.0**2) for a, b in ((x, x), (y, y), (x, y))]
    pairs = [(k.sum() - k.trace()) / len(k) / (len(k) - 1) for k in kernels[:2]]
    gaussian = float(MMD(GaussianKernel((2.0,))).distance(*tensors))

    def transport(a: np.ndarray, b: np.ndarray) -> float:
        cost, p, q = cdist(a, b) ** 2, np.full(len(a), 1 / len(a)), np.full(len(b), 1 / len(b))
        plan = ot.sinkhorn(p, q, cost, 2.0, method="sinkhorn_log", numItermax=20000, stopThr=1e-13)
        return float((plan * cost).sum() + 2.0 * (plan * np.log(plan / np.outer(p, q))).sum())

    ours = float(Sinkhorn(epsilon=2.0, iterations=2000).distance(*tensors))
    return {
        "error of the energy distance": abs(energy - energy_distance(x[:, 0], y[:, 0]) ** 2),
        "error of MMD": abs(gaussian - (sum(pairs) - 2 * kernels[2].mean())),
        "error of the Sinkhorn divergence": abs(
            ours - (transport(x, y) - (transport(x, x) + transport(y, y)) / 2)
        ),
    }


def decrease(seed: int) -> Numbers:
    """The distance between 500 samples and 500 fresh reals, biased, so that two sets of reals have a floor above
    0; the mean of 8 such pairs at ten marks."""
    found: Numbers = {}
    reals = RING.held_out(16 * COUNT, seed)["real"].split(COUNT)
    for name, method in METHODS.items():
        metric = method.objective
        if isinstance(metric, MMD):
            metric = replace(metric, unbiased=False)
        assert isinstance(metric, Metric)
        floor = fmean(float(metric.distance(a, b)) for a, b in zip(reals[:8], reals[8:], strict=True))
        marks = [
            fmean(
                float(metric.distance(a, b))
                for a, b in zip(reals[:8], parts(m.sample(8 * COUNT)), strict=True)
            )
            for m in play(method, RING, MLP(width=64), STEPS, seed)
            if m.step % (STEPS // MARKS) == 0
        ]
        rises = [later - before for before, later in pairwise(marks)]
        found[f"largest rise over the floor, {name}"] = max(rises) / floor
        found[f"end over the floor, {name}"] = marks[-1] / floor
        found[f"beginning over the floor, {name}"] = marks[0] / floor
    return found


def parts(samples: Tensor) -> tuple[Tensor, ...]:
    return samples.split(COUNT)


CHECKS = (
    Check(
        "M72",
        "MMD, energy distance and Sinkhorn divergence against SciPy and POT, 60 and 50 points",
        "equal; the energy distance but for the 1e-12 under the kernel's root, 3.7e-8 of points with themselves alone",
        "exact",
        {
            "error of the energy distance": at_most(1e-7),
            "error of MMD": at_most(1e-12),
            "error of the Sinkhorn divergence": at_most(1e-8),
        },
        libraries,
        seeds=5,
        budget="no training",
    ),
    Check(
        "M72",
        "the three with fixed features on the ring, looked at ten times",
        "decreases (no rise by more than the floor) to its floor between two sets of reals (at most twice: chosen)",
        "chosen",
        {
            **{f"largest rise over the floor, {name}": at_most(1) for name in NAMES},
            **{f"end over the floor, {name}": at_most(2) for name in NAMES},
        },
        decrease,
        seeds=5,
        budget="1,500 steps of batch 128, width 64, for each",
        values=tuple(METHODS.values()),
    ),
)
