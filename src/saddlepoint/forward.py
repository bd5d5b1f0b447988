"""One evaluation of a game: every quantity by name, computed at most once, when somebody asks for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError, NeedsLabels
from saddlepoint.penalties.base import per_point

Provider = Callable[["Forward"], Any]


class Forward:
    """Quantities by name. `wanted` says which are going to be asked for (gradients share the forward pass of the score
    only if that is known beforehand); `together`: reals and fakes are judged in one pass; `seen` collects the buffers that
    networks leave behind."""

    __slots__ = ("batch", "memory", "players", "providers", "seen", "store", "together", "wanted")

    def __init__(
        self, batch: Mapping[str, Any], providers: Mapping[str, Provider], wanted: frozenset[str]
    ) -> None:
        self.batch, self.store = batch, dict(batch)
        self.providers, self.wanted, self.together = providers, wanted, False
        self.seen: dict[str, list[Mapping[str, Tensor]]] = {}
        self.players: Mapping[str, Tensor] = {}
        self.memory: Mapping[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        store = self.store
        if name not in store:
            store[name] = self.providers[name](self) if name in self.providers else self.head(name)
        return store[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.store[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self.store

    def clear(self) -> None:
        self.store.clear()

    def head(self, name: str) -> Any:
        """`real_<head>` and `fake_<head>`: a named output of the discriminator."""
        side, _, head = name.partition("_")
        if head and side in ("real", "fake") and "discriminator" in self.providers:
            record = self[f"{side}_record"]
            if head in record:
                return self["gather"](record[head])
            raise InputError(
                f"a part of the method asks for {name}, but the discriminator returns {', '.join(record)} only"
            )
        if name == "label":
            raise NeedsLabels("a part of the method asks for labels, and the data have none")
        raise InputError(
            f"a part of the method asks for {name}, which neither the networks nor the data give"
        )


@dataclass(frozen=True)
class Definition:
    """Extends the vocabulary: each public method defines the quantity it is named after from the quantities its
    arguments are named after. A method that asks for its own name wraps the earlier definition; one in `replaces` takes
    its place."""

    replaces: ClassVar[tuple[str, ...]] = ()
    prior: ClassVar[type] = object
    """The kind of latent that it is meant for."""

    @property
    def pack(self) -> int:
        """Rows that it makes one point of."""
        return 1

    def draws(self) -> dict[str, Draw]:
        """What it wants drawn for each row, by name."""
        return {}

    def check(self) -> None:
        """Looks once, on a few rows, at the quantities its arguments are named after; `InputError` where the networks do
        not fit."""

    def providers(self, before: Mapping[str, Provider]) -> dict[str, Provider]:
        defined = {}
        for name, method in inspect.getmembers(self, inspect.ismethod):
            if name in ("check", "draws", "providers") or name.startswith("_"):
                continue
            asks = arguments(method)
            if name in before and name not in (*asks, *self.replaces):
                raise ValueError(f"{type(self).__name__} defines {name}, which is defined already")
            defined[name] = _provider(method, asks, name, before.get(name))
        return defined


def _provider(
    method: Callable[..., Any], asks: tuple[str, ...], name: str, inner: Provider | None
) -> Provider:
    def provide(forward: Forward) -> Any:
        return method(**{a: inner(forward) if a == name and inner else forward[a] for a in asks})

    return provide


def arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    """The quantities that a part asks for."""
    return tuple(inspect.signature(function).parameters)


@dataclass(frozen=True)
class Adversarial(Definition):
    """The vocabulary of every GAN: how samples are made and what the discriminator sees."""

    def beside(self) -> tuple[Any, ...]:
        """What the generator takes besides the latent, a row for each of its rows."""
        return ()

    def generator_input(self, latent: Tensor, beside: tuple[Any, ...]) -> tuple[Any, ...]:
        return (latent, *beside)

    def fake(self, generator: Callable[..., Tensor], generator_input: tuple[Any, ...]) -> Tensor:
        return generator(*generator_input)

    def condition(self) -> tuple[Tensor, ...]:
        """What the discriminator is told of each row besides the point, never differentiated: of reals, fakes and
        points between them alike."""
        return ()

    def real_point(self, real: Tensor) -> Any:
        return real

    def fake_point(self, fake: Tensor) -> Any:
        return fake


def record(output: Any) -> Mapping[str, Any]:
    """A discriminator returns its score, or a record of named outputs with "score" among them."""
    return output if isinstance(output, Mapping) else {"score": output}


def judged() -> dict[str, Provider]:
    """Providers of everything that comes from the discriminator's judgement."""
    providers: dict[str, Provider] = {
        "score": lambda forward: lambda point: _outcome(forward, point, ("other",))[0],
        "record_of": lambda forward: lambda point: _outcome(forward, point, ("other",))[1],
        "score_and_gradient": lambda forward: lambda point: _judge(forward, point, True, ("other",))[::2],
        "judgement": _both,
    }
    for side in ("real", "fake"):
        providers[f"{side}_judgement"] = partial(_one, side=side)
        providers[f"{side}_score"] = partial(_gathered, side=side)
        providers[f"{side}_gradient"] = partial(_along, side=side, name="gradient")
        providers[f"{side}_record"] = partial(_along, side=side, name="record")
    return providers


def _outcome(forward: Forward, point: Any, sides: tuple[str, ...]) -> tuple[Tensor, Mapping[str, Any]]:
    """The judgement of points that consist of these sides (real, fake, other), treated as the method says."""
    if "treated" in forward.providers:
        parts = parted(point, len(sides))
        point = joined([forward["treated"](part, side) for part, side in zip(parts, sides, strict=True)])
    condition = tuple(joined([c] * len(sides)) for c in forward["condition"])
    output = record(forward["discriminator"](point, *condition))
    return per_point(output["score"]), output


def joined(points: list[Any]) -> Any:
    """Points below each other: tensors, or tuples of tensors member by member."""
    if len(points) == 1:
        return points[0]
    if isinstance(points[0], tuple):
        return tuple(torch.cat(list(member)) for member in zip(*points, strict=True))
    return torch.cat(points)


def parted(point: Any, count: int) -> list[Any]:
    """The opposite of `joined`."""
    if isinstance(point, tuple):
        return list(zip(*(member.chunk(count) for member in point), strict=True))
    return list(point.chunk(count)) if count > 1 else [point]


def _one(forward: Forward, side: str) -> Tensor:
    """One side's score; its record, and its gradient if anybody wants it, are stored on the way."""
    if forward.together:
        forward["judgement"]
        return forward[f"{side}_judgement"]
    score, forward[f"{side}_record"], forward[f"{side}_gradient"] = _judge(
        forward, forward[f"{side}_point"], f"{side}_gradient" in forward.wanted, (side,)
    )
    return score


def _gathered(forward: Forward, side: str) -> Tensor:
    """The score, of all processes' rows where the objective couples them."""
    return forward["gather"](forward[f"{side}_judgement"])


def _both(forward: Forward) -> dict[str, Any]:
    """Both sides in one pass of a discriminator that does not couple samples: the same numbers, half the calls. What
    comes besides the score is halved when somebody asks for it."""
    points = joined([forward["real_point"], forward["fake_point"]])
    slope = "real_gradient" in forward.wanted
    score, output, gradient = _judge(forward, points, slope, ("real", "fake"))
    forward["real_judgement"], forward["fake_judgement"] = _halves(score)
    return {"record": output, "gradient": gradient}


def _judge(forward: Forward, point: Any, slope: bool, sides: tuple[str, ...]) -> tuple[Tensor, Any, Any]:
    if slope:
        score, output, gradient = forward["execution"].score_and_gradient(
            lambda at: _outcome(forward, at, sides), point
        )
        return score, output, gradient
    return *_outcome(forward, point, sides), None


def _along(forward: Forward, side: str, name: str) -> Any:
    """What was stored while the score was computed."""
    forward[f"{side}_judgement"]
    if forward.together:
        forward[f"real_{name}"], forward[f"fake_{name}"] = _halves(forward["judgement"][name])
    return forward.store[f"{side}_{name}"]


def _halves(value: Any) -> tuple[Any, Any]:
    if isinstance(value, Tensor):
        real, fake = value.chunk(2)
        return real, fake
    if isinstance(value, Mapping):
        halves = {name: _halves(v) for name, v in value.items()}
        return {n: h[0] for n, h in halves.items()}, {n: h[1] for n, h in halves.items()}
    if isinstance(value, (list, tuple)):
        parts = [_halves(v) for v in value]
        return [p[0] for p in parts], [p[1] for p in parts]
    return None, None


def one_pass(wanted: frozenset[str], coupled: bool) -> bool:
    """Whether an evaluation may judge reals and fakes in one pass: both are wanted, with or without gradients alike, and
    no sample sees another."""
    sides = [
        {name.split("_")[0] for name in wanted if name.endswith(kind)} for kind in ("_score", "_gradient")
    ]
    return not coupled and {"real", "fake"} <= sides[0] and len(sides[1] & {"real", "fake"}) != 1
