"""E25: likelihood by a Parzen window of samples, whose ranking depends on the width."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from itertools import combinations
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint import methods
from saddlepoint.data import load
from saddlepoint.experiments.accept import EachSeed, Median, at_least, at_most
from saddlepoint.experiments.drawing import band
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.playing import last, play
from saddlepoint.metrics import copies_of_training, fitted_gaussian, k_means_bins
from saddlepoint.metrics.parzen import parzen, parzen_log_densities
from saddlepoint.networks import MLP
from saddlepoint.training import TrainingFailed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS = tuple(10 ** (-1 + k / 9) for k in range(10))  # logspace(−1, 0, 10), for images in [0, 1]
TRAINED = {
    "fgan-kl": "416 ± 5.62", "fgan-reverse-kl": "319 ± 8.36", "fgan-pearson": "429 ± 5.53", "fgan-neyman": "300 ± 8.33",
    "fgan-hellinger": "−708 ± 18.1", "fgan-jeffrey": "−2101 ± 29.9", "fgan-js": "367 ± 8.19", "gan": "305 ± 8.97",
    "gan-r1": "", "vae": "445 ± 5.36",
}  # fmt: skip
QUICK = ("fgan-kl", "gan-r1", "vae")
CONTROLS = {
    "training rows": "502 ± 5.99 (KDE of the training data)",
    "cluster centres": "",
    "fitted Gaussian": "",
}
STEPS, PAIR, SAMPLES = 3000, MLP(width=128), 1000
CLEARLY = 4.0  # standard errors of a paired difference


def grey(rows: Tensor) -> Tensor:
    """From [−1, 1] to [0, 1], flat, float64."""
    return ((rows + 1) / 2).flatten(1).double()


def samples(seed: int, quick: bool) -> dict[str, Tensor]:
    """1,000 samples of each model whose training stays finite, and of what is no model."""
    training = load("digits").training()["real"]
    made = {}
    for name in QUICK if quick else TRAINED:
        with suppress(TrainingFailed):
            steps = STEPS // 4 if quick else STEPS
            made[name] = last(play(methods.get(name), "digits", PAIR, steps, seed)).sample(SAMPLES)
    made["training rows"] = copies_of_training(training=training, n=SAMPLES, seed=seed)
    made["cluster centres"] = k_means_bins(training=training.flatten(1), bins=SAMPLES // 5, seed=seed)
    made["fitted Gaussian"] = fitted_gaussian(training=training, n=SAMPLES, seed=seed)
    return made


def flips(densities: Mapping[str, Tensor]) -> dict[tuple[str, str], float]:
    """Pairs whose order changes between two widths, and by how much: the smaller of the two largest differences of
    opposite sign, each in standard errors of the mean over held-out rows. Densities [widths, rows] of the same rows."""
    found = {}
    for one, other in combinations(densities, 2):
        apart = densities[one] - densities[other]
        scores = apart.mean(1) / (apart.std(1) / math.sqrt(apart.shape[1]))
        clearly = min(float(scores.max()), -float(scores.min()))
        if clearly > 0:
            found[one, other] = clearly
    return found


def proxies(seed: int, quick: bool) -> Measured:
    data = load("digits")
    held_out, validation = (grey(rows["real"]) for rows in (data.held_out(), data.training(450, seed)))
    numbers: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    densities = {}
    for name, rows in samples(seed, quick).items():
        centres = grey(rows.view(len(rows), *data.shape))
        widths = torch.tensor(WIDTHS, dtype=torch.float64)
        densities[name] = parzen_log_densities(points=held_out, samples=centres, sigmas=widths)
        series[name] = densities[name].mean(1).tolist()
        chosen = parzen(real=held_out, fake=centres, validation=validation)
        if name != "training rows":  # copies of the validation rows would choose a window of no width
            numbers[f"nats, {name}"] = float(chosen.log_densities.mean())
            numbers[f"window, {name}"] = chosen.sigma
    numbers["nats, training rows"] = max(series["training rows"])
    turned = flips(densities)
    numbers["trainings that failed"] = float(
        len(QUICK if quick else TRAINED) + len(CONTROLS) - len(densities)
    )
    numbers["pairs"] = len(densities) * (len(densities) - 1) / 2
    numbers["pairs whose order changes clearly"] = float(sum(one >= CLEARLY for one in turned.values()))
    numbers["clearest change, standard errors"] = max(turned.values(), default=0.0)
    narrow, wide = (densities["cluster centres"][k] - densities["training rows"][k] for k in (0, -1))
    numbers["centres less training rows, narrowest window"] = float(narrow.mean())
    numbers["centres less training rows, widest window"] = float(wide.mean())
    best = {name: max(values) for name, values in series.items()}
    models = [name for name in best if name not in CONTROLS]
    numbers["models that the fitted Gaussian beats"] = float(
        sum(best["fitted Gaussian"] > best[name] for name in models)
    )
    numbers["exact window of one sample, error"] = of_one_sample()
    return Measured(numbers, series)


def of_one_sample() -> float:
    """ln N(x; 0, σ²I) at |x|² = d: −d/2 (ln 2πσ² + 1/σ²); the largest difference over the widths."""
    d, sigma = 64, torch.tensor(WIDTHS, dtype=torch.float64)
    zero, one = torch.zeros(1, d, dtype=torch.float64), torch.ones(1, d, dtype=torch.float64)
    exact = -d / 2 * ((2 * math.pi * sigma.square()).log() + 1 / sigma.square())
    found = parzen_log_densities(points=one, samples=zero, sigmas=sigma)[:, 0]
    return float((found - exact).abs().max())


def draw(figure: Figure, results: Results) -> None:
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    names = [name for name in (*TRAINED, *CONTROLS) if results.curves(name)]
    ranks = []
    for number, name in enumerate(names):
        style = {"ls": "--" if name in CONTROLS else "-", "color": f"C{number % 10}"}
        band(left, WIDTHS, results.curves(name), name, **style)
        ranks.append(torch.tensor(results.curves(name), dtype=torch.float64).median(0).values)
    if not names:
        return
    order = torch.stack(ranks).argsort(0, descending=True).argsort(0) + 1
    for number, name in enumerate(names):
        right.plot(WIDTHS, order[number].tolist(), marker="o", ms=3, color=f"C{number % 10}",
                   ls="--" if name in CONTROLS else "-")  # fmt: skip
    left.set(
        xscale="log",
        xlabel="window σ, grey levels (0 to 1)",
        ylabel="mean log-density of held-out digits, nats",
    )
    left.set_yscale("symlog", linthresh=50)
    left.legend(fontsize=6, ncol=2)
    right.set(
        xscale="log", xlabel="window σ, grey levels (0 to 1)", ylabel="rank (1 is best), medians over seeds"
    )
    right.invert_yaxis()


EXPERIMENT = Experiment(
    id="E25",
    name="likelihood-proxies",
    title="Likelihood by Parzen windows",
    question="Does the likelihood of a Parzen window rank generators?",
    protocol="Bundled 8x8 digits; perceptrons of width 128, the optimiser and batch of each method, 3,000 steps (quick: 750, "
    "three models); windows of 1,000 samples at ten widths from .1 to 1 on 450 held-out digits in [0, 1]. Beside the models: "
    "1,000 training rows, 200 cluster centres of them, 1,000 draws of the Gaussian with their mean and covariance. Nats "
    "with the window that is best for 450 training rows; for training rows themselves the best of the ten widths.",
    source="Nowozin et al. 2016, table 1; Goodfellow et al. 2014; Theis et al. 2016",
    differs="Published on MNIST (784 numbers), here 64 numbers, so that nats do not compare; perceptrons of one size for "
    "all and few steps, so that the ranking is no claim about the methods.",
    parts=(Part("proxies", proxies, minutes=2.0),),
    rows=(
        *(
            Row(f"nats, {name}", f"nats, {name}", published, "M" if published else "")
            for name, published in (*TRAINED.items(), *CONTROLS.items())
        ),
        *(Row(f"window chosen, {name}", f"window, {name}") for name in ("fgan-kl", "gan-r1", "vae")),
        Row("trainings that failed", "trainings that failed"),
        Row("pairs of models", "pairs"),
        Row("pairs whose order changes by 4 standard errors either way", "pairs whose order changes clearly"),
        Row("clearest change, standard errors", "clearest change, standard errors"),
        Row("cluster centres less training rows, σ = .1, nats", "centres less training rows, narrowest window"),
        Row("cluster centres less training rows, σ = 1, nats", "centres less training rows, widest window"),
        Row("models that the fitted Gaussian beats at its best width", "models that the fitted Gaussian beats"),
        Row("window of one sample against the closed form, nats", "exact window of one sample, error", exact=0.0),
    ),
    accept=(
        EachSeed("a pair changes its order between two widths, by at least 4 standard errors either way",
                 {"pairs whose order changes clearly": at_least(1)}),
        EachSeed("the window of one sample is a normal density to 1e-6 of up to 3,100 nats",
                 {"exact window of one sample, error": at_most(1e-6)}),
        Median("cluster centres of the training rows beat these rows at a wide window (Theis et al. 2016)",
               {"centres less training rows, widest window": at_least(1e-6)}),
    ),
    draw=draw,
)  # fmt: skip
