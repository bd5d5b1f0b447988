"""Bad input: one sentence that names it, exit code 2, nothing written or changed.

Each kind of it runs in a process of its own (`PROCESSES`); its many relatives run through the same `main` in this one.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import saddlepoint as api
from command_line import (
    COMMAND,
    QUICK,
    Done,
    assert_refused,
    here,
    listing,
    saddlepoint,
    surroundings,
)
from saddlepoint import methods
from saddlepoint.data.sources import MNIST_FILES
from saddlepoint.errors import InputError
from saddlepoint.networks import DCGAN, MLP, R3Net, ResNet
from saddlepoint.penalties import Term
from saddlepoint.run import Folder

RUN = "train gan --data ring --network 'MLP(width=8)' --seed 1"
GIGABYTE = 1 << 30
posix = pytest.mark.skipif(os.name != "posix", reason="limits and locks of the system")


# -- a folder with everything that can be wrong ------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of all commands; the cache lies beside it."""
    place = tmp_path_factory.mktemp("bad") / "place"
    place.mkdir()
    (place / "empty").mkdir()
    _images(place)
    _arrays(place)
    _mnist(place / "sets" / "mnist")
    _runs(place)
    return place


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


# -- one sentence, exit code 2, nothing changed ------------------------------

PROCESSES = {
    "method", "data", "empty folder", "corrupt image", "truncated image", "truncated among many", "zero-size image",
    "decompression bomb", "text in a CSV", "NaN in a CSV", "objects in an .npz", "one image only",
    "batch above the data", "images for points", "rate below 0", "rate 0", "steps 0", "a folder that is no run",
    "sample of no run", "cut checkpoint", "no cuda", "flag", "import", "another seed",
}  # fmt: skip

TRAIN: dict[str, tuple[str, list[str]]] = {
    # what there is not
    "method": ("wgan-pg --data ring", ["'wgan-pg'", "did you mean", "wgan-gp"]),
    "data": ("gan --data mnsit", ["'mnsit'", "did you mean", "mnist"]),
    "data path": ("gan --data photos/cats", ["photos/cats", "folder"]),
    "network": ("gan --data ring --network mpl", ["'mpl'", "did you mean mlp"]),
    "tracker": ("gan --data ring --trackers wandbb", ["'wandbb'", "did you mean wandb"]),
    "device": ("gan --data ring --device tpu", ["'tpu'", "cpu, cuda"]),
    "no cuda": ("gan --data ring --device cuda", ["cuda", "accepted here are cpu"]),
    "precision": ("gan --data ring --precision fp8", ["'fp8'", "bf16"]),
    "flag": ("gan --data ring --learning-rate 1", ["--learning-rate"]),
    "number": ("gan --data ring --seed one", ["--seed", "one"]),
    "method's flag": ("gan --data ring --method.terms.0.gamma 1", ["--method.terms.0.gamma"]),
    "player": ("wgan --data ring --method.constraints.0.player judge", ["'judge'", "generator, discriminator"]),
    # images
    "empty folder": ("gan --data empty", ["empty", "no images", ".png"]),
    "corrupt image": ("gan --data corrupt", ["corrupt.png"]),
    "truncated image": ("gan --data truncated", ["truncated.png", "truncated"]),
    "zero-size image": ("gan --data zero", ["zero.png", "0 bytes"]),
    "decompression bomb": ("gan --data bomb", ["bomb.png", "pixels"]),
    "corrupt among many": ("gan --data with-corrupt", ["1 of 41", "corrupt.png", "--skip-bad"]),
    "truncated among many": ("gan --data with-truncated", ["1 of 41", "truncated.png", "--skip-bad"]),
    "zero-size among many": ("gan --data with-zero", ["1 of 41", "zero.png", "--skip-bad"]),
    "bomb among many": ("gan --data with-bomb", ["1 of 41", "bomb.png", "--skip-bad"]),
    "bad ones only": ("gan --data truncated --skip-bad", ["truncated.png", "none is left"]),
    "three sizes": ("gan --data good --size 8 8 3", ["--size", "3 numbers"]),
    "size 0": ("gan --data good --size 0", ["(0, 0)", "1 to 4096"]),
    "channels": ("gan --data good --channels 5", ["5 channels", "3 RGB"]),
    # arrays
    "text in a CSV": ("gan --data text.csv", ["text.csv", "'four'", "line 2, column 2"]),
    "NaN in a CSV": ("gan --data nan.csv", ["nan.csv", "'nan'", "line 2, column 2"]),
    "objects in an .npz": ("gan --data object.npz", ["object.npz", "Object"]),
    "truncated array": ("gan --data cut.npy", ["cut.npy"]),
    "one image only": ("gan --data single", ["single", "one sample only"]),
    "one row only": ("gan --data single.csv", ["single.csv", "one sample only"]),
    "size for points": ("gan --data ring --size 8", ["ring", "for images"]),
    # what does not fit
    "batch above the data": ("gan --data digits --batch-size 1348", ["1348", "1347 training rows of digits"]),
    "batch of one": ("gan --data ring --batch-size 1", ["batch size 1"]),
    "batch of none": ("gan --data ring --batch-size 0", ["batch-size 0"]),
    "images for points": ("gan --data ring --network dcgan", ["DCGAN", "(2,)"]),
    "image too small": ("gan --data small.npy --network dcgan", ["DCGAN", "(1, 4, 4)", "8 to 256"]),
    "micro-batches": ("gan --data ring --accumulate 3", ["batch size 8", "3"]),
    # numbers
    "rate below 0": ("gan --data ring --method.dynamics.optimizers.generator.lr -1", ["-1.0", "generator.lr"]),
    "rate 0": ("gan --data ring --method.dynamics.optimizers.generator.lr 0", ["0.0", "generator.lr"]),
    "rate NaN": ("gan --data ring --method.dynamics.optimizers.generator.lr nan", ["nan", "generator.lr"]),
    "rate infinite": ("gan --data ring --method.dynamics.optimizers.generator.lr inf", ["inf", "generator.lr"]),
    "rate's schedule below 0": (
        "gan --data ring --method.dynamics.optimizers.generator.lr 'Linear(-1e-4, 1e-4)'",
        ["-0.0001", "generator.lr"],
    ),
    "rate no value": (
        "gan --data ring --method.dynamics.optimizers.generator.lr 'Cosine(1'",
        ["generator.lr", "'Cosine(1'"],
    ),
    "weight NaN": ("gan-r1 --data ring --method.terms.0.gamma nan", ["nan", "terms.0.gamma"]),
    "moment 1": ("gan --data ring --method.dynamics.optimizers.generator.betas 1 0.9", ["1.0", "betas"]),
    "nobody moves": (
        "gan --data ring --method.dynamics.steps.generator 0 --method.dynamics.steps.discriminator 0",
        ["gan moves nobody"],
    ),
    # values as text
    "open bracket": ("gan --data ring --network 'MLP('", ["'MLP('"]),
    "wrong type": ("gan --data ring --network 'MLP(width=1.5)'", ["width is 1.5", "int"]),
    "no network": ("gan --data ring --network 'Adam()'", ["'Adam()'", "MLP, DCGAN"]),
    "import": ("gan --data ring --network \"__import__('os').system('touch harm')\"", ["__import__", "cannot read"]),
    "lambda": ("gan --data ring --network 'MLP(width=(lambda: 3)())'", ["lambda", "cannot read"]),
    "attribute": ("gan --data ring --network \"MLP(width=''.__class__)\"", ["__class__", "cannot read"]),
    "method of nothing": ("\"Method(name='x', objective=3)\" --data ring", ["objective is 3", "Objective"]),
    # places
    "a folder that is no run": ("gan --data ring --out foreign", ["foreign", "not a run"]),
    "a file": ("gan --data ring --out file", ["file", "takes a folder"]),
    "below a file": ("gan --data ring --out file/below", ["file/below", "Not a directory"]),
    "a record of nothing": ("gan --data ring --out claims", ["claims", "not a run", "identity"]),
    "a torn record": ("gan --data ring --out torn", ["torn/run.json", "JSON"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAIN)
def test_training_refuses(place: Path, name: str) -> None:
    arguments, words = TRAIN[name]
    out = "" if "--out" in arguments else "--out out"
    batch = QUICK.replace("--batch-size 8", "") if "--batch-size" in arguments else QUICK
    refused(place, name, f"train {arguments} {batch} {out}", words)


def refused(place: Path, name: str, command: str, words: list[str]) -> None:
    before = listing(place)
    assert_refused((saddlepoint if name in PROCESSES else here)(command, place), *words)
    assert listing(place) == before


OTHERS: dict[str, tuple[str, list[str]]] = {
    "command": ("trian gan", ["'trian'", "did you mean train"]),
    "no method": ("train --data ring --out out", ["'--data'", "r3gan"]),
    "no data": ("train gan --out out", ["--data"]),
    "steps 0": ("train gan --data ring --out out --steps 0", ["steps 0", "above 0"]),
    "seconds -1": ("train gan --data ring --out out --seconds -1", ["seconds -1", "above 0"]),
    "seconds NaN": ("train gan --data ring --out out --seconds nan", ["seconds nan", "above 0"]),
    "two budgets": ("train gan --data ring --out out --steps 5 --images 9", ["exactly one", "steps, images"]),
    "schedule without an end": (
        "train gan --data ring --out out --seconds 5 --method.dynamics.optimizers.generator.lr 'Cosine(1e-3, 0)'",
        ["gan", "budget in seconds", "over"],
    ),
    "sample of no run": ("sample foreign --out grid.png", ["foreign", "not a run"]),
    "sample of nothing": ("sample missing --out grid.png", ["missing", "does not exist"]),
    "sample of a claim": ("sample claims --out grid.png", ["claims", "not a run"]),
    "sample nowhere": ("sample run", ["--out", "--npz"]),
    "sample into nothing": ("sample run --out missing/grid.png", ["missing", "grid.png"]),
    "sample into a folder": ("sample run --out empty", ["empty", "is a folder"]),
    "no samples": ("sample run -n 0 --out grid.png", ["-n 0"]),
    "truncation NaN": ("sample run --truncation nan --out grid.png", ["--truncation nan"]),
    "evaluate no run": ("evaluate foreign", ["foreign", "--data"]),
    "evaluate a foreign folder": ("evaluate foreign --data digits", ["foreign", "no images"]),
    "evaluate against images": ("evaluate run --data digits", ["(2,)", "(1, 8, 8)"]),
    "evaluate images against points": ("evaluate good --data ring", ["good", "(3, 8, 8)", "(2,)"]),
    "evaluate too few": ("evaluate run -n 3", ["-n 3", "at least 4"]),
    "report of no run": ("report foreign", ["foreign", "not a run"]),
    "report of a torn record": ("report torn", ["torn", "JSON"]),
    "show nothing": ("show ganz", ["'ganz'", "did you mean", "gan"]),
    "sample of a cut checkpoint": ("sample cut --out grid.png", ["000000002.pt", "damaged", "000000001.pt"]),
    "cut checkpoint": (f"{RUN} {QUICK} --steps 4 --out cut", ["000000002.pt", "damaged", "000000001.pt"]),
    "another method": (RUN.replace("gan", "hinge") + f" {QUICK} --out run", ["method was", "'gan'", "'hinge'"]),
    "another seed": (f"{RUN} {QUICK} --out run --seed 2", ["seed was '1' and is now '2'"]),
    "another data set": (RUN.replace("ring", "grid") + f" {QUICK} --out run", ["data was 'ring ", "now 'grid "]),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_command_refuses(place: Path, name: str) -> None:
    refused(place, name, *OTHERS[name])


def test_every_kind_has_its_process() -> None:
    assert {*TRAIN, *OTHERS} >= PROCESSES


def test_a_tracker_that_is_not_installed_is_refused(place: Path) -> None:
    missing = next(
        (name for name in ("wandb", "trackio", "mlflow", "tensorboard") if find_spec(name) is None), None
    )
    if missing is None:
        pytest.skip("all trackers are installed here")
    before = listing(place)
    done = here(f"train gan --data ring {QUICK} --out out --trackers {missing}", place)
    assert_refused(done, f"tracker {missing} is not installed", f"saddlepoint[{missing}]")
    assert listing(place) == before


def test_bad_images_can_be_left_out(place: Path) -> None:
    done = saddlepoint(f"train gan --data with-all --skip-bad {QUICK} --out ../left-out", place)
    assert done.returncode == 0, done.stderr
    assert "3 of 44 images" in done.stderr
    assert "truncated.png" in done.stderr
    assert len(Folder(place.parent / "left-out").rows(place.parent / "left-out" / "metrics.jsonl")) == 2


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("rest", ["missing", "zeros"])
def test_a_checkpoint_that_is_damaged_anywhere_is_told(
    place: Path, tmp_path: Path, share: float, rest: str
) -> None:
    folder = Folder(place / "run")
    whole = (folder.last() or Path()).read_bytes()
    kept = whole[: int(share * len(whole))]
    (tmp_path / "5.pt").write_bytes(kept if rest == "missing" else kept.ljust(len(whole), b"\0"))
    with pytest.raises(InputError, match=r"5\.pt is damaged"):
        folder.load(tmp_path / "5.pt", torch.device("cpu"))


# -- named sets: files that are cut, wrong, or broken off ------------------------------


def test_a_truncated_idx_file_is_refused(place: Path) -> None:
    before = listing(place)
    done = saddlepoint(
        f"train gan --data mnist {QUICK} --out out", place, {"SADDLEPOINT_DATA": str(place / "sets")}
    )
    assert_refused(done, "train-images-idx3-ubyte", str(16 + 78_400), "truncated")
    assert listing(place) == before


class Server(ThreadingHTTPServer):
    """Answers with the published length, of which `share` comes, all zeros; nothing comes before `released`."""

    daemon_threads = True
    share = 1.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.released = threading.Event(), threading.Event()
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of a client that has gone."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.set()
        self.server.released.wait(20)
        length = MNIST_FILES[0].size
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(bytes(int(self.server.share * length)))

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.released.set()
        server.shutdown()


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, ["wrong checksum", MNIST_FILES[0].sha256]), (0.5, ["interrupted after 4956211 of 9912422 bytes"])],
    ids=["wrong checksum", "interrupted download"],
)
def test_a_bad_download_is_refused(place: Path, tmp_path: Path, share: float, words: list[str]) -> None:
    before = listing(place)
    with serving() as server:
        server.share = share
        server.released.set()
        where = {"SADDLEPOINT_MIRROR": server.address, "SADDLEPOINT_CACHE": str(tmp_path)}
        done = saddlepoint(f"train gan --data mnist {QUICK} --out out", place, where)
    assert_refused(done, f"{server.address}/mnist/train-images-idx3-ubyte.gz", *words)
    assert listing(place) == before
    left = [path.name for path in (tmp_path / "data" / "mnist").iterdir() if path.suffix != ".lock"]
    assert left == ([] if share == 1 else ["train-images-idx3-ubyte.gz.part"])


# -- places that cannot be written, disks and memories that are full ------------------------------


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="needs /proc, which nobody can write to, root neither"
)
def test_a_place_that_cannot_be_written_is_refused(place: Path) -> None:
    assert_refused(saddlepoint(f"train gan --data ring {QUICK} --out /proc/run", place), "/proc/run")
    assert_refused(here("sample run --out /proc/grid.png", place), "/proc/grid.png")


@posix
def test_a_second_process_in_a_folder_is_refused(place: Path) -> None:
    folder = Folder(place / "run")
    folder.lock()
    before = listing(place)
    try:
        done = saddlepoint(f"{RUN} {QUICK} --out run", place)
    finally:
        folder.unlock()
    assert_refused(done, "another process is training in run")
    assert listing(place) == before


MEMORY = {
    "batch": (
        f"train gan --data ring {QUICK} --batch-size 2000000000 --out out",
        ["2000000000", "--batch-size"],
    ),
    "width": (
        f"train gan --data ring {QUICK} --network 'MLP(width=200000)' --out out",
        ["width", "--batch-size"],
    ),
    "samples": ("sample run -n 2000000000 --out grid.png", ["number of samples"]),
}


@posix
@pytest.mark.parametrize(("arguments", "words"), MEMORY.values(), ids=MEMORY)
def test_too_little_memory_is_told_with_what_to_lower(place: Path, arguments: str, words: list[str]) -> None:
    """The address space is limited to 8 GB; the batch asks for 16, the networks for 160 each, the samples for 800."""
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (8 * GIGABYTE, 8 * GIGABYTE))

    before = listing(place)
    arguments = (
        arguments.replace("--batch-size 8 ", "") if arguments.count("--batch-size") == 2 else arguments
    )
    assert_refused(saddlepoint(arguments, place, before=limit), "out of memory", *words)
    assert listing(place) == before


LONG = f"{RUN} --steps 300 --batch-size 8 --evaluations 0 --pictures 0 --checkpoint-steps 50 --quiet"


def survives(place: Path, run: str, done: Done, *words: str) -> None:
    """The sentence is there, and the last checkpoint is whole: samples can be drawn and the same command goes on."""
    assert_refused(done, *words)
    folder = Folder(place / run)
    step = folder.load(folder.last() or Path(), torch.device("cpu"))[0].clock["step"]
    assert 0 < step < 300
    assert not [path for path in folder.path.rglob("*") if path.name.endswith(".part")]
    assert here(f"sample {run} -n 4 --npz ../left.npz", place).returncode == 0


def goes_on(place: Path, run: str) -> None:
    done = here(f"{LONG} --out {run}", place)
    assert done.returncode == 0, done.stderr
    assert [row["step"] for row in Folder(place / run).rows(place / run / "metrics.jsonl")] == [
        *range(1, 301)
    ]


@posix
def test_a_file_that_may_not_grow_leaves_the_last_checkpoint(place: Path, tmp_path: Path) -> None:
    """A limit on the size of a file (RLIMIT_FSIZE) that metrics.jsonl passes after some 100 steps."""
    import resource

    place = tmp_path / "place"
    place.mkdir()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (48 << 10, 48 << 10))

    done = saddlepoint(f"{LONG} --out limited", place, before=limit)
    survives(place, "limited", done, "limit of its size", "metrics.jsonl")
    goes_on(place, "limited")


@posix
def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """A file system of 600 kB in memory, on which every checkpoint is kept."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root; the limit on file sizes is tested above")
    try:
        done = saddlepoint(f"{LONG} --out run --keep 100 --checkpoint-steps 2", disk)
        survives(disk, "run", done, "no space left", "run/")
        (disk / "full").write_bytes(b"")
        with open(disk / "full", "wb", buffering=0) as file, pytest.raises(OSError):  # noqa: PT012
            while True:
                file.write(bytes(1024))
        before = listing(disk)
        assert_refused(saddlepoint(f"train gan --data ring {QUICK} --out new", disk), "new", "space")
        assert listing(disk) == before
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        goes_on(disk, "run")
    finally:
        subprocess.run(["umount", disk], check=True)


# -- trainings and readers that end early ------------------------------


def test_a_loss_that_is_no_number_ends_the_run_in_one_sentence(place: Path) -> None:
    """Exit code 3: the input was possible, the training came to nothing. The checkpoint before it is kept."""
    rates = " ".join(
        f"--method.dynamics.optimizers.{player}.lr 1e30" for player in ("generator", "discriminator")
    )
    done = saddlepoint(f"{RUN} {QUICK} {rates} --checkpoint-steps 1 --steps 50 --out ../failed", place)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "at step" in done.stderr
    folder = Folder(place.parent / "failed")
    last = folder.last()
    assert last is not None
    assert last.name in done.stderr
    state = folder.load(last, torch.device("cpu"))[0]
    assert all(vector.isfinite().all() for vector in state.players.values())


@posix
@pytest.mark.parametrize("line", ["methods", "methods --json"], ids=["short", "long"])
def test_a_reader_that_has_gone_is_no_error(place: Path, line: str) -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [*COMMAND, *line.split()], stdout=write, stderr=subprocess.PIPE, env=surroundings(place), text=True
    )
    os.close(write)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0


@posix
def test_an_interrupt_is_no_traceback(place: Path, tmp_path: Path) -> None:
    """Ctrl-C while a server does not answer."""
    with serving() as server:
        where = surroundings(place) | {
            "SADDLEPOINT_MIRROR": server.address,
            "SADDLEPOINT_CACHE": str(tmp_path),
        }
        command = [*COMMAND, "train", "gan", "--data", "mnist", "--out", "out", "--steps", "1"]
        process = subprocess.Popen(command, cwd=place, env=where, stderr=subprocess.PIPE, text=True)
        assert server.asked.wait(60)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == "saddlepoint: interrupted\n"
    assert process.returncode == 130


# -- the same from Python, where a process would add nothing ------------------------------


@dataclass(frozen=True)
class Labelled(Term):
    """A term that looks at labels."""

    def __call__(self, real_score: Tensor, label: Tensor) -> Tensor:  # type: ignore[override]
        return (real_score * label).mean()


def test_a_method_that_needs_labels_refuses_data_without(tmp_path: Path) -> None:
    from dataclasses import replace

    method = replace(methods.get("gan"), name="labelled", terms=(Labelled(),))
    with pytest.raises(InputError, match="asks for label") as caught:
        api.train(method, "ring", MLP(width=8), out=tmp_path / "out", budget=api.Budget(steps=1))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    settings = api.Settings(batch_size=8, evaluations=0, pictures=0)
    run = api.train(
        method, "digits", MLP(width=8), out=tmp_path / "out", budget=api.Budget(steps=1), settings=settings
    )
    assert run.state.clock["step"] == 1


@pytest.mark.parametrize("network", [DCGAN(), ResNet(), R3Net()], ids=lambda network: type(network).__name__)
@pytest.mark.parametrize("data", ["ring", "small.npy"])
def test_networks_for_images_refuse_other_shapes(
    place: Path, tmp_path: Path, network: Any, data: str
) -> None:
    spec, settings = data if data == "ring" else str(place / data), api.Settings(batch_size=8)
    with pytest.raises(InputError, match=type(network).__name__):
        api.train(
            methods.get("gan"),
            spec,
            network,
            out=tmp_path / "out",
            budget=api.Budget(steps=1),
            settings=settings,
        )
    assert not (tmp_path / "out").exists()


def test_modules_of_another_shape_are_refused(tmp_path: Path) -> None:
    from torch import nn

    wrong = {"generator": nn.Linear(100, 3), "discriminator": nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))}
    with pytest.raises(InputError, match=r"shape \(3,\), the data have \(2,\)"):
        api.train(methods.get("gan"), "ring", wrong, out=tmp_path / "out", budget=api.Budget(steps=1))
    assert not (tmp_path / "out").exists()


SETTINGS = {
    "seed": -1, "batch_size": 0, "chunk": 0, "accumulate": 0, "threads": 0, "log_every": 0, "pictures": -1,
    "evaluations": -1, "evaluation_samples": 3, "checkpoint_steps": 0, "checkpoint_seconds": float("nan"), "keep": 0,
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), SETTINGS.items(), ids=SETTINGS)
def test_settings_that_cannot_be_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name.replace('_', '-')} {value} is not possible"):
        api.Settings(**{name: value})


@pytest.mark.parametrize("unit", ["steps", "images", "gradients", "seconds"])
@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf")])
def test_budgets_that_cannot_be_are_refused(unit: str, limit: float) -> None:
    with pytest.raises(InputError, match=f"{unit} {limit}"):
        api.Budget(**{unit: limit})


def test_a_run_that_came_to_nothing_leaves_the_place_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails before the first step leaves no folder that would refuse the next attempt; an empty folder stays."""
    monkeypatch.setattr("saddlepoint.training.Training.picture", lambda self: 1 / 0)
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises(ZeroDivisionError):
            api.train(
                methods.get("gan"), "ring", MLP(width=8), out=tmp_path / name, budget=api.Budget(steps=1)
            )
    assert listing(tmp_path) == {"empty": "folder"}


def test_a_small_set_trains_without_scores(place: Path, tmp_path: Path) -> None:
    """Fewer held-out rows than a score needs: the run goes on without, and a score that is asked for says why."""
    np.save(tmp_path / "few.npy", np.random.default_rng(0).normal(size=(12, 2)))
    settings = api.Settings(batch_size=4, pictures=0)
    run = api.train(
        methods.get("gan"), str(tmp_path / "few.npy"), MLP(width=8),
        out=tmp_path / "out", budget=api.Budget(steps=2), settings=settings,
    )  # fmt: skip
    assert not run.folder.evaluations.exists()
    with pytest.raises(InputError, match="at least 4"):
        run.evaluate(8)


def test_the_installed_command_is_this_one(place: Path) -> None:
    command = Path(sys.executable).with_name("saddlepoint")
    if not command.exists():
        pytest.skip("the package is not installed as a command here")
    done = subprocess.run([command, "trian"], capture_output=True, text=True, timeout=60, cwd=place)
    assert (done.returncode, done.stderr) == (2, saddlepoint("trian", place).stderr)
