"""Three trainings on real images, at least ten minutes each, and what came out.

    python evidence/real_images.py [--only mnist] [--folder runs/evidence]

Runs the commands of README's table (a run that is there continues or does nothing) and writes
evidence/results/real_images.json and docs/pictures/NAME.png. MNIST and CIFAR-10 are looked for as always; the folder of mixed
RGB images is cut from the two photographs that come with scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
RUNS = {
    "mnist": ["r3gan", "--data", "mnist", "--network", "dcgan", "--seconds", "1000", "--threads", "1"],
    "cifar10": ["sngan", "--data", "cifar10", "--network", "resnet", "--seconds", "1800", "--threads", "2"],
    "photos": ["gan-r1", "--data", "PHOTOS", "--size", "32", "--seconds", "620", "--threads", "1"],
}
LIMITS = {"mnist": 1 / 10, "cifar10": 1 / 3, "photos": None}


def photographs(folder: Path, count: int = 4000) -> Path:
    """Square and oblong crops of mixed sizes, 40 to 200 pixels a side, as PNG and JPEG."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    if folder.is_dir():
        return folder
    beside = folder.with_name(folder.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    source, photos = np.random.default_rng(0), load_sample_images().images
    for index in range(count):
        photo = photos[index % len(photos)]
        height, width = source.integers(40, 201, 2)
        top, left = (
            source.integers(0, size - side + 1)
            for size, side in zip(photo.shape, (height, width), strict=False)
        )
        crop = Image.fromarray(photo[top : top + height, left : left + width])
        crop.save(beside / (f"{index:05d}.png" if index % 3 else f"{index:05d}.jpg"))
    beside.rename(folder)
    return folder


def result(name: str, run: Path) -> dict[str, Any]:
    """The numbers of a finished run."""
    record, summary = (json.loads((run / f"{f}.json").read_text()) for f in ("run", "summary"))
    environment = json.loads((run / "environment.json").read_text())
    rows = [json.loads(line) for line in (run / "evaluations.jsonl").read_text().splitlines()]
    distances = [
        {"step": row["step"], "images": row["images"], "seconds": round(row["seconds"], 1), **score}
        for row in rows
        for score in row["scores"]
        if score["metric"] == "frechet-distance"
    ]
    share = distances[-1]["value"] / distances[0]["value"]
    limit = LIMITS[name]
    return {
        "command": " ".join(["saddlepoint", "train", *RUNS[name], "--out", "RUN"]),
        "method": record["method"],
        "networks": record["networks"],
        "frechet": distances,
        "share_of_untrained": share,
        "limit": limit,
        "reached": None if limit is None else share <= limit,
        "images_per_second": summary["images_per_second"],
        "seconds": summary["seconds"],
        "steps": summary["step"],
        "threads": record["threads"],
        "peak_memory_bytes": summary["peak_memory_bytes"],
        "environment": {k: environment[k] for k in ("torch", "python", "processor", "cores")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=RUNS)
    parser.add_argument("--folder", type=Path, default=Path("runs/evidence"))
    given = parser.parse_args()
    out = HERE / "results" / "real_images.json"
    found = json.loads(out.read_text()) if out.is_file() else {}
    for name in [given.only] if given.only else RUNS:
        run = given.folder / name
        photos = str(photographs(given.folder / "photos-data")) if name == "photos" else ""
        arguments = [photos if a == "PHOTOS" else a for a in RUNS[name]]
        subprocess.run(
            [sys.executable, "-m", "saddlepoint.cli", "train", *arguments, "--out", str(run)], check=True
        )
        found[name] = result(name, run)
        out.write_text(json.dumps(found, indent=1) + "\n")
        last = sorted((run / "samples").glob("*.png"))[-1]
        shutil.copy(last, HERE.parent / "docs" / "pictures" / f"{name}.png")
        print(
            name, f"{found[name]['share_of_untrained']:.4f} of the untrained generator's distance", flush=True
        )


if __name__ == "__main__":
    main()
