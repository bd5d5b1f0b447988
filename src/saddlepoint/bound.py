"""The game of a method: parts and networks put together once, so that an evaluation only looks things up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.forward import Adversarial, Forward, Provider, arguments, judged, one_pass
from saddlepoint.game import Batch, Game, Memory, Notes, Players
from saddlepoint.network import Execution, Network, Plain
from saddlepoint.probe import probe
from saddlepoint.random import generator as keyed

if TYPE_CHECKING:
    from saddlepoint.method import Method


class MethodGame(Game):
    """Networks + objective + terms + constraints. `networks` maps player names to modules; a module under a name that
    no optimiser of the dynamics moves is frozen and lives in the memory."""

    def __init__(
        self,
        method: Method,
        networks: Mapping[str, nn.Module],
        reference: Batch,
        *,
        execution: Execution = Plain(),
        channels_last: bool = False,
        gather: Callable[[Any], Any] | None = None,
    ) -> None:
        self.method, self.execution, self.averages = method, execution, method.averages
        self.gather = gather if gather and method.objective.couples_rows else _same
        self.players = tuple(method.dynamics.optimizers)
        _check_players(method, networks)
        self.networks = {
            name: Network(
                name,
                module,
                tuple(c.bind(module) for c in method.constraints if c.player == name),
                channels_last,
            )
            for name, module in networks.items()
        }
        self.draws = _draws(method)
        self.providers = self._providers()
        self.asked = {player: self._asked_by(player) for player in self.players}
        self.plans = {who: (self.wanted(who), False) for who in self.turns()}
        self.found = probe(self, reference)
        coupled = "discriminator" in self.found.coupled + self.found.noisy
        self.plans = {
            # The generator differentiates through the fakes alone: one pass would carry the reals along.
            who: (wanted, "discriminator" in who and one_pass(wanted, coupled))
            for who, (wanted, _) in self.plans.items()
        }

    def turns(self) -> tuple[tuple[str, ...], ...]:
        """Every group of players that may be evaluated together, in one order on all processes: evaluations may
        contain collectives."""
        moved = [turn.players for turn in self.method.dynamics.turns(0)]
        return tuple(dict.fromkeys([*moved, *((p,) for p in self.players), self.players]))

    def wanted(self, who: tuple[str, ...]) -> frozenset[str]:
        """The quantities that the parts of these players ask for."""
        return frozenset(name for player in who for _, _, asks in self.asked[player] for name in asks)

    # -- what the parts ask for ------------------------------------------------------------------

    def _providers(self) -> dict[str, Provider]:
        providers: dict[str, Provider] = {
            "execution": lambda forward: self.execution,
            "gather": lambda forward: self.gather,
            **{name: _opener(self, name, True) for name in self.networks},
        }
        if "discriminator" in self.networks:
            providers |= judged()
        for definition in (Adversarial(), *self.method.definitions):
            providers |= definition.providers(providers)
        return providers

    def _asked_by(self, player: str) -> list[tuple[str, Callable[..., Tensor], tuple[str, ...]]]:
        parts: list[tuple[str, Callable[..., Tensor], tuple[str, ...]]] = []
        if player in self.method.objective.players:
            loss = getattr(self.method.objective, player)
            parts.append(("objective", loss, arguments(loss)))
        for index, term in enumerate(self.method.terms):
            if player in term.players:
                name = type(term).__name__
                twice = sum(type(t).__name__ == name for t in self.method.terms) > 1
                parts.append((f"term/{name}{index if twice else ''}", term, term.asks()))
        if not parts:
            raise InputError(
                f"the player {player!r} of {self.method.name} has neither an objective nor a term"
            )
        return parts

    def bound(self) -> MethodGame:
        return self

    def needs(self, who: tuple[str, ...]) -> frozenset[str]:
        return self.found.needs[who]

    # -- the game ---------------------------------------------------------------------------------

    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        device = next(t.device for t in reference.values() if isinstance(t, Tensor))
        start = {n: {k: t.to(device) for k, t in net.start.items()} for n, net in self.networks.items()}
        vectors = {n: net.layout.vector(start[n]).to(device) for n, net in self.networks.items()}
        buffers = {
            n: {k: b.to(device).clone() for k, b in net.buffers.items()} for n, net in self.networks.items()
        }
        constraints = {
            name: {
                str(index): constraint.init(start[name], keyed(device, seed, "constraint", name, index))
                for index, constraint in enumerate(net.constraints)
            }
            for name, net in self.networks.items()
        }
        fixed = {name: vectors.pop(name) for name in list(vectors) if name not in self.players}
        players = {name: self.after(name, vector) for name, vector in vectors.items()}
        return players, {"buffers": buffers, "constraints": constraints, "fixed": fixed}

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        forward = self.forward(who, players, memory, batch)
        losses: dict[str, Tensor] = {}
        info: dict[str, Tensor] = {}
        for player in who:
            values = []
            for name, part, asks in self.asked[player]:
                values.append(part(**{a: forward[a] for a in asks}))
                if name != "objective":
                    info[name] = values[-1].detach()
            losses[player] = sum(values[1:], values[0])
            info[f"loss/{player}"] = losses[player].detach()
        for side in ("real", "fake"):
            if f"{side}_score" in forward:
                info[f"score/{side}"] = forward[f"{side}_score"].detach()
        notes = Notes(info, {name: _mean(seen) for name, seen in forward.seen.items() if seen})
        forward.clear()  # closures in it know the evaluation: emptied, no graph survives in a cycle
        return losses, notes

    def gradients(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch, create_graph: bool = False
    ) -> tuple[Players, Notes]:
        differentiable = create_graph or any(v.requires_grad for v in players.values())
        if differentiable or not isinstance(self.execution, Plain):
            return super().gradients(who, players, memory, batch, create_graph)
        opened = {name: self.networks[name].opened(v, name in who) for name, v in players.items()}
        return self.execution.gradients(
            lambda at: self.losses(who, {**opened, **at}, memory, batch),  # type: ignore[dict-item]
            {p: opened[p] for p in who},  # type: ignore[misc]
        )

    def forward(self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch) -> Forward:
        wanted, together = self.plans[who]
        forward = Forward(batch, self.providers, wanted)
        forward.players, forward.memory, forward.together = players, memory, together
        return forward

    def after(self, player: str, vector: Tensor) -> Tensor:
        for constraint in self.networks[player].constraints:
            vector = constraint.after(vector)
        return vector

    def remember(self, who: tuple[str, ...], players: Players, memory: Memory, notes: Notes) -> Memory:
        buffers, constraints = dict(memory["buffers"]), dict(memory["constraints"])
        for player in who:
            network = self.networks[player]
            if player in notes.buffers:
                buffers[player] = {**buffers[player], **notes.buffers[player]}
            if network.constraints:
                named = network.layout.named(players[player])
                constraints[player] = {
                    str(i): c.remember(named, constraints[player][str(i)])
                    for i, c in enumerate(network.constraints)
                }
        return {**memory, "buffers": buffers, "constraints": constraints}

    def sample(self, players: Players, memory: Memory, batch: Batch) -> Tensor:
        providers = {**self.providers, **{name: _opener(self, name, False) for name in self.networks}}
        forward = Forward(batch, providers, frozenset())
        forward.players, forward.memory = players, memory
        with torch.no_grad():
            samples = forward["fake"]
        forward.clear()
        return samples


def _same(value: Any) -> Any:
    return value


def _opener(game: MethodGame, name: str, training: bool) -> Provider:
    """The network as a callable, its parameters installed once per evaluation. Frozen networks stay in evaluation
    mode."""
    network, moves = game.networks[name], name in game.players

    def provide(forward: Forward) -> Callable[..., Any]:
        vector = forward.players[name] if moves else forward.memory["fixed"][name]
        named = network.effective(vector, forward.memory["constraints"][name])
        seen = forward.seen.setdefault(name, [])
        return game.execution.open(network, named, forward.memory["buffers"][name], training and moves, seen)

    return provide


def _draws(method: Method) -> dict[str, Draw]:
    draws: dict[str, Draw] = dict(method.latent.draws())
    for term in method.terms:
        for name, draw in term.draws().items():
            if draws.setdefault(name, draw) != draw:
                raise InputError(
                    f"two parts of {method.name} draw {name!r} differently: {draws[name]} and {draw}"
                )
    return draws


def _check_players(method: Method, networks: Mapping[str, nn.Module]) -> None:
    players, turns = tuple(method.dynamics.optimizers), method.dynamics.turns(0)
    if not players or not turns:
        raise InputError(
            f"{method.name} moves nobody: give its dynamics a player with an optimiser and a step to take"
        )
    named = {
        "dynamics move": [player for turn in turns for player in turn.players],
        "averages name": list(method.averages),
        "constraints name": [constraint.player for constraint in method.constraints],
    }
    for part, asked in named.items():
        if strange := [player for player in asked if player not in players]:
            raise InputError(
                f"the {part} {strange[0]!r}, and the players of {method.name} are {', '.join(players)}"
            )
    missing = [player for player in players if player not in networks]
    if missing:
        raise InputError(
            f"{method.name} moves the player {missing[0]!r}, but the networks given are {', '.join(sorted(networks))}"
        )


def _mean(seen: list[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Running statistics after an evaluation: the mean over the calls, each of which started from the same values."""
    if len(seen) == 1:
        return {name: b.detach() for name, b in seen[0].items()}
    return {
        name: torch.stack([s[name] for s in seen]).mean(0).detach() if b.is_floating_point() else b.detach()
        for name, b in seen[0].items()
    }
