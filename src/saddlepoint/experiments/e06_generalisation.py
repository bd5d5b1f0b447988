"""E06: what finite samples say of a distance, how many duplicates a support has, and what a mixture of generators covers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.data.densities import Ring
from saddlepoint.experiments.accept import EachSeed, Median, Range, at_least
from saddlepoint.experiments.drawing import band, dots
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.playing import coverage, play, rates
from saddlepoint.metrics import birthday_batch, earth_mover, effective_support, neural_distance
from saddlepoint.mixture import Mix
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam
from saddlepoint.random import generator
from saddlepoint.theory.t17_generalisation import empirical_jensen_shannon

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIMENSIONS, WIDTHS, ASCENT = 10, (2, 4, 8), 300
SIZES, QUICK_SIZES, PAIRS = (512, 1024, 2048, 4096, 8192, 16384), (512, 2048, 8192), 3
FEW = (64, 128, 256, 512)  # rows whose exact transport is solved
SUPPORTS, DRAWN, APART = (100, 1000, 10_000), 3000, 0.2
RING, ROWS, STEPS, COMPONENTS = Ring(radius=2.0, sigma=0.02), 64, 3000, (1, 3, 5)


# -- distances between two samples of one distribution -------------------------------------------------


def neural_gap(width: int, m: int, source: torch.Generator, seed: int) -> float:
    """sup_D E D(x) − E D(y) over perceptrons D = σ(s) of one hidden layer, by full-batch ascent on two samples of m rows of
    one N(0, I): the truth is 0, so that all of it is what the distance fails to generalise."""
    x, y = torch.randn(2, m, DIMENSIONS, generator=source)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(DIMENSIONS, width), nn.Tanh(), nn.Linear(width, 1))
    ascent, best = torch.optim.Adam(network.parameters(), lr=0.02, maximize=True), 0.0
    for _ in range(ASCENT):
        gap = network(x).sigmoid().mean() - network(y).sigmoid().mean()
        best = max(best, float(gap.detach()))
        ascent.zero_grad()
        torch.autograd.backward(gap)
        ascent.step()
    return best


def slope(sizes: tuple[int, ...], values: list[float]) -> float:
    """Of the least-squares line of log value over log size."""
    x, y = (torch.tensor(side, dtype=torch.float64).log() for side in (sizes, values))
    return float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())


def linear_gap(m: int) -> float:
    """√E‖x̄ − ȳ‖² = √(2d/m): what linear discriminators of norm 1 see."""
    return math.sqrt(2 * DIMENSIONS / m)


def gaps(seed: int, quick: bool) -> Measured:
    source = generator("cpu", "gaps", seed)
    sizes, numbers, series = QUICK_SIZES if quick else SIZES, dict[str, float](), dict[str, list[float]]()
    series["rows"] = [float(m) for m in sizes]
    for width in WIDTHS:
        found = [
            sum(neural_gap(width, m, source, PAIRS * seed + k) for k in range(PAIRS)) / PAIRS for m in sizes
        ]
        series[f"width {width}"] = found
        numbers[f"slope, width {width}"] = slope(sizes, found)
    numbers["gap at 8,192 rows, width 8 over width 2"] = (
        series["width 8"][sizes.index(8192)] / series["width 2"][sizes.index(8192)]
    )
    few = [torch.randn(2, m, DIMENSIONS, generator=source, dtype=torch.float64) for m in FEW]
    divergences = [empirical_jensen_shannon(x, y) for x, y in few]
    series["W1"] = [earth_mover(real=x, fake=y).value for x, y in few]
    numbers["JSD − log 2, largest"] = max(abs(one - math.log(2)) for one in divergences)
    numbers["W₁ of two samples of 512 rows"] = series["W1"][-1]
    numbers["slope, W₁"] = slope(FEW, series["W1"])
    means = torch.randn(
        2, 2000, DIMENSIONS, generator=source, dtype=torch.float64
    )  # √m times those of samples
    squares = (means[0] - means[1]).square().sum(1)
    numbers["linear discriminators: mean square over 2d/m"] = float(squares.mean()) / (2 * DIMENSIONS)
    return Measured(numbers, series)


# -- the birthday test ---------------------------------------------------------------------------------


def first_duplicate(rows: Tensor) -> int:
    """How many draws until one is near to an earlier one; all of them where none is."""
    near = torch.cdist(rows, rows) + torch.full((len(rows), len(rows)), math.inf).triu()
    hit = (near < APART).any(1).nonzero()
    return int(hit[0]) + 1 if len(hit) else len(rows)


def birthday(seed: int, quick: bool) -> Measured:
    """Generators with known supports: N points of N(0, I₁₆), N(0, .01²) added to each draw."""
    numbers: dict[str, float] = {}
    for support in SUPPORTS:
        source = generator("cpu", "birthday", seed, support)
        points = torch.randn(support, 16, generator=source)
        draws = points[torch.randint(support, (DRAWN,), generator=source)]
        noised = draws + 0.01 * torch.randn(draws.shape, generator=source)
        numbers[f"support {support}, exact copies"] = effective_support(samples=draws).value
        found = effective_support(samples=noised, threshold=APART).value
        numbers[f"support {support}, noised"] = found
        numbers[f"support {support}, noised, over the true"] = found / support
        numbers[f"copies of support {support}, over the true"] = (
            effective_support(samples=draws).value / support
        )
        batches = [first_duplicate(part) for part in noised.split(600)]
        batch = sorted(batches)[len(batches) // 2]
        numbers[f"support {support}: draws until a duplicate, median of 5"] = batch
    numbers["noised duplicates at threshold 0 over the true, 1000"] = (
        effective_support(samples=noised).value / 1000
    )
    return Measured(numbers)


# -- mixtures ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SmallGenerator:
    """A generator of one hidden layer of `width` units against an ordinary discriminator."""

    width: int = 8

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        small, judge = MLP(width=self.width, depth=1), MLP(width=64)
        return {
            "generator": small.build(shape, latent, classes)["generator"],
            "discriminator": judge.build(shape, latent, classes)["discriminator"],
        }


def mixtures(seed: int, quick: bool) -> Measured:
    """T pairs that all meet, of which nobody waits."""
    base = rates(methods.get("mix-gan"), Adam(1e-3))
    base = replace(base, dynamics=rates(methods.get("ensemble"), Adam(1e-3)).dynamics)
    numbers: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    real = RING.held_out(2000, seed)["real"]
    for count in COMPONENTS:
        method = replace(base, mixture=Mix(components=count, entropy=0.1) if count > 1 else None)
        covered, least = [], 1.0
        for moment in play(method, RING, SmallGenerator(), STEPS // 5 if quick else STEPS, seed, ROWS):
            shares = [value for key, value in moment.info.items() if key.startswith("least weight")]
            least = min([least, *map(float, shares)])
            if moment.step % 300 == 0:
                covered.append(coverage(moment, RING).covered)
        numbers[f"modes, T = {count}"] = covered[-1]
        found = neural_distance(real=real, fake=moment.sample(2000), seed=seed)
        numbers[f"neural-network distance, T = {count}"] = found.held_out
        if count > 1:
            numbers[f"least weight, T = {count}"] = least
        series[f"modes, T = {count}"] = [float(modes) for modes in covered]
    numbers["modes gained by five"] = numbers["modes, T = 5"] - numbers["modes, T = 1"]
    numbers["distance added by five"] = (
        numbers["neural-network distance, T = 5"] - numbers["neural-network distance, T = 1"]
    )
    return Measured(numbers, series)


def draw(figure: Figure, results: Results) -> None:
    left, middle, right = figure.subplots(1, 3)
    sizes = results.curves("rows")[0]
    for width in WIDTHS:
        band(left, sizes, results.curves(f"width {width}"), f"perceptrons, width {width}", marker="o", ms=3)
    left.plot(sizes, [linear_gap(int(m)) for m in sizes], "k:", lw=1, label="linear, |w| ≤ 1: √(2d/m)")
    band(left, FEW, results.curves("W1"), "W₁", marker="s", ms=3, color="C4")
    left.axhline(math.log(2), color="C5", lw=1, label="JSD = log 2 nats")
    left.set(
        xscale="log",
        yscale="log",
        xlabel="rows m of each sample",
        ylabel="distance (truth: 0)",
        ylim=(0.02, 60),
    )
    left.legend(fontsize=6)
    left.set_title("two samples of N(0, I₁₀)", fontsize=8)
    dots(
        middle,
        [f"{n:,}" for n in SUPPORTS],
        [results.all(f"support {n}, noised, over the true") for n in SUPPORTS],
    )
    middle.axhspan(0.7, 1.3, color="0.9", zorder=0, label="± 30 %")
    middle.set(xlabel="true support", ylabel="estimated over true support")
    middle.legend(fontsize=6)
    middle.set_title("birthday test, noised duplicates", fontsize=8)
    for count in COMPONENTS:
        curves = results.curves(f"modes, T = {count}")
        band(right, [300 * k for k in range(len(curves[0]))], curves, f"T = {count}")
    right.set(xlabel="step", ylabel="modes of 8", ylim=(0, 8.4))
    right.legend(fontsize=6)
    right.set_title("mixtures of tiny generators", fontsize=8)


EXPERIMENT = Experiment(
    id="E06",
    name="generalisation",
    title="Generalisation, the birthday test and mixtures",
    question="Do distances between samples tell those between distributions, duplicates tell the size of a support, and do "
    "several small generators cover more than one?",
    protocol="Two samples of m rows of N(0, I₁₀), m from 512 to 16,384 (quick: 8,192); D of one hidden layer of 2, 4, 8 tanh "
    "units, φ the identity, 300 steps of full-batch Adam, rate .02, mean of 3 pairs. Supports of 100, 1,000, 10,000 points, "
    "16 dimensions, 3,000 draws with noise .01, alike within .2. MIX+GAN with T pairs, generators of one hidden layer of 8, "
    "ring of radius 2, σ .02: 3,000 steps (quick: 600) of batch 64, Adam 1e-3, nobody skips a turn.",
    source="Arora et al. 2017; Arora and Zhang 2017; Arora, Risteski and Zhang 2018",
    differs="The published mixtures are of DCGANs and WGANs on CIFAR-10 (inception score, T = 5), the published duplicates "
    "of CelebA faces judged by people: neither fits a CPU. A tiny generator on the ring stands for the first, supports that "
    "are known for the second.",
    parts=(
        Part("gaps", gaps, minutes=0.5),
        Part("birthday", birthday, minutes=0.1),
        Part("mixtures", mixtures, minutes=1.2),
    ),
    rows=(
        *(
            Row(f"slope of log gap over log m, width {w}", f"slope, width {w}", "−½ up to log m", "N", -0.5)
            for w in WIDTHS
        ),
        Row("gap at 8,192 rows, width 8 over width 2", "gap at 8,192 rows, width 8 over width 2", "grows as √p"),
        Row("linear discriminators: mean squared gap over 2d/m", "linear discriminators: mean square over 2d/m",
            exact=1.0),
        Row("JSD of two samples less log 2, largest (nats)", "JSD − log 2, largest", exact=0.0),
        Row("W₁ of two samples of 512 rows", "W₁ of two samples of 512 rows", "stays away from 0"),
        Row("slope of log W₁ over log m", "slope, W₁", "−1/d", exact=-1 / DIMENSIONS),
        *(Row(f"birthday: support of {n}", f"support {n}, noised", exact=float(n)) for n in SUPPORTS),
        *(
            Row(f"draws until two are alike, support of {n}", f"support {n}: draws until a duplicate, median of 5",
                "CelebA: DCGAN, MIX+GAN about 400 (160,000 faces), ALI 1,000" if n == SUPPORTS[-1] else "",
                "S" if n == SUPPORTS[-1] else "", float(birthday_batch(support=n)))
            for n in SUPPORTS
        ),
        *(
            Row(f"modes of 8, T = {t}", f"modes, T = {t}",
                {1: "CIFAR-10, inception score: WGAN 3.82 ± .06", 5: "MIX+WGAN 4.04 ± .07; DCGAN 6.40 ± .05"}.get(t, ""),
                "S" if t in (1, 5) else "")
            for t in COMPONENTS
        ),
        *(
            Row(f"neural-network distance to the ring, T = {t}", f"neural-network distance, T = {t}")
            for t in COMPONENTS
        ),
        *(Row(f"least weight of a component, T = {t}", f"least weight, T = {t}") for t in COMPONENTS[1:]),
    ),
    accept=(
        *(
            Median(f"the gap of perceptrons falls as m^−½: slope −.65 to −.35, width {w}",
                   {f"slope, width {w}": Range(-0.65, -0.35)})
            for w in WIDTHS
        ),
        EachSeed("more parameters see more: width 8 has the larger gap",
                 {"gap at 8,192 rows, width 8 over width 2": at_least(1.0)}),
        EachSeed("JSD of two samples is log 2 whatever m; W₁ stays above 1 and falls slower than m^−¼",
                 {"JSD − log 2, largest": Range(0, 1e-12), "W₁ of two samples of 512 rows": at_least(1.0),
                  "slope, W₁": at_least(-0.25)}),
        EachSeed("linear discriminators: E gap² = 2d/m within 6 standard errors of 2,000 repeats",
                 {"linear discriminators: mean square over 2d/m": Range(
                     1 - 6 * math.sqrt(2 / DIMENSIONS / 2000), 1 + 6 * math.sqrt(2 / DIMENSIONS / 2000))}),
        EachSeed("the birthday estimate is within 30 % of each support, with exact copies and with noised ones",
                 {f"{what} {n}, {rest}": Range(0.7, 1.3) for n in SUPPORTS
                  for what, rest in (("support", "noised, over the true"), ("copies of support", "over the true"))}),
        EachSeed("five pairs keep their weights above 1e-3, cover no fewer modes than one and are no farther from the ring "
                 "(.05 allowed)",
                 {"least weight, T = 5": at_least(1e-3), "modes gained by five": at_least(0),
                  "distance added by five": Range(most=0.05)}, share=0.8, quick=False),
    ),
    draw=draw,
)  # fmt: skip
