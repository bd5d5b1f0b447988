"""Run folders for the tests of the report: real files of the format, made in a moment."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from saddlepoint.images import grid, png
from saddlepoint.metrics import Acceptance, Row, Score, TrustTable
from saddlepoint.metrics.table import COLUMNS

METHOD = (
    "Method(id='r3gan', objective=RelativisticLogistic(), terms=(R1(gamma=0.1, where='real'), "
    "R2(gamma=0.1, where='fake')), dynamics=Alternating(discriminator_steps=1), "
    "optimisers={'generator': Adam(rate=0.0002, beta1=0.0, beta2=0.99), "
    "'discriminator': Adam(rate=0.0002, beta1=0.0, beta2=0.99)}, averaging=Average(half_life=5000))"
)
HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\"'&"
Json = dict[str, Any]


def dump(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def dump_lines(path: Path, lines: list[Json]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def bare_run(folder: Path, shape: tuple[int, ...] = (1, 8, 8), **changes: object) -> Path:
    """The folder of a run that has only begun."""
    plane = len(shape) == 1
    run = {
        "method": METHOD,
        "method_id": "r3gan",
        "formula": "min_G max_D  E f(D(G(z)) − D(x)) with f(t) = −log(1 + e^{−t}),\nand (γ/2) E‖∇D‖² on both",
        "citation": "Huang et al., The GAN is dead; long live the GAN!, NeurIPS 2024, arXiv:2501.05441.",
        "deviations": ["The averaged weights have a half-life of 5,000 images in place of a schedule."],
        "data": {
            "spec": "ring" if plane else "digits",
            "identity": "sha256:" + "0f1e2d3c" * 8,
            "shape": list(shape),
            "size": None if plane else 1437,
            "classes": [] if plane else [str(digit) for digit in range(10)],
        },
        "networks": "DCGAN(width=64, latent=64)",
        "seed": 0,
        "batch_size": 64,
        "precision": "fp32",
        "device": "cpu",
        "threads": 2,
        "compile": False,
        "accumulate": 1,
        "budget": {"steps": 3000},
        "command": "saddlepoint train r3gan --data digits --steps 3000 --out runs/digits",
    }
    dump(folder / "run.json", run | changes)
    return folder


def metrics(steps: int) -> list[Json]:
    noise = np.random.default_rng(7).normal(size=(steps + 1, 3))
    return [
        {
            "step": step,
            "images": 64 * step,
            "gradients": 2 * step,
            "seconds": 0.05 * step,
            "loss/generator": 0.7 + 0.3 * math.tanh(step / 400) + 0.1 * noise[step, 0],
            "loss/discriminator": 1.4 - 0.2 * math.tanh(step / 400) + 0.1 * noise[step, 1],
            "score/real": 0.4 + 0.2 * noise[step, 2],
            "score/fake": -0.4 + 0.2 * noise[step, 1],
            "term/R1": 0.02 * math.exp(-step / 900) + 0.002 * noise[step, 0] ** 2,
        }
        for step in range(1, steps + 1)
    ]


def score(metric: str, value: float, floor: float | None, **changes: Any) -> Json:
    usual = Score(
        metric=metric,
        value=value,
        extractor="classifier",
        hash="sha256:9a8b7c6d5e4f3a2b1c0d",
        data="sha256:" + "0f1e2d3c" * 8,
        split="held-out",
        n_real=360,
        n_fake=2000,
        seed=0,
        interval=(0.9 * value, 1.1 * value),
        floor=floor,
    )
    return replace(usual, **changes).to_json()


def evaluations(steps: list[int]) -> list[Json]:
    return [
        {
            "step": step,
            "images": 64 * step,
            "seconds": 0.05 * step,
            "weights": weights,
            "scores": [
                score("Frechet distance", (9 + shift) * math.exp(-step / 500) + 0.11 + shift / 9, 0.0712),
                score(
                    "precision", 0.95 - (0.5 + shift / 4) * math.exp(-step / 700), 0.94, extractor="pca-32"
                ),
                score("recall", 0.9 - 0.8 * math.exp(-step / 900), 0.93, extractor="pca-32", interval=None),
            ],
        }
        for step in steps
        for weights, shift in (("raw", 1.0), ("average", 0.0))
    ]


def looks(steps: list[int]) -> list[Json]:
    """Of a run that reaches few regions of its data from its third look on."""
    return [
        {
            "step": step,
            "phase": 0,
            "finite": True,
            "distance": 0.4,
            "distance/floor": 0.001,
            "cells": 1.0 if place < 2 else 0.19,
            "coverage": 0.9 if place < 2 else 0.1,
            "coverage/floor": 0.95,
            "precision": 0.8,
            "precision/floor": 0.94,
            "separation": 0.7 + 0.1 * math.tanh(place),
            "overfit": 0.51,
            "nearness": 1.02,
            "gradient/generator": 0.3 / (1 + place),
            "size/generator": 11.0 + 4 * place,
            "sketch": [0.1 * math.sin(place + wave) for wave in range(16)],
        }
        for place, step in enumerate(steps)
    ]


CONTROLS = {  # name: (kind, one value for each column)
    "generated": ("generated", (0.061, 0.14, 0.13, 0.0143, 1.9, 0.71, 1.04)),
    "held-out real": ("real", (0.089, 0.06, 0.07, 0.0077, 1.0, 0.5, 1.0)),
    "independent pixels": ("fake", (0.0, 0.9, 4.3, 0.47, 61.0, 1.0, 1.9)),
    "one fitted Gaussian": ("fake", (0.031, 0.5, 0.4, 0.044, 5.7, 0.93, 1.2)),
    "averages of two": ("fake", (0.05, 0.7, 0.62, 0.068, 8.8, 0.97, 0.9)),
    "copies of training": ("fake", (0.086, 0.05, 0.085, 0.0093, 1.2, 0.5, 0.0)),
}


def trust_row(name: str, kind: str, values: tuple[float, ...], classes: int = 10) -> Row:
    raw = [1 + digit % (len(name) % 5 + 2) for digit in range(classes)]
    scores = {
        column.id: Score.from_json(score(column.label, value, None))
        for column, value in zip(COLUMNS, values, strict=True)
    }
    return Row(name, kind, torch.zeros(2000, 1, 8, 8), tuple(share / sum(raw) for share in raw), scores)


def trust_table() -> Json:
    rows = tuple(trust_row(name, kind, values) for name, (kind, values) in CONTROLS.items())
    table = TrustTable(tuple(str(digit) for digit in range(10)), rows).to_json(Acceptance())
    for place, row in enumerate(table["rows"]):
        row["image"] = f"trust/{place}.png"
    return table


def full_run(folder: Path, steps: int = 3000, pictures: int = 16) -> Path:
    """The folder of a finished run with every part."""
    bare_run(folder)
    dump_lines(folder / "metrics.jsonl", metrics(steps))
    dump_lines(folder / "evaluations.jsonl", evaluations([0, *range(steps // 6, steps + 1, steps // 6)]))
    dump_lines(folder / "health.jsonl", looks([0, *range(steps // 6, steps + 1, steps // 6)]))
    dump(
        folder / "environment.json",
        {"python": "3.11.9", "torch": "2.13.0", "cores": 2, "started": "2026-01-02T03:04:05"},
    )
    summary = {
        "status": "finished",
        "step": steps,
        "images": 64 * steps,
        "gradients": 2 * steps,
        "seconds": 0.05 * steps,
    }
    dump(
        folder / "summary.json",
        summary | {"images_per_second": 1280.0, "peak_memory_bytes": 612_000_000, "message": ""},
    )
    dump(folder / "trust.json", trust_table())
    sample_pictures(folder, [round(place) for place in np.linspace(0, steps, pictures)])
    (folder / "trust").mkdir()
    for place in range(6):
        noise = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(place)) * 2 - 1
        (folder / "trust" / f"{place}.png").write_bytes(png(grid(noise)))
    return folder


def sample_pictures(folder: Path, steps: list[int]) -> None:
    """Real digits that come out of noise as the steps go on."""
    from sklearn.datasets import load_digits

    digits = torch.tensor(load_digits().images[:64] / 8 - 1, dtype=torch.float32)[:, None]
    noise = torch.randn(digits.shape, generator=torch.Generator().manual_seed(0))
    (folder / "samples").mkdir(exist_ok=True)
    for step in steps:
        clear = math.exp(-step / 600)
        sheet = grid((1 - clear) * digits + clear * noise)
        (folder / "samples" / f"{step:08}.png").write_bytes(png(sheet))


def hostile(tree: Any) -> Any:
    """The same JSON with every text, and every key that is free, made an attack."""
    if isinstance(tree, dict):
        return {key.replace("/", "/" + HOSTILE): hostile(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [hostile(value) for value in tree]
    return HOSTILE if isinstance(tree, str) else tree


def hostile_run(folder: Path) -> Path:
    run = full_run(folder, steps=60, pictures=3)
    for name in ("run.json", "environment.json", "summary.json", "trust.json"):
        dump(run / name, hostile(json.loads((run / name).read_text(encoding="utf-8"))))
    for name in ("metrics.jsonl", "evaluations.jsonl"):
        lines = (run / name).read_text(encoding="utf-8").splitlines()
        dump_lines(run / name, [hostile(json.loads(line)) for line in lines])
    dump(run / "environment.json", {HOSTILE: HOSTILE, "nested": {HOSTILE: 1}})
    return run
