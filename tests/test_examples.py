"""The example pages, executed as they stand in a process of their own: torch and our leaves alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parent.parent / "docs" / "examples").glob("*.md"))
LEAVES = {
    "saddlepoint",
    "saddlepoint.average",
    "saddlepoint.balance",
    "saddlepoint.draws",
    "saddlepoint.errors",
    "saddlepoint.objectives",
    "saddlepoint.parts",
    "saddlepoint.penalties",
    "saddlepoint.random",
    "saddlepoint.schedules",
    "saddlepoint.version",
}
HEAVY = {"sklearn", "scipy", "matplotlib", "PIL", "rich", "jinja2", "tyro", "torchvision"}


def test_there_are_two_pages() -> None:
    assert {"tokenizer", "vocoder"} <= {page.stem for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs_with_torch_and_leaves_alone(page: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(blocks) == 1
    code = blocks[0] + "\nimport sys\nprint('\\n'.join(sys.modules))\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-1500:]
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.split(".")[0] == "saddlepoint"}
    assert {".".join(name.split(".")[:2]) for name in ours} <= LEAVES
    assert not loaded & HEAVY
