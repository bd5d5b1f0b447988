"""E11: what clipped and penalised critics learn of a fixed generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.constraints import Clip
from saddlepoint.data.densities import Density, Grid, Ring, SwissRoll
from saddlepoint.diagnostics import clipped_share
from saddlepoint.experiments.accept import EachSeed, Range, at_least, at_most
from saddlepoint.experiments.drawing import band
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.experiments.playing import Moment, NearRows, Slope, critic_only, last, play
from saddlepoint.method import Method
from saddlepoint.metrics.transport import earth_mover
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam, RMSProp
from saddlepoint.penalties import GradientPenalty
from saddlepoint.random import generator
from saddlepoint.schedules import Linear

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATA: dict[str, Density] = {"ring": Ring(), "grid": Grid(), "swiss roll": SwissRoll()}
CLIP, CLIPS, WEIGHTS, TOY = 0.01, (0.001, 0.01, 0.1), (0.1, 1.0, 10.0), 0.1
ROWS, STEPS, QUICK_STEPS = 256, 2000, 1000
DEEP, DEEP_WIDTH, DEEP_STEPS, QUICK_DEEP = 12, 64, 1000, 200
SIDE, REACH = 25, 2.0  # of the picture of a critic
BINS = 40
HELD = 4000


def clipped(c: float) -> Method:
    return critic_only(replace(methods.get("wgan"), constraints=(Clip(bound=c),)), RMSProp(5e-5), 3)


def penalised(weight: float, rate: float = 2e-3) -> Method:
    """The rate falls to 0, so that the critic comes to rest at its optimum."""
    method = replace(methods.get("wgan-gp"), terms=(GradientPenalty(weight=weight),))
    return critic_only(method, Adam(Linear(rate, 0.0), (0.5, 0.9)), 3)


def near(data: Density, seed: int) -> NearRows:
    """The data plus N(0, I)."""
    return NearRows(data.draw(20_000, generator("cpu", "near", seed)))


def pair(data: Density, seed: int, clip: float | None = None) -> Mapping[str, nn.Module]:
    """A critic that is to be clipped starts within ±c/2, so that no weight is at ±c before it is trained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = MLP(width=128, depth=3, activation="leaky_relu").build((2,), 3)["discriminator"]
    if clip is not None:
        with torch.no_grad():
            for parameter in critic.parameters():
                parameter.mul_(clip / 2 / parameter.abs().max())
    return {"generator": near(data, seed), "discriminator": critic}


def deep(data: Density, seed: int) -> Mapping[str, nn.Module]:
    """A critic of 12 hidden layers that starts as He et al. 2015 have it."""
    critic = MLP(width=DEEP_WIDTH, depth=DEEP, activation="leaky_relu").build((2,), 3)["discriminator"]
    source = generator("cpu", "deep", seed)
    for layer in critic.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="leaky_relu", a=0.2, generator=source)
            nn.init.zeros_(layer.bias)
    return {"generator": near(data, seed), "discriminator": critic}


def sides(moment: Moment, data: Density, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Held-out data, draws of the fixed generator, points between them: each [n, 2]."""
    real, fake = data.held_out(HELD)["real"], moment.sample(HELD)
    mix = torch.rand(HELD, 1, generator=generator("cpu", "between", seed))
    return real, fake, torch.lerp(fake, real, mix)


def normalised(critic: nn.Module, real: Tensor, fake: Tensor, between: Tensor) -> float:
    """(E_P s − E_Q s)/Lip(s) on held-out points, Lip the largest slope among them: at most W₁."""
    steepest = float(Slope(critic)(torch.cat([real, fake, between])).max())
    return float(critic(real).mean() - critic(fake).mean()) / steepest


def within(critic: nn.Module, data: Density) -> float:
    """The deviation of s inside modes over that of the modes' means."""
    rows = data.held_out(HELD)
    values, mode = critic(rows["real"]), rows["label"]
    by_mode = [values[mode == k] for k in mode.unique()]
    means = torch.stack([v.mean() for v in by_mode])
    return float(torch.stack([v.std() for v in by_mode]).mean() / means.std())


def picture(critic: nn.Module) -> list[float]:
    """s on a square lattice, less its mean and over its deviation."""
    line = torch.linspace(-REACH, REACH, SIDE)
    values = critic(torch.cartesian_prod(line, line))
    return [float(v) for v in (values - values.mean()) / values.std()]


def histogram(vector: Tensor, bound: float) -> list[float]:
    """Shares of the weights in 40 bins over ±bound, in percent."""
    counts = torch.histc(vector.clamp(-bound, bound), BINS, -bound, bound)
    return [float(c) for c in 100 * counts / len(vector)]


def by_layer(critic: nn.Module, real: Tensor, fake: Tensor) -> list[float]:
    """‖∂L/∂h‖ of the critic's loss with respect to each hidden layer's output, first to last."""
    at = torch.cat([real, fake])
    seen: list[Tensor] = []
    for layer in critic.double().children():
        at = layer(at.double())
        if isinstance(layer, nn.LeakyReLU):
            at = at.detach().requires_grad_() if not seen else at
            seen.append(at)
    loss = at[len(real) :].mean() - at[: len(real)].mean()
    return [float(g.norm()) for g in torch.autograd.grad(loss, seen)]


def critics(seed: int, quick: bool) -> Measured:
    """Clipped against penalised; a quick run takes the ring alone."""
    steps = QUICK_STEPS if quick else STEPS
    numbers: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    for name in ("ring",) if quick else DATA:
        data = DATA[name]
        value: dict[str, float] = {}
        for kind, method, networks in (
            ("clipped", clipped(CLIP), pair(data, seed, CLIP)),
            ("penalised", penalised(TOY), pair(data, seed)),
            ("penalised by 10", penalised(10.0), pair(data, seed)),
        ):
            end = last(play(method, data, networks, steps, seed, ROWS))
            critic, state = end.module("discriminator"), end.state.players
            value[kind] = normalised(critic, *sides(end, data, seed))
            numbers[f"normalised estimate, {kind}, {name}"] = value[kind]
            numbers[f"share of weights at ±c, {kind}, {name}"] = clipped_share(
                end.game, "discriminator", state, CLIP
            )
            series[f"{kind}, {name}"] = picture(critic)
            series[f"weights, {kind}, {name}"] = histogram(
                state["discriminator"], CLIP if kind == "clipped" else 0.5
            )
            if data.centres is not None:
                numbers[f"deviation inside over across modes, {kind}, {name}"] = within(critic, data)
        real, fake, _ = sides(end, data, seed)
        farthest = earth_mover(real=real[:1500], fake=fake[:1500]).value
        numbers[f"W₁, {name}"] = farthest
        numbers[f"penalised over clipped, {name}"] = value["penalised"] / value["clipped"]
        numbers[f"penalised by 10 over clipped, {name}"] = value["penalised by 10"] / value["clipped"]
        numbers[f"W₁ over clipped, {name}"] = farthest / value["clipped"]
    return Measured(numbers, series)


def slopes(seed: int, quick: bool) -> Measured:
    """Mean slope between data and draws, over 1 + W₁/2λ, the optimum of the penalised problem on straight transport."""
    numbers: dict[str, float] = {}
    data = DATA["ring"]
    for weight in WEIGHTS[:1] if quick else WEIGHTS:
        end = last(
            play(penalised(weight), data, pair(data, seed), QUICK_STEPS if quick else STEPS, seed, ROWS)
        )
        real, fake, between = sides(end, data, seed)
        distance = earth_mover(real=real[:1500], fake=fake[:1500]).value
        expected = 1 + distance / (2 * weight)
        found = float(Slope(end.module("discriminator"))(between).mean())
        numbers[f"mean slope, λ = {weight:g}"] = found
        numbers[f"1 + W₁/2λ, λ = {weight:g}"] = expected
        numbers[f"slope over the predicted, λ = {weight:g}"] = found / expected
    return Measured(numbers)


def layers(seed: int, quick: bool) -> Measured:
    """Gradients by layer of a deep critic on the swiss roll."""
    data, steps = DATA["swiss roll"], QUICK_DEEP if quick else DEEP_STEPS
    tried = {f"c = {c:g}": clipped(c) for c in (CLIPS[:1] if quick else CLIPS)}
    numbers: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    for name, method in {**tried, "penalised": penalised(TOY, 1e-4)}.items():
        end = last(play(method, data, deep(data, seed), steps, seed, ROWS))
        real, fake, _ = sides(end, data, seed)
        found = by_layer(end.module("discriminator"), real[:ROWS], fake[:ROWS])
        numbers[f"largest over least gradient of a layer, {name}"] = max(found) / max(min(found), 1e-300)
        series[f"gradient by layer, {name}"] = found
    return Measured(numbers, series)


def draw(figure: Figure, results: Results) -> None:
    import numpy as np

    grid = figure.subplots(2, 4)
    line = np.linspace(-REACH, REACH, SIDE)
    for row, kind in enumerate(("clipped", "penalised")):
        for axes, (name, data) in zip(grid[row], DATA.items(), strict=False):
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(f"{kind}, {name}", fontsize=8)
            found = results.curves(f"{kind}, {name}")
            if found:
                values = np.array(found[0]).reshape(SIDE, SIDE).T
                axes.contour(line, line, values, levels=12, linewidths=0.7)
                rows = data.held_out(400)["real"]
                axes.plot(rows[:, 0], rows[:, 1], ".", ms=1, color="C1")
                axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    for kind, bound, colour in (("clipped", 1.0, "C0"), ("penalised", 0.5 / CLIP, "C1")):
        edges = np.linspace(-bound, bound, BINS + 1)
        for curve in results.curves(f"weights, {kind}, ring")[:1]:
            grid[0, 3].stairs(curve, edges, color=colour, label=kind)
    grid[0, 3].set(xscale="symlog", yscale="log", ylim=(0.05, 100))
    grid[0, 3].set_xlabel("weight, in units of c = .01", fontsize=7)
    grid[0, 3].set_ylabel("% of weights", fontsize=7)
    for name in (*(f"c = {c:g}" for c in CLIPS), "penalised"):
        curves = results.curves(f"gradient by layer, {name}")
        band(grid[1, 3], range(1, DEEP + 1), curves, name)
    grid[1, 3].set(yscale="log")
    grid[1, 3].set_xlabel("hidden layer", fontsize=7)
    grid[1, 3].set_ylabel("norm of ∂L/∂h", fontsize=7)
    for axes in grid[:, 3]:
        axes.tick_params(labelsize=6)
        axes.legend(fontsize=5)


PREDICTED = {f"slope over the predicted, λ = {w:g}": Range(0.9, 1.1) for w in WEIGHTS}
SPREAD = "largest over least gradient of a layer"
EXPERIMENT = Experiment(
    id="E11",
    name="critics",
    title="Clipped and penalised critics of a fixed generator",
    question="Samples are the data plus N(0, I) and stay so. What does a critic learn by clipping, what by a "
    "gradient penalty?",
    protocol="Ring, grid of 25 and swiss roll at the scales of Gulrajani et al.; critics with 3 hidden "
    "layers of 128 leaky units, 2,000 moves of batch 256: clipping to .01 with RMSProp 5e-5, weights begun "
    "within ±c/2; penalty of λ = .1 (also 10, and 1 on the ring) with Adam, 2e-3 falling to 0. Numbers on "
    "4,000 held-out rows, W₁ exact on 1,500. Gradients by layer: 12 hidden layers of 64 units (initialised "
    "after He et al.), swiss roll, 1,000 moves, c of .001, .01 and .1 against λ = .1 (Adam, 1e-4 falling to "
    "0). A quick run: the ring, 1,000 moves, λ = .1, c = .001, 200 moves of deep critics.",
    source="Gulrajani et al. 2017, Improved Training of Wasserstein GANs, figures 1 and 2",
    parts=(
        Part("critics", critics, minutes=1.5),
        Part("slopes", slopes, minutes=0.6),
        Part("layers", layers, minutes=0.4),
    ),
    rows=(
        *(
            Row(
                f"share of weights within 5 % of ±.01, {kind}, {name}",
                f"share of weights at ±c, {kind}, {name}",
                said,
                "M",
            )
            for kind, said in (("clipped", "most pile up at ±c"), ("penalised", "bell-shaped"))
            for name in DATA
        ),
        *(
            Row(
                f"mean slope between data and samples, λ = {w:g}",
                f"mean slope, λ = {w:g}",
                exact=f"1 + W₁/2λ, λ = {w:g}",
            )
            for w in WEIGHTS
        ),
        *(
            Row(f"(E_P s − E_Q s)/Lip, {kind}, {name}", f"normalised estimate, {kind}, {name}")
            for kind in ("clipped", "penalised", "penalised by 10")
            for name in DATA
        ),
        *(
            Row(f"W₁ over the clipped (E_P s − E_Q s)/Lip, {name}", f"W₁ over clipped, {name}")
            for name in DATA
        ),
        *(Row(f"W₁ of 1,500 rows, {name}: no (E_P s − E_Q s)/Lip is larger", f"W₁, {name}") for name in DATA),
        *(
            Row(
                f"deviation of s inside over across modes, {kind}, {name}",
                f"deviation inside over across modes, {kind}, {name}",
            )
            for kind in ("clipped", "penalised")
            for name in ("ring", "grid")
        ),
        *(
            Row(f"{SPREAD}, {name}", f"{SPREAD}, {name}", said, "M")
            for name, said in (
                ("c = 0.001", "vanishes"),
                ("c = 0.01", "vanishes"),
                ("c = 0.1", "explodes"),
                ("penalised", "flat"),
            )
        ),
    ),
    accept=(
        EachSeed(
            "on the ring at least 60 % of clipped weights are within 5 % of ±c, of penalised ones at most 5 %",
            {
                "share of weights at ±c, clipped, ring": at_least(0.6),
                "share of weights at ±c, penalised, ring": at_most(0.05),
            },
        ),
        EachSeed(
            "the same on the grid and the swiss roll",
            {
                f"share of weights at ±c, {kind}, {name}": wanted
                for kind, wanted in (("clipped", at_least(0.6)), ("penalised", at_most(0.05)))
                for name in ("grid", "swiss roll")
            },
            quick=False,
        ),
        EachSeed("mean slope within 10 % of 1 + W₁/2λ, λ = .1", {k: PREDICTED[k] for k in [*PREDICTED][:1]}),
        EachSeed(
            "mean slope within 10 % of 1 + W₁/2λ, λ = 1 and 10",
            {k: PREDICTED[k] for k in [*PREDICTED][1:]},
            quick=False,
        ),
        EachSeed(
            "on the ring penalised critics separate better than the clipped one: (E_P s − E_Q s)/Lip is larger",
            {f"{kind} over clipped, ring": at_least(1 + 1e-9) for kind in ("penalised", "penalised by 10")},
        ),
        EachSeed(
            "with λ = 10 on the grid and the swiss roll, too",
            {f"penalised by 10 over clipped, {name}": at_least(1 + 1e-9) for name in ("grid", "swiss roll")},
            quick=False,
        ),
        EachSeed(
            "with λ = .1 it is at least twice as large",
            {f"penalised over clipped, {name}": at_least(2.0) for name in DATA},
            quick=False,
        ),
        EachSeed(
            "gradients of the layers of a deep critic differ by more than 1,000 times with c = .001",
            {f"{SPREAD}, c = 0.001": at_least(1e3)},
        ),
        EachSeed("and by less than 10 times with the penalty", {f"{SPREAD}, penalised": at_most(10)}),
    ),
    draw=draw,
    differs="Width 128 (deep: 64), 2,000 moves; leaky units, and clipped weights begin within ±c/2: with the "
    "usual start the first move clips most weights, and ReLU units die. The penalised critic's rate is "
    "larger and falls, since the optimum is what is compared. Twice the clipped (E_P s − E_Q s)/Lip is out "
    "of reach: no function exceeds W₁, which is 1.5 to 1.8 times the clipped one's (ReLU units and the usual "
    "start: 1.5 to 2.2 times). With λ = .1 the steepest point is much steeper than the mean, so that on the "
    "grid and the swiss roll it is even smaller than the clipped one's (.84 and .92 of it, one seed).",
)
