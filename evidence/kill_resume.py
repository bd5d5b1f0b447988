"""Kill trainings at more than a hundred seeded points, continue each by the same command, compare bit for bit.

    python evidence/kill_resume.py

writes results/kill_resume.json beside this file. Each configuration is first trained undisturbed, once in an ordinary
process and once in a fork of the server that the rest run in: both have to agree. The forked one counts how often it
passes each kind of point; kills are drawn from these, so that every draw can be met. Then folders are trained with one
kill each, and folders with several in a row. What is compared: every file of the run, times apart.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from kills import Kill, Server, environment  # noqa: E402
from same_runs import configurations, differences, steps, whole  # noqa: E402

RESULT = HERE / "results" / "kill_resume.json"
CHECKPOINT = "checkpoints/*.pt"

KINDS = {
    "checkpoint, before writing": f"open {CHECKPOINT}",
    "checkpoint, half-way": f"half {CHECKPOINT}",
    "checkpoint, before the rename": f"synced {CHECKPOINT}",
    "checkpoint, after the rename": f"renamed {CHECKPOINT}",
    "checkpoint, before an old one is removed": f"unlink {CHECKPOINT}",
    "best checkpoint, half-way": "half checkpoints/best.pt",
    "best checkpoint, before its score": "renamed checkpoints/best.pt",
    "best checkpoint, before the numbered one": "renamed checkpoints/best.json",
    "metrics append, before": "open metrics.jsonl",
    "metrics append, half-way": "half metrics.jsonl",
    "between metrics append and checkpoint": "appended metrics.jsonl",
    "evaluation append, half-way": "half evaluations.jsonl",
    "between evaluation append and checkpoint": "appended evaluations.jsonl",
    "picture, half-way": "half samples/*.png",
    "picture, before the rename": "synced samples/*.png",
    "between steps": "step",
    "inside a step": "move",
    "beginning, between folders": "made samples",
    "beginning, environment half-way": "half environment.json",
    "beginning, before run.json": "synced run.json",
    "beginning, after run.json": "renamed run.json",
    "end, weights half-way": "half weights/generator.safetensors",
    "end, between weights": "renamed weights/generator.safetensors",
    "end, summary half-way": "half summary.json",
    "end, before the report": "renamed summary.json",
    "end, report half-way": "half report.html",
    "end, after the report": "renamed report.html",
}
TIME = "at a random time"
CORE = [name for name in KINDS if name.startswith(("checkpoint", "metrics", "between"))]
"""Drawn in every configuration; the rest belongs to writing alone and is drawn where a run takes a second."""
ROW = [
    "checkpoint, half-way",
    "checkpoint, before the rename",
    "checkpoint, after the rename",
    "metrics append, half-way",
    "between metrics append and checkpoint",
    "between steps",
]
"""What every process passes that has anything left to train."""


@dataclass(frozen=True)
class Draw:
    """Kills of one configuration: folders with a single kill of each of these kinds, with one at a random time,
    and with `length` kills in a row."""

    single: Sequence[str]
    times: int
    rows: int
    length: int = 3


DRAWS = {
    "compiled wgan-gp": Draw((), 0, 1, 4),
    "compiled": Draw((), 0, 2, 4),
    "dcgan": Draw(CORE, 0, 2),
    "gan": Draw([*KINDS, *CORE], 3, 3),
    "wgan-gp": Draw([*KINDS], 2, 2),
    "sngan": Draw(CORE, 1, 2),
    "began": Draw(CORE[:4], 1, 1),
    "ada": Draw(CORE[:4], 1, 1),
    "stages": Draw(CORE, 1, 2),
}


def main() -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(2) as workers:
        made = workers.map(
            lambda name: (name, configuration(name, Path(place) / name.replace(" ", "-"))), DRAWS
        )
        found = dict(made)
    result = {
        "environment": machine(),
        **totals(found.values()),
        "seconds": round(time.monotonic() - started),
        "configurations": found,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({name: value for name, value in result.items() if name != "configurations"}, indent=1))
    forks = all(entry["a fork equals an ordinary process"] for entry in found.values())
    sys.exit(0 if forks and result["all equal"] and result["all metrics complete"] else 1)


def configuration(name: str, folder: Path) -> dict[str, Any]:
    """Everything about one configuration."""
    arguments, seeded, started = configurations()[name], random.Random(f"kills of {name}"), time.monotonic()
    with Server(folder) as server:
        undisturbed = server.train(arguments, folder / "undisturbed")
        if undisturbed.code != 0:
            raise RuntimeError(undisturbed.said)
        plain(arguments, folder)
        forks = differences(folder / "undisturbed", folder / "plain") == []
        drawn = list(draw(DRAWS[name], undisturbed.points, seeded))
        runs = [trial(server, arguments, folder / f"run-{i}", kills) for i, kills in enumerate(drawn)]
        for moment in [seeded.uniform(0.05, 0.6) for _ in range(DRAWS[name].times)]:
            runs.append(timed(server, arguments, folder / f"run-{len(runs)}", moment * undisturbed.seconds))
    return {
        "arguments": " ".join(arguments),
        "a fork equals an ordinary process": forks,
        **totals([{"runs": runs}]),
        "seconds": round(time.monotonic() - started),
        "runs": runs,
    }


def draw(plan: Draw, points: Mapping[str, int], seeded: random.Random) -> Iterator[list[tuple[str, Kill]]]:
    """The kills of each folder, as (kind, kill)."""
    for kind in plan.single:
        if KINDS[kind] in points:  # a run without an average, say, has fewer kinds of files
            yield [(kind, kill(kind, seeded.randint(1, points[KINDS[kind]])))]
    for _ in range(plan.rows):
        yield [(kind, kill(kind, seeded.randint(1, 2))) for kind in seeded.choices(ROW, k=plan.length)]


def kill(kind: str, number: int) -> Kill:
    point, _, file = KINDS[kind].partition(" ")
    return Kill(point, re.sub(r"^checkpoints/\*", "checkpoints/0*", file), number)


def trial(
    server: Server, arguments: tuple[str, ...], run: Path, kills: list[tuple[str, Kill]]
) -> dict[str, Any]:
    """Kill, continue and kill again, continue to the end, compare."""
    met = []
    for kind, chosen in kills:
        ended = server.train(arguments, run, [chosen])
        if ended.signal == "SIGKILL":
            met.append({"kind": kind, "number": chosen.number})
    return judged(server, arguments, run, met)


def timed(server: Server, arguments: tuple[str, ...], run: Path, moment: float) -> dict[str, Any]:
    ended = server.train(arguments, run, after=moment)
    met = [{"kind": TIME, "seconds": round(moment, 3)}] if ended.signal == "SIGKILL" else []
    return judged(server, arguments, run, met)


def judged(
    server: Server, arguments: tuple[str, ...], run: Path, met: list[dict[str, Any]]
) -> dict[str, Any]:
    """The same command once more, which has to end the run; then the comparison."""
    ended = server.train(arguments, run)
    different = differences(run.parent / "undisturbed", run) if ended.code == 0 else [ended.said]
    complete = ended.code == 0 and whole(run, steps(arguments))
    return {"kills": met, "differences": different, "metrics complete": complete}


def plain(arguments: tuple[str, ...], folder: Path) -> None:
    """The same training in a process from the shell."""
    words = [sys.executable, "-m", "saddlepoint.cli", "train", *arguments, "--quiet", "--out"]
    subprocess.run([*words, str(folder / "plain")], env=environment(folder), check=True)


def totals(found: Any) -> dict[str, Any]:
    """Counts over the runs of some configurations."""
    runs = [run for entry in found for run in entry["runs"]]
    kinds = Counter(one["kind"] for run in runs for one in run["kills"])
    return {
        "kill points": kinds.total(),
        "of them inside a checkpoint write": sum(
            n for kind, n in kinds.items() if kind.startswith("checkpoint") and "removed" not in kind
        ),
        "of them half-way in a metrics append": kinds["metrics append, half-way"],
        "runs with several kills": sum(len(run["kills"]) > 1 for run in runs),
        "all equal": all(not run["differences"] for run in runs),
        "all metrics complete": all(run["metrics complete"] for run in runs),
        "kinds": dict(sorted(kinds.items())),
    }


def machine() -> dict[str, Any]:
    from saddlepoint.plan import environment

    known = environment()
    return {name: known[name] for name in ("saddlepoint", "torch", "python", "processor", "cores")}


if __name__ == "__main__":
    main()
