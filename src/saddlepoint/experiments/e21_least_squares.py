"""E21: how often least squares and the sigmoid loss collapse on the ring (Mao et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torch import nn

from saddlepoint import methods
from saddlepoint.data.densities import Ring
from saddlepoint.dynamics import Simultaneous
from saddlepoint.experiments.accept import Median, Numbers, Verdict, at_most
from saddlepoint.experiments.collapse import Trial, parts, rows
from saddlepoint.experiments.drawing import band, dots
from saddlepoint.experiments.experiment import Experiment
from saddlepoint.experiments.mixtures import Task, in_the_plane
from saddlepoint.networks import MLP
from saddlepoint.objectives import LeastSquares, NonSaturating, Objective
from saddlepoint.optim import Adam

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from saddlepoint.experiments.experiment import Results

STEPS, LOOKS, KEPT = 35_000, 14, 6
CIRCLE = Ring(radius=1.0, sigma=0.01)


@dataclass(frozen=True)
class Orthogonal(MLP):
    """Perceptrons whose weights begin as orthogonal matrices times `gain`, with zero biases."""

    gain: float = 1.4

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        made = super().build(shape, latent, classes)
        for module in made.values():
            for layer in module.modules():
                if isinstance(layer, nn.Linear):
                    nn.init.orthogonal_(layer.weight, self.gain)
                    nn.init.zeros_(layer.bias)
        return made


PLAYED = Task(
    "ring of radius 1",
    lambda: CIRCLE,
    8,
    lambda samples: in_the_plane(CIRCLE, samples),
    latent=256,
    networks=Orthogonal(width=128, activation="tanh"),
)
OBJECTIVES: dict[str, Objective] = {
    "sigmoid": NonSaturating(),
    "least squares (0, 1, 1)": LeastSquares(0.0, 1.0, 1.0),
    "least squares (−1, 1, 0)": LeastSquares(-1.0, 1.0, 0.0),
}
RULE = Simultaneous({"generator": Adam(1e-3), "discriminator": Adam(1e-4)})
TRIALS = tuple(
    Trial(
        name,
        replace(methods.get("gan"), objective=objective, dynamics=RULE),
        PLAYED,
        2 * STEPS,
        optimizer=None,
        looks=LOOKS,
    )
    for name, objective in OBJECTIVES.items()
)


@dataclass(frozen=True)
class Rarer:
    """`name` collapses in no more seeds than `other`; Fisher's exact p, one-sided, is told. A training that failed counts as
    collapsed."""

    name: str
    other: str = "sigmoid"
    quick: bool = False

    @property
    def says(self) -> str:
        return f"{self.name} ends with at most {KEPT} of 8 modes in no more seeds than {self.other}"

    def judge(self, seeds: Sequence[Numbers]) -> Verdict:
        mine, others, p = collapses(seeds, self.name, self.other)
        told = f"{mine} against {others} of {len(seeds)} seeds, Fisher's exact p = {p:.3g}"
        return Verdict(bool(seeds) and mine <= others, told)


def collapses(seeds: Sequence[Numbers], name: str, other: str) -> tuple[int, int, float]:
    """Collapsed seeds of both, and the probability of so few or fewer for the first if both were alike."""
    from scipy.stats import fisher_exact

    mine, others = (
        sum(n.get(f"{which}, {PLAYED.name}: modes", 0.0) <= KEPT for n in seeds) for which in (name, other)
    )
    table = [[mine, len(seeds) - mine], [others, len(seeds) - others]]
    return mine, others, float(fisher_exact(table, alternative="less")[1])


def draw(figure: Figure, results: Results) -> None:
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.2, 1.2, 1))
    taken = max(results.all(f"{TRIALS[0].label}: steps"), default=0.0) / 1000
    at = [taken * (look + 1) / LOOKS for look in range(LOOKS)]
    for axes, what, said in (
        (left, "modes", "modes found"),
        (middle, "high quality", "share of high quality"),
    ):
        for trial in TRIALS:
            band(axes, at, results.curves(f"{trial.label}: {what} over time"), trial.name, lw=1)
        axes.set(xlabel="thousand steps", ylabel=said)
    left.axhline(KEPT, color="0.5", ls=":", lw=1)
    middle.legend(fontsize=7)
    dots(right, list(OBJECTIVES), [results.all(f"{trial.label}: modes") for trial in TRIALS])
    right.axhline(KEPT, color="0.5", ls=":", lw=1)
    right.set(ylabel="modes at the end", ylim=(0, 8.5))
    right.legend(fontsize=7)


QUICK = {trial.label: 4_000 for trial in TRIALS}
EXPERIMENT = Experiment(
    id="E21",
    name="least-squares",
    title="Least squares and the sigmoid loss on the ring",
    question="Does the least-squares loss lose modes of the ring less often than the non-saturating sigmoid loss?",
    protocol="Ring of radius 1, σ .01; perceptrons of 2 x 128 tanh with orthogonal weights times 1.4, latents of 256 "
    "numbers, batches of 128; both players move together, Adam of rate 1e-3 for the generator and 1e-4 for the "
    "discriminator, β₁ = .5; 35,000 steps, 10 seeds. Collapsed: at most 6 of 8 modes at the end.",
    source="Mao et al. 2017; the authors' comparison on a mixture of Gaussians",
    parts=parts(TRIALS, {PLAYED.name: 0.022}, QUICK),
    rows=rows(TRIALS, {}),
    accept=(
        *(Rarer(name) for name in OBJECTIVES if name != "sigmoid"),
        Median(
            "least squares spreads its samples over the modes: KL of at most ln 2, as of half of the modes (chosen)",
            {f"{trial.label}: KL": at_most(math.log(2)) for trial in TRIALS if trial.name != "sigmoid"},
        ),
    ),
    draw=draw,
    differs="Batches of 128 instead of 512; the authors' ring has nine angles from 0 to 2π with both ends, eight modes of "
    "which one has twice the weight, ours eight equal ones.",
    seeds=10,
)
