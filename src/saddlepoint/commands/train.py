"""saddlepoint train"""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Any

import tyro

from saddlepoint.commands.parsing import DataOptions, load, method_of, networks_of, parse, spec_of
from saddlepoint.errors import InputError
from saddlepoint.settings import Settings

DEFAULT_IMAGES = 500_000


@dataclass(frozen=True)
class BudgetOptions:
    """What the run may spend: one of these (500,000 images if none is given)."""

    steps: int | None = None
    images: int | None = None
    gradients: int | None = None
    """Gradient evaluations."""
    seconds: float | None = None
    """Of training; evaluation and writing apart."""


@dataclass(frozen=True)
class Common:
    """Train a GAN in a folder; the same command continues it."""

    data: str
    """A name (see `saddlepoint data`), a folder of images, or a .npy, .npz or .csv file."""
    out: Path
    """The folder of the run."""
    network: str | None = None
    """mlp, dcgan, resnet, r3net, or a value such as "DCGAN(width=32)"; by default dcgan for images, mlp for vectors."""
    quiet: bool = False
    """Say nothing while training."""
    budget: tyro.conf.OmitArgPrefixes[BudgetOptions] = BudgetOptions()
    images_as: tyro.conf.OmitArgPrefixes[DataOptions] = DataOptions()
    settings: tyro.conf.OmitArgPrefixes[Settings] = Settings()


def command(method: Any) -> type[Any]:
    """The options of `train METHOD`: the common ones, and every field of the method's value under --method."""
    from saddlepoint.method import Method

    field = ("method", tyro.conf.AvoidSubcommands[Method], method)
    made = make_dataclass("Train", [field], bases=(Common,), frozen=True)
    made.__doc__ = f"Train {method.name}: {method.formula}. The same command continues the run."
    return made


def run(arguments: list[str]) -> None:
    if not arguments or arguments[0].startswith("-"):
        _without_method(arguments)
        return
    method = method_of(arguments[0])
    given = parse(command(method), f"train {arguments[0].split('(')[0]}", arguments[1:])
    from saddlepoint.plan import Plan
    from saddlepoint.training import carry_out

    spec, options = spec_of(given.data), given.images_as.options()
    networks = networks_of(given.network, given.method)
    plan = Plan(given.method, load(spec, options), networks, budget(given.budget), given.settings)
    carry_out(plan, given.out, {"spec": spec, "options": options, "command": _typed(arguments)}, given.quiet)


def budget(options: BudgetOptions) -> Any:
    from saddlepoint.budget import Budget

    given = {name: value for name, value in vars(options).items() if value is not None}
    return Budget(**given) if given else Budget(images=DEFAULT_IMAGES)


def _typed(arguments: list[str]) -> str:
    import shlex

    return shlex.join(["saddlepoint", "train", *arguments])


def _without_method(arguments: list[str]) -> None:
    from saddlepoint import methods

    names = methods.names()
    if arguments and arguments[0] in ("-h", "--help"):
        print(
            "usage: saddlepoint train METHOD --data DATA --out RUN [--steps N | --images N | --seconds S] [...]\n"
        )
        print(f"METHOD is one of {', '.join(names)}.")
        print("`saddlepoint train METHOD --help` lists every option and every number of the method.")
        return
    shown = repr(arguments[0]) if arguments else "nothing"
    raise InputError(f"train begins with a method, not {shown}: accepted are {', '.join(names)}")
