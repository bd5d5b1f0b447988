"""What a game's networks do, found out by running them once on a few rows before training."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.forward import Forward, arguments
from saddlepoint.network import Plain
from saddlepoint.penalties.base import tensors
from saddlepoint.random import generator as keyed

if TYPE_CHECKING:
    from saddlepoint.bound import MethodGame

TOLERANCE = 1e-4  # relative to the largest score; couplings such as BatchNorm are far above, float32 rounding far below


class Found(NamedTuple):
    """`needs`: batch entries read, by who moves; `coupled`: networks whose output for a row depends on other rows;
    `noisy`: networks that draw random numbers themselves (dropout); `given`: entries besides noise that a sample is
    made for (labels, images); `heads`: what the discriminator returns besides its score."""

    needs: dict[tuple[str, ...], frozenset[str]]
    coupled: tuple[str, ...]
    noisy: tuple[str, ...]
    given: frozenset[str] = frozenset()
    heads: frozenset[str] = frozenset()


class _Clock(dict[str, Any]):
    """A clock that also has the numbers that members of a population bring."""

    def __missing__(self, name: str) -> float:
        return 1.0


def probe(game: MethodGame, reference: Mapping[str, Any]) -> Found:
    """Run every network and every turn once; refuse what does not fit; note buffers that move, couplings and noise."""
    execution, gather, game.execution, game.gather = game.execution, game.gather, Plain(), lambda score: score
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return _probe(game, reference)
    finally:
        game.execution, game.gather = execution, gather
        for network in game.networks.values():
            network.training.empty()
            network.evaluating.empty()


def _probe(game: MethodGame, reference: Mapping[str, Any]) -> Found:
    batch = filled(game, reference)
    players, memory = game.init(0, batch)
    _shapes(game, players, memory, batch)
    for network in game.networks.values():
        network.moving = _moving(game, network.name, players, memory, batch)
    behaviour = {
        name: _behaviour(game, name, players, memory, batch)
        for name in ("generator", "discriminator")
        if name in game.players
    }
    coupled = tuple(name for name, (couples, _) in behaviour.items() if couples)
    if game.method.per_row and "discriminator" in coupled:
        term = next(type(t).__name__ for t in game.method.terms if t.per_row)
        raise InputError(
            f"{term} of {game.method.name} speaks of each sample by itself, but this discriminator couples the samples "
            "of a batch (as BatchNorm does): give it one that does not, for example DCGAN(discriminator_norm='none')"
        )
    needs = {who: _read(game, who, players, memory, batch) for who in game.turns()}
    noisy = tuple(name for name, (_, draws) in behaviour.items() if draws)
    return Found(
        needs,
        coupled,
        noisy,
        _given(game, players, memory, batch),
        _heads(game, players, memory, batch),
    )


def filled(game: MethodGame, reference: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
    """A batch of data with keyed noise for each row, at the first step."""
    real: Tensor = reference["real"]
    noise = {
        name: draw.sample(
            len(real), keyed(real.device, seed, "probe", name), {"real": tuple(real.shape[1:])}
        ).to(real.dtype)
        for name, draw in game.draws.items()
    }
    clock = _Clock({"step": 0, "images": 0, "progress": 0.0})
    return {**reference, **noise, "clock": clock}


def _shapes(game: MethodGame, players: Any, memory: Any, batch: Mapping[str, Any]) -> None:
    forward = game.forward(game.players, players, memory, batch)
    real = batch["real"]
    for definition in game.method.definitions:
        asks = arguments(definition.check)
        _run(type(definition).__name__, lambda d=definition, a=asks: d.check(**{n: forward[n] for n in a}))
    if "generator" in game.networks:
        fake = _run("generator", lambda: forward["fake"])
        if isinstance(fake, Tensor) and fake.shape != real.shape:
            raise InputError(
                f"the generator makes samples of shape {tuple(fake.shape[1:])}, the data have {tuple(real.shape[1:])}"
            )
    if "discriminator" in game.networks:
        score = _run("discriminator", lambda: forward["real_score"])
        rows = len(tensors(forward["real_point"])[0])
        if score.shape != (rows,):
            raise InputError(
                f"the discriminator returns a score of shape {tuple(score.shape)} for {rows} points, "
                "not one a point"
            )


def _run(name: str, function: Any) -> Any:
    try:
        return function()
    except (RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the {name} does not take its input: {str(error).splitlines()[0]}") from error


def _moving(
    game: MethodGame, name: str, players: Any, memory: Any, batch: Mapping[str, Any]
) -> tuple[str, ...]:
    """Buffers that a call in training mode changes."""
    if name not in game.players or not game.networks[name].buffers:
        return ()
    forward = _bare(game, players, memory, batch)
    if name in ("generator", "discriminator"):
        _call(forward, name)
    else:  # what its loss asks for runs it, or it would have no gradient
        for quantity in chain.from_iterable(part.asks for part in game.asked[name]):
            forward[quantity]
    before = memory["buffers"][name]
    return tuple(n for n, b in forward.seen[name][-1].items() if not torch.equal(b, before[n]))


def _bare(game: MethodGame, players: Any, memory: Any, batch: Mapping[str, Any]) -> Forward:
    """An evaluation in which nobody wants gradients."""
    forward = Forward(batch, game.providers, frozenset())
    forward.players, forward.memory = players, memory
    return forward


def _call(forward: Forward, name: str) -> Tensor:
    with torch.no_grad():
        return forward["real_score"] if name == "discriminator" else forward["fake"]


def _behaviour(
    game: MethodGame, name: str, players: Any, memory: Any, batch: Mapping[str, Any]
) -> tuple[bool, bool]:
    """(couples samples, draws noise): whether the other rows notice that one is exchanged, under the same noise; and
    whether the same call twice differs."""

    def call(rows: Mapping[str, Any]) -> Tensor:
        return _call(_bare(game, players, memory, rows), name)

    torch.manual_seed(1)
    whole, again = call(batch), call(batch)
    torch.manual_seed(1)
    exchanged = call({n: torch.cat([v[:-1], v[:1]]) if _has_rows(v) else v for n, v in batch.items()})
    scale = TOLERANCE * whole.abs().max().clamp(min=1e-6)
    return bool((whole - exchanged)[:-1].abs().max() > scale), bool((whole - again).abs().max() > scale)


def _has_rows(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dim() > 0


def _read(
    game: MethodGame, who: tuple[str, ...], players: Any, memory: Any, batch: Mapping[str, Any]
) -> frozenset[str]:
    """The batch entries that an evaluation for `who` reads: those without which it fails or asks again."""
    entries = [name for name in batch if name != "clock"]
    read: set[str] = set()
    providers = {
        **game.providers,
        **{name: _reader(name, batch[name], read) for name in entries},
    }
    forward = Forward({"clock": batch["clock"]}, providers, game.wanted(who))
    forward.players, forward.memory = players, memory
    asked = [(player, part) for player in who for part in game.asked[player]]
    wanted = [part.asks for _, part in asked] + [asks for _, asks in game.watching(who)]
    for name in dict.fromkeys(chain.from_iterable(wanted)):
        _run("discriminator", lambda name=name: forward[name])
    for player, (name, part, asks, own, _) in asked:
        part(**{a: forward[a] for a in asks}, **game._own(name, own, player, forward))
    forward.clear()
    return frozenset(read)


def _given(game: MethodGame, players: Any, memory: Any, batch: Mapping[str, Any]) -> frozenset[str]:
    """What a sample reads of the batch besides the noise that the method draws."""
    read: set[str] = set()
    readers = {name: _reader(name, value, read) for name, value in batch.items() if name != "clock"}
    forward = Forward({"clock": batch["clock"]}, {**game.providers, **readers}, frozenset())
    forward.players, forward.memory = players, memory
    replaced = any("fake" in definition.replaces for definition in game.method.definitions)
    if "generator" in game.networks or replaced:
        with torch.no_grad():
            forward["fake"]
    forward.clear()
    return frozenset(read - game.draws.keys())


def _heads(game: MethodGame, players: Any, memory: Any, batch: Mapping[str, Any]) -> frozenset[str]:
    """What the discriminator returns of a point besides its score."""
    if "discriminator" not in game.networks:
        return frozenset()
    with torch.no_grad():
        found = frozenset(_bare(game, players, memory, batch)["real_record"])
    return found - {"score"}


def _reader(name: str, value: Any, read: set[str]) -> Any:
    def provide(forward: Forward) -> Any:
        read.add(name)
        return value

    return provide
