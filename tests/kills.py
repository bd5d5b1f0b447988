"""Trainings that are killed at a chosen point.

Importing torch takes seconds, so a `Server` does it once, in a process of its own, and forks a child for each
training. The server computes nothing, hence has no threads that a fork would lose. The child runs the very
command line (`saddlepoint.cli.main`). Watchers lie around the calls by which the program moves and by which it
touches its folder; each tells the `Trap` where the program is, and the trap sends the process a signal, by
default SIGKILL, at the chosen place. Nothing is replaced: every call goes through to the real one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any

TIMEOUT = 900.0  # seconds after which a child counts as hung


@dataclass(frozen=True)
class Kill:
    """The `number`-th time (from 1, in each process anew) that the program is at `point` of a file whose path in
    the run matches `file`.

    Points of a file: "open" (about to be written), "half" (half of the bytes are written), "synced" (all are,
    under the name beside), "renamed", "appended" (lines on disk), "unlink" (about to be removed), "made" (a
    folder). Points of a training, without a file: "step" (about to take one, or a compiled chunk), "move" (a
    player has its gradient and has not moved yet), "picture", "evaluate", "save", "finish".
    """

    point: str
    file: str = ""
    number: int = 1
    signal: str = "SIGKILL"


@dataclass(frozen=True)
class Ended:
    """How a training ended: with an exit code or by a signal, after how many seconds, and what it said."""

    code: int | None
    signal: str | None
    seconds: float
    said: str
    points: dict[str, int] = field(default_factory=dict)
    """How often a training that was not killed was at each "point file"; numbers in names are *."""


# -- in the child -----------------------------------------------------------------------------------------


class Trap:
    """Counts the points that the program passes and sends the signals that are due."""

    def __init__(self, run: Path, kills: Sequence[Kill]) -> None:
        self.run, self.kills = run.absolute(), kills
        self.met: Counter[Kill] = Counter()
        self.points: Counter[str] = Counter()

    def name(self, path: Any) -> str | None:
        """A file's path in the run; of a file beside (.NAME.PID.part) that of the file it stands for."""
        path = Path(path).absolute()
        if self.run not in (path, *path.parents):
            return None
        beside = re.fullmatch(r"\.(.+)\.\d+\.part", path.name)
        return str((path.with_name(beside[1]) if beside else path).relative_to(self.run))

    def at(self, point: str, path: Any = None, ready: Callable[[], Any] = lambda: None) -> None:
        """The program is at `point`; `ready` is called before it is killed there."""
        name = "" if path is None else self.name(path)
        if name is None:
            return
        self.points[f"{point} {re.sub(r'[0-9]+', '*', name)}".strip()] += 1
        here = [kill for kill in self.kills if kill.point == point and fnmatchcase(name, kill.file)]
        self.met.update(here)
        for kill in here:
            if self.met[kill] == kill.number:
                ready()
                os.kill(os.getpid(), getattr(signal, kill.signal))

    def open(self, path: Any, mode: str = "r") -> Any:
        """`open`, watched where it writes."""
        writes = bool(set(mode) & set("wa"))
        if writes:
            self.at("open", path)
        file = open(path, mode)  # noqa: SIM115 (handed on)
        return File(file, path, self) if writes and self.name(path) else file


class File:
    """An open file that tells the trap when half of a write is done."""

    def __init__(self, file: Any, path: Any, trap: Trap) -> None:
        self.file, self.path, self.trap = file, path, trap

    def write(self, content: Any) -> None:
        half = len(content) // 2
        self.file.write(content[:half])
        self.trap.at("half", self.path, ready=self.file.flush)
        self.file.write(content[half:])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *error: Any) -> None:
        self.file.close()


class Renaming:
    """The module `os` with its `replace` watched."""

    def __init__(self, trap: Trap) -> None:
        self.trap = trap

    def replace(self, beside: Path, path: Path) -> None:
        self.trap.at("synced", path)
        os.replace(beside, path)
        self.trap.at("renamed", path)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def watch(trap: Trap, compiled: bool) -> None:
    """Tell the trap of every call by which the program writes or moves."""
    from saddlepoint import paths, run, training
    from saddlepoint.dynamics import Dynamics

    vars(paths).update(os=Renaming(trap), open=trap.open)
    vars(run).update(open=trap.open)
    after(run.Folder, "append", lambda folder, path, rows: trap.at("appended", path))
    after(Path, "mkdir", lambda path, *arguments, **options: trap.at("made", path))
    before(Path, "unlink", lambda path, *arguments, **options: trap.at("unlink", path))
    before(training.Training, "advance", lambda training: trap.at("step"))
    for name in ("picture", "evaluate", "save", "finish"):
        before(training.Training, name, lambda training, name=name: trap.at(name))
    if not compiled:  # the inside of a compiled step is traced, and one graph afterwards
        before(Dynamics, "commit", lambda *arguments: trap.at("move"))


def before(owner: Any, name: str, tell: Callable[..., Any]) -> None:
    function = getattr(owner, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        tell(*arguments, **options)
        return function(*arguments, **options)

    setattr(owner, name, watched)


def after(owner: Any, name: str, tell: Callable[..., Any]) -> None:
    function = getattr(owner, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        tell(*arguments, **options)
        return result

    setattr(owner, name, watched)


def child(job: Mapping[str, Any]) -> None:
    """Run the command line of a job; never returns."""
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 70
    try:
        trap = Trap(Path(job["run"]), [Kill(**kill) for kill in job["kills"]])
        watch(trap, "--compile" in job["arguments"])
        code = command(job["arguments"])
        Path(job["log"] + ".points").write_text(json.dumps(trap.points))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def command(arguments: list[str]) -> int:
    """What the console script does."""
    from saddlepoint.cli import main

    try:
        return main(arguments)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1


# -- the server ---------------------------------------------------------------------------------------------

PRELOADED = """saddlepoint.training saddlepoint.commands.train saddlepoint.report saddlepoint.features
    rich.console safetensors.torch jinja2 scipy.linalg sklearn.datasets sklearn.neighbors
    PIL.PngImagePlugin matplotlib.figure matplotlib.style matplotlib.backends.backend_agg"""


def serve() -> None:
    """Import what a training imports, and compute nothing; then a job a line on standard input, its end a line
    on standard output."""
    for name in PRELOADED.split():
        import_module(name)
    for line in sys.stdin:
        threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
        if threads != 1:
            raise RuntimeError(f"the server has {threads} threads: a fork would lose all but one")
        print(json.dumps(attempt(json.loads(line))), flush=True)


def attempt(job: Mapping[str, Any]) -> dict[str, Any]:
    """Fork a child and wait for its end, or bring it about after job["after"] seconds."""
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        child(job)
    limit, number = (TIMEOUT, signal.SIGABRT) if job["after"] is None else (job["after"], signal.SIGKILL)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - started > limit:
            os.kill(pid, number)
        time.sleep(0.002)
    code = os.waitstatus_to_exitcode(status)
    return {
        "code": code if code >= 0 else None,
        "signal": signal.Signals(-code).name if code < 0 else None,
        "seconds": time.monotonic() - started,
    }


class Server:
    """A process that forks trainings, as a context; logs and caches lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.log = folder, folder / "log"

    def __enter__(self) -> Server:
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(self.folder),
        )
        return self

    def __exit__(self, *error: Any) -> None:
        self.process.communicate()

    def train(
        self, arguments: Sequence[str], run: Path, kills: Sequence[Kill] = (), after: float | None = None
    ) -> Ended:
        """`saddlepoint train *arguments --out run` in a fork, killed at points or after some seconds."""
        points = Path(f"{self.log}.points")
        points.unlink(missing_ok=True)
        job = {
            "arguments": ["train", *arguments, "--out", str(run)],
            "run": str(run),
            "kills": [asdict(kill) for kill in kills],
            "after": after,
            "log": str(self.log),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the server has ended")
        counted = json.loads(points.read_text()) if points.exists() else {}
        return Ended(**json.loads(answer), said=self.log.read_text(errors="replace"), points=counted)


def environment(folder: Path) -> dict[str, str]:
    """One thread unless asked for more, threads that do not spin while they wait, and caches in `folder` where the
    environment names none."""
    return {
        "SADDLEPOINT_CACHE": str(folder / "cache"),
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
    }


if __name__ == "__main__":
    serve()
