"""The findings of the default looks, graded on runs whose condition is measured apart.

    python evidence/doctor.py --half tuning|held-out [--folder runs/doctor] [--seeds 2]

Each case of a half (a sickness in three strengths, or a healthy one; methods and data sets of the held-out half do not
occur in the tuning half) is trained, and its condition measured from samples, gradients and checkpoints that the looks
do not see: exact W₁ to held-out rows, cells of the data that are covered, the discriminator's scores of training and
held-out rows, the generator's mean gradient, the W₁ after four times as many steps. The label comes from these
(`condition`), not from what the case was meant to be. Runs stay in the folder, and what is measured of them beside
them: a second call only takes findings again.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from saddlepoint import Budget, Settings, methods, train
from saddlepoint.batches import Batches
from saddlepoint.data import Data, load
from saddlepoint.data.derived import Derived
from saddlepoint.data.stream import BLOCK, cut
from saddlepoint.diagnostics.signs import findings
from saddlepoint.dynamics import Alternating
from saddlepoint.forward import record
from saddlepoint.method import Method
from saddlepoint.metrics.tournament import fooling_rate
from saddlepoint.metrics.transport import earth_mover
from saddlepoint.networks import MLP
from saddlepoint.optim import Adam
from saddlepoint.penalties.base import per_point
from saddlepoint.plan import environment
from saddlepoint.random import generator
from saddlepoint.run import Folder
from saddlepoint.sampling import latents, samples
from saddlepoint.trained import Run
from saddlepoint.training import TrainingFailed

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from tables import insert  # noqa: E402 (beside this file)

RESULT = HERE / "results" / "doctor.json"
PAGE = HERE.parent / "docs" / "health.md"
CELLS = 16
ROWS = 600
LONGER, LEAST = 4, 8000  # a larger budget: so many times the steps, and so many at least
CONDITIONS = (
    "healthy",
    "exploding",
    "memorising",
    "overfitted discriminator",
    "vanishing gradient",
    "collapsed",
    "rotating",
    "under-trained",
)


@dataclass(frozen=True, eq=False)
class Few(Derived):
    """The first `count` training rows of `base`, drawn with replacement; its held-out rows."""

    count: int

    @property
    def size(self) -> int:
        return self.count

    @property
    def identity(self) -> str:
        return f"{self.base.identity} first {self.count}"

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        rows = self.base.training(self.count, 0)
        return {name: tensor[:count] for name, tensor in rows.items()}

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        def block(number: int) -> Tensor:
            return torch.randint(self.count, (BLOCK,), generator=generator("cpu", "few", seed, number))

        index = cut(block, BLOCK, start, count)
        return {name: tensor[index] for name, tensor in self.training().items()}


@dataclass(frozen=True)
class Case:
    """One training. `meant`: what it was made for; `rows`: training rows, None for all."""

    meant: str
    strength: int
    method: str
    data: str
    steps: int
    rate: float = 1e-3
    rate_d: float | None = None
    d_steps: int | None = None
    beta: float = 0.5
    width: int = 64
    rows: int | None = None
    bare: bool = False  # without penalties and constraints

    def value(self) -> Method:
        method = methods.get(self.method)
        steps = {"generator": 1, "discriminator": self.d_steps or 1}
        if self.d_steps is None and isinstance(method.dynamics, Alternating):
            steps = method.dynamics.steps
        adam = {
            "generator": Adam(self.rate, (self.beta, 0.999)),
            "discriminator": Adam(self.rate_d or self.rate, (self.beta, 0.999)),
        }
        changed = replace(method, dynamics=Alternating(adam, steps))
        return replace(changed, terms=(), constraints=()) if self.bare else changed

    def source(self) -> Data:
        size = (14, 14) if "mnist" in self.data else None
        data = load(self.data, size=size) if size else load(self.data)
        return Few(data, self.rows) if self.rows else data


def cases(half: str) -> Iterator[Case]:
    """The tuning half has ring and digits, the other one grid, two moons, swiss roll and Fashion-MNIST at 14 × 14."""
    tuning = half == "tuning"
    flat = ("ring",) if tuning else ("two-moons", "swiss-roll", "grid")
    images = "digits" if tuning else "fashion-mnist"
    sound = ("gan-r1", "wgan-gp") if tuning else ("r3gan", "wgan-lp", "gan-0gp")
    plain = ("gan", "lsgan") if tuning else ("hinge", "ragan")
    strengths = (1, 2, 3)
    for method in sound:
        for data in flat:
            yield Case("healthy", 0, method, data, 4000)
            yield Case("healthy", 0, method, data, 4000, rate=5e-4, width=128)
        yield Case("healthy", 0, method, images, 3000, rate=5e-4, width=128)
        yield Case("healthy", 0, method, images, 4000, rate=3e-4, width=128)
    for k in strengths:
        for method in plain:
            for data in flat[:2]:
                yield Case("collapsed", k, method, data, 3000, rate=(5e-4, 1e-3, 3e-3)[k - 1], beta=0.5)
            yield Case("collapsed", k, method, images, 2000, rate=(2e-3, 4e-3, 8e-3)[k - 1], beta=0.9)
        for data in (flat[0], images):
            minimax = "gan-minimax" if tuning else "fgan-js"
            yield Case(
                "vanishing gradient",
                k,
                minimax,
                data,
                2000,
                rate=1e-4,
                rate_d=1e-3,
                d_steps=(2, 5, 10)[k - 1],
            )
            yield Case("under-trained", k, sound[0], data, (300, 600, 900)[k - 1], rate=1e-4)
            yield Case("under-trained", k, sound[1], data, 1500, rate=(1e-5, 2e-5, 5e-5)[k - 1])
        for method in (*plain, sound[0]):
            yield Case(
                "overfitted discriminator",
                k,
                method,
                images,
                (2000, 3000, 5000)[k - 1],
                rate=1e-3,
                rows=100,
                width=128,
            )
        for method in sound[:2]:
            yield Case("memorising", k, method, images, 5000, rate=1e-3, rows=(40, 20, 10)[k - 1], width=128)
        wasserstein = "wgan-gp" if tuning else "wgan-lp"
        for data in (flat[0], images):
            yield Case(
                "exploding", k, wasserstein, data, 2000, rate=(1e-3, 3e-3, 1e-2)[k - 1], beta=0.9, bare=True
            )
        for data in flat[:2]:
            yield Case(
                "rotating",
                k,
                plain[0],
                data,
                4000,
                rate=(2e-3, 4e-3, 8e-3)[k - 1],
                beta=(0.5, 0.8, 0.9)[k - 1],
            )
            yield Case(
                "rotating",
                k,
                wasserstein,
                data,
                4000,
                rate=(1e-3, 2e-3, 4e-3)[k - 1],
                beta=0.9,
                d_steps=1,
            )


# -- the truth -------------------------------------------------------------------------------------------


def fakes(run: Run, players: dict[str, Tensor], n: int) -> Tensor:
    return samples(run.game, players, run.state.memory, latents(run.method, n, 99, "truth"))


def w1(real: Tensor, fake: Tensor) -> float:
    return earth_mover(real=real.flatten(1), fake=fake.flatten(1)).value


def truth(case: Case, seed: int, folder: Path) -> dict[str, Any]:
    """Measures of a finished run, on rows and noise that its looks did not use."""
    out = folder / f"{_name(case)}-{seed}"
    data = case.source()
    known = out / "truth.json"
    if known.is_file():
        measured = json.loads(known.read_text())
    else:
        run = trained(case, data, seed, out, case.steps)
        measured = measures(data, seed, out, run) if run else {"finite": False}
        known.write_text(json.dumps(measured))
        for heavy in (out / "checkpoints", out / "weights"):
            for file in heavy.glob("*"):
                file.unlink()
    if undecided(measured) and "w1_longer" not in measured:  # what does a larger budget bring?
        steps = max(LONGER * case.steps, LEAST)
        longer = trained(case, data, seed, out.with_name(out.name + "-longer"), steps)
        measured["w1_longer"] = far_off(data, longer)
        known.write_text(json.dumps(measured))
    return measured  # type: ignore[no-any-return]


def far_off(data: Data, run: Run | None) -> float:
    """W₁ over the spread, as in `measures`; 9 where samples are not finite."""
    rows = data.held_out(ROWS, 7)["real"]
    made = fakes(run, run.state.players, len(rows)) if run else rows * math.nan
    return w1(rows, made) / spread(rows) if torch.isfinite(made).all() else 9.0


def spread(rows: Tensor) -> float:
    """Mean distance between two rows."""
    flat = rows.flatten(1)
    return float(torch.cdist(flat, flat).sum() / (len(flat) * (len(flat) - 1)))


def trained(case: Case, data: Data, seed: int, out: Path, steps: int) -> Run | None:
    batch = min(64, data.size) if data.size else None
    settings = Settings(
        seed=seed,
        batch_size=batch,
        threads=1,
        evaluations=0,
        pictures=0,
        keep=6,
        checkpoint_steps=max(1, steps // 10),
    )
    try:
        return train(
            case.value(),
            data,
            MLP(case.width),
            out=out,
            budget=Budget(steps=steps),
            settings=settings,
            quiet=True,
        )
    except TrainingFailed:
        return None


def measures(data: Data, seed: int, out: Path, run: Run) -> dict[str, Any]:
    rows = data.held_out(ROWS, 7)["real"]
    n = len(rows)
    whole = data.training(4 * n, 7)["real"]
    folder = Folder(out)
    states = [folder.load(path, torch.device("cpu"))[0] for path in folder.saved()]
    start, _ = run.game.init(seed, data.training(run.plan.rows))
    made = fakes(run, run.state.players, n)
    growth = max(float(run.state.players[p].norm() / start[p].norm()) for p in start)
    if not torch.isfinite(made).all():
        return {"finite": False, "growth": growth}
    fresh = data.base.training(2 * n, 8)["real"][-n:] if isinstance(data, Few) else whole[:n]
    scale = spread(rows)
    late = [fakes(run, state.players, n) for state in states]
    moved = [float((a - b).flatten(1).norm(dim=1).mean()) / scale for a, b in pairwise(late)]
    found = {
        "finite": True,
        "growth": growth,
        "w1": w1(rows, made) / scale,
        "w1_floor": w1(rows, fresh[:n] if len(fresh) >= n else fresh.repeat(n, *[1] * (fresh.dim() - 1))[:n])
        / scale,
        "w1_start": w1(rows, fakes(run, start, n)) / scale,
        "w1_late": [w1(rows, one) / scale if torch.isfinite(one).all() else 9.0 for one in late],
        "moved": sum(moved) / max(1, len(moved)),
        "cells": covered(data.base if isinstance(data, Few) else data, made),
        **discriminated(run, data, made, whole, rows),
        **gradients(run, data, start, states),
    }
    if data.size is not None:
        pool = data.training()["real"].flatten(1)[:10000]
        near = torch.cdist(made.flatten(1), pool).amin(1).median()
        found["nearness"] = float(near / torch.cdist(rows.flatten(1), pool).amin(1).median())
    return found


def covered(data: Data, made: Tensor) -> float:
    """Share of 16 cells of the data (k-means on training rows) that hold at least a quarter of their share of the samples."""
    rows = data.training(2000, 3)["real"].flatten(1)
    centres = rows[:CELLS].clone()
    for _ in range(20):
        nearest = torch.cdist(rows, centres).argmin(1)
        centres = torch.stack(
            [rows[nearest == i].mean(0) if (nearest == i).any() else centres[i] for i in range(CELLS)]
        )
    share = torch.bincount(torch.cdist(rows, centres).argmin(1), minlength=CELLS) / len(rows)
    hit = torch.bincount(torch.cdist(made.flatten(1), centres).argmin(1), minlength=CELLS) / len(made)
    return float((hit >= share / 4).double().mean())


def discriminated(run: Run, data: Data, made: Tensor, whole: Tensor, rows: Tensor) -> dict[str, float]:
    def score(points: Tensor) -> Tensor:
        with torch.no_grad():
            forward = run.game.evaluation(run.state.players, run.state.memory, {"real": points})
            return per_point(record(forward["discriminator"](forward["real_point"]))["score"])

    trained_on = data.training(len(whole), 9)["real"]
    return {
        "gap": 1 - fooling_rate(real=score(trained_on), fake=score(rows)) if data.size is not None else 0.5,
        "separation": 1 - fooling_rate(real=score(trained_on), fake=score(made)),
    }


def gradients(run: Run, data: Data, start: dict[str, Tensor], states: list[Any]) -> dict[str, float]:
    """Norm of the generator's mean gradient over 8 batches, over the largest of the same at the start and late."""
    batches = Batches(run.game, data, 123, run.plan.rows, torch.device("cpu"))
    points = [start, *[state.players for state in states], run.state.players]
    norms = []
    for players in points:
        found = [
            run.game.gradients(
                run.game.players,
                players,
                run.state.memory,
                batches.whole({"step": k, "images": 0, "rows": k * run.plan.rows}, 1.0),
            )[0]["generator"]
            for k in range(8)
        ]
        norms.append(float(torch.stack(found).mean(0).norm()))
    return {"gradient": norms[-1] / max(max(norms), 1e-30)}


def good(found: dict[str, Any]) -> bool:
    start = found["w1_start"] - found["w1_floor"]
    return found["w1"] - found["w1_floor"] <= 0.2 * start and found["cells"] >= 0.75


def apart(found: dict[str, Any]) -> set[str]:
    """Conditions that are told without a larger budget."""
    if not found["finite"] or found["growth"] > 30:
        return {"exploding"}
    holds = set()
    if found.get("nearness", 1.0) < 0.5:
        holds.add("memorising")
    if found["gap"] > 0.75:
        holds.add("overfitted discriminator")
    if not good(found) and found["gradient"] < 0.01 and found["separation"] > 0.99:
        holds |= {"vanishing gradient"} | ({"collapsed"} if found["cells"] <= 0.5 else set())
    return holds


def undecided(found: dict[str, Any]) -> bool:
    return not apart(found) and not good(found)


def conditions(found: dict[str, Any]) -> set[str]:
    """All that hold, by the measures alone; none where it is unclear. Samples that are far:

    rotating        they move, by three tenths of the spread of the data from tenth to tenth of the second half of the run,
                    and do not come three tenths nearer than in its middle and at its beginning
    under-trained   a larger budget halves what is left, or makes it as small as that of a healthy run
    collapsed       they reach at most half of the cells, and a larger budget does not mend it
    """
    holds = apart(found)
    if "exploding" in holds or good(found):
        return holds or {"healthy"}
    excess = [w - found["w1_floor"] for w in (found["w1_start"], *found["w1_late"], found["w1"])]
    if found["moved"] > 0.3 and excess[-1] > 0.7 * min(excess[:2]):
        holds.add("rotating")
    if undecided(found):
        longer = found["w1_longer"] - found["w1_floor"]
        if longer < 0.5 * excess[-1] or longer <= 0.2 * excess[0]:
            holds.add("under-trained")
        elif found["cells"] <= 0.5:
            holds.add("collapsed")
    return holds


def condition(found: dict[str, Any]) -> str:
    """The worst that holds, or "unclear"."""
    return min(conditions(found), key=CONDITIONS.index, default="unclear")


# -- grading ---------------------------------------------------------------------------------------------


def _name(case: Case) -> str:
    fields = (
        case.meant,
        case.strength,
        case.method,
        case.data,
        case.steps,
        case.rate,
        case.beta,
        case.width,
        case.rows,
    )
    return "-".join(str(field).replace(" ", "_") for field in fields if field is not None)


def graded(case: Case, seed: int, folder: Path) -> dict[str, Any]:
    measured = truth(case, seed, folder)
    out = folder / f"{_name(case)}-{seed}"
    looks = Folder(out).rows(out / "health.jsonl")
    found = [finding.name for finding in findings(looks)]
    row = {
        "meant": case.meant,
        "strength": case.strength,
        "method": case.method,
        "data": case.data,
        "seed": seed,
    }
    holds = sorted(conditions(measured), key=CONDITIONS.index)
    return {**row, "label": condition(measured), "holds": holds, "found": found, "truth": measured}


def confusion(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Counts of the worst finding by label; "nothing" where there is none."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row["label"], Counter())[(row["found"] or ["nothing"])[0]] += 1
    return {label: dict(found[label]) for label in (*CONDITIONS, "unclear") if label in found}


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return middle - half, middle + half


def table(rows: list[dict[str, Any]]) -> str:
    """Labels as rows, the worst finding as columns, and the share whose worst finding is a condition
    that holds (several may)."""
    counts, columns = confusion(rows), ("nothing", *CONDITIONS[1:])
    lines = ["| condition (measured) | runs | " + " | ".join(columns) + " | worst finding holds |"]
    lines.append("|---" * (len(columns) + 3) + "|")
    for label, row in counts.items():
        own = [r for r in rows if r["label"] == label]
        right = [r for r in own if right_of(r)]
        low, high = wilson(len(right), len(own))
        share = "" if label == "unclear" else f"{len(right)} of {len(own)} [{low:.2f}, {high:.2f}]"
        cells = " | ".join(str(row.get(name, "")) for name in columns)
        lines.append(f"| {label} | {len(own)} | {cells} | {share} |")
    return "\n".join(lines)


def right_of(row: dict[str, Any]) -> bool:
    """The worst finding is a condition that holds; of a healthy run there is no finding but that more budget would help."""
    if row["label"] == "healthy":
        return not accused(row)
    return bool(row["found"]) and row["found"][0] in row["holds"]


def accused(row: dict[str, Any]) -> bool:
    """Whether a finding is more than that a larger budget would help."""
    return any(name != "under-trained" for name in row["found"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--half", choices=("tuning", "held-out"), default="tuning")
    parser.add_argument("--folder", type=Path, default=Path("runs/doctor"))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    folder = given.folder / given.half
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(case, seed) for seed in range(given.seeds) for case in cases(given.half)]
    rows = []
    with ProcessPoolExecutor(given.processes, initializer=partial(torch.set_num_threads, 1)) as pool:
        for row in pool.map(graded, *zip(*jobs, strict=True), [folder] * len(jobs)):
            rows.append(row)
            print(
                f"{len(rows)}/{len(jobs)} {row['meant']} {row['strength']} {row['method']} {row['data']}:",
                end=" ",
            )
            print(f"{row['label']} | {', '.join(row['found']) or 'nothing'}", flush=True)
    known = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    known[given.half] = {"runs": rows, "confusion": confusion(rows), "environment": environment()}
    RESULT.write_text(json.dumps(known, indent=1) + "\n")
    for half in known:
        insert(PAGE, half, table(known[half]["runs"]))
    print(table(rows))


if __name__ == "__main__":
    main()
