"""E26: 200 training digits. What is known by heart, what augmentation does about it, and what flags a copier."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint import methods
from saddlepoint.data import load
from saddlepoint.data.table import Table
from saddlepoint.experiments.accept import EachSeed, Median, Range, at_least, at_most
from saddlepoint.experiments.drawing import band, dots
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.few_images import first_rows, logit_gap
from saddlepoint.experiments.playing import play, rates
from saddlepoint.features import default_extractor
from saddlepoint.metrics import (
    RealSides,
    authentic,
    data_copying,
    distance_ratio,
    frechet_distance,
    k_means_bins,
)
from saddlepoint.metrics.neighbours import nearest_distances
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam
from saddlepoint.penalties import R1
from saddlepoint.random import generator
from saddlepoint.treatments import ADA, DiffAugment
from saddlepoint.treatments.base import Treatment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COUNT, STEPS, EVERY, PAIR, CELLS = 200, 5000, 125, MLP(width=128), 3
BASE = replace(rates(methods.get("gan"), Adam(1e-3, (0.0, 0.99))), terms=(R1(gamma=0.01),))
TREATED: Mapping[str, tuple[Treatment, ...]] = {
    "none": (),
    "DiffAugment": (DiffAugment(),),
    "ADA": (ADA(speed=20_000),),
}
KINDS = ("a k-NN copier", "fresh digits", *TREATED)


def copier(rows: Tensor, n: int, seed: int) -> Tensor:
    """Training rows, moved a tenth of the way to their nearest other training row at distance δ: each is .1δ away from its
    own row and at least .9δ from all others, so that none is authentic."""
    flat = rows.flatten(1)
    apart = torch.cdist(flat, flat).fill_diagonal_(torch.inf)
    chosen = torch.randint(len(rows), (n,), generator=generator("cpu", "copier", seed))
    return torch.lerp(rows[chosen], rows[apart.argmin(1)[chosen]], 0.1)


def readings(name: str, samples: Tensor, data: Table, seed: int) -> dict[str, float]:
    """Fréchet distances in the features of the bundled classifier, to as many rows of either side; what looks for copies,
    in pixels."""
    extractor = default_extractor(load("digits"))
    training, held_out = data.training()["real"], data.held_out()["real"]
    sides = [extractor(rows) for rows in (training, held_out[:COUNT])]
    distances = [frechet_distance(real=side, fake=extractor(samples)) for side in sides]
    fakes, seen, unseen = (rows.flatten(1) for rows in (samples, training, held_out))
    both = RealSides(seen, unseen)
    centres = k_means_bins(training=seen, bins=CELLS, seed=seed)
    return {
        f"FD to training, {name}": distances[0],
        f"FD to held-out, {name}": distances[1],
        f"FD to training over held-out, {name}": distances[0] / distances[1],
        f"AuthPct, {name}": float(authentic(rows=fakes, training=seen).double().mean()),
        f"C_T, {name}": data_copying(fake=fakes, sides=both, centres=centres).value,
        f"distance ratio, {name}": distance_ratio(fake=fakes, sides=both).value,
    }


def controls(seed: int, quick: bool) -> Measured:
    """A generator that copies, and digits that nobody trained on."""
    data = first_rows("digits", COUNT, seed)
    whole = load("digits").training()["real"]
    others = whole[nearest_distances(rows=whole.flatten(1), others=data.training()["real"].flatten(1)) > 0]
    made = {"a k-NN copier": copier(data.training()["real"], 1000, seed), "fresh digits": others[:1000]}
    return Measured(
        {k: v for name, rows in made.items() for k, v in readings(name, rows, data, seed).items()}
    )


def trainings(seed: int, quick: bool) -> Measured:
    """The same game with three treatments of what its discriminator sees."""
    data = first_rows("digits", COUNT, seed)
    numbers: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    for name, treatments in TREATED.items():
        gaps = []
        for moment in play(
            replace(BASE, treatments=treatments), data, PAIR, STEPS // 4 if quick else STEPS, seed
        ):
            if moment.step % EVERY == 0:
                gaps.append(logit_gap(moment.module("discriminator"), data))
        numbers |= readings(name, moment.sample(1000), data, seed)
        numbers[f"gap, {name}"] = statistics.fmean(gaps[len(gaps) // 2 :])
        series[f"gap, {name}"] = gaps
        if name == "ADA":
            numbers["p of ADA"] = float(next(iter(moment.state.memory["parts"].values()))["p"])
    for name in ("DiffAugment", "ADA"):
        for what in ("gap", "FD to held-out"):
            numbers[f"{what}, {name} over none"] = numbers[f"{what}, {name}"] / numbers[f"{what}, none"]
    return Measured(numbers, series)


def draw(figure: Figure, results: Results) -> None:
    left, middle, right = figure.subplots(1, 3)
    dots(left, KINDS, [results.all(f"FD to training over held-out, {name}") for name in KINDS])
    left.axhline(1, color="0.6", lw=0.8)
    left.set(xlabel="samples", ylabel="FD to training over FD to held-out rows")
    dots(middle, KINDS, [results.all(f"AuthPct, {name}") for name in KINDS])
    middle.set(xlabel="samples", ylabel="share of authentic samples", ylim=(-0.03, 1.03))
    middle.legend(fontsize=7)
    for name in TREATED:
        curves = results.curves(f"gap, {name}")
        if curves:
            band(right, [EVERY * k for k in range(len(curves[0]))], curves, name)
    right.axhline(0, color="0.6", lw=0.8)
    right.set(xlabel="step", ylabel="logit of training less held-out rows,\nin standard deviations")
    right.legend(fontsize=7)


EXPERIMENT = Experiment(
    id="E26",
    name="few-images",
    title="Memorisation and augmentation on 200 digits",
    question="With 200 training images, what does the discriminator know by heart, what do DiffAugment and ADA change, and "
    "do the metrics of copying flag a generator that copies?",
    protocol="200 of the bundled 8x8 digits, chosen by the seed; perceptrons of width 128, non-saturating loss with R1 "
    "(γ = .01), Adam (rate 1e-3, β₁ 0, β₂ .99), 5,000 steps (quick: 1,250) of batch 64; ADA with speed 1 in 20,000 images. "
    "Fréchet distance of 1,000 samples to the 200 rows and to 200 held-out ones in the features of the bundled classifier; "
    "authenticity and C_T (3 cells) in pixels. The copier moves a training row a tenth of the way to its nearest other one.",
    source="Zhao et al. 2020; Karras et al. 2020; Alaa et al. 2022; Meehan et al. 2020",
    differs="The papers take StyleGAN2 and BigGAN on thousands of photographs, and 1 in 500,000 images as ADA's speed, by "
    "which p would stay below .64 here. ADA halves the distance to held-out digits without shrinking the gap of logits on "
    "images as they are (1.2 times that of the plain game in one seed, p = .13 at the end), so that its gap is told and not "
    "judged.",
    parts=(Part("controls", controls, minutes=0.1), Part("trainings", trainings, minutes=1.2)),
    rows=(
        *(
            Row(f"{what}, {name}", f"{what}, {name}")
            for what in ("FD to training", "FD to held-out")
            for name in KINDS
        ),
        *(
            Row(f"AuthPct, {name}", f"AuthPct, {name}", exact=0.0 if name == KINDS[0] else None)
            for name in KINDS
        ),
        *(Row(f"C_T, {name}", f"C_T, {name}", exact=0.0 if name == "fresh digits" else None) for name in KINDS),
        *(Row(f"logits of training less held-out rows, standard deviations, {name}", f"gap, {name}") for name in TREATED),
        Row("ADA's p at the end", "p of ADA"),
    ),
    accept=(
        EachSeed("a copier is nearer to the training rows than to others: Fréchet distances apart by a factor of 4",
                 {"FD to training over held-out, a k-NN copier": at_most(0.25)}),
        EachSeed("a copier has no authentic sample, and C_T below −3",
                 {"AuthPct, a k-NN copier": Range(0, 0), "C_T, a k-NN copier": at_most(-3)}),
        EachSeed("fresh digits are not flagged: distances apart by a factor below 2, some authentic, C_T within 3",
                 {"FD to training over held-out, fresh digits": Range(0.5, 2),
                  "AuthPct, fresh digits": at_least(0.2), "C_T, fresh digits": Range(-3, 3)}),
        EachSeed("no game of the three is flagged as the copier is", {f"AuthPct, {n}": at_least(0.2) for n in TREATED}),
        Median("without augmentation the discriminator knows training rows by heart: a gap of at least .1 deviations",
               {"gap, none": at_least(0.1)}),
        Median("DiffAugment shrinks the gap of the last half of training",
               {"gap, DiffAugment over none": at_most(1 - 1e-6)}),
        Median("both augmentations bring samples nearer to held-out digits",
               {f"FD to held-out, {n} over none": at_most(1 - 1e-6) for n in ("DiffAugment", "ADA")}, quick=False),
    ),
    draw=draw,
)  # fmt: skip
