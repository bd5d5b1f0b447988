"""Every method on the ring of 8 Gaussians and on digits, under one budget of gradient evaluations, several seeds each.

    python evidence/methods.py [--only gan-r1,wgan-gp] [--seeds 5] [--ring 10000] [--digits 3000] [--processes 2] [--table]

Ring: modes found (of 8), share of high-quality samples, KL of the mode frequencies. Digits: Fréchet distance as a share of
the untrained generator's. Networks: the method's own pair, else MLP of width 64 (ring) and 128 (digits). Median, range and
failures (a loss that is no longer finite) go to results/methods.json. A result is kept under the content of what it depends
on: the value of the method, networks, data, budget, and the scores of a short trial; only what changed runs again. Two
processes with one thread each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from tables import insert, markdown  # noqa: E402 (beside this file)

RESULT = HERE / "results" / "methods.json"
PAGE = HERE.parent / "docs" / "evidence.md"
COLUMNS = {
    "ring": ("modes-covered", "high-quality-share", "mode-divergence"),
    "digits": ("share of untrained", "precision", "recall"),
}
HEAD = (
    "id",
    "modes of 8",
    "high quality",
    "KL of modes",
    "FD on digits over the untrained",
    "precision",
    "recall",
    "seeds that failed",
)
WIDTHS = {"ring": 64, "digits": 128}
SHORT = 120  # gradient evaluations


def inputs(name: str, data: str, budget: int) -> str:
    """A digest of everything that the result depends on. How the code computes is in it through a short trial: whatever
    changes a training or a metric changes its scores, and what does not (a comment, a new method) changes nothing."""
    from saddlepoint import methods
    from saddlepoint.data import load

    begun = trial(name, data, SHORT, 0)
    begun.pop("seconds", None)
    scores = {n: v if isinstance(v, str) else f"{v:.5g}" for n, v in begun.items()}
    text = [
        repr(methods.get(name)),
        repr(networks(name, data)),
        load(data).identity,
        str(budget),
        repr(scores),
    ]
    return hashlib.sha256("\0".join(text).encode()).hexdigest()[:16]


def networks(name: str, data: str) -> Any:
    from saddlepoint import methods
    from saddlepoint.networks import MLP
    from saddlepoint.networks.wrapping import Wrapping
    from saddlepoint.plan import fitting

    method = methods.get(name)
    own: Any = None if isinstance(method.networks, Wrapping) else method.networks
    return fitting(method, own or MLP(width=WIDTHS[data]))


def trial(name: str, data: str, budget: int, seed: int) -> dict[str, Any]:
    """One training and its scores, or why there are none."""
    import torch

    import saddlepoint
    from saddlepoint import Budget, Settings, methods
    from saddlepoint.errors import InputError
    from saddlepoint.trained import Run
    from saddlepoint.training import TrainingFailed

    torch.set_num_threads(1)
    settings = Settings(
        seed=seed, pictures=0, evaluations=0, threads=1, checkpoint_seconds=1e6, log_every=1000
    )
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        try:
            run = saddlepoint.train(
                methods.get(name),
                data,
                networks(name, data),
                out=Path(place) / "run",
                budget=Budget(gradients=budget),
                settings=settings,
                quiet=True,
            )
        except InputError as error:
            return {"refused": str(error)}
        except TrainingFailed as error:
            return {"failed": str(error)}
        found = {score.metric: score.value for score in run.evaluate(n=2000)}
        if data == "digits":
            before = {score.metric: score.value for score in Run.untrained(run).evaluate(n=2000)}
            found["share of untrained"] = found["frechet-distance"] / before["frechet-distance"]
    return {**found, "seconds": round(time.monotonic() - started, 1)}


def summary(trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Median and range of every score over the seeds that ended; the others counted."""
    ended = [t for t in trials if "seconds" in t]
    names = dict.fromkeys(name for t in ended for name in t)
    return {
        "seeds": len(trials),
        "failed": [t["failed"] for t in trials if "failed" in t],
        "refused": next((t["refused"] for t in trials if "refused" in t), None),
        "scores": {
            n: {
                "median": statistics.median(values),
                "least": min(values),
                "most": max(values),
                "of": len(
                    values
                ),  # some scores do not exist, such as the spread within modes where none is found
            }
            for n in names
            if (values := [t[n] for t in ended if n in t])
        },
    }


def cell(row: dict[str, Any], score: str) -> str:
    """Median [least, most]."""
    found = row.get("scores", {}).get(score)
    return f"{found['median']:.3g} [{found['least']:.3g}, {found['most']:.3g}]" if found else ""


def line(name: str, rows: dict[str, Any]) -> list[str]:
    """A method in the table; what has not run is said."""
    cells, failed = [f"`{name}`"], 0
    for data, scores in COLUMNS.items():
        row = rows.get(f"{name} {data}")
        if row is None or row["refused"]:
            cells += ["not run" if row is None else "not for " + data] + [""] * (len(scores) - 1)
        else:
            cells += [cell(row, score) for score in scores]
            failed += len(row["failed"])
    return [*cells, str(failed)]


def write_table(stored: dict[str, Any]) -> None:
    from saddlepoint import methods

    insert(PAGE, "methods", markdown(HEAD, (line(name, stored["rows"]) for name in methods.names())))


def main() -> None:
    from saddlepoint import methods
    from saddlepoint.plan import environment

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(methods.names()))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ring", type=int, default=10_000)
    parser.add_argument("--digits", type=int, default=3_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="only write the table from what is stored")
    given = parser.parse_args()
    stored = json.loads(RESULT.read_text()) if RESULT.is_file() else {"rows": {}}
    if given.table:
        write_table(stored)
        return
    wanted = [
        (name, data, budget)
        for data, budget in (("ring", given.ring), ("digits", given.digits))
        for name in given.only.split(",")
    ]
    with ProcessPoolExecutor(given.processes) as workers:
        digests = list(workers.map(inputs, *zip(*wanted, strict=True)))
        begun = {}
        for one, digest in zip(wanted, digests, strict=True):
            known = stored["rows"].get(f"{one[0]} {one[1]}", {})
            if known.get("inputs") != digest or known["seeds"] < given.seeds:
                begun[one] = digest, [workers.submit(trial, *one, seed) for seed in range(given.seeds)]
        print(f"{len(wanted) - len(begun)} of {len(wanted)} rows are known", flush=True)
        for (name, data, budget), (digest, trials) in begun.items():
            row = {"inputs": digest, "gradients": budget, **summary([one.result() for one in trials])}
            stored["rows"][f"{name} {data}"] = row
            stored["environment"] = environment()
            RESULT.write_text(json.dumps(stored, indent=1) + "\n")
            print(name, data, json.dumps(row["scores"] or row["refused"])[:200], flush=True)
    write_table(stored)


if __name__ == "__main__":
    main()
