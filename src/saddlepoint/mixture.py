"""Several generators against several discriminators: a transformation of any game of one pair.

    method = replace(methods.get("wgan-gp"), mixture=Mix(components=3))

The vector of a player is that of all its networks with the logits of their weights before it. An evaluation plays the base
game for all pairs at once (`torch.vmap`); everything else knows a game of two players whose generator is the mixture.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.boosting import boosted, odds
from saddlepoint.bound import MethodGame
from saddlepoint.data.protocol import Data
from saddlepoint.data.resampled import Resampled
from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.forward import Definition
from saddlepoint.game import Batch, Game, Memory, Notes, Players
from saddlepoint.network import Execution, Functional, Named, Network
from saddlepoint.networks.members import Committee, Judged, Members

SIDES = ("generator", "discriminator")
POOL = 65_536  # rows of the data that boosting weighs, at most
PART = 1024  # rows judged at a time
Play = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Several:
    """The form of a mixture of `components` pairs: who plays whom, and what that comes to."""

    components: int = 5

    def __post_init__(self) -> None:
        if self.components < 1:
            raise InputError(f"{self} mixes nobody: give at least 1 component")

    @property
    def playing(self) -> range:
        """The members that train; the others are still."""
        return range(self.components)

    @property
    def share(self) -> float:
        """The share of the members that samples come from, the first of them."""
        return 1.0

    def around(self, pair: Any) -> Any:
        """The networks of the mixture, from those of one pair."""
        return pair if isinstance(pair, Members) else Members(pair, self.components)

    def draws(self) -> dict[str, Draw]:
        """What a sample is made of besides the latent."""
        return {"component": Draw("uniform")} if self.components > 1 else {}

    def training_rows(self, data: Data, judged: Callable[[Tensor], Tensor]) -> Data:
        """The data that the members which train see; `judged`: scores of the network "judge"."""
        return data

    def play(self, play: Play, generators: Any, discriminators: Any, pairs: Any) -> Any:
        """`play(generator, discriminator, pair)` of everybody who meets; the arguments have a first dimension for the
        members, and as many for the pairs as the results."""
        raise NotImplementedError

    def paired(self, side: str, value: Tensor) -> Tensor:
        """What the members of a side have, for each pair."""
        raise NotImplementedError

    def unpaired(self, side: str, value: Tensor) -> Tensor:
        """What the pairs found out about each member of a side."""
        raise NotImplementedError

    def expected(self, values: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """The mean over pairs: [*, …] -> […]."""
        raise NotImplementedError

    def loss(self, values: Tensor, weights: Mapping[str, Tensor], logits: Tensor) -> Tensor:
        """The loss of a player from those of the pairs, the weights, and the logits of its own."""
        raise NotImplementedError


@dataclass(frozen=True)
class Mix(Several):
    """L_p = Σᵢⱼ uᵢ vⱼ L_p(Gᵢ, Dⱼ) + `entropy` · R(w_p), R(w) = −(1/T) Σ log wᵢ: everybody meets everybody, weights
    u = softmax of the generators' logits, v of the discriminators', moved with the networks (Arora et al. 2017, section 5).

    R, least for equal weights, keeps them inside the simplex: at rest wᵢ = (ε/T) / (ε + Lᵢ − L̄), Lᵢ the loss of component
    i against the others' mixture, L̄ their mean under w, ε = `entropy`.
    """

    entropy: float = 0.1

    def play(self, play: Play, generators: Any, discriminators: Any, pairs: Any) -> Any:
        row = torch.vmap(play, in_dims=(None, 0, 0), randomness="different")
        return torch.vmap(row, in_dims=(0, None, 0), randomness="different")(
            generators, discriminators, pairs
        )

    def paired(self, side: str, value: Tensor) -> Tensor:
        others = 1 - SIDES.index(side)
        return torch.stack([value] * self.components, others)

    def unpaired(self, side: str, value: Tensor) -> Tensor:
        others = 1 - SIDES.index(side)
        return value.mean(others) if value.is_floating_point() else value.select(others, 0)

    def expected(self, values: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        return torch.einsum("i,j,ij...->...", weights["generator"], weights["discriminator"], values)

    def loss(self, values: Tensor, weights: Mapping[str, Tensor], logits: Tensor) -> Tensor:
        return self.expected(values, weights) - self.entropy * logits.log_softmax(0).mean()


@dataclass(frozen=True)
class Ensemble(Several):
    """Pairs that never meet, each its own game; samples are drawn from all generators alike."""

    def play(self, play: Play, generators: Any, discriminators: Any, pairs: Any) -> Any:
        return torch.vmap(play, randomness="different")(generators, discriminators, pairs)

    def paired(self, side: str, value: Tensor) -> Tensor:
        return value

    def unpaired(self, side: str, value: Tensor) -> Tensor:
        return value

    def expected(self, values: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        return values.mean(0)

    def loss(self, values: Tensor, weights: Mapping[str, Tensor], logits: Tensor) -> Tensor:
        """The sum, so that the gradient of each member is that of its own loss; the logits stay as they are."""
        return values.sum(0)


@dataclass(frozen=True)
class Choice(Definition):
    """The generator, a `Chosen`, also takes the numbers that choose a member of each row, among the first `share` of all."""

    share: float = 1.0

    def draws(self) -> dict[str, Draw]:
        return {"component": Draw("uniform")}

    def beside(self, beside: tuple[Any, ...], component: Tensor) -> tuple[Any, ...]:
        return (*beside, self.share * component)


@dataclass(frozen=True)
class Boosting(Ensemble):
    """One pair at a time: the pair `turn` plays, those before it are still and make the samples with it, and its real rows
    are drawn with the weights of boosting, given what those before it make (`saddlepoint.boosting`, AdaGAN).

    The player "judge" of `Judged` networks, which knows the mixture so far from the data, gives the weights. It is still
    here and trained in a stage before: `saddlepoint.rounds.boosting` puts a method of such stages together.
    """

    turn: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.turn <= self.components:
            raise InputError(f"{self} has no such turn: give one from 1 to {self.components}")

    @property
    def playing(self) -> range:
        return range(self.turn - 1, self.turn)

    @property
    def share(self) -> float:
        return self.turn / self.components

    def around(self, pair: Any) -> Any:
        return pair if isinstance(pair, Judged) else Judged(super().around(pair))

    def training_rows(self, data: Data, judged: Callable[[Tensor], Tensor]) -> Data:
        if self.turn == 1:
            return data
        pool = data.training(POOL)
        return Resampled(data, pool, boosted(odds(judged(pool["real"])), 1 / self.turn))


class MixedGame(MethodGame):
    """The game of the mixture; `base` is that of one pair. Memory of networks and constraints is that of the committees,
    by their names; memory of parts is one of each pair's."""

    def __init__(
        self, rule: Several, base: MethodGame, modules: Mapping[str, nn.Module], execution: Execution
    ) -> None:
        vars(self).update(vars(base))  # what is not said otherwise is the base's
        self.rule, self.base, self.execution = rule, base, execution
        self.networks = {
            n: _gathered(base, n, modules[n], rule.playing) if n in SIDES else net
            for n, net in base.networks.items()
        }
        self.remembering, self.observing = {}, {}
        self.draws = base.draws | rule.draws()
        self.providers, self.evaluating = (
            made | Choice(rule.share).providers(made)
            for made in (self._providers(True), self._providers(False))
        )
        self._at = {}

    def at(self, step: int) -> MethodGame:
        base = self.base.at(step)
        if base is self.base:
            return self
        phase = self.phase(step)
        if phase not in self._at:
            game = copy.copy(self)
            game.base = base
            self._at[phase] = game
        return self._at[phase]

    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        players, memory = super().init(seed, reference)
        if self.base.remembering:
            memory["parts"] = self._pairs(players, memory, {}, self._begun)
        return players, memory

    def _begun(self, players: Players, memory: Memory, pair: Any) -> Any:
        return {name: part.start(players) for name, part in self.base.remembering.items()}

    def training_rows(self, data: Data, players: Players, memory: Memory) -> Data:
        def judged(points: Tensor) -> Tensor:
            device = next(iter(players.values())).device
            parts = (
                self.evaluation(players, memory, {"real": part.to(device)}) for part in points.split(PART)
            )
            with torch.no_grad():
                return torch.cat([forward["judge"](forward["real"]).cpu() for forward in parts])

        return self.rule.training_rows(data, judged)

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        def play(pair: Players, own: Memory, _: Any) -> tuple[dict[str, Tensor], Notes]:
            return self.base.losses(who, pair, own, batch)

        values, notes = self._pairs(players, memory, {}, play)
        logits = {side: players[side][: self.rule.components] for side in SIDES}
        weights = {side: logits[side].softmax(0) for side in SIDES}
        still = {side: weight.detach() for side, weight in weights.items()}
        losses = {player: self.rule.loss(values[player], weights, logits[player]) for player in who}
        info = {name: self.rule.expected(value, still) for name, value in notes.info.items()}
        for player in who:
            info[f"payoff/{player}"] = info[f"loss/{player}"]
            info[f"loss/{player}"] = losses[player].detach()
            info[f"least weight/{player}"] = still[player].min()
        buffers = {
            side: _apart({n: self.rule.unpaired(side, b) for n, b in found.items()}, self.rule.playing)
            for side, found in notes.buffers.items()
        }
        return losses, Notes(info, buffers, notes.seen)

    def gradients(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch, create_graph: bool = False
    ) -> tuple[Players, Notes]:
        return Game.gradients(self, who, players, memory, batch, create_graph)

    def after(self, player: str, vector: Tensor) -> Tensor:
        """Constraints are of the networks, not of their weights."""
        count = self.rule.components
        projected = super().after(player, vector)
        return vector if projected is vector else torch.cat([vector[:count], projected[count:]])

    def remember(self, who: tuple[str, ...], players: Players, memory: Memory, notes: Notes) -> Memory:
        after = super().remember(who, players, memory, notes)
        if watching := self.base.watching(who):

            def play(pair: Players, own: Memory, seen: Any) -> Any:
                moved = {player: pair[player] for player in who}
                parts = self.base.remembering
                return {n: parts[n].remember(own["parts"][n], seen.get(n, {}), moved) for n, _ in watching}

            after["parts"] = memory["parts"] | self._pairs(players, memory, notes.seen, play)
        return after

    def _pairs(self, players: Players, memory: Memory, more: Any, play: Play) -> Any:
        """`play(players, memory, more)` of the base for every pair that plays; `more` is one of each."""
        count, playing = self.rule.components, self.rule.playing
        sides = [
            {
                "vector": players[side][count:].view(count, -1)[playing.start : playing.stop],
                "constraints": {k: _together(m, playing) for k, m in memory["constraints"][side].items()},
            }
            for side in SIDES
        ]
        pairs = {
            "buffers": {
                side: {
                    n: self.rule.paired(side, b)
                    for n, b in _together(memory["buffers"][side], playing).items()
                }
                for side in SIDES
            },
            "parts": memory.get("parts", {}),
            "more": more,
        }

        def one(generator: Any, discriminator: Any, pair: Any) -> Any:
            each = dict(zip(SIDES, (generator, discriminator), strict=True))
            own = {
                **memory,
                "buffers": {**memory["buffers"], **pair["buffers"]},
                "constraints": {**memory["constraints"], **{s: each[s]["constraints"] for s in SIDES}},
                "parts": pair["parts"],
            }
            return play({side: each[side]["vector"] for side in SIDES}, own, pair["more"])

        return self.rule.play(one, sides[0], sides[1], pairs)


def _gathered(base: MethodGame, name: str, module: nn.Module, playing: range) -> Network:
    """A committee as one network, of which the buffers of those that play move."""
    one = base.networks[name]
    constraints = tuple(c.bind(module) for c in base.method.constraints if c.player == name)
    network = Network(name, module, constraints, one.channels_last)
    network.moving = tuple(_named(member, n) for member in playing for n in one.moving)
    return network


def _named(member: int, name: str) -> str:
    return f"members.{member}.{name}"


def _together(named: Named, members: range) -> dict[str, Tensor]:
    """Tensors of a committee by the names of its members: each [members, …]."""
    first = _named(0, "")
    names = [name.removeprefix(first) for name in named if name.startswith(first)]
    return {name: torch.stack([named[_named(member, name)] for member in members]) for name in names}


def _apart(stacked: Named, members: range) -> dict[str, Tensor]:
    """The reverse."""
    return {
        _named(member, name): value
        for name, values in stacked.items()
        for member, value in zip(members, values, strict=True)
    }


def mixed(
    base: Callable[[Mapping[str, nn.Module], Execution], MethodGame],
    rule: Several,
    players: tuple[str, ...],
    modules: Mapping[str, nn.Module],
    execution: Execution,
) -> MethodGame:
    """The mixture of the game that `base` makes of one pair's modules."""
    if set(players) != set(SIDES):
        raise InputError(
            f"{rule} is for a generator and a discriminator, and the players are {', '.join(players)}"
        )
    ones = dict(modules)
    for name in SIDES:
        module = modules.get(name)
        if not isinstance(module, Committee) or len(module.members) != rule.components:
            raise InputError(
                f"{rule} needs {rule.components} networks for the {name}, each with weights of its own: "
                f"Members(components={rule.components}), or Chosen and Averaged of modules of your own"
            )
        ones[name] = module.members[0]
    return MixedGame(rule, base(ones, Functional(execution.precision)), modules, execution)
