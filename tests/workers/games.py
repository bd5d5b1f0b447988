"""Small games that several processes and several executions must agree on, and how one is played without the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint import Budget, Method, Settings
from saddlepoint.batches import Batches, Shard
from saddlepoint.constraints import SpectralNorm
from saddlepoint.data import load
from saddlepoint.definitions import ConditionalGenerator, Labelled, Packing, PointFeatures
from saddlepoint.dynamics import Alternating, Consensus, Extragradient, Simultaneous, Unrolled
from saddlepoint.game import Game
from saddlepoint.latents import Gaussian
from saddlepoint.networks import DCGAN, MLP, Classifying, LabelledGenerator, Packed
from saddlepoint.objectives import (
    MMD,
    Hinge,
    NonSaturating,
    Objective,
    Relativistic,
    RelativisticAverage,
    TopK,
    Wasserstein,
)
from saddlepoint.optim import SGD
from saddlepoint.parallel import Processes
from saddlepoint.penalties import R1, R2, FakeClass, GradientPenalty, RealClass
from saddlepoint.plan import Plan, game_of
from saddlepoint.state import State

ROWS, STEPS, LATENT = 16, 10, 6
CPU = torch.device("cpu")


def sgd(lr: float) -> dict[str, SGD]:
    return {"generator": SGD(lr), "discriminator": SGD(lr, momentum=0.5)}


def method(name: str, objective: Objective, lr: float = 0.05, **parts: Any) -> Method:
    """A method with plain descent: Adam would turn the rounding of a vanishing gradient into whole steps."""
    given = {"dynamics": Alternating(sgd(lr)), **parts}
    return Method(name=name, objective=objective, latent=Gaussian(LATENT), batch_size=ROWS, **given)


def critics(lr: float, turns: int) -> Alternating:
    return Alternating(sgd(lr), steps={"generator": 1, "discriminator": turns})


@dataclass(frozen=True)
class Case:
    method: Method
    data: str = "ring"
    size: int | None = None
    networks: Any = MLP(width=8)

    def plan(self, **settings: Any) -> Plan:
        return Plan(
            self.method,
            load(self.data, size=self.size),
            self.networks,
            Budget(steps=STEPS),
            Settings(seed=3, **settings),
        )


MIRRORED = DCGAN(width=4)  # BatchNorm in both networks
CASES: dict[str, Case] = {
    "gan": Case(method("gan", NonSaturating())),
    "wgan-gp": Case(
        method("wgan-gp", Wasserstein(), terms=(GradientPenalty(1.0),), dynamics=critics(0.02, 2))
    ),
    "r3gan": Case(method("r3gan", Relativistic(), terms=(R1(0.5), R2(0.5)))),
    "sngan": Case(method("sngan", Hinge(), constraints=(SpectralNorm(),), dynamics=critics(0.02, 2))),
    "relativistic-average": Case(method("ra", RelativisticAverage())),
    "relativistic-average-penalty": Case(
        method("ra-r1", RelativisticAverage(), terms=(R1(0.5),), dynamics=Simultaneous(sgd(0.05)))
    ),
    "top-k": Case(method("top-k", TopK(NonSaturating(), share=0.5))),
    "mmd-points": Case(
        method(
            "mmd",
            MMD(),
            definitions=(PointFeatures(),),
            dynamics=Alternating({"generator": SGD(0.05)}, steps={"generator": 1}),
        )
    ),
    "unrolled": Case(method("unrolled", NonSaturating(), dynamics=Unrolled(sgd(0.05), ahead=2))),
    "consensus": Case(method("consensus", NonSaturating(), dynamics=Consensus(sgd(0.05), gamma=0.5))),
    "extragradient": Case(
        method("extra", Wasserstein(), terms=(GradientPenalty(1.0),), dynamics=Extragradient(sgd(0.02)))
    ),
    "classes-relativistic-average": Case(
        method(
            "ra-classes",
            RelativisticAverage(),
            terms=(RealClass(), FakeClass()),
            definitions=(Labelled(), ConditionalGenerator()),
        ),
        networks=LabelledGenerator(Classifying(MLP(width=8))),
    ),
    "packs": Case(
        method("packs", NonSaturating(), definitions=(Packing(2),)), networks=Packed(MLP(width=8), rows=2)
    ),
    "dcgan": Case(method("dcgan", NonSaturating(), lr=0.02), "digits", 16, MIRRORED),
    "dcgan-relativistic-average": Case(
        method("dcgan-ra", RelativisticAverage(), dynamics=Simultaneous(sgd(0.02))), "digits", 16, MIRRORED
    ),
}
NORMALISED = [name for name, case in CASES.items() if case.networks is MIRRORED]


class Played:
    """A game as a run plays it, step by step and without a folder."""

    def __init__(self, plan: Plan, processes: Processes | None = None) -> None:
        self.processes = processes or Processes(CPU)
        self.plan, self.dynamics = plan, plan.method.dynamics
        self.game, self.said = game_of(plan, plan.method, self.processes, CPU)
        players, memory = self.game.init(plan.settings.seed, plan.data.training(8))
        self.state = self.dynamics.init(self.game, players, memory)
        shard = Shard(self.processes.rank, self.processes.world)
        self.batches = Batches(self.game.bound(), plan.data, plan.settings.seed, plan.rows, CPU, shard)

    def batch(self) -> dict[str, Any]:
        """Everything that any player asks for, at the present clock."""
        bound, clock = self.game.bound(), self.state.clock
        now = {"step": clock["step"], "images": clock["images"], "progress": 0.0}
        needs = frozenset(bound.draws).union(*bound.found.needs.values())
        return {
            **self.batches.noise(clock["step"], 0, needs),
            **self.batches.rows_from(clock["rows"], needs),
            "clock": now,
        }

    def step(self) -> dict[str, Tensor]:
        clock = self.state.clock
        turns = self.dynamics.turns(clock["step"])
        batches = self.batches.step(clock, turns, clock["step"] / STEPS)
        self.state, info = self.dynamics.step(
            self.game.at(clock["step"]), self.state, turns, batches.__getitem__, self.plan.rows
        )
        self.state = self.state._replace(clock=self.dynamics.advance(self.game, clock, turns, self.plan.rows))
        return info


def derivatives(game: Game, state: State, batch: Mapping[str, Any]) -> dict[str, Tensor]:
    """Gradients of each player alone and of all together, and both Jacobian products along a fixed direction."""
    source = torch.Generator().manual_seed(5)
    found: dict[str, Tensor] = {}
    direction = {p: torch.randn(v.shape, generator=source, dtype=v.dtype) for p, v in state.players.items()}
    groups = {"+".join(who): who for who in (*((p,) for p in game.players), game.players)}
    for name, who in groups.items():
        gradients, notes = game.gradients(who, state.players, state.memory, batch)
        found |= {f"gradient {name} {p}": g for p, g in gradients.items()}
        found |= {f"info {name} {n}": v.mean() for n, v in notes.info.items()}
    for name, product in (("pullback", game.pullback), ("pushforward", game.pushforward)):
        values = product(state.players, state.memory, batch, direction)
        found |= {f"{name} {p}": v for p, v in values.items()}
    return {name: value.detach() for name, value in found.items()}


def trajectory(played: Played, steps: int = STEPS) -> dict[str, Tensor]:
    """The players, what they remember and their averages after `steps` steps."""
    for _ in range(steps):
        played.step()
    return flat(
        {"players": played.state.players, "memory": played.state.memory, "average": played.state.average}
    )


def flat(value: Any, name: str = "") -> dict[str, Tensor]:
    """The tensors in nested dictionaries, by their path."""
    if isinstance(value, Mapping):
        return {n: t for key, part in value.items() for n, t in flat(part, f"{name} {key}".strip()).items()}
    return {name: value} if isinstance(value, Tensor) else {}


def pair(discriminator: nn.Module, numbers: int = 2, width: int = 8) -> dict[str, nn.Module]:
    """A generator of vectors beside a discriminator of one's own."""
    generator = nn.Sequential(nn.Linear(LATENT, width), nn.ReLU(), nn.Linear(width, numbers))
    return {"generator": generator, "discriminator": discriminator}


def seeded(make: Callable[[], Any], seed: int = 0) -> Any:
    """What `make` builds with torch's generator at `seed`, the generator left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def variation(case: Case, **changes: Any) -> Case:
    return replace(case, method=replace(case.method, **changes))
