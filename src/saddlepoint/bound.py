"""The game of a method: parts and networks put together once, so that an evaluation only looks things up."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from saddlepoint.assembly import Asked, asked, check_players, draws, named_parts, treated
from saddlepoint.data.protocol import Data
from saddlepoint.errors import InputError
from saddlepoint.forward import Adversarial, Definition, Forward, Provider, arguments, judged, one_pass
from saddlepoint.game import Batch, Game, Memory, Notes, Players
from saddlepoint.network import Execution, Network, Opened, Plain
from saddlepoint.parts import remembers
from saddlepoint.penalties import Term
from saddlepoint.probe import probe
from saddlepoint.random import generator as keyed
from saddlepoint.reference import compare
from saddlepoint.treatments import Treatment

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
        self.parts = named_parts(method)
        self.coupling = next((type(p).__name__ for p in self.parts.values() if p.couples_rows), "")
        self.gather = gather if gather and self.coupling else _same
        self.players = tuple(method.dynamics.optimizers)
        check_players(method, networks)
        self.networks = {
            name: Network(
                name,
                module,
                tuple(c.bind(module) for c in method.constraints if c.player == name),
                channels_last,
            )
            for name, module in networks.items()
        }
        self.draws = draws(method, self.parts)
        self.providers, self.evaluating = self._providers(True), self._providers(False)
        self.remembering = {name: part for name, part in self.parts.items() if remembers(part)}
        self.observing = {name: arguments(part.observe) for name, part in self.remembering.items()}
        self.asked = {player: self._asked_by(player) for player in self.players}
        self.plans = {who: (self.wanted(who), False) for who in self.turns()}
        self.found = probe(self, reference)
        self._plan()
        self._at: dict[int, MethodGame] = {}

    def _plan(self) -> None:
        """What is wanted of every evaluation, and whether it judges reals and fakes in one pass."""
        coupled = "discriminator" in self.found.coupled + self.found.noisy
        wanted = {who: self.wanted(who) for who in self.turns()}
        self.plans = {
            # The generator differentiates through the fakes alone: one pass would carry the reals along.
            who: (names, "discriminator" in who and one_pass(names, coupled))
            for who, names in wanted.items()
        }

    @property
    def period(self) -> int:
        """After how many steps the lazy terms that are due repeat themselves."""
        return math.lcm(*(part.every for parts in self.asked.values() for part in parts))

    def phase(self, step: int) -> int:
        """The first step at which the same lazy terms are due."""
        found = self._due(step)
        return next(first for first in range(self.period) if self._due(first) == found)

    def _due(self, step: int) -> dict[str, list[Asked]]:
        return {
            player: [part for part in parts if step % part.every == 0] for player, parts in self.asked.items()
        }

    def at(self, step: int) -> MethodGame:
        """The game of this step: with the lazy terms that are due."""
        if self.period == 1:
            return self
        phase = self.phase(step)
        if phase not in self._at:
            game = copy.copy(self)
            game.asked = self._due(phase)
            game._plan()
            self._at[phase] = game
        return self._at[phase]

    def turns(self) -> tuple[tuple[str, ...], ...]:
        """Every group of players that may be evaluated together, in one order on all processes: evaluations may
        contain collectives."""
        moved = [turn.players for turn in self.method.dynamics.turns(0)]
        return tuple(dict.fromkeys([*moved, *((p,) for p in self.players), self.players]))

    def wanted(self, who: tuple[str, ...]) -> frozenset[str]:
        """The quantities that the parts of these players ask for."""
        names = {name for player in who for part in self.asked[player] for name in part.asks}
        return frozenset(names.union(*(asks for _, asks in self.watching(who))))

    def watching(self, who: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
        """The parts whose memory is moved by these players, and what they look at."""
        return [
            (name, asks)
            for name, asks in self.observing.items()
            if not set(who).isdisjoint(self.remembering[name].observed)
        ]

    # -- what the parts ask for ------------------------------------------------------------------

    def _providers(self, training: bool) -> dict[str, Provider]:
        providers: dict[str, Provider] = {
            "execution": lambda forward: self.execution,
            "gather": lambda forward: self.gather,
            **{name: _opener(self, name, training) for name in self.networks},
        }
        if "discriminator" in self.networks:
            providers |= judged()
        if "discriminator" in self.players:
            providers["discriminator_gradient"] = self._discriminator_gradient
        if treatments := {n: p for n, p in self.parts.items() if isinstance(p, Treatment)}:
            providers["treated"] = lambda forward: partial(treated, forward, treatments)
        latent = (self.method.latent,) if isinstance(self.method.latent, Definition) else ()
        for definition in (Adversarial(), *latent, *self.method.definitions):
            providers |= definition.providers(providers)
        return providers

    def _asked_by(self, player: str) -> list[Asked]:
        parts: list[Asked] = []
        if player in self.method.objective.players:
            loss = getattr(self.method.objective, player)
            parts.append(asked("objective", loss, arguments(loss)))
        for name, term in self.parts.items():
            if isinstance(term, Term) and player in term.players:
                parts.append(asked(name, term, term.asks(), term.every))
        if all(part.every > 1 for part in parts):  # none at all, or none at most steps
            raise InputError(
                f"the player {player!r} of {self.method.name} has neither an objective nor a term"
            )
        return parts

    def bound(self) -> MethodGame:
        return self

    def training_rows(self, data: Data, players: Players, memory: Memory) -> Data:
        """The data that training draws from, as the stage finds the players."""
        return data

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
        memory: Memory = {"buffers": buffers, "constraints": constraints, "fixed": fixed}
        if self.remembering:
            memory["parts"] = {
                name: {n: t.to(device) for n, t in part.start(players).items()}
                for name, part in self.remembering.items()
            }
        compare(self, players, memory, reference, seed)
        return players, memory

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        forward = self.forward(who, players, memory, batch)
        losses: dict[str, Tensor] = {}
        info: dict[str, Tensor] = {}
        for player in who:
            values = []
            for name, part, asks, own, every in self.asked[player]:
                given = {a: forward[a] for a in asks}
                if own:
                    given |= self._own(name, own, player, forward)
                values.append(part(**given))
                if name != "objective":
                    info[name] = values[-1].detach()
                if every > 1:
                    values[-1] = values[-1] * every
            losses[player] = sum(values[1:], values[0])
            info[f"loss/{player}"] = losses[player].detach()
        for side in ("real", "fake"):
            if f"{side}_score" in forward:
                info[f"score/{side}"] = forward[f"{side}_score"].detach()
        seen = {
            name: {
                n: value.detach()
                for n, value in self.remembering[name].observe(**{a: forward[a] for a in asks}).items()
            }
            for name, asks in (self.watching(who) if self.remembering else ())
        }
        notes = Notes(info, {name: _mean(calls) for name, calls in forward.seen.items() if calls}, seen)
        forward.clear()  # closures in it know the evaluation: emptied, no graph survives in a cycle
        return losses, notes

    def _own(self, name: str, own: tuple[str, ...], player: str, forward: Forward) -> dict[str, Any]:
        """A part's own memory, and the vector of the player whose loss it stands in."""
        given: dict[str, Any] = {}
        if "memory" in own:
            given["memory"] = forward.memory["parts"][name]
        if "parameters" in own:
            given["parameters"] = self._vector(player, forward)
        return given

    def _vector(self, player: str, forward: Forward) -> Tensor:
        vector: Any = forward.players[player]
        return self.networks[player].layout.vector(vector) if isinstance(vector, Opened) else vector

    def _discriminator_gradient(self, forward: Forward) -> Tensor:
        """∇_{θ_D} of the discriminator's objective on this batch and these fakes, differentiable: [parameters]."""
        loss = self.method.objective.discriminator  # type: ignore[attr-defined]
        own = asked("objective", loss, arguments(loss))

        def losses(at: Players) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
            inner = Forward(forward.batch, forward.providers, frozenset(own.asks))
            inner.players, inner.memory = {**forward.players, **at}, forward.memory
            inner["fake"] = forward["fake"]
            given = {a: inner[a] for a in own.asks} | self._own(own.name, own.own, "discriminator", inner)
            return {"discriminator": loss(**given)}, {}

        at = {"discriminator": self._vector("discriminator", forward)}
        gradient = self.execution.gradients(losses, at, create_graph=True)[0]["discriminator"]
        return self.gather(gradient.unsqueeze(0)).mean(0)

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
        after = {**memory, "buffers": buffers, "constraints": constraints}
        if watching := self.watching(who):
            moved = {player: players[player] for player in who}
            after["parts"] = memory["parts"] | {
                name: self.remembering[name].remember(memory["parts"][name], notes.seen.get(name, {}), moved)
                for name, _ in watching
            }
        return after

    def sample(self, players: Players, memory: Memory, batch: Batch) -> Tensor:
        with torch.no_grad():
            forward = self.evaluation(players, memory, batch)
            samples = forward["fake"]
        forward.clear()
        return samples

    def evaluation(self, players: Players, memory: Memory, batch: Batch) -> Forward:
        """Quantities of a batch with all networks in evaluation mode, differentiable in what the batch holds."""
        forward = Forward(batch, self.evaluating, frozenset())
        forward.players, forward.memory = players, memory
        return forward


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


def _mean(seen: list[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Running statistics after an evaluation: the mean over the calls, each of which started from the same values."""
    if len(seen) == 1:
        return {name: b.detach() for name, b in seen[0].items()}
    return {
        name: torch.stack([s[name] for s in seen]).mean(0).detach() if b.is_floating_point() else b.detach()
        for name, b in seen[0].items()
    }
