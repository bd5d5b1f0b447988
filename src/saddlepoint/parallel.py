"""Games over several processes or several micro-batches: transformations of a game, the loop stays ignorant of them.

Gradients are means over rows, so the mean of the parts' gradients is the gradient of the whole; what couples rows is
gathered (scores of objectives that say so), synchronised (BatchNorm), refused, or named in the log.
"""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from saddlepoint.bound import MethodGame
from saddlepoint.errors import InputError
from saddlepoint.game import Batch, Game, Memory, Notes, Players

_GROUPS = itertools.count()  # of processes, begun by this one
BatchNorm = nn.modules.batchnorm._BatchNorm


class Transformed(Game):
    """A game that passes everything on to `base`."""

    def __init__(self, base: Game) -> None:
        self.base, self.players, self.execution, self.averages = (
            base,
            base.players,
            base.execution,
            base.averages,
        )
        self._at: dict[int, Game] = {}

    def phase(self, step: int) -> int:
        return self.base.phase(step)

    def at(self, step: int) -> Game:
        base, phase = self.base.at(step), self.phase(step)
        if base is self.base:
            return self
        if phase not in self._at:
            self._at[phase] = copy.copy(self)
            self._at[phase].base = base  # type: ignore[attr-defined]
        return self._at[phase]

    def bound(self) -> MethodGame:
        return self.base.bound()

    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        return self.base.init(seed, reference)

    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        return self.base.losses(who, players, memory, batch)

    def sample(self, players: Players, memory: Memory, batch: Batch) -> Tensor:
        return self.base.sample(players, memory, batch)

    def needs(self, who: tuple[str, ...]) -> frozenset[str]:
        return self.base.needs(who)

    def after(self, player: str, vector: Tensor) -> Tensor:
        return self.base.after(player, vector)

    def remember(self, who: tuple[str, ...], players: Players, memory: Memory, notes: Notes) -> Memory:
        return self.base.remember(who, players, memory, notes)


class Accumulated(Transformed):
    """Every quantity linear in the batch as the mean over `parts` micro-batches: less memory, the same gradients."""

    def __init__(self, base: Game, parts: int) -> None:
        super().__init__(base)
        self.parts = parts

    def split(self, batch: Batch) -> list[dict[str, Any]]:
        rows = {name: value.chunk(self.parts) for name, value in batch.items() if _has_rows(value)}
        rest = {name: value for name, value in batch.items() if name not in rows}
        return [rest | {name: chunks[i] for name, chunks in rows.items()} for i in range(self.parts)]

    def gradients(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch, create_graph: bool = False
    ) -> tuple[Players, Notes]:
        results = [
            self.base.gradients(who, players, memory, part, create_graph) for part in self.split(batch)
        ]
        return _average([found for found, _ in results]), _notes([notes for _, notes in results])

    def pullback(self, players: Players, memory: Memory, batch: Batch, cotangent: Players) -> Players:
        return _average([self.base.pullback(players, memory, part, cotangent) for part in self.split(batch)])

    def pushforward(self, players: Players, memory: Memory, batch: Batch, tangent: Players) -> Players:
        return _average([self.base.pushforward(players, memory, part, tangent) for part in self.split(batch)])


class Sharded(Transformed):
    """Every quantity linear in the batch as the mean over processes; each holds its rows of the global batch."""

    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        """Rank 0's start for all: modules of one's own may begin with other weights in every process."""
        players, memory = self.base.init(seed, reference)
        return _of_first(players), _of_first(memory)

    def gradients(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch, create_graph: bool = False
    ) -> tuple[Players, Notes]:
        return _over_processes(*self.base.gradients(who, players, memory, batch, create_graph))

    def derivatives(
        self, losses: Callable[[Players], tuple[dict[str, Tensor], Notes]], at: Players
    ) -> tuple[Players, Notes]:
        return _over_processes(*super().derivatives(losses, at))

    def pullback(self, players: Players, memory: Memory, batch: Batch, cotangent: Players) -> Players:
        found = self.base.pullback(players, memory, batch, cotangent)
        return {player: mean(vector) for player, vector in found.items()}

    def pushforward(self, players: Players, memory: Memory, batch: Batch, tangent: Players) -> Players:
        found = self.base.pushforward(players, memory, batch, tangent)
        return {player: mean(vector) for player, vector in found.items()}


def _over_processes(found: Players, notes: Notes) -> tuple[Players, Notes]:
    info = {name: mean(value.float().mean()) for name, value in notes.info.items()}
    buffers = {
        player: {name: mean(b) if b.is_floating_point() else b for name, b in buffers.items()}
        for player, buffers in notes.buffers.items()
    }
    seen = {key: {name: mean(s) for name, s in part.items()} for key, part in notes.seen.items()}
    return {player: mean(gradient) for player, gradient in found.items()}, Notes(info, buffers, seen)


def _has_rows(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dim() > 0


def _average(parts: list[Players]) -> Players:
    return {name: torch.stack([part[name] for part in parts]).mean(0) for name in parts[0]}


def _notes(parts: list[Notes]) -> Notes:
    info = {name: torch.stack([p.info[name].float().mean() for p in parts]).mean() for name in parts[0].info}
    buffers = {
        player: {
            name: torch.stack([p.buffers[player][name] for p in parts]).mean(0)
            if b.is_floating_point()
            else b
            for name, b in found.items()
        }
        for player, found in parts[0].buffers.items()
    }
    seen = {
        key: {name: torch.stack([p.seen[key][name] for p in parts]).mean(0) for name in part}
        for key, part in parts[0].seen.items()
    }
    return Notes(info, buffers, seen)


# -- collectives, differentiable any number of times -------------------------------------------------


class AllReduceMean(torch.autograd.Function):
    """The mean over processes; linear and symmetric, so its backward pass is itself."""

    @staticmethod
    def forward(value: Tensor) -> Tensor:
        total = value.detach().clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total / dist.get_world_size()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return AllReduceMean.apply(gradient.contiguous())


class AllGather(torch.autograd.Function):
    """All processes' rows, in rank order; backward: the sum over processes, own rows."""

    @staticmethod
    def forward(rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.detach().contiguous())
        return torch.cat(parts)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.rows = len(inputs[0])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        total = AllReduceMean.apply(gradient.contiguous()) * dist.get_world_size()
        start = dist.get_rank() * ctx.rows
        return total[start : start + ctx.rows]


def mean(value: Tensor) -> Tensor:
    return AllReduceMean.apply(value)


def _of_first(value: Any) -> Any:
    """Rank 0's tensors in nested dictionaries."""
    if isinstance(value, dict):
        return {name: _of_first(part) for name, part in value.items()}
    told = value.clone()
    dist.broadcast(told, src=0)
    return told


class SynchronisedBatchNorm(BatchNorm):
    """BatchNorm over the rows of all processes (on CPU too, where `torch.nn.SyncBatchNorm` refuses)."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        dims = [0, *range(2, input.dim())]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        values = input.float() if input.dtype in (torch.bfloat16, torch.float16) else input  # under autocast
        centre = AllReduceMean.apply(values.mean(dims))
        variance = AllReduceMean.apply((values - centre.view(shape)).square().mean(dims))
        self._track(
            centre.detach(), variance.detach(), input.numel() // input.shape[1] * dist.get_world_size()
        )
        normal = (values - centre.view(shape)) * torch.rsqrt(variance + self.eps).view(shape)
        scaled = normal * self.weight.view(shape) + self.bias.view(shape) if self.affine else normal
        return scaled.to(input.dtype)

    def _track(self, centre: Tensor, variance: Tensor, count: int) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(centre, share)
        self.running_var.lerp_(variance * count / max(count - 1, 1), share)


def synchronised(module: nn.Module) -> nn.Module:
    """A copy of `module` whose BatchNorm layers look at the rows of all processes."""
    made = copy.deepcopy(module)
    for part in made.modules():
        if isinstance(part, BatchNorm):
            part.__class__ = SynchronisedBatchNorm
    return made


# -- the processes of a run ---------------------------------------------------------------------------


class Processes:
    """The processes started by `torchrun`, or this one alone."""

    def __init__(self, device: torch.device) -> None:
        self.world = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.device = device
        self.started_here = False
        if self.world > 1 and not dist.is_initialized():
            if device.type == "cuda":
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
            # A prefix of its own: what an earlier run of these processes left in the store would mislead this one.
            store, rank, world = next(dist.rendezvous("env://"))  # type: ignore[attr-defined]
            store = dist.PrefixStore(f"saddlepoint {next(_GROUPS)}", store)  # type: ignore[attr-defined]
            backend = "nccl" if device.type == "cuda" else "gloo"
            dist.init_process_group(backend, store=store, rank=rank, world_size=world)
            self.started_here = True

    @property
    def writer(self) -> bool:
        return self.rank == 0

    def agree(self, stop: bool) -> bool:
        """Whether any process wants to stop: asked at the same point by all, or the next collective would hang."""
        if self.world == 1:
            return stop
        flag = torch.tensor(float(stop), device=self.device)
        dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        return bool(flag.item())

    def share(self, value: Any) -> Any:
        """Rank 0's value of a small Python object."""
        if self.world == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def alone(self, action: Callable[[], None]) -> None:
        """Rank 0 does it while the others wait; where it is refused or fails, all end with its words."""
        ended: Exception | None = None
        if self.writer:
            try:
                action()
            except (InputError, RuntimeError, OSError, MemoryError) as error:
                ended = error
        ended = self.share(ended)
        if ended is not None:
            raise ended

    def gather(self) -> Callable[[Any], Any] | None:
        return AllGather.apply if self.world > 1 else None

    def close(self) -> None:
        if self.started_here:
            dist.destroy_process_group()


def transformed(game: MethodGame, processes: Processes, accumulate: int, rows: int) -> tuple[Game, list[str]]:
    """The game as this run plays it, and what has to be said about it."""
    parts = processes.world * accumulate
    if rows % parts:
        raise InputError(
            f"batch size {rows} does not split into {parts} equal parts "
            f"({processes.world} processes x {accumulate} micro-batches): take a multiple of {parts}"
        )
    said = []
    made: Game = game
    if accumulate > 1:
        if game.coupling:
            raise InputError(
                f"{game.coupling} couples the rows of a batch, so {accumulate} micro-batches would be another objective: "
                "use accumulate 1"
            )
        said += [f"{name} uses the statistics of each micro-batch by itself" for name in game.found.coupled]
        made = Accumulated(made, accumulate)
    if processes.world > 1:
        said += [
            f"{name} couples samples other than by BatchNorm and sees the rows of its own process only"
            for name in game.found.coupled
            if not any(isinstance(p, BatchNorm) for p in game.networks[name].training.module.modules())
        ]
        made = Sharded(made)
    return made, said
