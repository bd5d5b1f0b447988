"""docs/extending.md, executed on a copy of the tree: new files are enough."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text()
FILES = dict(re.findall(r"```python file=(\S+)\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


# Prints what the lines print, each after a line of its own.
EVERY_LINE = """
import shlex, sys
from saddlepoint.cli import main
for line in sys.argv[1:]:
    print("$", line)
    assert main(shlex.split(line)) == 0, line
"""


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


def test_the_commands_of_the_page_run_and_the_catalogues_have_what_is_new(tree: Path) -> None:
    """In one process, since importing torch takes seconds."""
    lines = [line.removeprefix("saddlepoint ") for line in COMMANDS]
    assert len(lines) == 3
    assert not set(lines) & set(COMMANDS)
    lists = ["methods --json", "methods --markdown", "metrics --json"]
    printed = re.split(r"^\$ .*\n", ran(tree, "-c", EVERY_LINE, *lines, *lists), flags=re.MULTILINE)[1:]
    methods, index, metrics = printed[3:]
    assert (tree / "runs" / "absolute" / "summary.json").is_file()
    assert all(part in printed[1] for part in ("Absolute(", "Drift(", "weight=0.1", "every=4"))
    assert "energy-distance" in printed[2]
    found = next(row for row in json.loads(methods) if row["id"] == "absolute-gan")
    assert found["parts"] == ["Absolute", "Drift", "Repeated"]
    assert found["name"] == "GAN of least absolute deviations, without drift"
    assert "| absolute-gan |" in index
    assert "energy-distance" in [row["id"] for row in json.loads(metrics)]


def test_the_new_method_obeys_the_laws_and_the_new_metric_is_judged(tree: Path) -> None:
    """The metric against every corruption of digits and ring, in other orders and with bad input."""
    files = ("tests/test_laws.py", "tests/test_laws_executions.py", "tests/test_metrics_matrix.py")
    printed = ran(tree, "-m", "pytest", "-vv", "-p", "no:cacheprovider", *files, "-k", "absolute or energy")
    passed = re.findall(r"^(\S+)\.py::\S*(absolute|energy)\S* PASSED", printed, re.MULTILINE)
    assert {file for file, name in passed if name == "absolute"} == {
        "tests/test_laws",
        "tests/test_laws_executions",
    }
    assert [name for _, name in passed].count("absolute") >= 10
    assert [name for _, name in passed].count("energy") >= 15
