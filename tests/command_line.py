"""The command line as a person meets it, and what it leaves on disk."""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from saddlepoint.cli import main

Done = subprocess.CompletedProcess[str]

COMMAND = (sys.executable, "-m", "saddlepoint.cli")
QUICK = "--steps 2 --batch-size 8 --evaluations 0 --pictures 0 --quiet"
TIMEOUT = 120.0
FOREIGN = ("SADDLEPOINT_", "PYTHONUNBUFFERED")  # an ordinary output is buffered


def saddlepoint(
    arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> Done:
    """`saddlepoint ARGUMENTS` in `cwd`, in a process of its own. `before` runs in the child first, for limits."""
    return subprocess.run(
        [*COMMAND, *shlex.split(arguments)],
        cwd=cwd,
        env=surroundings(cwd) | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        preexec_fn=before,
    )


def here(arguments: str, cwd: Path) -> Done:
    """The same in this process, which saves the seconds that importing torch takes."""
    out, err = io.StringIO(), io.StringIO()
    with inside(cwd), redirect_stdout(out), redirect_stderr(err):
        code = main(shlex.split(arguments))
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@contextmanager
def inside(cwd: Path) -> Iterator[None]:
    """The environment and the working folder of a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        for name in set(os.environ) - set(surroundings(cwd)):
            patch.delenv(name)
        for name, value in surroundings(cwd).items():
            patch.setenv(name, value)
        yield


def surroundings(cwd: Path) -> dict[str, str]:
    """One thread, no data sets but those in the test's reach, no accelerator, a cache beside `cwd`."""
    mine = {
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "SADDLEPOINT_CACHE": str(cwd.parent / "cache"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return kept | mine


def listing(folder: Path) -> dict[str, str]:
    """Everything below a folder: name -> SHA-256 of the content, or what it is."""
    return {str(path.relative_to(folder)): _content(path) for path in sorted(folder.rglob("*"))}


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    return "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()


def assert_refused(done: Done, *words: str) -> None:
    """Exit code 2, nothing on standard output, one line on standard error in which all words stand."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("saddlepoint: ")
    assert [word for word in words if word not in lines[0]] == [], lines[0]
