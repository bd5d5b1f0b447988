"""E09: who reaches the equilibrium of min_x max_y xy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from torch import Tensor

from saddlepoint.dynamics import Alternating, Consensus, Dynamics, Extragradient, Simultaneous
from saddlepoint.experiments.accept import EachSeed, Range, at_most
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.game import Batch, Memory, Notes, Players
from saddlepoint.games import Bilinear, orbit
from saddlepoint.optim import SGD, Optimistic, Optimizer
from saddlepoint.penalties import HistoricalAveraging

if TYPE_CHECKING:
    from matplotlib.figure import Figure

START, H, STEPS, GAMMA = (2.0, 0.5), 0.1, 1000, 1.0
MARKS = (100, 1000)
DIGITS = 5e-5  # relative: four digits
Point = tuple[float, float]


@dataclass(frozen=True)
class Remembering(Bilinear):
    """xy, where each player also pays ‖θ − θ̄‖² for its distance from the mean of all that it has been, the present among
    them (Salimans et al. 2016, section 3.3)."""

    terms: tuple[HistoricalAveraging, ...] = field(
        default=(HistoricalAveraging("x"), HistoricalAveraging("y"))
    )

    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        players, _ = super().init(seed, reference)
        return players, {term.player: term.start(players) for term in self.terms}

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        made, notes = super().losses(who, players, memory, batch)
        far = {t.player: (players[t.player] - memory[t.player]["mean"]).square().sum() for t in self.terms}
        return {player: loss + far[player] for player, loss in made.items()}, notes

    def remember(self, who: tuple[str, ...], players: Players, memory: Memory, notes: Notes) -> Memory:
        moved = {t.player: t.remember(memory[t.player], {}, players) for t in self.terms if t.player in who}
        return {**memory, **moved}


def sgd() -> dict[str, Optimizer]:
    return {"x": SGD(H), "y": SGD(H)}


def dynamics() -> dict[str, tuple[Bilinear, Dynamics]]:
    optimistic: dict[str, Optimizer] = {player: Optimistic(SGD(H)) for player in "xy"}
    return {
        "simultaneous": (Bilinear(), Simultaneous(sgd())),
        "alternating": (Bilinear(), Alternating(sgd(), {"x": 1, "y": 1})),
        "extragradient": (Bilinear(), Extragradient(sgd())),
        "optimistic": (Bilinear(), Simultaneous(optimistic)),
        "consensus": (Bilinear(), Consensus(sgd(), gamma=GAMMA)),
        "historical averaging": (Remembering(), Simultaneous(sgd())),
    }


# -- the same in plain arithmetic, from the formulas ---------------------------------------------------


def simultaneous(x: float, y: float) -> Point:
    return x - H * y, y + H * x


def alternating(x: float, y: float) -> Point:
    x -= H * y
    return x, y + H * x


def extragradient(x: float, y: float) -> Point:
    a, b = simultaneous(x, y)
    return x - H * b, y + H * a


def consensus(x: float, y: float) -> Point:
    """∇½‖v‖² = (x, y)."""
    return x - H * (y + GAMMA * x), y + H * (x - GAMMA * y)


def repeated(rule: Callable[[float, float], Point]) -> Iterator[Point]:
    x, y = START
    while True:
        yield x, y
        x, y = rule(x, y)


def optimistic() -> Iterator[Point]:
    """x − 2ηg_t + ηg_{t−1} with g_{−1} = g_0."""
    (x, y), last = START, (START[1], -START[0])
    while True:
        yield x, y
        now = (y, -x)
        x, y = x - 2 * H * now[0] + H * last[0], y - 2 * H * now[1] + H * last[1]
        last = now


def historical() -> Iterator[Point]:
    (x, y), (a, b) = START, START
    for count in range(2, 10**9):
        yield x, y
        x, y = x - H * (y + 2 * (x - a)), y - H * (-x + 2 * (y - b))
        a, b = a + (x - a) / count, b + (y - b) / count


RECURSIONS: dict[str, Callable[[], Iterator[Point]]] = {
    "simultaneous": lambda: repeated(simultaneous),
    "alternating": lambda: repeated(alternating),
    "extragradient": lambda: repeated(extragradient),
    "optimistic": optimistic,
    "consensus": lambda: repeated(consensus),
    "historical averaging": historical,
}


def measure(seed: int, quick: bool) -> Measured:
    """Norms by the package, and by the recursions; there is nothing to make quick."""
    numbers: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    for name, (game, rule) in dynamics().items():
        path = orbit(game, rule, STEPS)
        exact = [math.hypot(*point) for point in islice(RECURSIONS[name](), STEPS + 1)]
        norms = path.norm(dim=1)
        for mark in MARKS:
            numbers[f"{name}, {mark}"] = float(norms[mark])
            numbers[f"{name}, {mark} (recursion)"] = exact[mark]
        numbers[f"{name}: largest relative difference"] = max(
            abs(float(n) / e - 1) for n, e in zip(norms, exact, strict=True)
        )
        numbers[f"{name}: distance after 1,000 steps over that after 100"] = float(norms[1000] / norms[100])
        series |= {f"{name} x": path[:201, 0].tolist(), f"{name} y": path[:201, 1].tolist()}
        series[f"{name} norm"] = norms[::10].tolist()
    radius = math.hypot(*START)
    numbers["growth of simultaneous steps"] = (numbers["simultaneous, 1000"] / radius) ** (1 / STEPS)
    numbers["factor of extragradient steps"] = (numbers["extragradient, 1000"] / radius) ** (1 / STEPS)
    return Measured(numbers, series)


def draw(figure: Figure, results: Results) -> None:
    left, right = figure.subplots(1, 2)
    for name in RECURSIONS:
        [x], [y], [norm] = (results.curves(f"{name} {what}") for what in ("x", "y", "norm"))
        left.plot(x, y, lw=0.9, label=name)
        right.plot([10 * k for k in range(len(norm))], norm, label=name)
    left.set(xlabel="x", ylabel="y", xlim=(-5, 5), ylim=(-5, 5), aspect="equal", title="first 200 steps")
    right.set(xlabel="step", ylabel="distance from the equilibrium", yscale="log", ylim=(1e-6, 1e3))
    right.legend(fontsize=7)


CONVERGING = ("extragradient", "optimistic", "consensus", "historical averaging")
EXPERIMENT = Experiment(
    id="E09",
    name="bilinear",
    title="The bilinear game under six dynamics",
    question="min over x, max over y of xy has its equilibrium at 0. Who gets there by following gradients?",
    protocol="Start (2, .5), rate .1, 1,000 steps in double precision; x moves first where players alternate; optimistic "
    "steps begin with the first gradient twice; the historical mean holds the present parameters and is a constant.",
    source="Gidel et al. 2019; Daskalakis et al. 2018; Mescheder et al. 2017; Salimans et al. 2016",
    parts=(Part("orbits", measure, drawn=False, minutes=0.1),),
    rows=(
        *(
            Row(
                f"distance after {mark} steps, {name}", f"{name}, {mark}", exact=f"{name}, {mark} (recursion)"
            )
            for name in RECURSIONS
            for mark in MARKS
        ),
        Row(
            "factor of a simultaneous step",
            "growth of simultaneous steps",
            "√(1 + η²)",
            exact=math.sqrt(1 + H * H),
        ),
        Row(
            "factor of an extragradient step",
            "factor of extragradient steps",
            "√((1 − η²)² + η²)",
            exact=math.sqrt((1 - H * H) ** 2 + H * H),
        ),
    ),
    accept=(
        EachSeed(
            "every norm along 1,000 steps equals an independent recursion to 4 digits",
            {f"{name}: largest relative difference": at_most(DIGITS) for name in RECURSIONS},
        ),
        EachSeed(
            "simultaneous steps leave by √(1 + η²) a step, extragradient steps shrink by √((1 − η²)² + η²)",
            {
                "growth of simultaneous steps": Range(
                    math.sqrt(1 + H * H) * (1 - 1e-9), math.sqrt(1 + H * H) * (1 + 1e-9)
                ),
                "factor of extragradient steps": Range(
                    math.sqrt((1 - H * H) ** 2 + H * H) * (1 - 1e-9),
                    math.sqrt((1 - H * H) ** 2 + H * H) * (1 + 1e-9),
                ),
            },
        ),
        EachSeed(
            "alternating steps stay bounded: the form x² + y² − ηxy is kept, so that the distance stays within "
            "√((1 + η/2)/(1 − η/2)) of the first",
            {
                "alternating, 1000": Range(
                    math.hypot(*START) / math.sqrt(1.05 / 0.95), math.hypot(*START) * math.sqrt(1.05 / 0.95)
                )
            },
        ),
        EachSeed(
            "extragradient, optimistic, consensus and historical averaging converge: nearer after 100 steps than at the "
            "start, and nearer by a tenth at least after 1,000 than after 100",
            {f"{name}, 100": at_most(math.hypot(*START)) for name in CONVERGING}
            | {
                f"{name}: distance after 1,000 steps over that after 100": at_most(0.9) for name in CONVERGING
            },
        ),
    ),
    draw=draw,
)
