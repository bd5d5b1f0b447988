"""E31: the birthday test and BEGAN's equilibrium on faces, in the papers' size."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from saddlepoint import methods
from saddlepoint.data import load
from saddlepoint.experiments.accept import EachSeed, Overall, at_least, median
from saddlepoint.experiments.drawing import dots
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.on_gpu import Full
from saddlepoint.method import Method
from saddlepoint.metrics import birthday_batch, effective_support
from saddlepoint.metrics.support import collision_threshold
from saddlepoint.networks import DCGAN, Encoding, Joint, Networks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATA = str(Path(os.environ.get("SADDLEPOINT_DATA", ".")) / "celeba")  # a folder of images
STEPS, BATCH, SIZE, SAMPLES = 100_000, 64, 64, 20_000
ALIKE = 1e-3  # share of photographs that have another one within the distance that counts as alike
PAIR = DCGAN(kernel=5)
PLAYED: Mapping[str, tuple[Method, Networks]] = {
    "GAN": (methods.get("gan"), PAIR),
    "ALI": (methods.get("ali"), Joint(Encoding(PAIR))),
}


def support(name: str, seed: int, quick: bool) -> Measured:
    """The effective number of different faces, alike where their pixels are as close as those of one photograph in a
    thousand to another, and the batch that holds two alike as likely as not."""
    method, networks = PLAYED[name]
    count = 200 if quick else SAMPLES
    threshold = collision_threshold(
        real=load(DATA, size=SIZE).training(count)["real"].flatten(1), quantile=ALIKE
    )
    with Full(method, DATA, networks, STEPS, BATCH, size=SIZE).trained(seed, quick) as run:
        found = effective_support(samples=run.sample(count, seed).flatten(1), threshold=threshold).value
    return Measured({f"{name}: support": found, f"{name}: batch": float(birthday_batch(support=found))})


def draw(figure: Figure, results: Results) -> None:
    axes = figure.subplots()
    dots(axes, list(PLAYED), [results.all(f"{name}: support") for name in PLAYED])
    axes.set(xlabel="method", ylabel="effective number of different faces", yscale="log")
    axes.legend(fontsize=7)


EXPERIMENT = Experiment(
    id="E31",
    name="celeba",
    title="The birthday test on faces",
    question="How many different faces does a generator draw?",
    protocol="Photographs in the folder celeba of $SADDLEPOINT_DATA, at 64x64; DCGAN of width 64 and kernel 5, 100,000 steps "
    "of batch 64; 20,000 samples, all pairs of them compared. Quick: 20 steps and 200 samples, which show that it runs.",
    source="Arora & Zhang 2017, Do GANs actually learn the distribution? An empirical study",
    parts=tuple(Part(name, partial(support, name), minutes=180, data=(DATA,), gpu=True) for name in PLAYED),
    rows=(
        Row("GAN: batch with two alike", "GAN: batch", "DCGAN: about 400", "S"),
        Row("GAN: different faces", "GAN: support", "DCGAN: about 160,000", "S"),
        Row("ALI: batch with two alike", "ALI: batch", "about 1,000", "S"),
        Row("ALI: different faces", "ALI: support", "about 1,000,000", "S"),
    ),
    accept=(
        Overall(
            "ALI draws more different faces than GAN (ratio of the medians)",
            lambda seeds: median([n["ALI: support"] for n in seeds]) / median([n["GAN: support"] for n in seeds]),
            at_least(1.0),
        ),
        EachSeed("GAN draws at least 10,000 different faces", {"GAN: support": at_least(1e4)}),
    ),
    draw=draw,
    differs="People judged in the paper which faces of a batch are the same; here a distance of pixels does, set by the "
    "photographs, and all pairs count instead of those of one batch.",
)  # fmt: skip
