"""E17: what keeps a GAN on the ring stable, each at its published strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from saddlepoint import methods
from saddlepoint.dynamics import Simultaneous
from saddlepoint.experiments.accept import EachSeed, Numbers, Overall, Range, at_most, median
from saddlepoint.experiments.collapse import GRADIENTS, MINUTES, Trial, draw_scores, parts, rows, steepest
from saddlepoint.experiments.drawing import band
from saddlepoint.experiments.experiment import Experiment, Row
from saddlepoint.experiments.mixtures import TASKS
from saddlepoint.penalties import R1

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from saddlepoint.experiments.experiment import Results

RING = TASKS["ring"]
LOOKS = 10
NONE = "no regulariser"
METHODS = {
    NONE: replace(methods.get("gan"), dynamics=Simultaneous()),
    "Roth, γ 2 to .02": methods.get("roth"),
    "Nagarajan-Kolter, η .5": methods.get("nagarajan-kolter"),
    "consensus, γ 10": methods.get("consensus"),
    "R1, γ 10": replace(methods.get("gan-r1"), terms=(R1(10.0),)),
    "R1, γ 20": methods.get("gan-r1"),
    "noise, σ .5 to 0": methods.get("instance-noise"),
}
TRIALS = tuple(
    Trial(name, method, RING, GRADIENTS["ring"], looks=LOOKS, watch={"slope": steepest})
    for name, method in METHODS.items()
)
QUICK = {f"{name}, ring": 4_000 for name in (NONE, "Roth, γ 2 to .02", "R1, γ 10")}
FLATTER = {"Roth, γ 2 to .02": 0.8, "R1, γ 10": 0.5}  # chosen


def flatter(name: str, seeds: Sequence[Numbers]) -> float:
    """The largest slope at a fake over that without a regulariser: the median of the seeds."""
    slope = "ring: slope, largest"
    return median([n[f"{name}, {slope}"] / n[f"{NONE}, {slope}"] for n in seeds])


def draw(figure: Figure, results: Results) -> None:
    panels = figure.subplots(1, 4, width_ratios=(0.8, 0.8, 1.1, 1.1))
    draw_scores(panels[:2], results, TRIALS, ("high quality", "KL"))
    share = [(look + 1) / LOOKS for look in range(LOOKS)]
    for axes, what, said in (
        (panels[2], "modes over time", "modes found"),
        (panels[3], "slope", "largest slope of the score at a fake"),
    ):
        for trial in TRIALS:
            band(axes, share, results.curves(f"{trial.label}: {what}"), trial.name, lw=1)
        axes.set_xlabel("spent share of\nthe budget", fontsize=8)
        axes.set_ylabel(said, fontsize=8)
    panels[3].set_yscale("log")
    panels[2].legend(fontsize=5)


EXPERIMENT = Experiment(
    id="E17",
    name="regularisers",
    title="Regularisers on the ring of eight Gaussians",
    question="Which regularisers keep all modes of the ring where simultaneous gradient descent alone does not?",
    protocol="Ring of radius 2, σ .02; the recipe of E05: perceptrons of 2 x 128 ReLU, latents of 16 numbers, batches of "
    "128, Adam of rate 1e-3 and β₁ = .5 for all, 10,000 gradient evaluations each: 2,500 steps of consensus, 5,000 of the "
    "others. Without a regulariser and under consensus both players move together, else one after the other. A look every "
    "500 steps (consensus: 250); the slope is the largest of 500 fakes.",
    source="Roth et al. 2017; Nagarajan & Kolter 2017; Mescheder et al. 2017 and 2018; Sønderby et al. 2017",
    parts=parts(TRIALS, {name: 1.6 * m for name, m in MINUTES.items()}, QUICK),
    rows=(
        *rows(TRIALS, {f"{name}, ring: modes": ("8", "M") for name in METHODS if name != NONE}),
        *(Row(f"{t.label}: largest slope at a fake", f"{t.label}: slope, largest") for t in TRIALS),
    ),
    accept=(
        *(
            EachSeed(
                f"8 modes in at least 4 of 5 seeds: {trial.name}",
                {f"{trial.label}: modes": Range(8, 8)},
                share=0.8,
                quick=trial.name == "Roth, γ 2 to .02",
            )
            for trial in TRIALS
            if trial.name != NONE
        ),
        *(
            Overall(
                f"the largest slope at a fake is at most {most} of that without a regulariser: {name} (median)",
                partial(flatter, name),
                at_most(most),
            )
            for name, most in FLATTER.items()
        ),
        EachSeed(
            "without a regulariser simultaneous steps fail (at most 7 modes) in at least 3 of 5 seeds",
            {f"{NONE}, ring: modes": at_most(7)},
            share=0.6,
            quick=False,
        ),
    ),
    draw=draw,
    differs="One rate and one network for all, where the papers have their own (consensus and R1: RMSProp of rate 1e-4), and "
    "5,000 steps at most where they take 25,000 to 100,000.",
)
