"""Places that cannot be written, disks and memories that are full, processes that end early: one sentence, and what
was complete is kept."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch

from bad_place import RUN
from bad_server import serving
from command_line import (
    COMMAND,
    QUICK,
    Done,
    assert_refused,
    here,
    interruptible,
    listing,
    saddlepoint,
    surroundings,
)
from saddlepoint.run import Folder

GIGABYTE = 1 << 30
posix = pytest.mark.skipif(os.name != "posix", reason="limits and locks of the system")


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
    done = here(f"{RUN} {QUICK} {rates} --checkpoint-steps 1 --steps 50 --out ../failed", place)
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
        [*COMMAND, *line.split()], stdout=write, stderr=subprocess.PIPE, env=surroundings(), text=True
    )
    os.close(write)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0


@posix
def test_an_interrupt_is_no_traceback(place: Path, tmp_path: Path) -> None:
    """Ctrl-C while a server does not answer."""
    with serving() as server:
        where = surroundings() | {
            "SADDLEPOINT_MIRROR": server.address,
            "SADDLEPOINT_CACHE": str(tmp_path),
        }
        command = [*COMMAND, "train", "gan", "--data", "mnist", "--out", "out", "--steps", "1"]
        process = subprocess.Popen(
            command, cwd=place, env=where, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible
        )
        assert server.asked.wait(60)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == "saddlepoint: interrupted\n"
    assert process.returncode == 130
