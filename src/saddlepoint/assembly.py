"""What a method asks for, read off its values before any network runs: parts by name, draws, who moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor, nn

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.forward import Definition, Forward
from saddlepoint.parts import Part
from saddlepoint.penalties.base import for_points
from saddlepoint.treatments import Treatment

if TYPE_CHECKING:
    from saddlepoint.method import Method


class Asked(NamedTuple):
    """A loss or a term in the loss of a player: the name under which it is logged and remembers, the quantities of the
    evaluation that it asks for, and what it asks for of its own (`memory`, `parameters`)."""

    name: str
    part: Callable[..., Tensor]
    asks: tuple[str, ...]
    own: tuple[str, ...]
    every: int = 1


OWN = ("memory", "parameters")


def named_parts(method: Method) -> dict[str, Part]:
    """Objective, terms and treatments by the name under which they are logged and remember."""
    named: dict[str, Part] = {"objective": method.objective}
    for kind, parts in (("term", method.terms), ("treatment", method.treatments)):
        kinds = [type(part).__name__ for part in parts]
        for index, (part, name) in enumerate(zip(parts, kinds, strict=True)):
            named[f"{kind}/{name}{index if kinds.count(name) > 1 else ''}"] = part
    return named


def asked(name: str, part: Callable[..., Tensor], asks: tuple[str, ...], every: int = 1) -> Asked:
    return Asked(
        name, part, tuple(a for a in asks if a not in OWN), tuple(a for a in asks if a in OWN), every
    )


def treated(forward: Forward, treatments: Mapping[str, Treatment], point: Any, side: str) -> Any:
    """A point as the discriminator sees it; `side` says whose noise is used: real, fake or other."""
    if isinstance(point, tuple):  # what stands beside a sample is not treated
        return treated(forward, treatments, point[0], side), *point[1:]
    for name, treatment in treatments.items():
        if treatment.images and point.dim() != 4:
            kind = type(treatment).__name__
            raise InputError(f"{kind} is for images, and a point here has shape {tuple(point.shape[1:])}")
        noise = {n: for_points(forward[f"{n}/{side}"], point) for n in treatment.draws()}
        memory = forward.memory.get("parts", {}).get(name, {})
        point = treatment.apply(point, noise, memory, forward["clock"])
    return point


def draws(method: Method, parts: Mapping[str, Part]) -> dict[str, Draw]:
    for definition in method.definitions:
        if not isinstance(method.latent, definition.prior):
            raise InputError(
                f"{type(definition).__name__} is for a latent {definition.prior.__name__}(…), and that of {method.name} is "
                f"{method.latent!r}"
            )
    draws: dict[str, Draw] = dict(method.latent.draws())
    drawing: tuple[Part | Definition, ...] = (*parts.values(), *method.definitions)
    for part in drawing:
        sides = ("/real", "/fake", "/other") if isinstance(part, Treatment) else ("",)
        for name, draw in ((n + side, d) for n, d in part.draws().items() for side in sides):
            if draws.setdefault(name, draw) != draw:
                raise InputError(
                    f"two parts of {method.name} draw {name!r} differently: {draws[name]} and {draw}"
                )
    return draws


def check_players(method: Method, networks: Mapping[str, nn.Module]) -> None:
    players, turns = tuple(method.dynamics.optimizers), method.dynamics.turns(0)
    if not players or not turns:
        raise InputError(
            f"{method.name} moves nobody: give its dynamics a player with an optimiser and a step to take"
        )
    named: dict[str, Iterable[str]] = {
        "the dynamics move": [player for turn in turns for player in turn.players],
        "the averages name": list(method.averages),
        "the constraints name": [constraint.player for constraint in method.constraints],
        **{
            f"{type(term).__name__} acts on": term.players
            for term in method.terms
            if not set(term.players) & set(players)
        },
    }
    for part, asked in named.items():
        if strange := [player for player in asked if player not in players]:
            raise InputError(
                f"{part} {strange[0]!r}, and the players of {method.name} are {', '.join(players)}"
            )
    missing = [player for player in players if player not in networks]
    if missing:
        raise InputError(
            f"{method.name} moves the player {missing[0]!r}, but the networks given are {', '.join(sorted(networks))}"
        )
