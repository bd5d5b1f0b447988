"""What a command asks for, put together and checked before anything is written."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import nn

from saddlepoint.bound import MethodGame
from saddlepoint.budget import Budget
from saddlepoint.checks import check_numbers
from saddlepoint.compiled import compiler_missing
from saddlepoint.data.protocol import Data, check_labels
from saddlepoint.errors import InputError, NeedsLabels
from saddlepoint.game import Game
from saddlepoint.method import Method
from saddlepoint.network import Functional, Plain, Precision
from saddlepoint.networks import Networks, for_shape
from saddlepoint.networks.members import Members
from saddlepoint.networks.wrapping import Wrapping, around
from saddlepoint.parallel import Processes, synchronised, transformed
from saddlepoint.random import key
from saddlepoint.run import FORMAT
from saddlepoint.schedules import Own, needs_end, schedules
from saddlepoint.settings import Settings
from saddlepoint.trackers import check as check_trackers


@dataclass(frozen=True)
class Plan:
    """method + data + networks + budget + settings: what a run computes and how."""

    method: Method
    data: Data
    networks: Networks | Mapping[str, nn.Module] | None
    budget: Budget
    settings: Settings

    @property
    def rows(self) -> int:
        return self.settings.batch_size or self.method.batch_size

    @property
    def channels_last(self) -> bool:
        chosen = self.settings.channels_last
        return len(self.data.shape) == 3 if chosen is None else chosen

    def pair(self) -> Networks | Mapping[str, nn.Module]:
        """The networks given, else those of the method, else those that fit the data."""
        if isinstance(self.networks, Mapping):
            return self.networks
        published: Any = self.method.networks
        if isinstance(published, Wrapping):
            return fitting(self.method, self.networks or for_shape(self.data.shape))
        if self.method.mixture:
            return fitting(self.method, self.networks or published or for_shape(self.data.shape))
        return self.networks or fitting(self.method, published or for_shape(self.data.shape))

    def modules(self) -> dict[str, nn.Module]:
        """The networks with the run's initial weights; modules of one's own keep the weights they come with."""
        pair = self.pair()
        if isinstance(pair, Mapping):
            return dict(pair)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key(self.settings.seed, "initialisation"))
            classes = len(self.data.classes) if isinstance(pair, Wrapping) else 0
            return pair.build(self.data.shape, self.method.latent.size, classes)

    def check(self) -> None:
        """Everything that can be refused without training."""
        check_numbers(self.method, "method")
        check_trackers(self.settings.trackers)
        check_labels(self.data, self.data.training(256))
        if self.data.size is not None and self.rows > self.data.size:
            raise InputError(
                f"batch size {self.rows} is larger than the {self.data.size} training rows of {self.data.name}: "
                f"give --batch-size {self.data.size} or less"
            )
        if self.rows < 2:
            raise InputError(f"batch size {self.rows} is too small: give at least 2")
        if own := next((s for s in schedules(self.method) if isinstance(s, Own)), None):
            raise InputError(f"{own} in {self.method.name} is for the members of a population: give a number")
        if self.budget.seconds is not None and needs_end(self.method):
            raise InputError(
                f"a schedule of {self.method.name} spans the whole run and a budget in seconds has no known end: "
                "give steps, images or gradients, or the schedule an `over`"
            )

    def identity(self, threads: int) -> dict[str, Any]:
        """What must be equal for a run to be continued."""
        s = self.settings
        known = {
            "method": repr(self.method),
            "data": self.data.identity,
            "networks": describe(self.pair()),
            "seed": s.seed,
            "batch_size": self.rows,
            "precision": s.precision,
            "device": s.device,
            "threads": threads,
            "compile": compiling(self, torch.device(s.device)),
            "chunk": s.chunk if s.compile else None,
            "accumulate": s.accumulate,
            "channels_last": self.channels_last,
        }
        if needs_end(self.method):
            known["budget"] = repr(self.budget)
        return known

    def record(self, threads: int, source: Mapping[str, Any]) -> dict[str, Any]:
        """run.json; `source` says how the data were asked for: {"spec": …, "options": {…}, "command": …}."""
        m, s = self.method, self.settings
        return {
            "format": FORMAT,
            "identity": self.identity(threads),
            "method": repr(m),
            "method_id": m.name,
            "formula": m.formula,
            "citation": m.paper,
            "deviations": list(m.deviations),
            "data": {
                "spec": source["spec"],
                "options": source["options"],
                "identity": self.data.identity,
                "shape": list(self.data.shape),
                "size": self.data.size,
                "classes": list(self.data.classes),
            },
            "networks": describe(self.pair()),
            "seed": s.seed,
            "batch_size": self.rows,
            "precision": s.precision,
            "device": s.device,
            "threads": threads,
            "compile": s.compile,
            "accumulate": s.accumulate,
            "settings": repr(s),
            "command": source.get("command", ""),
            "budget": {self.budget.unit: self.budget.limit},
        }


def game_of(plan: Plan, method: Method, processes: Processes, device: torch.device) -> tuple[Game, list[str]]:
    """The game of `method` (the plan's own or one of its stages) as the run plays it, and what the log has to say."""
    try:
        game = _met(plan, method, processes, device)
    except NeedsLabels as error:
        has = "a single class" if plan.data.classes else "none"
        raise InputError(
            f"{method.name} needs labels and {plan.data.name} has {has}: give labelled data, such as a folder with a "
            "sub-folder for each class"
        ) from error
    return transformed(game, processes, plan.settings.accumulate, plan.rows)


def _met(plan: Plan, method: Method, processes: Processes, device: torch.device) -> MethodGame:
    modules = plan.modules()
    if processes.world > 1:
        modules = {name: synchronised(module) for name, module in modules.items()}
    precision = Precision(plan.settings.precision)
    execution = Functional(precision) if compiling(plan, device) else Plain(precision)
    if plan.settings.compile and processes.world > 1:
        raise InputError("compile works within one process: start without torchrun, or leave --compile out")
    reference = plan.data.training(method.glance)
    if len(reference["real"]) < 2:
        raise InputError(f"{plan.data.name} has a single training row; give at least 2")
    return method.game(
        {name: module.cpu() for name, module in modules.items()},
        reference,
        execution=execution,
        channels_last=plan.channels_last,
        gather=processes.gather(),
    )


def compiling(plan: Plan, device: torch.device) -> bool:
    return plan.settings.compile and compiler_missing(device) is None


def fitting(method: Method, pair: Networks) -> Networks:
    """The pair as the method needs it: without normalisation that couples samples in the discriminator, where a
    penalty speaks of single samples; with features where a part asks for them; with what the method puts around it."""
    from dataclasses import replace

    if isinstance(pair, Members):
        return pair
    known: set[str] = {f.name for f in fields(pair)} if is_dataclass(pair) else set()
    change: dict[str, Any] = {}
    if method.per_row and "discriminator_norm" in known and pair.discriminator_norm != "virtual":  # type: ignore[attr-defined]
        change["discriminator_norm"] = "none"
    if method.asks & {"real_features", "fake_features"} and "features" in known:
        change["features"] = True
    fit: Any = replace(pair, **change) if change else pair  # type: ignore[type-var]
    fit = around(method.networks, fit) if isinstance(method.networks, Wrapping) else fit
    return method.mixture.around(fit) if method.mixture else fit


def describe(pair: Networks | Mapping[str, nn.Module]) -> str:
    return str(dict(pair)) if isinstance(pair, Mapping) else repr(pair)


def environment() -> dict[str, Any]:
    """Where a run takes place."""
    import os
    from datetime import UTC, datetime

    from saddlepoint.version import __version__

    return {
        "saddlepoint": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
        return names[0] if names else platform.machine()
    except OSError:
        return platform.processor() or platform.machine()
