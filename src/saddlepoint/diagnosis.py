"""What can be found out about a run afterwards, when time is no matter: `saddlepoint diagnose RUN`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from saddlepoint.batches import Batches
from saddlepoint.constraints import Clip
from saddlepoint.diagnostics import (
    clipped_share,
    draw_plane,
    draw_spectrum,
    field_spectrum,
    gradient_health,
    lipschitz,
    local_gain,
    local_nash,
    plane,
)
from saddlepoint.diagnostics.signs import Finding, findings
from saddlepoint.diagnostics.vitals import Vitals, seen
from saddlepoint.errors import InputError
from saddlepoint.forward import joined
from saddlepoint.game import Batch
from saddlepoint.images import grid, png
from saddlepoint.sampling import latents
from saddlepoint.state import State
from saddlepoint.trained import Run

BATCHES = 8
EIGENVALUES = 8
LARGEST = 5_000_000  # numbers above which no spectrum is looked for
POINTS = 60  # of data and of samples, at most, at which the slope of the discriminator is taken
STEPS = 50  # of a player that descends alone
ROWS = 8  # samples beside their nearest training images
NEIGHBOURS = 5
POOL = 20_000  # training images among which neighbours are sought

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Diagnosis:
    """`measured`: numbers by name, grouped; `left_out`: a sentence for each thing that could not be measured."""

    step: int
    findings: tuple[Finding, ...]
    measured: Mapping[str, Mapping[str, float | str | None]]
    left_out: tuple[str, ...]
    pictures: Mapping[str, tuple[bytes, dict[str, Any]]]  # a PNG, and what it shows

    def to_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "findings": [finding.to_json() for finding in self.findings],
            "measured": {group: dict(rows) for group, rows in self.measured.items()},
            "left_out": list(self.left_out),
        }


def diagnose(run: Run, tell: Tell = lambda text: None) -> Diagnosis:
    """The run at its last checkpoint: findings of the looks that it took, a fresh look at other rows, gradients over eight
    batches, bounds of the discriminator's slope, what a player gains by moving alone, the curvature of its own loss,
    leading eigenvalues of the field, at earlier checkpoints too; pictures of the plane or of the nearest training images."""
    measured: dict[str, Mapping[str, float | str | None]] = {}
    pictures: dict[str, tuple[bytes, dict[str, Any]]] = {}
    left_out: list[str] = []
    looks = run.folder.rows(run.folder.health)
    for name, measure in _measures(run):
        tell(name)
        try:
            found, drawn = measure()
        except InputError as error:
            left_out.append(f"{name}: {error}")
            continue
        measured[name] = found
        pictures |= drawn
    return Diagnosis(run.state.clock["step"], tuple(findings(looks)), measured, tuple(left_out), pictures)


Found = tuple[dict[str, Any], dict[str, tuple[bytes, dict[str, Any]]]]


def _measures(run: Run) -> Iterator[tuple[str, Callable[[], Found]]]:
    yield "a fresh look", partial(_look, run)
    yield "gradients", partial(_gradients, run)
    if "discriminator" in run.game.networks:
        yield "slope of the discriminator", partial(_slope, run)
    if any(isinstance(c, Clip) for c in run.method.constraints):
        yield "clipped weights", partial(_clipped, run)
    yield "moves alone", partial(_alone, run)
    yield "local equilibrium", partial(_equilibrium, run)
    yield "spectrum", partial(_spectrum, run)
    if run.plan.data.shape == (2,):
        yield "plane", partial(_plane, run)
    if len(run.plan.data.shape) == 3:
        yield "nearest training images", partial(_nearest, run)


def _batches(run: Run, count: int) -> list[Batch]:
    """Batches of the steps that would come next."""
    source = Batches(run.game, run.data, run.plan.settings.seed, run.plan.rows, torch.device("cpu"))
    clock = run.state.clock
    return [
        source.whole({**clock, "step": clock["step"] + k, "rows": clock["rows"] + k * run.plan.rows}, 1.0)
        for k in range(count)
    ]


def _look(run: Run) -> Found:
    vitals = Vitals(run.game, run.data, run.plan.settings.seed + 1)
    if not vitals.possible:
        raise InputError(f"{run.data.name} holds out too few rows to compare with")
    players, memory = run.state.players, run.state.memory
    gradients = run.game.gradients(run.game.players, players, memory, _batches(run, 1)[0])[0]
    found = vitals(players, memory, gradients)
    return {name: value for name, value in found.items() if not isinstance(value, (list, bool))}, {}


def _gradients(run: Run) -> Found:
    found = gradient_health(run.game, run.state.players, run.state.memory, _batches(run, BATCHES))
    rows: dict[str, Any] = {}
    for player, gradient in found.players.items():
        rows[f"norm, {player}"] = gradient.norm
        rows[f"noise over signal, {player}"] = gradient.variance
        rows[f"cosine between batches, {player}"] = gradient.cosine
        largest = max(gradient.parameters, key=lambda name: gradient.parameters[name])
        rows[f"most of it in, {player}"] = largest
    if found.confidence:
        rows["separation"] = found.confidence.separation
        rows["D of reals"], rows["D of fakes"] = found.confidence.real, found.confidence.fake
    return rows, {}


def _slope(run: Run) -> Found:
    players, memory = run.state.players, run.state.memory
    rows = run.data.training(POINTS - POINTS % run.method.pack)
    noise = latents(run.method, len(rows["real"]), run.plan.settings.seed, "sample")
    forward = run.game.bound().evaluation(players, memory, {**rows, **noise})
    points = joined([forward["real_point"], forward["fake_point"]])
    condition = tuple(joined([told, told]) for told in forward["condition"])
    found = lipschitz(run.game, "discriminator", players, memory, points, condition)
    unknown = {"layers without a known constant": ", ".join(found.unknown)} if found.unknown else {}
    return {
        "at most": found.upper,
        **unknown,
        "largest gradient at points": found.gradient,
        "largest slope between points": found.slope,
    }, {}


def _clipped(run: Run) -> Found:
    clips = [c for c in run.method.constraints if isinstance(c, Clip)]
    return {
        f"share of weights within 5 % of ±{clip.bound:g}, {clip.player}": clipped_share(
            run.game, clip.player, run.state.players, clip.bound
        )
        for clip in clips
    }, {}


def _alone(run: Run) -> Found:
    batch, state = _batches(run, 1)[0], run.state
    return {
        f"loss that {player} sheds in {STEPS} steps alone": local_gain(
            run.game, player, state.players, state.memory, batch, steps=STEPS
        )
        for player in run.game.players
    }, {}


def _equilibrium(run: Run) -> Found:
    _small(run)
    nash = local_nash(run.game, run.state.players, run.state.memory, _batches(run, 1)[0])
    rows: dict[str, Any] = {"verdict": nash.verdict}
    for player, own in nash.players.items():
        rows[f"smallest eigenvalue of its own Hessian, {player}"] = own.curvature
    return rows, {}


def _states(run: Run) -> list[State]:
    """The state of the run after those of the earlier checkpoints that its folder keeps, of the same game: of no stage
    before it."""
    phases = (*(stage.method for stage in run.method.before), run.method)
    kept = [run.folder.load(path, torch.device("cpu")) for path in run.folder.saved()]
    now = run.state.clock["step"]
    same = [state for state, extra in kept if phases[extra["phase"]] == run.game.method]
    return [*(state for state in same if state.clock["step"] < now), run.state]


def _spectrum(run: Run) -> Found:
    """Every state on the same batch, so that what differs is the state."""
    _small(run)
    batch = _batches(run, 1)[0]
    spectra = [
        (state.clock["step"], field_spectrum(run.game, state.players, state.memory, batch, count=EIGENVALUES))
        for state in _states(run)
    ]
    *before, (_, found) = spectra
    first = found.values[0]
    rows = {
        **{f"verdict at step {at:,}": spectrum.verdict for at, spectrum in before},
        **{f"largest real part at step {at:,}": float(spectrum.values[0].real) for at, spectrum in before},
        "verdict": found.verdict,
        "largest real part": float(first.real),
        "its imaginary part": abs(float(first.imag)),
    }
    told = {
        "title": "Leading eigenvalues of the field",
        "note": f"Eigenvalues of −J with the largest real parts, of one batch at step "
        f"{', '.join(f'{at:,}' for at, _ in spectra)}; those right of 0 grow.",
        "rows": [],
    }
    return rows, {"spectrum": (_drawn(lambda axes: draw_spectrum(axes, spectra if before else found)), told)}


def _small(run: Run) -> None:
    numbers = sum(vector.numel() for vector in run.state.players.values())
    if numbers > LARGEST:
        raise InputError(f"the players have {numbers:,} numbers, and this is done up to {LARGEST:,}")


def _plane(run: Run) -> Found:
    found = plane(run.model(), run.data.held_out(500)["real"])
    told = {
        "title": "The plane of the data",
        "note": f"At step {run.state.clock['step']:,}: scores of the discriminator (higher: more real), the directions in "
        "which they rise, the grid of latents under the generator, samples and held-out rows.",
        "rows": [],
    }
    return {}, {"plane": (_drawn(lambda axes: draw_plane(axes, found), (6.5, 6)), told)}


def _nearest(run: Run) -> Found:
    """Samples, each followed by the training images nearest to it, compared at 16 × 16 pixels at most."""
    made = run.sample(ROWS, run.plan.settings.seed)
    pool = run.data.training(POOL)["real"]
    fresh = run.data.held_out(200)["real"]
    between = torch.cdist(seen(made), seen(pool))
    nearest = between.topk(min(NEIGHBOURS, len(pool)), largest=False)
    usual = torch.cdist(seen(fresh), seen(pool)).amin(1)
    share = float(nearest.values[:, 0].median() / usual.median())
    sheet = torch.stack(
        [torch.cat([one[None], pool[index]]) for one, index in zip(made, nearest.indices, strict=True)]
    )
    told = {
        "title": "Samples and their nearest training images",
        "note": f"At step {run.state.clock['step']:,}. First in a row the sample, then the {nearest.indices.shape[1]} "
        f"nearest of {len(pool):,} training images, {share:.2f} as far as those of held-out images (medians): far below 1 "
        "tells of copies.",
        "rows": [],
    }
    picture = png(grid(sheet.flatten(0, 1), 1 + nearest.indices.shape[1]))
    return {"distance over that of held-out images": share}, {"nearest": (picture, told)}


def _drawn(draw: Callable[[Any], None], size: tuple[float, float] = (6, 4)) -> bytes:
    from matplotlib.figure import Figure

    figure, content = Figure(figsize=size, layout="constrained"), io.BytesIO()
    draw(figure.subplots())
    figure.savefig(content, format="png", dpi=120, metadata={"Software": None})
    return content.getvalue()
