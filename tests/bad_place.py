"""A folder with everything that can be wrong: images, arrays, published files, runs."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from command_line import (
    QUICK,
    here,
)

RUN = "train gan --data ring --network 'MLP(width=8)' --seed 1"


def make(place: Path) -> None:
    """Fill the working folder of the commands."""
    place.mkdir()
    (place / "empty").mkdir()
    _images(place)
    _arrays(place)
    _mnist(place / "sets" / "mnist")
    _runs(place)


def _images(place: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 3), np.uint8)
    (place / "good").mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(place / "good" / f"{number:02}.png")
    whole = (place / "good" / "00.png").read_bytes()
    bad = {
        "corrupt": b"\x89PNG\r\n\x1a\nnonsense" * 9,
        "truncated": whole[: len(whole) // 2],
        "zero": b"",
        "bomb": _bomb(),
    }
    for name, content in bad.items():
        for folder in (name, f"with-{name}", "with-all"):
            (place / folder).mkdir(exist_ok=True)
            (place / folder / f"{name}.png").write_bytes(content)
    for folder in ("with-all", *(f"with-{name}" for name in bad)):
        for image in (place / "good").iterdir():
            (place / folder / image.name).write_bytes(image.read_bytes())
    (place / "single").mkdir()
    (place / "single" / "one.png").write_bytes(whole)


def _bomb() -> bytes:
    """A PNG of 60,000 x 60,000 pixels, which would be 10 GB, in a few hundred bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _arrays(place: Path) -> None:
    source = np.random.default_rng(0)
    (place / "text.csv").write_text("1,2\n3,four\n5,6\n")
    (place / "nan.csv").write_text("1,2\n3,nan\n5,6\n")
    (place / "single.csv").write_text("1,2\n")
    np.savez(place / "object.npz", x=np.array([{"a": 1}, [2]], dtype=object))
    np.save(place / "small.npy", source.integers(0, 256, (60, 4, 4), np.uint8))
    np.save(place / "three.npy", source.normal(size=(200, 3)))
    (place / "cut.npy").write_bytes((place / "three.npy").read_bytes()[:1000])


def _mnist(folder: Path) -> None:
    """MNIST files as published but for the training images: their header announces 100, and half of them are there."""
    folder.mkdir(parents=True)
    for side, count in (("train", 100), ("t10k", 20)):
        images = struct.pack(">IIII", 0x803, count, 28, 28) + bytes(count * 784)
        kept = len(images) // 2 if side == "train" else len(images)
        (folder / f"{side}-images-idx3-ubyte").write_bytes(images[:kept])
        (folder / f"{side}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + bytes(count))


def _runs(place: Path) -> None:
    """A run that is finished, one whose last checkpoint is cut in half, and folders that are no runs."""
    for name in ("run", "cut"):
        assert here(f"{RUN} {QUICK} --checkpoint-steps 1 --out {name}", place).returncode == 0
    last = sorted((place / "cut" / "checkpoints").glob("0*.pt"))[-1]
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    for name, content in {
        "foreign/letter.txt": "hello",
        "claims/run.json": "{}",
        "torn/run.json": '{"method": ',
    }.items():
        (place / name).parent.mkdir()
        (place / name).write_text(content)
    (place / "file").write_text("a file, not a folder")
