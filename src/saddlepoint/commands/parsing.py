"""Command lines from the fields of values."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from saddlepoint.errors import InputError, nearest

Command = TypeVar("Command")


def parse(command: type[Command], name: str, arguments: list[str]) -> Command:
    """An instance of the dataclass `command` from arguments; numbers that may be schedules are read as text."""
    registry = tyro.constructors.ConstructorRegistry()
    registry.primitive_rule(_number)
    said = io.StringIO()
    try:
        with registry, redirect_stderr(said):
            return tyro.cli(command, prog=f"saddlepoint {name}", args=arguments, description=command.__doc__)
    except SystemExit as end:
        if not end.code:
            raise
        raise InputError(f"{_sentence(said.getvalue())}; see saddlepoint {name} --help") from None


def _sentence(box: str) -> str:
    """What a framed message says, in one line: its text up to the first rule, or all where nothing is framed."""
    lines = [line.strip("│ ") for line in box.splitlines() if not line.startswith(("╭", "╰"))]
    rule = next((number for number, line in enumerate(lines) if line.startswith("──")), len(lines))
    return " ".join(" ".join(lines[:rule]).split()).rstrip(".")


def _number(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec | None:
    """`float | Schedule`: a number, or a schedule as a call expression such as "Cosine(2e-4, 5e-5)"."""
    if "Schedule" not in str(info.type):  # whoever has none does not wait for torch
        return None
    from saddlepoint.schedules import Schedule

    if info.type != float | Schedule:
        return None

    def made(text: list[str]) -> Any:
        from saddlepoint.vocabulary import read

        try:
            return float(text[0])
        except ValueError:
            value = read(text[0])
        if not isinstance(value, Schedule):
            raise ValueError(f"{text[0]} is neither a number nor a schedule")
        return value

    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="NUMBER|SCHEDULE",
        instance_from_str=made,
        is_instance=lambda value: isinstance(value, (int, float, Schedule)),
        str_from_instance=lambda value: [repr(value)],
    )


def method_of(text: str) -> Any:
    """A method by id, or a complete value as text."""
    from saddlepoint import methods

    if "(" not in text:
        return methods.get(text)
    from saddlepoint.method import Method
    from saddlepoint.vocabulary import read

    value = read(text)
    if not isinstance(value, Method):
        raise InputError(f"{text[:60]!r} is not a method: give an id or Method(...)")
    return value


NETWORKS = {
    "autoencoder": "Autoencoder",
    "mlp": "MLP",
    "dcgan": "DCGAN",
    "resnet": "ResNet",
    "r3net": "R3Net",
}


def networks_of(text: str | None, method: Any) -> Any:
    """A pair of networks by name, fitted to the method, or a value as text, taken as it is."""
    from saddlepoint.plan import fitting
    from saddlepoint.vocabulary import read, words

    if text is None:
        return None
    if "(" not in text:
        if text.lower() not in NETWORKS:
            raise InputError(f"unknown network {text!r}: {nearest(text.lower(), NETWORKS)}")
        return fitting(method, read(f"{NETWORKS[text.lower()]}()"))
    value = read(text)
    if not words().get(type(value).__name__, "").startswith("saddlepoint.networks."):
        raise InputError(
            f"{text[:60]!r} is not a pair of networks: accepted are {', '.join(NETWORKS.values())}"
        )
    return value


@dataclass(frozen=True)
class DataOptions:
    """How images are looked at."""

    size: Annotated[tuple[int, ...] | None, tyro.conf.arg(metavar="SIDE | HEIGHT WIDTH")] = None
    """Resize images to this side, or to height and width."""
    channels: int | None = None
    """1 grey, 2 grey and alpha, 3 RGB, 4 RGBA."""
    flip: bool = False
    """Mirror training images at random."""
    skip_bad: bool = False
    """Leave out images that cannot be decoded, instead of stopping."""
    labelled: int | None = None
    """Train with the labels of so many rows of each class only, chosen by the seed."""

    def options(self) -> dict[str, Any]:
        """Keyword arguments of `data.load`, as they are recorded."""
        size: Any = self.size
        if size is not None:
            if len(size) not in (1, 2):
                raise InputError(f"--size takes one side or height and width, not {len(size)} numbers")
            size = size[0] if len(size) == 1 else list(size)
        return {
            "size": size,
            "channels": self.channels,
            "flip": self.flip,
            "skip_bad": self.skip_bad,
            "labelled": self.labelled,
        }


def load(spec: str, options: dict[str, Any]) -> Any:
    """The data set, with options as recorded."""
    from saddlepoint.data import load as load_data

    size = options["size"]
    return load_data(spec, **{**options, "size": tuple(size) if isinstance(size, list) else size})


def spec_of(text: str) -> str:
    """Paths are recorded whole, so that a run finds its data from anywhere."""
    return (
        str(Path(text).expanduser().resolve())
        if Path(text).expanduser().exists() and not _named(text)
        else text
    )


def _named(text: str) -> bool:
    from saddlepoint.data import catalogue

    return any(entry["name"] == text for entry in catalogue())
