"""E18: digits from few labels, by a discriminator that plays and by the same one alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint import Method, methods
from saddlepoint.data import load
from saddlepoint.data.protocol import Data
from saddlepoint.dynamics import Alternating
from saddlepoint.experiments.accept import EachSeed, at_least, at_most, median
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.playing import Moment, last, play
from saddlepoint.networks import NoisyMLP
from saddlepoint.objectives import Classification
from saddlepoint.optim import Adam
from saddlepoint.sampling import deployed
from saddlepoint.schedules import Linear

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PER_CLASS = (2, 5, 10, 20)
PUBLISHED = {2: "1677 ± 452", 5: "221 ± 136", 10: "93 ± 6.5", 20: "90 ± 4.2"}  # wrong of 10,000 on MNIST
PAIR = NoisyMLP(discriminator=(256, 128, 128), generator=(128, 128))
STEPS, ALONE_STEPS, ROWS = 4000, 1500, 100


def playing() -> Method:
    """The catalogue's, whose rate falls to 0 at the end."""
    adam = Adam(Linear(3e-3, 0.0))
    return replace(
        methods.get("semi-supervised"), dynamics=Alternating({"generator": adam, "discriminator": adam})
    )


def alone() -> Method:
    """The same discriminator and labels without a generator that plays."""
    return replace(
        methods.get("semi-supervised"),
        name="supervised",
        formula="L_D = E[-l_y + s] over labelled rows",
        objective=Classification(),
        terms=(),
        dynamics=Alternating({"discriminator": Adam(1e-3)}, {"discriminator": 1}),
    )


def error(moment: Moment, data: Data) -> float:
    """Of the averaged discriminator on all held-out rows."""
    rows = data.held_out()
    return float((classes(moment, rows["real"]) != rows["label"]).double().mean())


def classes(moment: Moment, rows: Tensor) -> Tensor:
    players, _, _ = deployed(moment.game, moment.state)
    averaged = moment._replace(state=moment.state._replace(players=players))
    with torch.no_grad():
        found: Tensor = averaged.module("discriminator")(rows)["class"]
    return found.argmax(1)


def few_labels(seed: int, quick: bool) -> Measured:
    """Both errors for each number of labels; a quick run takes 100 labels alone."""
    numbers: dict[str, float] = {}
    share = 3 if quick else 1
    for each in (10,) if quick else PER_CLASS:
        data, labels = load("digits", labelled=each), 10 * each
        for name, method, steps in (
            ("labels alone", alone(), ALONE_STEPS),
            ("with the generator", playing(), STEPS),
        ):
            moment = last(play(method, data, PAIR, steps // share, seed, ROWS))
            numbers[f"error, {labels} labels, {name}"] = error(moment, data)
        both = (numbers[f"error, {labels} labels, {n}"] for n in ("with the generator", "labels alone"))
        numbers[f"ratio, {labels} labels"] = next(both) / max(next(both), 1e-9)
    return Measured(numbers)


def draw(figure: Figure, results: Results) -> None:
    left, right = figure.subplots(1, 2)
    for number, name in enumerate(("labels alone", "with the generator")):
        points = [
            (10 * each, [100 * e for e in results.all(f"error, {10 * each} labels, {name}")])
            for each in PER_CLASS
        ]
        points = [(x, values) for x, values in points if values]
        for x, values in points:
            left.plot([x] * len(values), values, "o", ms=4, alpha=0.5, color=f"C{number}")
        left.plot([x for x, _ in points], [median(v) for _, v in points], color=f"C{number}", label=name)
    left.set(xlabel="labels", ylabel="error on held-out digits, %", xscale="log")
    left.set_ylim(bottom=0)
    left.set_xticks([10 * each for each in PER_CLASS], [str(10 * each) for each in PER_CLASS])
    left.minorticks_off()
    left.legend(fontsize=7)
    for each in PER_CLASS:
        values = results.all(f"ratio, {10 * each} labels")
        right.plot([10 * each] * len(values), values, "o", ms=4, color="C2", alpha=0.6)
    right.plot([], [], "o", ms=4, color="C2", label="a seed")
    right.axhline(0.5, color="0.6", lw=0.8, label="½")
    right.set(xlabel="labels", ylabel="error with generator over labels alone", xscale="log")
    right.set_ylim(bottom=0)
    right.set_xticks([10 * each for each in PER_CLASS], [str(10 * each) for each in PER_CLASS])
    right.minorticks_off()
    right.legend(fontsize=7)


EXPERIMENT = Experiment(
    id="E18",
    name="few-labels",
    title="Digits from few labels",
    question="Does a discriminator that is also a classifier learn more from few labels when a generator plays against it?",
    protocol="Bundled 8x8 digits: 2, 5, 10, 20 labels of each class, chosen by the seed, all training rows without labels, "
    "error on all held-out rows. Feature matching; discriminator 256-128-128 with noise .3 and .5, generator 128-128 with "
    "BatchNorm; Adam 3e-3 falling to 0, 4,000 steps of batch 100, averaged weights. Labels alone: the same discriminator, "
    "Adam 1e-3, 1,500 steps. Quick: 100 labels, a third of the steps.",
    source="Salimans et al. 2016, section 5",
    differs="Published on MNIST with 1000-500-250-250-250 and 300 epochs, on CIFAR-10 and SVHN with convolutions; ablations "
    "of the inception score on CIFAR-10 (8.09 with all techniques, 4.36 without labels) want a GPU and are not run.",
    parts=(Part("few labels", few_labels, minutes=2.8),),
    rows=tuple(
        Row(f"error, {10 * each} labels, {name}", f"error, {10 * each} labels, {name}",
            f"MNIST, wrong of 10,000: {PUBLISHED[each]}" if name == "with the generator" else "",
            "M" if name == "with the generator" else "")
        for each in PER_CLASS
        for name in ("labels alone", "with the generator")
    ),
    accept=(
        EachSeed("100 labels: the error with the generator is at most half of that of the labels alone",
                 {"ratio, 100 labels": at_most(0.5)}),
        EachSeed("100 labels alone leave something to be gained: an error of at least 3 %",
                 {"error, 100 labels, labels alone": at_least(0.03)}),
    ),
    draw=draw,
)  # fmt: skip
