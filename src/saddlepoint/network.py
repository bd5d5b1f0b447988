"""A module seen as a function of a vector: the only place where parameters meet `nn.Module`.

Two executions of the same mathematics, chosen explicitly: `Plain` (eager, `torch.autograd.grad`, parameters installed
once per evaluation into a private copy of the module) and `Functional` (`torch.func`, for compiling and `vmap`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from saddlepoint.constraints import Bound
from saddlepoint.layout import Layout

Named = Mapping[str, Tensor]
Losses = Callable[[dict[str, Tensor]], tuple[dict[str, Tensor], Any]]
Vectors = dict[str, Tensor]


class Opened(dict[str, Tensor]):
    """The parameters of one player by name, each a leaf of the graph, in the order of the layout."""

    layout: Layout

    def vector(self, gradients: tuple[Tensor, ...]) -> Tensor:
        return self.layout.vector(dict(zip(self, gradients, strict=True)))


class Network:
    """One module, taken apart: layout of its vector, skeletons without values, buffers, bound constraints.

    The skeletons (one in training mode, one in evaluation mode) live on the meta device: a parameter or buffer that
    was not handed over raises instead of silently taking part. Tied parameters stay tied.
    """

    def __init__(
        self, name: str, module: nn.Module, constraints: tuple[Bound, ...], channels_last: bool
    ) -> None:
        self.name, self.constraints, self.channels_last = name, constraints, channels_last
        self.layout = Layout.of(module, channels_last)
        self.training, self.evaluating = (
            Skeleton(copy.deepcopy(module).train(mode)) for mode in (True, False)
        )
        self.start = {n: p.detach().clone() for n, p in module.named_parameters()}
        self.buffers = {n: b.detach().clone() for n, b in module.named_buffers()}
        self.moving: tuple[str, ...] = tuple(self.buffers)
        self._flat = torch.empty(0)
        self._leaves: dict[
            bool, Opened
        ] = {}  # two sets over the same memory: leaves of a graph, and constants
        self._held: tuple[Tensor, int] = (self._flat, -1)  # the vector last opened, and its version

    def opened(self, vector: Tensor, differentiate: bool) -> Opened:
        """The values of `vector` in leaves that this network keeps: one copy instead of a split, views and their graph.
        They hold until the next call."""
        if self._flat.shape != vector.shape or (self._flat.dtype, self._flat.device) != (
            vector.dtype,
            vector.device,
        ):
            self._flat = vector.detach().clone()
            for leaves in (True, False):
                named = self.layout.named(self._flat)
                opened = Opened({n: t.detach().requires_grad_(leaves) for n, t in named.items()})
                opened.layout, self._leaves[leaves] = self.layout, opened
        elif self._held[0] is not vector or self._held[1] != vector._version:
            self._flat.copy_(vector.detach())
        self._held = (vector, vector._version)
        return self._leaves[differentiate]

    def effective(self, vector: Tensor | Opened, memory: Mapping[str, Named]) -> Named:
        """Parameters by name, as the constraints let them act."""
        named: Named = vector if isinstance(vector, Opened) else self.layout.named(vector)
        for index, constraint in enumerate(self.constraints):
            named = constraint.inside(named, memory.get(str(index), {}))
        return named


_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Skeleton:
    """A module on the meta device and every place where its tensors are looked up; tied ones share a name."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        names: dict[int, str] = {}
        self.parameters: list[tuple[dict[str, Any], str, str]] = []
        self.buffers: list[tuple[dict[str, Any], str, str]] = []
        for path, part in module.named_modules():
            for table, places in ((part._parameters, self.parameters), (part._buffers, self.buffers)):
                for key, tensor in table.items():
                    if tensor is not None:
                        name = names.setdefault(id(tensor), f"{path}.{key}".removeprefix("."))
                        places.append((table, key, name))  # type: ignore[arg-type]
        module.to("meta")
        for part in module.modules():
            if not any(getattr(part, hooks) for hooks in _HOOKS):
                part._compiled_call_impl = (
                    part.forward
                )  # what a call without hooks comes to, at half the price
        self.absent = {name: table[key] for table, key, name in (*self.parameters, *self.buffers)}
        self.installed: tuple[Named, Named] = ({}, {})
        self.empty()  # moving to another device unties

    def empty(self) -> None:
        """No values again: what is not handed over cannot take part."""
        self.install(self.absent, self.absent)

    def install(self, parameters: Named, buffers: Named) -> None:
        if self.installed[0] is parameters and self.installed[1] is buffers:
            return
        for table, key, name in self.parameters:
            table[key] = parameters[name]
        for table, key, name in self.buffers:
            table[key] = buffers[name]
        self.installed = (parameters, buffers)


@dataclass(frozen=True)
class Precision:
    """`fp32`: as the parameters are; `bf16`: autocast inside each network call, results leave in float32."""

    name: str = "fp32"

    def call(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> Any:
        if self.name == "fp32":
            return function(*inputs)
        device = next(_tensors(inputs)).device.type
        with torch.autocast(device, torch.bfloat16):
            return _floats(function(*inputs))


def _floats(output: Any) -> Any:
    if isinstance(output, Mapping):
        return {name: _floats(value) for name, value in output.items()}
    if isinstance(output, (list, tuple)):
        return type(output)(map(_floats, output))
    return output.float() if output.is_floating_point() else output


def _tensors(inputs: tuple[Any, ...]) -> Iterator[Tensor]:
    for value in inputs:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple):
            yield from _tensors(value)


def _inputs(network: Network, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(_channels_last, inputs)) if network.channels_last else inputs


def _channels_last(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_channels_last, value))
    images = isinstance(value, Tensor) and value.dim() == 4
    return value.contiguous(memory_format=torch.channels_last) if images else value


def _apart(buffers: Named, moving: tuple[str, ...]) -> dict[str, Tensor]:
    """The buffers with copies of those that a call writes to."""
    return {name: b.clone() if name in moving else b for name, b in buffers.items()}


class Execution(Protocol):
    """How a network is called and how derivatives are taken."""

    precision: Precision

    def open(
        self, network: Network, named: Named, buffers: Named, training: bool, seen: list[Named]
    ) -> Callable[..., Any]:
        """The network as a function of its inputs. In training every call starts from the same `buffers`; those
        it leaves behind are appended to `seen`."""

    def score_and_gradient(
        self, score: Callable[[Any], tuple[Tensor, Any]], point: Any
    ) -> tuple[Tensor, Any, Any]:
        """(s, what else `score` returned, ∇s at each point), from one forward pass."""

    def gradients(self, losses: Losses, at: Vectors, create_graph: bool = False) -> tuple[Vectors, Any]:
        """Each player's gradient of its own loss, and the notes of the evaluation."""

    def pullback(self, losses: Losses, at: Vectors, cotangent: Vectors) -> Vectors:
        """Jᵀu for the field v = (∇_p L_p)_p."""

    def pushforward(self, losses: Losses, at: Vectors, tangent: Vectors) -> Vectors:
        """Ju for the field v = (∇_p L_p)_p."""


class Plain:
    """Eager PyTorch."""

    def __init__(self, precision: Precision = Precision()) -> None:
        self.precision = precision

    def open(
        self, network: Network, named: Named, buffers: Named, training: bool, seen: list[Named]
    ) -> Callable[..., Any]:
        skeleton = network.training if training else network.evaluating
        moving = training and bool(network.moving)

        def call(*inputs: Any) -> Any:
            started = _apart(buffers, network.moving) if moving else buffers
            skeleton.install(named, started)
            output = self.precision.call(skeleton.module, _inputs(network, inputs))
            if moving:
                seen.append(started)
            return output

        return call

    def score_and_gradient(
        self, score: Callable[[Any], tuple[Tensor, Any]], point: Any
    ) -> tuple[Tensor, Any, Any]:
        points = point if isinstance(point, tuple) else (point,)
        leaves = tuple(p if p.requires_grad else p.detach().requires_grad_() for p in points)
        value, output = score(leaves if isinstance(point, tuple) else leaves[0])
        gradient = torch.autograd.grad(value.sum(), leaves, create_graph=True)
        return value, output, gradient if isinstance(point, tuple) else gradient[0]

    def gradients(self, losses: Losses, at: Vectors, create_graph: bool = False) -> tuple[Vectors, Any]:
        leaves = {p: v if _is_leaf(v) else v.detach().requires_grad_() for p, v in at.items()}
        values, notes = losses(leaves)
        last, found = next(reversed(leaves)), {}
        for player, leaf in leaves.items():
            parts = torch.autograd.grad(
                values[player],
                tuple(leaf.values()) if isinstance(leaf, Opened) else leaf,
                retain_graph=create_graph or player != last,
                create_graph=create_graph,
                materialize_grads=True,
            )
            found[player] = leaf.vector(parts) if isinstance(leaf, Opened) else parts[0]
        return found, notes

    def pullback(self, losses: Losses, at: Vectors, cotangent: Vectors) -> Vectors:
        leaves = {p: v.detach().requires_grad_() for p, v in at.items()}
        field, _ = self.gradients(losses, leaves, create_graph=True)
        return self._along(field, cotangent, leaves)

    def pushforward(self, losses: Losses, at: Vectors, tangent: Vectors) -> Vectors:
        leaves = {p: v.detach().requires_grad_() for p, v in at.items()}
        field, _ = self.gradients(losses, leaves, create_graph=True)
        dummies = {p: torch.zeros_like(v).requires_grad_() for p, v in at.items()}
        return self._along(self._along(field, dummies, leaves, create_graph=True), tangent, dummies)

    def _along(self, field: Vectors, direction: Vectors, at: Vectors, create_graph: bool = False) -> Vectors:
        # The inner product, not the field, is differentiated: a constant gradient has no graph of its own.
        inner = torch.stack([field[p].dot(direction[p]) for p in field]).sum()
        found = (
            torch.autograd.grad(
                inner, list(at.values()), create_graph=create_graph, materialize_grads=True, allow_unused=True
            )
            if inner.requires_grad
            else [torch.zeros_like(v) for v in at.values()]
        )
        return dict(zip(at, found, strict=True))


def _is_leaf(vector: Tensor | Opened) -> bool:
    return isinstance(vector, Opened) or vector.requires_grad


class Functional:
    """`torch.func`: traceable as one whole graph, and usable under `vmap`."""

    def __init__(self, precision: Precision = Precision()) -> None:
        self.precision = precision

    def open(
        self, network: Network, named: Named, buffers: Named, training: bool, seen: list[Named]
    ) -> Callable[..., Any]:
        skeleton = network.training if training else network.evaluating
        moving = training and bool(network.moving)

        def call(*inputs: Any) -> Any:
            started = _apart(buffers, network.moving) if moving else buffers
            tensors = {**named, **started}

            def function(*values: Any) -> Any:
                return torch.func.functional_call(skeleton.module, tensors, values, strict=True)

            output = self.precision.call(function, _inputs(network, inputs))
            if moving:
                seen.append(started)
            return output

        return call

    def score_and_gradient(
        self, score: Callable[[Any], tuple[Tensor, Any]], point: Any
    ) -> tuple[Tensor, Any, Any]:
        def summed(at: Any) -> tuple[Tensor, tuple[Tensor, Any]]:
            value, output = score(at)
            return value.sum(), (value, output)

        gradient, (value, output) = torch.func.grad(summed, has_aux=True)(point)
        return value, output, gradient

    def gradients(self, losses: Losses, at: Vectors, create_graph: bool = False) -> tuple[Vectors, Any]:
        found: Vectors = {}
        notes: Any = None
        for player in at:

            def own(vector: Tensor, player: str = player) -> tuple[Tensor, Any]:
                values, seen = losses({**at, player: vector})
                return values[player], seen

            found[player], notes = torch.func.grad(own, has_aux=True)(at[player])
        return found, notes

    def _field(self, losses: Losses) -> Callable[[Vectors], Vectors]:
        return lambda at: self.gradients(losses, at)[0]

    def pullback(self, losses: Losses, at: Vectors, cotangent: Vectors) -> Vectors:
        return torch.func.vjp(self._field(losses), at)[1](cotangent)[0]

    def pushforward(self, losses: Losses, at: Vectors, tangent: Vectors) -> Vectors:
        return torch.func.jvp(self._field(losses), (at,), (tangent,))[1]
