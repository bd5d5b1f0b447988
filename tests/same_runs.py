"""Small trainings of every kind, and the comparison of what two runs left, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from saddlepoint import methods
from saddlepoint.average import EMA
from saddlepoint.method import Stage
from saddlepoint.mixture import Mix
from saddlepoint.rounds import boosting

OFTEN = "--checkpoint-steps 5 --checkpoint-seconds 1000 --pictures 4 --evaluations 3 --evaluation-samples 60"


def configurations() -> dict[str, tuple[str, ...]]:
    """Arguments of `saddlepoint train`, without --out, by name."""
    gan, critic = methods.get("gan"), methods.get("wgan-gp")
    averaged = repr(replace(critic, averages={"generator": EMA(200)}))
    both = repr(replace(gan, averages={"generator": EMA(100), "discriminator": EMA(100)}))
    staged = repr(replace(gan, before=(Stage(methods.get("lsgan"), 8),)))
    mixed = repr(replace(methods.get("mix-gan"), mixture=Mix(2)))
    boosted = repr(boosting(gan, components=2, steps=6, judging=3))
    ring = ("--data", "ring", "--batch-size", "32", *OFTEN.split())
    digits = ("--data", "digits", "--batch-size", "16", *OFTEN.split())
    small, tiny = ("--network", "MLP(width=32)"), ("--network", "MLP(width=16, depth=1)")
    compiled = ("--compile", "--chunk", "2", "--accumulate", "2", "--checkpoint-steps", "2")
    return {
        "gan": ("gan", *ring, *small, "--steps", "23"),
        "wgan-gp": (averaged, *ring, *small, "--steps", "13", "--accumulate", "2"),
        "dcgan": (both, *digits, "--network", "DCGAN(width=8)", "--steps", "13", "--threads", "2"),
        "sngan": ("sngan", *ring, *small, "--steps", "13"),
        "began": ("began", *ring, "--network", "Autoencoder(width=16)", "--steps", "13"),
        "ada": ("ada", *digits, "--network", "DCGAN(width=8, discriminator_norm='none')", "--steps", "18"),
        "mix-gan": (mixed, *digits, "--network", "DCGAN(width=4)", "--steps", "9"),
        "ensemble": ("ensemble", *ring, *small, "--steps", "13"),
        "boosted": (boosted, *ring, *small, "--steps", "16"),
        "stages": (staged, *ring, *small, "--steps", "18"),
        "compiled": ("gan", *ring, *tiny, "--steps", "22", "--compile"),
        "compiled wgan-gp": (averaged, *ring, *tiny, "--steps", "8", *compiled),
    }


def steps(arguments: tuple[str, ...]) -> int:
    return int(arguments[arguments.index("--steps") + 1])


def differences(reference: Path, run: Path) -> list[str]:
    """What a run holds otherwise than an undisturbed one, a sentence each; times and places apart."""
    ours, theirs = files(run), files(reference)
    found = [f"{name} is missing" for name in sorted(theirs - ours)]
    found += [f"{name} is left over" for name in sorted(ours - theirs)]
    return found + [
        f"{name} differs" for name in sorted(ours & theirs) if not _same(reference / name, run / name)
    ]


def files(run: Path) -> set[str]:
    return {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}


def _same(a: Path, b: Path) -> bool:
    if a.suffix in (".safetensors", ".png"):
        return a.read_bytes() == b.read_bytes()
    if a.suffix == ".pt":
        return equal(checkpoint(a), checkpoint(b))
    if a.suffix in (".json", ".jsonl") and a.stem != "environment":
        return rows(a) == rows(b)
    return (a.stat().st_size > 0) == (b.stat().st_size > 0)  # report.html tells times, .lock is empty


TIMES = {"seconds", "images_per_second", "peak_memory_bytes", "command"}


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects in a JSON file or in one of JSON lines, without what depends on clock and place."""
    texts = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    return [{name: value for name, value in json.loads(text).items() if name not in TIMES} for text in texts]


def whole(run: Path, steps: int) -> bool:
    """Whether metrics.jsonl has every step exactly once, in order."""
    return [row["step"] for row in rows(run / "metrics.jsonl")] == list(range(1, steps + 1))


def checkpoint(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    content["extra"].pop("seconds")
    return content


def equal(a: Any, b: Any) -> bool:
    """Equality of nested values; tensors by type, shape and bits."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        bits = [t.contiguous().reshape(-1).view(torch.uint8) for t in (a, b)]
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(*bits)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and bool(a == b)
