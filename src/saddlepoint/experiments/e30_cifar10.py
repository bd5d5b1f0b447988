"""E30: CIFAR-10 in the papers' size: few labels, mixtures of generators, scores of whole methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from saddlepoint import methods
from saddlepoint.data import load
from saddlepoint.experiments.accept import EachSeed, Overall, Range, at_least, at_most, median
from saddlepoint.experiments.drawing import dots
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.on_gpu import Full, in_parts, model
from saddlepoint.features import classifier
from saddlepoint.method import Method
from saddlepoint.metrics import frechet
from saddlepoint.mixture import Mix
from saddlepoint.networks import DCGAN, KPlusOne, Networks, R3Net, ResNet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATA, STEPS, BATCH, SAMPLES = "cifar10", 100_000, 64, 10_000
LABELS: Mapping[int, str] = {
    1000: "21.83 ± 2.01 %",
    2000: "19.61 ± 2.09 %",
    4000: "18.63 ± 2.32 %",
    8000: "17.72 ± 1.82 %",
}
PLAYED: Mapping[str, tuple[Method, Networks]] = {
    "GAN": (methods.get("gan"), DCGAN(kernel=5)),
    "MIX of five": (replace(methods.get("gan"), mixture=Mix(components=5, entropy=0.1)), DCGAN(kernel=5)),
    "WGAN-GP": (methods.get("wgan-gp"), ResNet(width=128)),
    "SNGAN": (methods.get("sngan"), ResNet(width=128)),
    "R3GAN": (methods.get("r3gan"), R3Net(width=256)),
}


def few(labels: int, seed: int, quick: bool) -> Measured:
    """The error on the held-out images of the averaged classifier that plays as discriminator."""
    data = load(DATA, labelled=labels // 10)
    full = Full(
        methods.get("semi-supervised"), DATA, KPlusOne(DCGAN(kernel=5)), STEPS, 100, labelled=labels // 10
    )
    with full.trained(seed, quick) as run:
        classify = model(run).classify
        assert classify is not None
        rows = data.held_out(500 if quick else None)
        wrong = in_parts(classify, rows["real"]).argmax(1) != rows["label"]
    return Measured({f"error, {labels} labels": float(wrong.double().mean())})


def scored(name: str, seed: int, quick: bool) -> Measured:
    """FD[cifar10-cnn] to as many held-out images, before the first step and at the end."""
    method, networks = PLAYED[name]
    data = load(DATA)
    judge, count = classifier(data), 500 if quick else SAMPLES
    real = in_parts(judge, data.held_out(count)["real"])

    def score(samples: torch.Tensor) -> float:
        return frechet(real=real, fake=in_parts(judge, samples)).value

    with Full(method, DATA, networks, STEPS, BATCH).trained(seed, quick) as run:
        before, after = (score(one.sample(count, seed)) for one in (type(run).untrained(run), run))
    return Measured({f"{name}: FD": after, f"{name}: share of the untrained": after / before})


def draw(figure: Figure, results: Results) -> None:
    left, right = figure.subplots(1, 2)
    dots(left, [str(labels) for labels in LABELS], [results.all(f"error, {n} labels") for n in LABELS])
    left.set(xlabel="labels", ylabel="error on held-out images")
    dots(right, list(PLAYED), [results.all(f"{name}: FD") for name in PLAYED])
    right.set(xlabel="method", ylabel="FD[cifar10-cnn]", yscale="log")
    for axes in (left, right):
        axes.legend(fontsize=7)


EXPERIMENT = Experiment(
    id="E30",
    name="cifar10",
    title="CIFAR-10 in full",
    question="What do few labels, a mixture of five generators and the methods of a decade reach on CIFAR-10?",
    protocol="100,000 steps of batch 64 with each method's optimisers (few labels: batch 100): DCGAN of width 64 and kernel "
    "5 for GAN, MIX and few labels, residual networks of width 128 for WGAN-GP and SNGAN, R3GAN's of width 256. FD of the "
    "features of a classifier of CIFAR-10, 10,000 samples against the held-out images. Quick: 20 steps: it runs.",
    source="Salimans et al. 2016, table 2; Arora et al. 2017 (MIX+GAN), table 1",
    parts=(
        *(Part(f"{n} labels", partial(few, n), minutes=60, data=(DATA,), gpu=True) for n in LABELS),
        *(Part(name, partial(scored, name), minutes=90, data=(DATA,), gpu=True) for name in PLAYED),
    ),
    rows=(
        *(Row(f"error with {n} labels", f"error, {n} labels", value, "S") for n, value in LABELS.items()),
        Row("FD of GAN", "GAN: FD", "inception score 6.40 ± .05", "S"),
        Row("FD of MIX of five", "MIX of five: FD", "WGAN alone, inception score: 3.82 → 4.04", "S"),
        *(Row(f"FD of {name}", f"{name}: FD") for name in PLAYED if name not in ("GAN", "MIX of five")),
        *(Row(f"FD of {name} over that untrained", f"{name}: share of the untrained") for name in PLAYED),
    ),
    accept=(
        EachSeed(
            "with 4,000 labels the error is that of the paper, within three of its standard deviations or below",
            {"error, 4000 labels": at_most(0.2559)},
        ),
        Overall(
            "a mixture of five has a lower FD than GAN (ratio of the medians)",
            lambda seeds: (
                median([n["MIX of five: FD"] for n in seeds]) / median([n["GAN: FD"] for n in seeds])
            ),
            at_most(1.0),
        ),
        *(
            EachSeed(
                f"{name} ends below a third of the FD of its untrained generator",
                {f"{name}: share of the untrained": Range(0, 1 / 3)},
            )
            for name in PLAYED
        ),
        Overall(
            "more labels help (error with 1,000 less that with 8,000, medians)",
            lambda seeds: (
                median([n["error, 1000 labels"] for n in seeds])
                - median([n["error, 8000 labels"] for n in seeds])
            ),
            at_least(0.0),
        ),
    ),
    draw=draw,
    differs="Inception scores need the original network; FD here is that of a classifier's features and compares with "
    "nothing published. The discriminator of few labels is DCGAN's, not the paper's nine layers with dropout and weight "
    "normalisation.",
)
