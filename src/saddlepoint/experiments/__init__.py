"""Experiments of the literature, each in a file: `e09_bilinear.py` with a value `EXPERIMENT` is E09, named `bilinear`.

saddlepoint experiments                 what there is
saddlepoint reproduce bilinear          run one, print what was published beside what is measured
saddlepoint reproduce --all --out DIR   the book of all
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from saddlepoint.errors import InputError, nearest

if TYPE_CHECKING:
    from saddlepoint.experiments.experiment import Experiment

HERE = Path(__file__).parent


def _files() -> dict[str, str]:
    """id → file, from the files' names."""
    return {file.stem[:3].upper(): file.stem for file in sorted(HERE.glob("e[0-9][0-9]_*.py"))}


def names() -> tuple[str, ...]:
    """The ids that have a file: nothing is imported."""
    return tuple(_files())


def get(name: str) -> Experiment:
    """The experiment with this id or name; only its file is imported."""
    files = _files()
    by_name = {stem[4:].replace("_", "-"): stem for stem in files.values()}
    stem = files.get(name.upper()) or by_name.get(name.lower().replace("_", "-"))
    if stem is None:
        raise InputError(f"unknown experiment {name!r}: {nearest(name, [*files, *by_name])}")
    found: Experiment = import_module(f"{__name__}.{stem}").EXPERIMENT
    return found


SAYING = {"accept", "experiment", "drawing"}  # modules that change no number


@cache  # a process has imported what it measures with: what is edited while it works is another digest's
def digest(id: str) -> str:
    """Of the files that measure, its own and those here that it builds on: what is drawn, said and accepted (functions
    `draw…`, the value EXPERIMENT), imports, comments and layout apart. Numbers of another digest are measured again."""
    trees = _trees(_files()[id], {})
    text = "".join(ast.dump(_measuring(trees[stem])) for stem in sorted(trees))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _trees(stem: str, known: dict[str, ast.Module]) -> dict[str, ast.Module]:
    known[stem] = ast.parse((HERE / f"{stem}.py").read_text(encoding="utf-8"))
    for node in ast.walk(known[stem]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{__name__}."):
            other = (node.module or "").removeprefix(f"{__name__}.")
            if other not in SAYING and other not in known:
                _trees(other, known)
    return known


def _measuring(tree: ast.Module) -> ast.Module:
    return ast.Module([node for node in tree.body if not _apart(node)], [])


def _apart(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "EXPERIMENT" for target in node.targets)
    if isinstance(node, ast.FunctionDef):
        return node.name.startswith("draw")
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)
