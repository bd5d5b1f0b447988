"""A run that was killed anywhere ends, by the same command, as one that was not: every file, bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from kills import Ended, Kill, Server, environment
from same_runs import configurations, differences, rows, steps, whole

pytestmark = pytest.mark.skipif(os.name != "posix", reason="trainings are forked and killed by signals")
CONFIGURATIONS = configurations()
GAN = CONFIGURATIONS["gan"]
CHECKPOINT = "checkpoints/0*.pt"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def undisturbed(server: Server) -> Callable[[tuple[str, ...]], Path]:
    """The folder of an undisturbed run of these arguments."""

    @cache
    def run(arguments: tuple[str, ...]) -> Path:
        folder = server.folder / f"undisturbed {len(list(server.folder.iterdir()))}"
        ended = server.train(arguments, folder)
        assert ended.code == 0, ended.said
        return folder

    return run


KILLS = [
    ("gan", [Kill("made", "checkpoints")]),
    ("gan", [Kill("renamed", "environment.json")]),
    ("gan", [Kill("renamed", "run.json")]),
    ("gan", [Kill("half", CHECKPOINT, 1)]),
    ("gan", [Kill("unlink", CHECKPOINT, 3)]),
    ("gan", [Kill("appended", "metrics.jsonl", 5)]),
    ("gan", [Kill("half", "weights/*", 2)]),
    ("gan", [Kill("synced", "summary.json")]),
    ("gan", [Kill("open", "report.html")]),
    ("gan", [Kill("half", "metrics.jsonl", 3), Kill("synced", CHECKPOINT, 2), Kill("half", CHECKPOINT, 2)]),
    ("wgan-gp", [Kill("half", "metrics.jsonl", 3), Kill("move", "", 17), Kill("renamed", CHECKPOINT, 1)]),
    ("wgan-gp", [Kill("appended", "evaluations.jsonl", 3), Kill("half", "samples/*", 2)]),
    ("sngan", [Kill("half", "evaluations.jsonl", 2), Kill("renamed", "checkpoints/best.pt", 3)]),
    ("sngan", [Kill("synced", CHECKPOINT, 3), Kill("step", "", 4)]),
    ("mix-gan", [Kill("step", "", 7)]),
    ("boosted", [Kill("step", "", 8), Kill("step", "", 6)]),
    ("ensemble", [Kill("step", "", 4), Kill("renamed", CHECKPOINT, 1)]),
    ("stages", [Kill("step", "", 9), Kill("step", "", 5), Kill("renamed", CHECKPOINT, 1)]),
]


@pytest.mark.parametrize(("name", "kills"), KILLS, ids=[f"{n} {k[0].point} {k[0].file}" for n, k in KILLS])
def test_killed_run_ends_as_an_undisturbed_one(
    server: Server, undisturbed: Callable, tmp_path: Path, name: str, kills: list[Kill]
) -> None:
    run, arguments = tmp_path / "run", CONFIGURATIONS[name]
    for kill in kills:  # one after the other, each in the process that continues
        assert server.train(arguments, run, [kill]).signal == "SIGKILL", f"the run was never at {kill}"
    ended = server.train(arguments, run)
    assert ended.code == 0, ended.said
    assert differences(undisturbed(arguments), run) == []
    assert whole(run, steps(arguments))


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_time(server: Server, undisturbed: Callable, tmp_path: Path, seed: int) -> None:
    reference, run, moments = undisturbed(GAN), tmp_path / "run", random.Random(seed)
    for _ in range(3):
        server.train(GAN, run, after=moments.uniform(0.1, 1.0))
    assert server.train(GAN, run).code == 0
    assert differences(reference, run) == []


def test_continued_run_forgets_what_came_after_its_checkpoint(server: Server, tmp_path: Path) -> None:
    """A picture of step 6 lies in the folder when the run is killed; the last checkpoint is that of step 5."""
    run = tmp_path / "run"
    server.train(GAN, run, [Kill("renamed", "samples/*", 2)])
    assert (run / "samples" / "00000006.png").is_file()
    server.train(GAN, run, [Kill("step")])
    assert [path.name for path in (run / "samples").iterdir()] == ["00000000.png"]
    assert whole(run, 5)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_compiled_run(server: Server, undisturbed: Callable, tmp_path: Path) -> None:
    """Checkpoints lie on chunk boundaries, so the continued run takes the same chunks; the last two steps, which
    make no whole chunk, are taken singly by both."""
    run, arguments = tmp_path / "run", CONFIGURATIONS["compiled"]
    for kill in (Kill("half", CHECKPOINT, 2), Kill("step", "", 4)):
        assert server.train(arguments, run, [kill]).signal == "SIGKILL"
        saved = [int(path.stem) for path in (run / "checkpoints").glob("0*.pt")]
        assert all(step % 4 == 0 for step in saved)
    assert server.train(arguments, run).code == 0
    assert differences(undisturbed(arguments), run) == []


def stopped(run: Path, step: int) -> bool:
    summary = json.loads((run / "summary.json").read_text())
    return (summary["status"], summary["step"]) == ("stopped", step) and whole(run, step)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    ("point", "step"), [(Kill("step", "", 7), 7), (Kill("evaluate"), 0)], ids=["step", "start"]
)
def test_signal_finishes_the_step_and_saves(
    server: Server, undisturbed: Callable, tmp_path: Path, name: str, point: Kill, step: int
) -> None:
    """The signal comes as a step begins, which is the last then, or with the evaluation before the first."""
    run = tmp_path / "run"
    ended = server.train(GAN, run, [Kill(point.point, point.file, point.number, name)])
    assert (ended.code, ended.signal) == (0, None)
    assert f"stopped at step {step}; the same command continues the run" in ended.said
    assert name in json.loads((run / "summary.json").read_text())["message"]
    if step:
        assert stopped(run, step)
        assert (run / "checkpoints" / f"{step:09d}.pt").is_file()
    assert server.train(GAN, run).code == 0
    assert differences(undisturbed(GAN), run) == []


def test_second_interrupt_ends_at_once(server: Server, undisturbed: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    twice = [Kill("step", "", 7, "SIGINT"), Kill("save", "", 3, "SIGINT")]
    ended = server.train(GAN, run, twice)
    assert ended.code != 0
    assert "stopped" not in ended.said
    assert not (run / "checkpoints" / "000000007.pt").exists()
    assert server.train(GAN, run).code == 0
    assert differences(undisturbed(GAN), run) == []


def test_signal_while_finishing_lets_it_finish(server: Server, undisturbed: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert server.train(GAN, run, [Kill("half", "weights/*", 1, "SIGTERM")]).code == 0
    assert differences(undisturbed(GAN), run) == []


def test_budget_lowered_to_where_the_run_stopped_finishes_it(
    server: Server, undisturbed: Callable, tmp_path: Path
) -> None:
    run, shorter = tmp_path / "run", (*GAN[:-1], "7")
    server.train(GAN, run, [Kill("step", "", 7, "SIGTERM")])
    assert "finished after 7 steps" in server.train(shorter, run).said
    weights = {path.name: path.read_bytes() for path in (undisturbed(shorter) / "weights").iterdir()}
    assert {path.name: path.read_bytes() for path in (run / "weights").iterdir()} == weights


def contents(run: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(p.relative_to(run)): (p.read_bytes(), p.stat().st_mtime_ns) for p in run.rglob("*") if p.is_file()
    }


def test_finished_run_is_left_as_it_is(server: Server, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert server.train(GAN, run).code == 0
    before = contents(run)
    ended = server.train(GAN, run)
    assert ended.code == 0
    assert "is finished: 23 steps; nothing to do" in ended.said
    assert contents(run) == before


def refused(ended: Ended, run: Path, before: dict[str, tuple[bytes, int]], words: str) -> bool:
    one = len(ended.said.strip().splitlines()) == 1 and ended.said.startswith("saddlepoint: ")
    return ended.code == 2 and one and words in ended.said and contents(run) == before


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (["--threads", "2"], "threads was '1' and is now '2'"),
        (["--compile"], "compile was 'False' and is now 'True'"),
        (["--seed", "5"], "seed was '0' and is now '5'"),
        (["--accumulate", "2"], "accumulate was '1' and is now '2'"),
        (["--data", "grid"], "data was "),
    ],
    ids=["threads", "compile", "seed", "accumulate", "data"],
)
def test_another_run_is_refused(server: Server, tmp_path: Path, changed: list[str], words: str) -> None:
    run = tmp_path / "run"
    server.train(GAN, run, [Kill("step", "", 9)])
    before = contents(run)
    assert refused(server.train([*GAN, *changed], run), run, before, words)


def test_thread_count_is_restored(server: Server, undisturbed: Callable, tmp_path: Path) -> None:
    """Begun with two threads and continued where the environment says one: two it stays."""
    run, two = tmp_path / "run", (*GAN, "--threads", "2")
    assert server.train(two, run, [Kill("step", "", 9)]).signal == "SIGKILL"
    assert server.train(GAN, run).code == 0
    assert json.loads((run / "run.json").read_text())["threads"] == 2
    assert differences(undisturbed(two), run) == []


def test_foreign_folder_is_left_alone(server: Server, tmp_path: Path) -> None:
    """Also one that looks like the beginning of a run."""
    server.train(GAN, tmp_path, [Kill("renamed", "environment.json")])
    (tmp_path / "checkpoints" / "mine.pt").write_bytes(b"precious")
    before = contents(tmp_path)
    assert refused(server.train(GAN, tmp_path), tmp_path, before, "is not empty and not a run")


def test_two_processes_on_one_folder(server: Server, undisturbed: Callable, tmp_path: Path) -> None:
    """The second is refused while the first trains, SIGTERM stops the first, and the same command ends as an
    undisturbed run. The first is an ordinary process, the undisturbed one a fork: they agree too."""
    seldom = [
        "--pictures",
        "2",
        "--evaluations",
        "1",
        "--evaluation-samples",
        "60",
        "--keep",
        "1",
        "--steps",
        "900",
    ]
    arguments = (*GAN[: GAN.index("--checkpoint-steps")], *seldom)
    run = tmp_path / "run"
    words = [sys.executable, "-m", "saddlepoint.cli", "train", *arguments, "--out", str(run)]
    first = subprocess.Popen(words, env=environment(server.folder), stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: (run / "metrics.jsonl").is_file() and len(rows(run / "metrics.jsonl")) > 0)
        os.kill(first.pid, signal.SIGSTOP)  # so that it is still training when the second one comes
        before = contents(run)
        second = server.train(arguments, run)
        assert refused(second, run, before, "another process is training in")
        os.kill(first.pid, signal.SIGCONT)
        first.terminate()
        said = first.communicate()[1]
    finally:
        first.kill()
    assert first.returncode == 0
    assert "the same command continues the run" in said
    summary = json.loads((run / "summary.json").read_text())
    assert stopped(run, summary["step"])
    again = subprocess.run(
        words, env=environment(server.folder), stderr=subprocess.PIPE, text=True, check=True
    )
    assert f"continuing {run} from step {summary['step']}" in again.stderr
    assert differences(undisturbed(arguments), run) == []


def until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not true():
        assert time.monotonic() < limit, "it did not happen within a minute"
        time.sleep(0.02)
