"""The floor of every metric that training takes, on every data set at hand: the same metric between training and held-out
rows, which is what a perfect generator would get. Mean and standard deviation over three seeds.

    python evidence/floors.py [DATA ...]     measure, and write results/floors.json
    python evidence/floors.py --markdown     the table for the document
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from saddlepoint import data
from saddlepoint.errors import InputError
from saddlepoint.evaluate import Evaluator
from saddlepoint.metrics import catalogue
from saddlepoint.paths import write_atomic

RESULTS = Path(__file__).parent / "results" / "floors.json"
SEEDS = range(3)
ROWS = (450, 1000, 2000)  # the digits hold out 450
LARGE = "stacked-mnist"  # a thousand classes: its classifier takes hours


def floors(name: str) -> dict[str, Any]:
    """{rows: {score: [mean, standard deviation]}} with the extractor that they are of."""
    known = data.load(name)
    held = len(known.held_out(max(ROWS))["real"])
    found: dict[str, Any] = {"extractor": "", "hash": "", "data": known.identity, "rows": {}}
    for n in (n for n in ROWS if n <= held):
        several = [_once(known, n, seed, found) for seed in SEEDS]
        means = {score: [one[score] for one in several if score in one] for score in several[0]}
        found["rows"][str(n)] = {s: [float(np.mean(v)), float(np.std(v, ddof=1))] for s, v in means.items()}
    return found


def _once(known: Any, n: int, seed: int, found: dict[str, Any]) -> dict[str, float]:
    evaluator = Evaluator(known, n, seed)
    found.update(extractor=evaluator.reference.extractor.name, hash=evaluator.reference.extractor.hash)
    made = evaluator.quantities(evaluator.reference.train_samples)
    taken = (catalogue.get(metric) for metric in catalogue.DEFAULT)
    return {
        name: one.value
        for metric in taken
        if not made.lacks(metric)
        for name, one in made.floors(metric).items()
    }


def markdown(results: dict[str, Any]) -> str:
    """One table; a column for each score, mean ± standard deviation."""
    scores = list(dict.fromkeys(s for one in results.values() for row in one["rows"].values() for s in row))
    lines = ["| data | extractor | n | " + " | ".join(scores) + " |", "|---|---|---|" + "---|" * len(scores)]
    for name, one in results.items():
        for n, row in one["rows"].items():
            cells = [_cell(*row[s]) if s in row else "" for s in scores]
            lines.append(f"| {name} | {one['extractor']} | {n} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(mean: float, deviation: float) -> str:
    return f"{mean:.4g} ± {deviation if deviation > 1e-12 else 0:.1g}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="*", default=[])
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if given.markdown:
        print(markdown(results))
        return
    torch.set_num_threads(1)
    for name in given.data or [entry["name"] for entry in data.catalogue() if entry["name"] != LARGE]:
        try:
            results[name] = floors(name)
        except InputError as error:
            print(f"{name}: {error}", flush=True)
            continue
        print(name, results[name]["rows"], flush=True)
        write_atomic(RESULTS, (json.dumps(dict(sorted(results.items())), indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
