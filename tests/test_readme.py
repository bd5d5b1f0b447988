"""What README says runs: its Python as it stands, its command lines with all their options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from command_line import inside
from saddlepoint import methods
from saddlepoint.commands import data as data_command
from saddlepoint.commands import demo, diagnose, evaluate, report, reproduce, sample, show
from saddlepoint.commands import experiments as experiments_command
from saddlepoint.commands import methods as methods_command
from saddlepoint.commands import metrics as metrics_command
from saddlepoint.commands import theory as theory_command
from saddlepoint.commands.parsing import method_of, networks_of, parse
from saddlepoint.commands.train import command
from saddlepoint.method import Method

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


PYTHON = blocks("python")
LINES = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]
SPANS = [
    span for span in re.findall(r"`(saddlepoint [^`]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
    if not re.search(r"\b[A-Z]{3,}\b|\.\.\.", span)  # with a place for something in it
]  # fmt: skip


def test_readme_has_its_snippets() -> None:
    """At least three of Python and a command line of each kind, so that the tests below test something."""
    assert len(PYTHON) >= 3
    assert {shlex.split(line)[1] for line in LINES if line.startswith("saddlepoint")} >= {
        "train",
        "sample",
        "evaluate",
    }


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_readmes_python_runs_as_it_stands(number: int, tmp_path: Path) -> None:
    """Each block by itself, in an empty folder."""
    (tmp_path / "place").mkdir()
    with inside(tmp_path / "place"):
        exec(compile(PYTHON[number], f"README.md, python block {number}", "exec"), {"__name__": "__main__"})  # noqa: S102


@pytest.mark.parametrize("line", [*LINES, *SPANS])
def test_readmes_commands_are_commands(line: str) -> None:
    match shlex.split(line, comments=True):
        case ["saddlepoint", *words]:
            accepted(words)
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case ["python3", "-m", "venv", ".venv"] | [".venv/bin/python", "-m", "pip", "install", *_]:
            pass
        case other_line:
            pytest.fail(f"README shows a command that this test does not know: {other_line}")


OF = {
    "sample": sample.Sample, "evaluate": evaluate.Evaluate, "report": report.Report, "show": show.Show,
    "methods": methods_command.Methods, "data": data_command.Sets, "demo": demo.Demo,
    "diagnose": diagnose.Diagnose, "metrics": metrics_command.Metrics, "theory": theory_command.Theory,
    "experiments": experiments_command.Experiments, "reproduce": reproduce.Reproduce,
}  # fmt: skip


def accepted(words: list[str]) -> None:
    """Read the command line with everything in it, without carrying it out."""
    name, *rest = words
    if rest[-1:] == ["--help"]:
        rest = rest[:-1]
    elif name in OF:
        parse(OF[name], name, rest)
    else:
        given = parse(command(method_of(rest[0])), name, rest[1:])
        networks_of(given.network, given.method)
    assert name in (*OF, "train")
    assert not rest or name != "train" or isinstance(method_of(rest[0]), Method)


@pytest.mark.parametrize("span", re.findall(r"`(--method\.[^`]+)`", README))
def test_readmes_numbers_are_numbers_of_wgan_gp(span: str) -> None:
    """README introduces them as examples of what `train wgan-gp --help` lists."""
    given = parse(
        command(methods.get("wgan-gp")), "train", ["--data", "ring", "--out", "out", *shlex.split(span)]
    )
    assert given.method != methods.get("wgan-gp")
