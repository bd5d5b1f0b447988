"""The command line as a person meets it, and what it leaves on disk."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shlex
import signal
import subprocess
import sys
import warnings
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
        env=surroundings() | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        preexec_fn=before,
    )


def here(arguments: str, cwd: Path, environment: Mapping[str, str] | None = None) -> Done:
    """The same in this process, which saves the seconds that importing torch takes."""
    out, err = io.StringIO(), io.StringIO()
    with inside(cwd, environment), redirect_stdout(out), redirect_stderr(err), warned():
        code = main(shlex.split(arguments))
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def interruptible() -> None:
    """In a child before it starts: Ctrl-C is heard, which a shell lets everything ignore that it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def warned() -> Iterator[None]:
    """Warnings of both kinds are printed, as by an interpreter that nobody has told otherwise; pytest would keep them."""

    def show(message: Warning | str, category: type[Warning], file: str, line: int, *rest: object) -> None:
        print(warnings.formatwarning(message, category, file, line), end="", file=sys.stderr)

    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.root, "handlers", [])
        warnings.simplefilter("default")
        for silent in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", silent)
        warnings.showwarning = show
        yield


@contextmanager
def inside(cwd: Path, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """The environment and the working folder of a command."""
    told = surroundings() | dict(environment or {})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        for name in set(os.environ) - set(told):
            patch.delenv(name)
        for name, value in told.items():
            patch.setenv(name, value)
        yield


def surroundings() -> dict[str, str]:
    """One thread, no data sets but those in the test's reach, no accelerator, the cache of all tests."""
    mine = {
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "SADDLEPOINT_CACHE": os.environ["SADDLEPOINT_CACHE"],
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
