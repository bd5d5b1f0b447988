"""What every row of the catalogue claims, measured: `evidence/claims/` has the checks, results/claims.json the numbers.

    python evidence/claims.py [--only "M08,M61 top_k"] [--processes 2] [--table]

A check runs again when its inputs changed: its file, and the values that it names. Two processes with one thread each. At
the end the table in docs/evidence.md is written from the stored numbers (`--table`: only that). A check that fails is shown
as failed, with what was tried (claims/notes.py).
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from claims import FOLDER, checks, modules  # noqa: E402 (the folder of that name, which comes before this file)
from claims.check import Check, Numbers  # noqa: E402
from tables import insert, markdown  # noqa: E402

RESULT = HERE / "results" / "claims.json"
PAGE = HERE.parent / "docs" / "evidence.md"
HEAD = (
    "row",
    "check",
    "published or exact",
    "measured: median [least, most]",
    "seeds that meet it",
    "verdict",
)


def digest(module: str, check: Check) -> str:
    """Of what a check's numbers are kept under: its file but for imports, what the other checks measure and the list of
    checks (words and ranges change no number), layout and comments apart; and the values that it names."""
    others = {c.measure.__name__ for c in checks(module)} - {check.measure.__name__}
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    tree.body = [node for node in tree.body if not _apart(node, others)]
    text = [ast.dump(tree), *map(repr, check.values)]
    return hashlib.sha256("\0".join(text).encode()).hexdigest()[:16]


def _apart(node: ast.stmt, others: set[str]) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "CHECKS" for target in node.targets)
    return isinstance(node, ast.FunctionDef) and node.name in others


def trial(module: str, key: str, seed: int) -> dict[str, Any]:
    """One seed of a check: its numbers, or why there are none."""
    import torch

    from saddlepoint.training import TrainingFailed

    torch.set_num_threads(1)
    check = next(c for c in checks(module) if c.key == key)
    started = time.process_time()
    try:
        numbers = {name: float(value) for name, value in check.measure(seed).items()}
    except TrainingFailed as error:
        return {"failed": str(error), "seconds": round(time.process_time() - started, 1)}
    return {"numbers": numbers, "seconds": round(time.process_time() - started, 1)}


def due(only: Sequence[str], stored: dict[str, Any]) -> Iterator[tuple[str, Check, str]]:
    for module in modules():
        for check in checks(module):
            inputs = digest(module, check)
            known = stored["rows"].get(check.key, {"inputs": "", "trials": []})
            fresh = known["inputs"] == inputs and len(known["trials"]) >= check.seeds
            if not fresh and (not only or {check.row, check.key} & set(only)):
                yield module, check, inputs


def carry_out(workers: ProcessPoolExecutor, only: Sequence[str]) -> None:
    from saddlepoint.plan import environment

    stored = read()
    for module, check, inputs in due(only, stored):
        seeds = range(check.seeds)
        trials = list(workers.map(trial, [module] * len(seeds), [check.key] * len(seeds), seeds))
        stored["rows"][check.key] = {"inputs": inputs, "trials": trials}
        stored["environment"] = environment()
        RESULT.write_text(json.dumps(stored, indent=1) + "\n")
        seconds = sum(t["seconds"] for t in trials)
        said = f"{check.row} {check.name} ({seconds:.0f} s): {measured(trials)}"
        print(f"{verdict(check, trials)}: {said}", flush=True)


def read() -> dict[str, Any]:
    return json.loads(RESULT.read_text()) if RESULT.is_file() else {"rows": {}}


def numbers(trials: Sequence[dict[str, Any]]) -> list[Numbers]:
    return [t.get("numbers", {}) for t in trials]


def verdict(check: Check, trials: Sequence[dict[str, Any]]) -> str:
    return "met" if check.met(numbers(trials)) else "not met"


def measured(trials: Sequence[dict[str, Any]]) -> str:
    """Every number: its median, and its range where there is one."""
    found = numbers(trials)
    said = []
    for name in dict.fromkeys(name for n in found for name in n):
        values = [n[name] for n in found if name in n]
        ends = f" [{min(values):.3g}, {max(values):.3g}]" if len(values) > 1 else ""
        said.append(f"{name} {statistics.median(values):.3g}{ends}")
    failures = sum("failed" in t for t in trials)
    return "; ".join(said + ([f"{failures} trainings failed"] if failures else []))


def row(module: str, check: Check, stored: dict[str, Any]) -> Sequence[str]:
    """A line of the table; numbers of other inputs are none."""
    from claims.notes import NOTES

    known = stored["rows"].get(check.key, {})
    trials = known["trials"] if known.get("inputs") == digest(module, check) else []
    wanted = ", ".join(f"{name} {wanted}" for name, wanted in check.accept.items())
    expected = f"{check.figure} ({check.source}); {'median: ' if check.median else ''}{wanted}"
    passed = sum(map(check.passes, numbers(trials)))
    count = f"{passed} of {check.seeds}" if check.seeds > 1 else "exact, once"
    if check.needed is not None:
        count += f" ({check.needed} needed)"
    note = NOTES.get(check.key, "")
    said = "not run" if not trials else verdict(check, trials) + (f": {note}" if note else "")
    name = f"{check.name} ({check.budget})" if check.seeds > 1 else check.name
    return check.row, name, expected, measured(trials), count, said


def table() -> str:
    stored = read()
    known = [(module, check) for module in modules() for check in checks(module)]
    rows = [row(module, check, stored) for module, check in sorted(known, key=lambda c: c[1].row)]
    said = [r[-1].split(":")[0] for r in rows]
    summary = ", ".join(f"{said.count(word)} {word}" for word in ("met", "not met", "not run"))
    return f"{len(rows)} checks: {summary}.\n\n{markdown(HEAD, rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="rows or checks, such as M08,M61 top_k")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="write the table alone")
    given = parser.parse_args()
    if not given.table:
        with ProcessPoolExecutor(given.processes) as workers:
            carry_out(workers, [name for name in given.only.split(",") if name])
    insert(PAGE, "claims", table())


if __name__ == "__main__":
    main()
