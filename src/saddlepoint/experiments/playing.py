"""Trainings in memory, step by step: what `saddlepoint.train` does without a folder, so that every state can be looked at."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from saddlepoint.batches import Batches
from saddlepoint.bound import MethodGame
from saddlepoint.budget import Budget
from saddlepoint.data import Data, load
from saddlepoint.data.densities import Density, Grid, Ring
from saddlepoint.dynamics import Alternating
from saddlepoint.dynamics.base import Info
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.metrics import ModeCoverage, mode_coverage
from saddlepoint.networks import Networks
from saddlepoint.optim import Optimizer
from saddlepoint.plan import Plan
from saddlepoint.sampling import deployed, latents, samples
from saddlepoint.settings import Settings
from saddlepoint.state import State
from saddlepoint.training import TrainingFailed

Pair = Networks | Mapping[str, nn.Module]


class Moment(NamedTuple):
    """A training after `step` steps. `batch` is that of the last turn."""

    step: int
    game: MethodGame
    state: State
    info: Info
    batch: Mapping[str, Any]
    modules: Mapping[str, nn.Module]

    def sample(self, n: int, average: bool = True) -> Tensor:
        """From the same noise each time; averaged weights where the method keeps them."""
        state = self.state if average else self.state._replace(average={})
        players, memory, _ = deployed(self.game, state)
        return samples(self.game, players, memory, latents(self.game.method, n, 0, "evaluation"))

    def module(self, name: str) -> nn.Module:
        """A player as an ordinary module; constraints are not part of it."""
        module = copy.deepcopy(self.modules[name])
        module.load_state_dict(self.game.networks[name].layout.named(self.state.players[name]), strict=False)
        return module.eval().requires_grad_(False)


def effective(moment: Moment, name: str) -> nn.Module:
    """A player as a module in evaluation mode and double precision, its weights as constraints let them act."""
    network, state = moment.game.networks[name], moment.state
    weights = network.effective(state.players[name], state.memory["constraints"][name])
    module = moment.module(name)
    module.load_state_dict(dict(weights), strict=False)
    return module.double()


def play(
    method: Method, data: Data | str, networks: Pair, steps: int, seed: int, batch_size: int | None = None
) -> Iterator[Moment]:
    """The states before the first step and after each."""
    known = load(data) if isinstance(data, str) else data
    plan = Plan(method, known, networks, Budget(steps=steps), Settings(seed=seed, batch_size=batch_size))
    plan.check()
    modules = copy.deepcopy(plan.modules())
    game = method.game(plan.modules(), known.training(8))
    rule, rows = method.dynamics, plan.rows
    state = rule.init(game, *game.init(seed, known.training(8)))
    batches = Batches(game, known, seed, rows, torch.device("cpu"))
    yield Moment(0, game, state, {}, {}, modules)
    for step in range(steps):
        turns = rule.turns(step)
        made = batches.step(state.clock, turns, step / steps)
        state, info = rule.step(game.at(step), state, turns, made.__getitem__, rows)
        state = state._replace(clock=rule.advance(game, state.clock, turns, rows))
        if step % 100 == 0 and not all(bool(v.isfinite().all()) for v in state.players.values()):
            raise TrainingFailed(f"a vector is not finite at step {step}")
        yield Moment(step + 1, game, state, info, made[-1], modules)


def last(moments: Iterator[Moment]) -> Moment:
    return deque(moments, maxlen=1)[0]


def coverage(moment: Moment, data: Density, n: int = 2500, average: bool = True) -> ModeCoverage:
    assert isinstance(data, (Ring, Grid))
    return mode_coverage(samples=moment.sample(n, average), centres=data.centres, sigma=data.sigma)


def rates(method: Method, optimizer: Optimizer) -> Method:
    """The method with one optimiser for all players."""
    players = method.dynamics.optimizers
    return replace(method, dynamics=replace(method.dynamics, optimizers=dict.fromkeys(players, optimizer)))


def critic_only(method: Method, optimizer: Optimizer, latent: int) -> Method:
    """The discriminator alone moves; the generator is whatever module it is."""
    rule = Alternating({"discriminator": optimizer}, steps={"discriminator": 1})
    return replace(method, dynamics=rule, latent=Gaussian(latent), averages={})


@dataclass(frozen=True)
class Slope:
    """‖∇s‖ of a discriminator at points: [rows]."""

    module: nn.Module

    def __call__(self, points: Tensor) -> Tensor:
        leaf = points.clone().requires_grad_()
        return torch.autograd.grad(self.module(leaf).sum(), leaf)[0].flatten(1).norm(dim=1)


class NearRing(nn.Module):
    """A fixed generator without parameters, latent of five numbers: a point of the ring, `spread` times a normal added, and
    `shift` to the right."""

    def __init__(self, ring: Ring, spread: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        self.ring, self.spread, self.shift = ring, spread, shift

    def forward(self, latent: Tensor) -> Tensor:
        share = torch.special.ndtr(latent[:, 0]) * self.ring.modes
        centres = self.ring.centres[share.long().clamp(max=self.ring.modes - 1)]
        moved = centres + self.ring.sigma * latent[:, 1:3] + self.spread * latent[:, 3:5]
        return moved + torch.tensor([self.shift, 0.0])


class NearRows(nn.Module):
    """A fixed generator without parameters, latent of three numbers: a row of [n, 2], `spread` times a normal added."""

    def __init__(self, rows: Tensor, spread: float = 1.0) -> None:
        super().__init__()
        self.rows, self.spread = rows, spread

    def forward(self, latent: Tensor) -> Tensor:
        share = torch.special.ndtr(latent[:, 0]) * len(self.rows)
        return self.rows[share.long().clamp(max=len(self.rows) - 1)] + self.spread * latent[:, 1:3]
