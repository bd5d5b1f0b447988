"""What can be changed from the command line, and how little a help text waits for."""

from __future__ import annotations

import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from command_line import COMMAND, saddlepoint, surroundings
from saddlepoint import methods
from saddlepoint.commands.parsing import parse
from saddlepoint.commands.train import command
from saddlepoint.schedules import Cosine, Schedule
from saddlepoint.vocabulary import read

ROOT = Path(__file__).parents[1]


# -- every number can be changed ------------------------------


def changes(value: Any, flag: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The flag of every number inside a value, with another value for it; a schedule is changed as one."""
    for field in fields(value):
        part, name = getattr(value, field.name), f"{flag}.{field.name}".replace("_", "-")
        inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, tuple) else ()
        if isinstance(part, tuple) and part and all(isinstance(entry, (int, float)) for entry in part):
            yield name, tuple(map(other, part))
        elif isinstance(part, bool):
            yield f"{flag}.{'no-' if part else ''}{field.name}", ()
        elif isinstance(part, (int, float)):
            yield name, (other(part),)
        elif isinstance(part, Schedule):  # one text, not flags of its own
            yield name, (changed(part),)
        elif is_dataclass(part):
            yield from changes(part, name)
        for key, entry in inner:
            if is_dataclass(entry):
                yield from changes(entry, f"{name}.{key}")
            elif isinstance(part, dict) and isinstance(entry, (int, float)):
                yield f"{name}.{key}", (other(entry),)


def other(number: float) -> float:
    """Another number that is accepted wherever this one is."""
    return number + 3 if isinstance(number, int) else number / 2 + 0.001


def changed(value: Any) -> Any:
    """The value with every number changed."""
    match value:
        case bool():
            return not value
        case int() | float():
            return other(value)
        case Schedule():
            return Cosine(0.5, 0.25, over=1000)
        case tuple():
            return tuple(map(changed, value))
        case dict():
            return {name: changed(part) for name, part in value.items()}
    return (
        replace(value, **{f.name: changed(getattr(value, f.name)) for f in fields(value)})
        if is_dataclass(value)
        else value
    )


def parsed(name: str, words: list[str]) -> Any:
    return parse(command(methods.get(name)), f"train {name}", ["--data", "ring", "--out", "out", *words])


@pytest.mark.parametrize("name", methods.names())
def test_every_number_of_a_method_can_be_changed(name: str) -> None:
    method = methods.get(name)
    assert parsed(name, []).method == method
    found = list(changes(method, "--method"))
    assert len(found) >= 4 * len(method.dynamics.optimizers)
    words = [word for flag, values in found for word in (flag, *map(str, values))]
    assert parsed(name, words).method == changed(method)


@pytest.mark.parametrize("name", ["gan-r1", "wgan-gp"])
def test_a_number_is_changed_alone(name: str) -> None:
    """One flag at a time: what it changes, and that nothing else changes with it."""
    method, seen = methods.get(name), set()
    for flag, values in changes(method, "--method"):
        one = parsed(name, [flag, *map(repr, values)]).method
        assert one != method, flag
        seen.add(repr(one))
    assert len(seen) == len(list(changes(method, "--method")))


def scheduled(value: Any, flag: str) -> Iterator[str]:
    """The flags of all learning rates, penalty weights and half-lives."""
    for name, values in changes(value, flag):
        if name.rsplit(".", 1)[-1] in ("lr", "gamma", "weight", "half-life") and len(values) == 1:
            yield name


@pytest.mark.parametrize("name", methods.names())
def test_a_schedule_may_stand_for_a_number(name: str) -> None:
    flags = list(scheduled(methods.get(name), "--method"))
    assert len(flags) >= len(methods.get(name).dynamics.optimizers)
    method = parsed(name, [word for flag in flags for word in (flag, "Cosine(0.5, 0.25, over=1000)")]).method
    assert repr(method).count(repr(Cosine(0.5, 0.25, over=1000))) == len(flags)
    assert read(repr(method)) == method
    rates = [getattr(o, "inner", o).lr for o in method.dynamics.optimizers.values()]
    assert all(isinstance(rate, Schedule) for rate in rates)


# -- nobody waits for what he does not need ------------------------------

HEAVY = ("torch", "numpy", "scipy", "sklearn", "matplotlib", "PIL", "jinja2", "rich", "safetensors", "tyro")
LIGHT = {
    "": (), "--help": (), "--version": (), "train --help": ("tyro",), "methods --help": ("tyro",),
    "data --help": ("tyro",), "data --json": ("tyro",), "sample --help": ("tyro",), "evaluate --help": ("tyro",),
    "demo --help": ("tyro",), "show --help": ("tyro", "numpy"), "report --help": ("tyro", "numpy"),
}  # fmt: skip


@pytest.mark.parametrize("line", LIGHT)
def test_light_commands_import_nothing_heavy(line: str, tmp_path: Path) -> None:
    """What `python -X importtime` reports, over the whole life of the process."""
    arguments = [sys.executable, "-X", "importtime", *COMMAND[1:], *shlex.split(line)]
    done = subprocess.run(arguments, env=surroundings(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    imported = {row.split("|")[-1].strip() for row in done.stderr.splitlines()}
    assert "saddlepoint" in imported
    assert imported & set(HEAVY) <= set(LIGHT[line])


def test_help_answers_at_once(tmp_path: Path) -> None:
    """Under half a second, as the median of five."""

    def median(*arguments: str) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=surroundings())
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    helped, nothing = median(*COMMAND, "--help"), median(sys.executable, "-c", "pass")
    assert helped < 0.5, f"{helped:.3f} s, {helped / nothing:.1f} times what `python -c pass` takes"


def test_help_names_every_command(tmp_path: Path) -> None:
    done = saddlepoint("--help", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    files = (ROOT / "src" / "saddlepoint" / "commands").glob("*.py")
    commands = {path.stem for path in files} - {"__init__", "parsing"}
    assert commands == {
        line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and "--" not in line[:6]
    }
