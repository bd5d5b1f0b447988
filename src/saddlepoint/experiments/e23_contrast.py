"""E23: densities learned by telling data from noise, or from oneself (Gutmann & Hyvärinen 2010; Goodfellow 2014)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint.experiments.accept import EachSeed, Numbers, Range, at_least
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.objectives import Minimax, NoiseContrastive, SelfContrastive
from saddlepoint.random import generator
from saddlepoint.theory.quadrature import GRID, integral, log_normal
from saddlepoint.theory.t24_self_contrastive import generated, likelihood, log_density, slope

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL = (0.5, math.log(1.2))  # mean and log deviation; the data are N(0, 1)
AXES = ("μ", "log σ")
TRUTH, ROWS = 1.0, 500
NOISES = {"N(1, 1.5²)": (1.0, 1.5), "N(3, 1)": (3.0, 1.0), "N(8, 1)": (8.0, 1.0)}
NEAR, FAR = "N(1, 1.5²)", "N(8, 1)"


def self_contrast(seed: int, quick: bool) -> Measured:
    """The gradient of self-contrastive estimation on batches of data and of the model's own draws, over the exact gradient
    of KL(P‖model)."""
    batches, rows = (500 if quick else 1000), 1000
    source = generator("cpu", "self-contrast", seed)
    leaf = torch.tensor(MODEL, dtype=torch.float64, requires_grad=True)
    made = []
    for _ in range(batches):
        real, noise = torch.randn(2, rows, generator=source, dtype=torch.float64)
        own = MODEL[0] + math.exp(MODEL[1]) * noise
        loss = SelfContrastive().model(log_density(leaf, real), log_density(leaf, own))
        made.append(torch.autograd.grad(loss, leaf)[0])
    exact = slope(likelihood, leaf.detach())
    ratios = torch.stack(made) / exact
    adversarial = slope(generated(Minimax()), leaf.detach()) / exact
    numbers: Numbers = {}
    for place, axis in enumerate(AXES):
        mean = float(ratios[:, place].mean())
        error = float(ratios[:, place].std()) / math.sqrt(batches)
        numbers |= {
            f"ratio in {axis}": mean,
            f"standard errors from ½ in {axis}": (mean - 0.5) / error,
            f"standard error in {axis}": error,
            f"GAN's ratio in {axis}": float(adversarial[place]),
        }
    numbers["the GAN's ratios, one over the other"] = float(adversarial.max() / adversarial.min())
    running = (torch.stack(made).cumsum(0) / exact)[9::10] / torch.arange(10, batches + 1, 10)[:, None]
    series = {f"ratio in {axis}": running[:, place].tolist() for place, axis in enumerate(AXES)}
    return Measured(numbers, {"batches": list(range(10, batches + 1, 10)), **series})


def noise_contrast(seed: int, quick: bool) -> Measured:
    """The variance of the estimate of the mean of N(θ, 1) from 500 rows of data and 500 of noise."""
    trials = 100 if quick else 400
    source = generator("cpu", "noise contrast", seed)
    numbers: Numbers = {}
    series: dict[str, list[float]] = {}
    for name, (mean, deviation) in NOISES.items():
        found = []
        for _ in range(trials):
            real, noise = torch.randn(2, ROWS, generator=source, dtype=torch.float64)
            found.append(estimated(TRUTH + real, mean + deviation * noise, mean, deviation))
        values = torch.tensor(found, dtype=torch.float64)
        variance, exact = float(values.var()), asymptotic(mean, deviation)
        numbers |= {
            f"variance, {name}": variance,
            f"variance, {name} (exact)": exact,
            f"mean, {name}": float(values.mean()),
            # that of s²/σ² over so many normal draws is √(2/(trials − 1))
            f"deviations from the exact variance, {name}": (variance / exact - 1)
            / math.sqrt(2 / (trials - 1)),
        }
        series[f"estimates, {name}"] = found
    numbers["variance, far over near"] = numbers[f"variance, {FAR}"] / numbers[f"variance, {NEAR}"]
    numbers["variance, far over near (exact)"] = asymptotic(*NOISES[FAR]) / asymptotic(*NOISES[NEAR])
    return Measured(numbers, series)


def estimated(real: Tensor, noise: Tensor, mean: float, deviation: float) -> float:
    """The mean θ of N(θ, 1) that tells data from noise N(mean, deviation²) best."""
    from scipy.optimize import minimize_scalar

    known = [log_normal(mean, math.log(deviation), x) for x in (real, noise)]

    def loss(theta: float) -> float:
        ratios = (log_normal(theta, 0.0, x) - log for x, log in zip((real, noise), known, strict=True))
        return float(NoiseContrastive().model(*ratios))

    return float(
        minimize_scalar(loss, bounds=(TRUTH - 4, TRUTH + 4), method="bounded", options={"xatol": 1e-6}).x
    )


def asymptotic(mean: float, deviation: float) -> float:
    """1/n times I⁻¹ − 2 I⁻² (∫ g w p)², w = p_n/(p + p_n), I = ∫ g² w p, g = x − θ the score of the model, n rows of data
    and as many of noise (Gutmann & Hyvärinen 2010), by quadrature."""
    log_p, log_n = log_normal(TRUTH, 0.0), log_normal(mean, math.log(deviation))
    both = (log_p + (log_n - log_p).sigmoid().log()).exp()
    score = GRID - TRUTH
    information, first = integral(score.square() * both), integral(score * both)
    return (1 / information - 2 * (first / information) ** 2) / ROWS


def draw(figure: Figure, results: Results) -> None:
    import numpy as np

    left, right = figure.subplots(1, 2)
    for place, axis in enumerate(AXES):
        for index, curve in enumerate(results.curves(f"ratio in {axis}")):
            batches = results.curves("batches")[index]
            left.plot(batches, curve, color=f"C{place}", alpha=0.7, label=None if index else axis)
    left.axhline(0.5, color="k", ls=":", label="½")
    left.set(
        xlabel="batches of 1,000 averaged over",
        ylabel="SCE gradient over the likelihood's",
        xscale="log",
        ylim=(0.4, 0.6),
    )
    left.legend(fontsize=7)
    for place, name in enumerate(NOISES):
        values = np.concatenate(results.curves(f"estimates, {name}"))
        spread = math.sqrt(results.all(f"variance, {name} (exact)")[0])
        bins = TRUTH + spread * np.linspace(-3, 3, 25)
        right.hist(values, bins=bins, density=True, alpha=0.4, color=f"C{place}", label=f"noise {name}")
        at = np.linspace(-0.5, 2.5, 400)
        height = np.exp(-(((at - TRUTH) / spread) ** 2) / 2) / spread / math.sqrt(math.tau)
        right.plot(at, height, color=f"C{place}", lw=1)
    right.plot([], [], color="0.4", lw=1, label="asymptotic, by quadrature")
    right.set(
        xlabel="estimate of θ = 1",
        ylabel="density of the estimates",
        yscale="log",
        ylim=(5e-3, 100),
        xlim=(-0.5, 2.5),
    )
    right.legend(fontsize=7)


EXPERIMENT = Experiment(
    id="E23",
    name="contrast",
    title="Noise contrastive and self-contrastive estimation of a Gaussian",
    question="Is learning to be told from oneself maximum likelihood at half speed? And how much does noise contrastive "
    "estimation depend on noise that is like the data?",
    protocol="Self-contrast: data N(0, 1), model N(.5, 1.2²), 1,000 batches (quick: 500) of 1,000 rows of each, gradient in "
    "μ and log σ over the exact one of KL(P‖model). Noise contrast: the mean θ of N(θ, 1), truth 1, from 500 rows of data "
    "and 500 of noise, 400 times (quick: 100) for each noise; the estimate by Brent's method within ±4 of the truth.",
    source="Goodfellow, On distinguishability criteria for estimating generative models, 2014; Gutmann & Hyvärinen 2010",
    parts=(Part("self-contrast", self_contrast, minutes=0.03), Part("noise", noise_contrast, minutes=0.2)),
    rows=(
        *(
            Row(f"SCE gradient over the likelihood's, {axis}", f"ratio in {axis}", "½", "S", exact=0.5)
            for axis in AXES
        ),
        *(Row(f"its standard error, {axis}", f"standard error in {axis}") for axis in AXES),
        *(Row(f"generator of a GAN at the optimal D, {axis}", f"GAN's ratio in {axis}") for axis in AXES),
        *(
            Row(f"variance of θ̂, noise {name}", f"variance, {name}", exact=f"variance, {name} (exact)")
            for name in NOISES
        ),
        *(Row(f"mean of θ̂, noise {name}", f"mean, {name}", exact=TRUTH) for name in NOISES),
        Row(
            "variance, N(8, 1) over N(1, 1.5²)",
            "variance, far over near",
            exact="variance, far over near (exact)",
        ),
    ),
    accept=(
        EachSeed(
            "the SCE gradient is ½ of the likelihood's within 3 standard errors, in μ and in log σ",
            {f"standard errors from ½ in {axis}": Range(-3, 3) for axis in AXES},
        ),
        EachSeed(
            "and a standard error is at most .02, so that this says something",
            {f"standard error in {axis}": Range(0, 0.02) for axis in AXES},
        ),
        EachSeed(
            "a GAN's generator does not follow the likelihood: its two ratios differ by a fifth at least",
            {"the GAN's ratios, one over the other": at_least(1.2)},
        ),
        EachSeed(
            "noise N(8, 1) has at least 20 times the variance of noise N(1, 1.5²)",
            {"variance, far over near": at_least(20)},
        ),
        EachSeed(
            "noise N(1, 1.5²) gives the asymptotic variance, within 4 standard deviations of a variance of so many estimates",
            {f"deviations from the exact variance, {NEAR}": Range(-4, 4)},
        ),
    ),
    draw=draw,
    differs="1.5 is taken for a standard deviation; the asymptotic variance does not hold for N(8, 1), where 500 rows of "
    "each side hardly meet, and N(3, 1) has some 15 % more (400 estimates).",
)
