"""E20: BEGAN's equilibrium, and what its ratio does to diversity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

from torch import nn

from saddlepoint import methods
from saddlepoint.data import load
from saddlepoint.dynamics import Alternating
from saddlepoint.experiments.accept import EachSeed, Median, Range, at_least, at_most
from saddlepoint.experiments.drawing import band, dots
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.playing import play
from saddlepoint.features import default_extractor
from saddlepoint.metrics import precision_recall
from saddlepoint.metrics.structure import similarity_within
from saddlepoint.networks import Autoencoder, NoisyMLP
from saddlepoint.objectives import BoundaryEquilibrium
from saddlepoint.optim import Adam, Optimizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATIOS = (0.3, 0.5, 0.7)
STEPS, ROWS, EVERY = 6000, 64, 100
RATES: dict[str, Optimizer] = {"generator": Adam(1e-3), "discriminator": Adam(1e-3)}
BALANCE = 1e-2


@dataclass(frozen=True)
class Pair:
    """A generator with BatchNorm, whose samples differ from the start, against an autoencoder."""

    width: int = 128
    code: int = 16

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        normalised = NoisyMLP(generator=(self.width, self.width)).build(shape, latent, classes)
        energy = Autoencoder(width=self.width, code=self.code, distance="absolute").build(
            shape, latent, classes
        )
        return {"generator": normalised["generator"], "discriminator": energy["discriminator"]}


def equilibrium(seed: int, quick: bool) -> Measured:
    """Means over every 100 steps; E L(G)/E L(x) over the last quarter."""
    data = load("digits")
    extractor, real = default_extractor(data), data.held_out()["real"]
    numbers: dict[str, float] = {"MS-SSIM of real digits": similarity_within(samples=real, seed=seed).value}
    series: dict[str, list[float]] = {}
    for ratio in RATIOS:
        objective = BoundaryEquilibrium(ratio=ratio, rate=BALANCE)
        method = replace(methods.get("began"), objective=objective, dynamics=Alternating(RATES))
        ks, measures, reals, fakes = [], [], [], []
        for moment in play(method, data, Pair(), STEPS // 4 if quick else STEPS, seed, ROWS):
            if not moment.step:
                continue
            ks.append(float(next(iter(moment.state.memory["parts"].values()))["balance"]))
            of_real, of_fake = (moment.info[f"score/{side}"] for side in ("real", "fake"))
            measures.append(float(objective.convergence(of_real, of_fake)))
            reals.append(float(of_real.mean()))
            fakes.append(float(of_fake.mean()))
        quarter, samples = len(ks) // 4, moment.sample(len(real))
        name = f"γ = {ratio}"
        reached = fmean(fakes[-quarter:]) / fmean(reals[-quarter:])
        numbers |= {
            f"E L(G)/E L(x), {name}": reached,
            f"E L(G)/E L(x) − γ, {name}": reached - ratio,
            f"mean k of the last quarter, {name}": fmean(ks[-quarter:]),
            f"largest k, {name}": max(ks),
            f"M last over first, {name}": fmean(measures[-EVERY:]) / fmean(measures[:EVERY]),
            f"MS-SSIM, {name}": similarity_within(samples=samples, seed=seed).value,
            f"recall, {name}": precision_recall(real=extractor(real), fake=extractor(samples)).recall,
        }
        series |= {f"k, {name}": averaged(ks), f"M, {name}": averaged(measures)}
        series[f"ratio, {name}"] = [f / r for f, r in zip(averaged(fakes), averaged(reals), strict=True)]
    likeness = [numbers[f"MS-SSIM, γ = {ratio}"] for ratio in RATIOS]
    numbers["least fall of MS-SSIM from one γ to the next"] = min(a - b for a, b in pairwise(likeness))
    return Measured(numbers, series)


def averaged(values: list[float]) -> list[float]:
    """Over every 100 steps."""
    return [fmean(values[start : start + EVERY]) for start in range(0, len(values), EVERY)]


def draw(figure: Figure, results: Results) -> None:
    ((ratios, measures), (balance, likeness)) = figure.subplots(2, 2)
    for number, ratio in enumerate(RATIOS):
        name, colour = f"γ = {ratio}", f"C{number}"
        for axes, what in ((ratios, "ratio"), (measures, "M"), (balance, "k")):
            curves = results.curves(f"{what}, {name}")
            if curves:
                band(axes, [EVERY * (k + 1) for k in range(len(curves[0]))], curves, name, color=colour)
        ratios.axhline(ratio, color=colour, ls=":", lw=1)
    ratios.set(xlabel="step", ylabel="E L(G)/E L(x)", ylim=(0, 1.5))
    ratios.legend(fontsize=7)
    measures.set(xlabel="step", ylabel="M, of 2 grey levels", yscale="log")
    balance.set(xlabel="step", ylabel="k")
    dots(
        likeness, [f"{ratio}" for ratio in RATIOS], [results.all(f"MS-SSIM, γ = {ratio}") for ratio in RATIOS]
    )
    real = results.all("MS-SSIM of real digits")
    if real:
        likeness.axhline(fmean(real), color="0.5", ls=":", lw=1, label="real digits")
    likeness.set(xlabel="γ", ylabel="MS-SSIM of pairs")
    likeness.legend(fontsize=7)


def rows() -> Iterator[Row]:
    """One for each quantity and γ."""
    for ratio in RATIOS:
        name = f"γ = {ratio}"
        yield Row(f"E L(G)/E L(x), {name}", f"E L(G)/E L(x), {name}", "→ γ", "M", ratio)
        yield Row(
            f"k, mean of the last quarter, {name}", f"mean k of the last quarter, {name}", "in (0, 1)", "M"
        )
        yield Row(f"M, last over first, {name}", f"M last over first, {name}", "falls", "M")
        yield Row(
            f"MS-SSIM of pairs, {name}",
            f"MS-SSIM, {name}",
            "falls with γ; CIFAR-10: inception score 5.62",
            "S",
        )
        yield Row(f"recall, {name}", f"recall, {name}", "rises with γ", "M")


EXPERIMENT = Experiment(
    id="E20",
    name="began",
    title="BEGAN's equilibrium",
    question="Does k hold E L(G)/E L(x) at γ, does the measure of convergence fall, and does diversity grow with γ?",
    protocol="Bundled 8x8 digits; the generator a perceptron of two layers of 128 with BatchNorm, the discriminator an "
    "autoencoder of width 128 with a code of 16; mean absolute error, λ_k = .01, Adam 1e-3, 6,000 steps (quick: 1,500) of "
    "batch 64 for each γ. E L(G)/E L(x) over the last quarter, M over the first and last 100 steps, MS-SSIM of pairs of 450 "
    "samples, recall in the features of the bundled classifier.",
    source="Berthelot, Schumm and Metz 2017, section 3",
    differs="Perceptrons in place of convolutions, BatchNorm where the paper has none, λ_k .01 in place of .001 and a rate "
    "of 1e-3 for so few steps. Without BatchNorm the samples are all alike from the start (MS-SSIM .99 and more whatever γ; "
    "tried: widths 64 and 128, codes of 8 to 64, batches of 16 and 64, rates from 1e-4 to 1e-3).",
    parts=(Part("equilibrium", equilibrium, minutes=1.2),),
    rows=(*rows(), Row("MS-SSIM of real digits", "MS-SSIM of real digits")),
    accept=(
        *(
            EachSeed(f"E L(G)/E L(x) ends within .1 of γ = {ratio}",
                     {f"E L(G)/E L(x) − γ, γ = {ratio}": Range(-0.1, 0.1)})
            for ratio in RATIOS
        ),
        EachSeed("k settles inside (0, 1)",
                 {f"mean k of the last quarter, γ = {ratio}": Range(1e-6, 0.999) for ratio in RATIOS}),
        EachSeed("the measure of convergence at least halves",
                 {f"M last over first, γ = {ratio}": at_most(0.5) for ratio in RATIOS}),
        Median("diversity grows with γ: MS-SSIM falls from each to the next",
               {"least fall of MS-SSIM from one γ to the next": at_least(1e-9)}),
    ),
    draw=draw,
)  # fmt: skip
