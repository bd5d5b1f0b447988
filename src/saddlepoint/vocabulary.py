"""Values as text: `repr` writes them, `read` reads them back. Nothing is evaluated.

The text is a literal call expression over the exported names below, for example
`Method(name='gan', objective=Hinge(), terms=(R1(gamma=0.1),))`.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
import types
import typing
from functools import cache
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from saddlepoint.errors import InputError, nearest

SOURCES = (  # modules, and packages with a file for each part
    "average",
    "constraints",
    "definitions",
    "dynamics",
    "encoders",
    "latents",
    "method",
    "mixture",
    "networks",
    "objectives",
    "optim",
    "penalties",
    "schedules",
    "treatments",
)
FORMS = {  # what parts are made from: no values
    "Constraint",
    "Divergence",
    "Dynamics",
    "Kernel",
    "Latent",
    "Metric",
    "Objective",
    "Optimizer",
    "Schedule",
    "Several",
    "Term",
    "Treatment",
    "Wrapping",
}
LIMIT = 100_000  # characters


@cache
def words() -> dict[str, str]:
    """Every name that `read` knows, with the module that defines it: the public dataclasses of the sources, found in the
    text of their files, so that a new file is known by being there and nothing is imported before it is used."""
    found: dict[str, str] = {}
    root = Path(__file__).parent
    for source in SOURCES:
        for file in sorted((root / source).glob("*.py")) or [root / f"{source}.py"]:
            module = ".".join(("saddlepoint", *file.relative_to(root).with_suffix("").parts))
            for name in _dataclasses(file.read_text()):
                if found.setdefault(name, module) != module:
                    raise ValueError(f"{name} is defined in {found[name]} and again in {module}")
    return found


def _dataclasses(text: str) -> list[str]:
    return [
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and node.name not in FORMS
        and any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]


def read(text: str) -> Any:
    """The value that a literal call expression describes. Unknown names and arguments are refused."""
    if len(text) > LIMIT:
        raise InputError(f"a value of {len(text)} characters is too long; at most {LIMIT} are read")
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except InputError:
        raise
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise InputError(f"cannot read {text[:80]!r} as a value: {error or type(error).__name__}") from error


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=None | bool() | int() | str() as value):
            return value
        case ast.Constant(value=float() as value) if math.isfinite(value):
            return value
        case ast.Tuple(elts=parts):
            return tuple(_value(part) for part in parts)
        case ast.Dict(keys=keys, values=values) if all(keys):
            return {_value(k): _value(v) for k, v in zip(keys, values, strict=True) if k is not None}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            return _call(name, args, keywords)
    accepted = "calls of known names with literal arguments"
    raise InputError(f"cannot read {ast.unparse(node)[:80]!r}: accepted are {accepted}")


def _call(name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> Any:
    if name not in words():
        raise InputError(f"unknown part {name!r}: {nearest(name, words())}")
    given = [k.arg for k in keywords]
    if None in given or len(set(given)) < len(given):
        raise InputError(f"cannot make {name}: each argument is given once, by its own name")
    made = getattr(import_module(words()[name]), name)
    positional, named = [_value(arg) for arg in args], {k.arg: _value(k.value) for k in keywords if k.arg}
    try:
        for field, value in signature(made).bind_partial(*positional, **named).arguments.items():
            _check(name, field, value, get_type_hints(made)[field])
        return made(*positional, **named)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot make {name}: {str(error).replace('.__init__', '')}") from error


def _check(name: str, field: str, value: Any, hint: Any) -> None:
    if not fits(value, hint):
        accepted = hint.__name__ if isinstance(hint, type) else re.sub(r"\w+\.", "", str(hint))
        raise InputError(f"cannot make {name}: {field} is {repr(value)[:60]}, accepted is {accepted}")


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type; whole numbers are numbers, truth values are not."""
    if hint is Any:
        return True
    inside = get_args(hint)
    match get_origin(hint):
        case typing.Union | types.UnionType:
            return any(fits(value, kind) for kind in inside)
        case typing.Literal:
            return value in inside
        case builtins.tuple:
            if not isinstance(value, tuple):
                return False
            kinds = inside[:1] * len(value) if inside[-1] is ... else inside
            return len(value) == len(kinds) and all(map(fits, value, kinds))
        case builtins.dict:
            return isinstance(value, dict) and all(
                fits(key, inside[0]) and fits(part, inside[1]) for key, part in value.items()
            )
    wanted = (int, float) if hint is float else hint
    return isinstance(value, wanted) and (hint is bool or not isinstance(value, bool))
