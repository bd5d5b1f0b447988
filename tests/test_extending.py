"""docs/extending.md, executed on a copy of the tree: new files are enough."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text()
FILES = dict(re.findall(r"```python file=(\S+)\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with the files of the page, all of them new."""
    copy = tmp_path_factory.mktemp("extended") / "tree"
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name, text in FILES.items():
        assert not (copy / name).exists(), f"{name} is not new"
        (copy / name).write_text(text)
    return copy


def ran(tree: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_the_page_adds_one_file_each() -> None:
    kinds = [Path(name).parent.name for name in FILES]
    assert kinds == ["objectives", "penalties", "dynamics", "methods", "catalogue"]


def test_the_new_method_is_in_the_catalogue_and_in_the_index(tree: Path) -> None:
    rows = json.loads(ran(tree, "-m", "saddlepoint.cli", "methods", "--json"))
    found = next(row for row in rows if row["id"] == "absolute-gan")
    assert found["parts"] == ["Absolute", "Drift", "Repeated"]
    assert found["name"] == "GAN of least absolute deviations, without drift"
    assert "| absolute-gan |" in ran(tree, "-m", "saddlepoint.cli", "methods", "--markdown")


def test_the_commands_of_the_page_run(tree: Path) -> None:
    assert len(COMMANDS) == 3
    for line in COMMANDS:
        program, *arguments = shlex.split(line)
        assert program == "saddlepoint"
        ran(tree, "-m", "saddlepoint.cli", *arguments)
    assert (tree / "runs" / "absolute" / "summary.json").is_file()


def test_the_new_metric_is_in_the_catalogue(tree: Path) -> None:
    rows = json.loads(ran(tree, "-m", "saddlepoint.cli", "metrics", "--json"))
    assert "energy-distance" in [row["id"] for row in rows]


def test_the_new_metric_is_judged(tree: Path) -> None:
    """Against every corruption of digits and ring, in other orders and with bad input."""
    printed = ran(
        tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_metrics_matrix.py", "-k", "energy"
    )
    assert passes(printed) >= 15


def test_the_new_method_obeys_the_laws(tree: Path) -> None:
    printed = ran(
        tree,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/test_laws.py",
        "tests/test_laws_executions.py",
        "-k",
        "absolute",
    )
    assert passes(printed) >= 10


def passes(printed: str) -> int:
    """Number of tests passed, in words or in dots."""
    said = re.search(r"(\d+) passed", printed)
    return (
        int(said.group(1))
        if said
        else sum(line.count(".") for line in re.findall(r"^[.s]+ ", printed, re.MULTILINE))
    )
