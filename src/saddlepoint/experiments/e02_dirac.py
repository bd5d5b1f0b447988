"""E02: who converges on the Dirac-GAN."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from saddlepoint.dynamics import Alternating, Consensus, Dynamics, Simultaneous
from saddlepoint.experiments.accept import EachSeed, Range, at_least, at_most
from saddlepoint.experiments.dirac_methods import CASES, Case, field_jacobian, game, jacobian_error
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.games import convergence, orbit
from saddlepoint.optim import SGD, Optimizer
from saddlepoint.theory import dirac

if TYPE_CHECKING:
    from matplotlib.figure import Figure

START, H, STEPS = (1.0, 1.0), 0.2, 500
FAR = (20.0, 0.0)
TURNS = {"simultaneous": 0, "alternating 1:1": 1, "alternating 1:5": 5}
NEAR = 1e-4  # below this distance only the order of magnitude is compared
ROUNDING = 1e-15  # of a mean over rows of size 1: distances below it are left to chance
NEVER = ("WGAN", "WGAN-GP", "DRAGAN")
ALWAYS = ("instance noise", "R1 of .3", "R1 of 1", "R2 of .3", "Roth", "Nagarajan–Kolter")
KINDS = ("converges", "sub-linear", "cycles", "diverges")


def rules(case: Case) -> dict[str, tuple[int, Dynamics]]:
    """By name, with the turns of `theory.dirac.play`. Consensus moves both players together."""
    rates: dict[str, Optimizer] = {"generator": SGD(H), "discriminator": SGD(H)}
    if case.consensus:
        return {"simultaneous": (0, Consensus(rates, gamma=case.consensus))}
    return {
        name: (n, Alternating(rates, {"generator": 1, "discriminator": n}) if n else Simultaneous(rates))
        for name, n in TURNS.items()
    }


def measure(seed: int, quick: bool) -> Measured:
    """Orbits by the package and by the recursion of hand-derived slopes; there is nothing to make quick."""
    numbers: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    relative, factor = [0.0], [1.0]
    for name, case in CASES.items():
        for rule, (turns, dynamics) in rules(case).items():
            path = orbit(game(case, START), dynamics, STEPS)
            exact = math.hypot(*dirac.play(case.slopes, turns, H, STEPS, START, case.bound)[-1])
            found = float(path[-1].norm())
            numbers[f"{name}, {rule}"] = found
            numbers[f"{name}, {rule} (recursion)"] = exact
            numbers[f"{name}, {rule}: class"] = KINDS.index(convergence(path).kind)
            if exact >= NEAR:
                relative.append(abs(found / exact - 1))
            else:
                ratio = (found + ROUNDING) / (exact + ROUNDING)
                factor.append(max(ratio, 1 / ratio))
            series[f"{name}, {rule}"] = path.norm(dim=1).clamp(min=1e-12).tolist()
            if rule != "alternating 1:5":
                series |= {f"{name}, {rule} θ": path[:, 0].tolist(), f"{name}, {rule} ψ": path[:, 1].tolist()}
    numbers["relative difference of final norms"] = max(relative)
    numbers["factor between final norms below .0001"] = max(factor)
    numbers |= spectra(series)
    away = orbit(game(CASES["consensus"], FAR), rules(CASES["consensus"])["simultaneous"][1], STEPS)
    numbers["consensus from (20, 0)"] = float(away[-1].norm())
    return Measured(numbers, series)


def spectra(series: dict[str, list[float]]) -> dict[str, float]:
    """The eigenvalues of −J go to `series`; the least and largest real part, and how far J is from its closed form."""
    numbers = {"error of the Jacobian": jacobian_error()}
    for name, case in CASES.items():
        if case.jacobian is None:
            continue
        found = torch.linalg.eigvals(-field_jacobian(case))
        series[f"{name} Re λ"], series[f"{name} Im λ"] = found.real.tolist(), found.imag.tolist()
        numbers[f"{name}: Re λ"] = float(found.real.max()) + 0.0
        by_hand = np.linalg.eigvals(-np.array(case.jacobian))
        numbers[f"{name}: Re λ (closed form)"] = float(by_hand.real.max()) + 0.0
    return numbers


def draw(figure: Figure, results: Results) -> None:
    left, middle, right = figure.subplots(1, 3)
    for name, rule in SHOWN.items():
        [norm], [x], [y] = (results.curves(f"{name}, {rule}{what}") for what in ("", " θ", " ψ"))
        (line,) = left.plot(norm, lw=1, label=name)
        middle.plot(x[:120], y[:120], lw=0.8, color=line.get_color())
    left.set(xlabel="step", ylabel="distance from the equilibrium", yscale="log", ylim=(1e-8, 6))
    left.legend(fontsize=6, loc="lower left")
    middle.plot(0, 0, "k+")
    middle.set(xlabel="θ", ylabel="ψ")
    middle.set_title("first 120 steps", fontsize=9)
    middle.set_aspect("equal", adjustable="datalim")
    for index, (name, case) in enumerate(CASES.items()):
        if case.jacobian is not None:
            [real], [imaginary] = (results.curves(f"{name} {part} λ") for part in ("Re", "Im"))
            right.scatter(real, imaginary, s=26, marker="osD^v<>Pp*hX"[index], alpha=0.7, label=name)
    right.axvline(0, color="0.6", lw=0.8)
    right.set(xlabel="Re λ", ylabel="Im λ", xlim=(-1.2, 0.1))
    right.set_title("eigenvalues of −J at 0", fontsize=9)
    right.legend(fontsize=6, loc="upper left")


SHOWN = dict.fromkeys(("GAN", "NS-GAN", "WGAN", "WGAN-GP", "instance noise", "R1 of .3"), "alternating 1:1")
SHOWN |= {"consensus": "simultaneous"}
COMBINATIONS = tuple((name, rule) for name, case in CASES.items() for rule in rules(case))
CONVERGES, SUBLINEAR, CYCLES, DIVERGES = (Range(k, k) for k in range(4))
PAPER = {
    "GAN": "local convergence: absolutely continuous data yes, in general no",
    "WGAN": "no / no",
    "WGAN-GP": "no / no",
    "DRAGAN": "yes / no",
    "instance noise": "yes / yes",
    "consensus": "yes / yes",
    "Roth": "yes / yes",
    "R1 of .3": "yes / yes",
    "R2 of .3": "yes / yes",
}
EXPERIMENT = Experiment(
    id="E02",
    name="dirac",
    title="Who converges on the Dirac-GAN",
    question="Data in one point, a generator that makes one point, a linear discriminator: which methods converge?",
    protocol="P = δ₀, Q = δ_θ, s = ψx; start (1, 1), rate .2, 500 steps, double precision; simultaneous "
    "steps, and alternating ones in which the generator moves first and the discriminator then once or five "
    "times. WGAN clipped to 1 after every move; WGAN-GP and DRAGAN .35(|ψ| − 1)²; noise of .7, by its "
    "three-point Gauss–Hermite rule; R1 of γ = .3 and 1, R2 and Roth of .3; Nagarajan–Kolter of η = .5 on "
    "the minimax game; consensus of γ = 1, simultaneous alone. Classes by least-squares slopes of the "
    "log-norm over the last 250 steps: converges 0, sub-linear 1, cycles 2, diverges 3.",
    source="Mescheder, Geiger & Nowozin 2018, Which Training Methods for GANs do actually Converge?",
    parts=(Part("orbits", measure, drawn=False, minutes=0.3),),
    rows=(
        *(
            Row(f"final distance: {name}, {rule}", f"{name}, {rule}", exact=f"{name}, {rule} (recursion)")
            for name, rule in COMBINATIONS
        ),
        *(
            Row(f"class, 0 to 3: {name}, {rule}", f"{name}, {rule}: class", PAPER.get(name, ""), "M")
            if name in PAPER
            else Row(f"class, 0 to 3: {name}, {rule}", f"{name}, {rule}: class")
            for name, rule in COMBINATIONS
            if rule in ("alternating 1:1", *(["simultaneous"] if name == "consensus" else []))
        ),
        *(
            Row(f"largest Re λ: {name}", f"{name}: Re λ", exact=f"{name}: Re λ (closed form)")
            for name, case in CASES.items()
            if case.jacobian is not None
        ),
        Row("distance after 500 steps of consensus from (20, 0)", "consensus from (20, 0)"),
    ),
    accept=(
        EachSeed(
            "the Jacobian at 0 by differentiation equals the closed form to 1e-9 (WGAN-GP and DRAGAN have none)",
            {"error of the Jacobian": at_most(1e-9)},
        ),
        EachSeed(
            "final norms equal an independent recursion within 2 %, those below .0001 within a factor of 10",
            {
                "relative difference of final norms": at_most(0.02),
                "factor between final norms below .0001": at_most(10),
            },
        ),
        EachSeed(
            "the unregularised GAN cycles under every rule",
            {f"GAN, {rule}: class": CYCLES for rule in TURNS},
        ),
        EachSeed(
            "the non-saturating GAN decays sub-linearly where players alternate, and cycles where they move together",
            {
                "NS-GAN, simultaneous: class": CYCLES,
                "NS-GAN, alternating 1:1: class": SUBLINEAR,
                "NS-GAN, alternating 1:5: class": SUBLINEAR,
            },
        ),
        EachSeed(
            "WGAN, WGAN-GP and DRAGAN do not converge under any rule",
            {f"{name}, {rule}: class": CYCLES for name in NEVER for rule in TURNS},
        ),
        EachSeed(
            "instance noise, R1, R2, Roth's and Nagarajan and Kolter's terms converge under every rule",
            {f"{name}, {rule}: class": CONVERGES for name in ALWAYS for rule in TURNS},
        ),
        EachSeed(
            "consensus converges from (1, 1), only locally: from (20, 0) it is farther than 1 away after 500 steps",
            {"consensus, simultaneous: class": CONVERGES, "consensus from (20, 0)": at_least(1.0)},
        ),
    ),
    draw=draw,
    differs="The paper's table is of eigenvalues, with and without absolutely continuous data; the classes "
    "here are of orbits. That consensus converges only locally shows at this rate (.2): at a rate of .02 it "
    "converged from (20, 0) and (30, 0), too.",
)
