"""How steep a network is: bounds of its Lipschitz constant in the Euclidean norm, from above and from below.

    found = lipschitz(game, "discriminator", state.players, state.memory, batch["real"])
    found.lower, found.upper        # the constant lies between

A point is what the network takes as one: a sample, a pack of samples, a sample beside its latent. What the network is told
besides (a label, an image) is held.

Everything is computed in double precision on the CPU, with the networks in evaluation mode and the weights as constraints
let them act.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor, fx, nn

from saddlepoint.bound import MethodGame
from saddlepoint.diagnostics.symmetric import modulus
from saddlepoint.errors import InputError
from saddlepoint.forward import record
from saddlepoint.game import Memory, Players
from saddlepoint.network import Skeleton
from saddlepoint.networks.conditional import with_image, with_labels
from saddlepoint.networks.r3net import Filter
from saddlepoint.networks.resample import Resample
from saddlepoint.networks.resnet import SumPositions

DENSE = 64  # inputs of a layer up to which its operator is written out
APART = 1e-8  # of the largest distance: closer pairs have a slope of rounding
AFFINE = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AvgPool3d,
    Resample,
    Filter,
    SumPositions,
)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
SILU = 1.0998393201288815  # max of d/dx xσ(x), where x tanh(x/2) = 2
SELU = 1.0507009873554805 * 1.6732632423543772
CONSTANTS: Mapping[type[nn.Module], float] = {
    nn.Identity: 1.0,
    nn.Flatten: 1.0,
    nn.Unflatten: 1.0,
    nn.Dropout: 1.0,  # evaluation mode
    nn.ReLU: 1.0,
    nn.ReLU6: 1.0,
    nn.Hardtanh: 1.0,
    nn.Tanh: 1.0,
    nn.Softplus: 1.0,
    nn.Softsign: 1.0,
    nn.LogSigmoid: 1.0,
    nn.Sigmoid: 0.25,
    nn.SELU: SELU,
    nn.SiLU: SILU,
}
ADD = {"add", "iadd", "sub", "isub"}
PRODUCTS = {"mul", "matmul"}  # linear in what moves, if one factor does
BESIDE = (with_labels, with_image)
LINEAR = {"sum", "mean", "truediv", "getitem"} | {function.__name__ for function in BESIDE}
"""Affine in the first argument, the others held."""
SAME = {"relu", "tanh", "abs", "neg"} | {  # of slope at most 1, and the numbers in another order or shape
    "flatten",
    "view",
    "reshape",
    "squeeze",
    "unsqueeze",
    "permute",
    "transpose",
    "contiguous",
}


@dataclass(frozen=True)
class Lipschitz:
    """sup ‖f(x) − f(y)‖/‖x − y‖ of a network f lies between `lower` and `upper`.

    upper       the product of the layers' constants, sums where branches are added; None where a layer is not known
    layers      the constant of every layer that is no mere activation or reshaping, by its name in the network
    unknown     why there is no upper bound: the layers whose constant is not known
    gradient    the largest ‖∇_x f‖ over the points (spectral norm of the Jacobian where f has several outputs)
    slope       the largest ‖f(x) − f(y)‖/‖x − y‖ over pairs of points; 0 for a single point
    """

    upper: float | None
    layers: Mapping[str, float]
    unknown: tuple[str, ...]
    gradient: float
    slope: float

    @property
    def lower(self) -> float:
        return max(self.gradient, self.slope)


def lipschitz(
    game: MethodGame,
    player: str,
    players: Players,
    memory: Memory,
    points: Tensor | tuple[Tensor, ...],
    condition: tuple[Tensor, ...] = (),
) -> Lipschitz:
    """The bounds for a player's network, of a discriminator for its score. points: [n, …], what the network takes, or a
    tuple of members [n, …] whose numbers are one point; each point is looked at by itself.

    condition: tensors [n, …], what the network is told of each point. The bounds are those of x ↦ f(x, y), the largest
    over the conditions y that occur; slopes are taken between points of the same condition.

    The upper bound holds everywhere and is rarely attained by more than one layer (Szegedy et al. 2014). The norm of a
    convolution is that of the operator at its size of image, with its stride and padding, not of the reshaped kernel.
    """
    if player not in game.players:
        raise InputError(f"the game has no player {player!r}; it has {', '.join(game.players)}")
    members = points if isinstance(points, tuple) else (points,)
    for member in members:
        if member.dim() < 2 or not len(member) or not member.is_floating_point():
            raise InputError(f"points are numbers [n, …] with n at least 1, not {tuple(member.shape)}")
    if len({len(rows) for rows in (*members, *condition)}) > 1:
        counts = ", ".join(str(len(rows)) for rows in (*members, *condition))
        raise InputError(f"members of points and conditions have a row for each point, not {counts} rows")
    module = _evaluating(game.bound(), player, players, memory)
    shapes = [tuple(member.shape[1:]) for member in members]
    flat = torch.cat([member.detach().flatten(1).double().cpu() for member in members], 1)
    told = tuple(_double(rows) for rows in condition)
    found = []
    for rows in _alike(told, len(flat)):
        seen = _Seen(module, shapes, isinstance(points, tuple), tuple(y[rows[:1]] for y in told))
        try:
            seen(flat[rows[:1]])
        except (RuntimeError, TypeError, ValueError) as error:
            raise InputError(
                f"the {player} does not take points of shape {', '.join(map(str, shapes))}: {str(error).splitlines()[0]}"
            ) from error
        found.append(Lipschitz(*_upper(seen, flat[rows[:1]]), *_lower(seen, flat[rows])))
    return _largest(found)


class _Seen(nn.Module):
    """A network as a function of rows of numbers [n, k]: taken apart into members of these shapes, the condition [1, …]
    held."""

    def __init__(
        self,
        network: nn.Module,
        shapes: Sequence[tuple[int, ...]],
        several: bool,
        condition: tuple[Tensor, ...],
    ) -> None:
        super().__init__()
        self.network, self.shapes, self.several, self.condition = network, shapes, several, condition

    def forward(self, flat: Tensor) -> Tensor:
        ends = list(accumulate(map(math.prod, self.shapes), initial=0))
        members = tuple(
            (flat[:, start:end] if self.several else flat).reshape(1, *shape)
            for shape, (start, end) in zip(self.shapes, pairwise(ends), strict=True)
        )
        output = self.network(members if self.several else members[0], *self.condition)
        score: Tensor = record(output)["score"]
        return score


def _alike(condition: tuple[Tensor, ...], count: int) -> list[list[int]]:
    """The numbers of the rows that have the same condition, for each that occurs."""
    groups: dict[Any, list[int]] = {}
    for row in range(count):
        key = tuple(tuple(y[row].flatten().tolist()) for y in condition)
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _largest(found: Sequence[Lipschitz]) -> Lipschitz:
    """Bounds that hold for each of the functions that these belong to."""
    uppers = [one.upper for one in found if one.upper is not None]
    names = dict.fromkeys(name for one in found for name in one.layers)
    return Lipschitz(
        upper=max(uppers) if len(uppers) == len(found) else None,
        layers={name: max(one.layers.get(name, 0.0) for one in found) for name in names},
        unknown=tuple(dict.fromkeys(name for one in found for name in one.unknown)),
        gradient=max(one.gradient for one in found),
        slope=max(one.slope for one in found),
    )


def _evaluating(game: MethodGame, player: str, players: Players, memory: Memory) -> nn.Module:
    """A copy of a player's network in evaluation mode, with its effective weights and its buffers in double precision."""
    network = game.networks[player]
    network.evaluating.empty()  # what the last evaluation left may belong to a graph, which has no copy
    skeleton = Skeleton(copy.deepcopy(network.evaluating.module))
    effective = network.effective(_double(players[player]), _double(memory["constraints"][player]))
    skeleton.install(effective, _double(memory["buffers"][player]))
    return skeleton.module


def _double(held: Any) -> Any:
    """Tensors, or dictionaries of them."""
    if isinstance(held, Mapping):
        return {name: _double(value) for name, value in held.items()}
    value = held.detach().cpu()
    return value.double() if value.is_floating_point() else value


def operator_norm(function: Callable[[Tensor], Tensor], like: Tensor) -> float:
    """The largest singular value of the linear part of an affine function of tensors such as `like`, found by products
    with it and with its adjoint (vjp)."""
    zero = torch.zeros_like(like)
    offset, pull = torch.func.vjp(function, zero)  # type: ignore[misc]

    def product(direction: Tensor) -> Tensor:
        moved: Tensor = pull(function(direction.view(like.shape)) - offset)[0]
        return moved.reshape(-1)

    return math.sqrt(modulus(product, zero.reshape(-1), DENSE))


def _lower(seen: nn.Module, points: Tensor) -> tuple[float, float]:
    def function(point: Tensor) -> Tensor:
        output: Tensor = seen(point.unsqueeze(0))
        return output.flatten()

    jacobians = (torch.func.jacrev(function)(point).flatten(1) for point in points)
    gradient = max(float(torch.linalg.matrix_norm(jacobian, 2)) for jacobian in jacobians)
    outputs = torch.stack([function(point) for point in points])
    between = torch.pdist(points)
    apart = between > APART * between.max() if len(between) else between.bool()
    slopes = torch.pdist(outputs)[apart] / between[apart]
    return gradient, float(slopes.max()) if len(slopes) else 0.0


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in AFFINE or super().is_leaf_module(m, module_qualified_name)


def _upper(module: nn.Module, point: Tensor) -> tuple[float | None, dict[str, float], tuple[str, ...]]:
    module = copy.deepcopy(module)  # tracing writes tensors that are no parameters into it
    try:
        graph = _Tracer(autowrap_functions=BESIDE).trace(module)
    except (fx.proxy.TraceError, RuntimeError, TypeError):
        return None, {}, ("the network (what it does cannot be traced)",)
    bounds = _Bounds(module, graph)
    bounds.run(point)
    (outcome,) = graph.output_node().all_input_nodes
    found = bounds.constant[outcome]
    return (None if bounds.unknown else found), bounds.layers, tuple(bounds.unknown)


class _Bounds(fx.Interpreter):
    """Runs a network on one point. Where the point moves by δ, what `node` returns moves by at most `constant[node]` ‖δ‖;
    infinite where that is not known."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, graph=graph)
        self.constant: dict[fx.Node, float] = {}
        self.layers: dict[str, float] = {}
        self.unknown: list[str] = []

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        self.constant[n] = self._constant(n, value)
        return value

    def _constant(self, node: fx.Node, value: Any) -> float:
        if node.op in ("placeholder", "get_attr", "output"):
            return float(node.op == "placeholder")
        before = max((self.constant[argument] for argument in node.all_input_nodes), default=0.0)
        if before == 0 or isinstance(value, (int, torch.Size)):
            return 0.0
        found = self._layer(node) if node.op == "call_module" else self._function(node, value)
        if found is None:
            self.unknown.append(self._called(node))
            return math.inf
        return found

    def _called(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return f"{_place(node)} ({type(self.fetch_attr(str(node.target))).__name__})"
        return f"{node.name} ({_name(node)})"

    def _layer(self, node: fx.Node) -> float | None:
        if len(node.args) != 1 or node.kwargs:
            return None
        name, argument = str(node.target), node.all_input_nodes[0]
        module, before = self.fetch_attr(name), self.constant[argument]
        factor = layer_constant(module, self.env[argument])
        if factor is None:
            return None
        if isinstance(module, (nn.Linear, *AFFINE, *NORMS)):
            place = _place(node)
            self.layers[place] = max(factor, self.layers.get(place, 0.0))
        return factor * before

    def _function(self, node: fx.Node, value: Any) -> float | None:
        name, inputs = _name(node), node.all_input_nodes
        moving = [argument for argument in inputs if self.constant[argument] > 0]
        if name in ADD and not node.kwargs:
            parts: list[Any] = [argument for argument in node.args if argument in moving]  # x + x: twice
            fits = all(self.env[part].shape == value.shape for part in parts)  # repeated numbers count more
            return sum(self.constant[part] for part in parts) if fits else None
        if name == "cat":
            members: Any = node.args[0]
            return math.sqrt(sum(self.constant[member] ** 2 for member in members))
        if len(moving) != 1 or (name not in PRODUCTS and node.args[0] is not moving[0]):
            return None
        (argument,) = moving
        if name in SAME:
            return self.constant[argument]
        if name not in LINEAR | PRODUCTS:
            return None

        def function(point: Tensor) -> Tensor:
            given = {**self.env, argument: point}
            args, kwargs = fx.node.map_arg((node.args, node.kwargs), given.__getitem__)
            made: Tensor = getattr(self, node.op)(node.target, args, kwargs)
            return made

        return operator_norm(function, self.env[argument]) * self.constant[argument]


def _place(node: fx.Node) -> str:
    """The name of a layer in the network."""
    return str(node.target).removeprefix("network.")


def _name(node: fx.Node) -> str:
    return node.target if isinstance(node.target, str) else node.target.__name__


def layer_constant(module: nn.Module, point: Tensor) -> float | None:
    """The Lipschitz constant of a layer in evaluation mode on inputs such as `point`, or None where it is not known."""
    match module:
        case nn.Linear():
            return float(torch.linalg.matrix_norm(module.weight, 2))
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d() if module.running_var is not None:
            gain = 1.0 if module.weight is None else module.weight.abs()
            return float((gain / (module.running_var + module.eps).sqrt()).max())
        case nn.LeakyReLU():
            return max(1.0, abs(module.negative_slope))
        case nn.ELU():
            return max(1.0, abs(module.alpha))
        case nn.GELU() if module.approximate == "none":  # Φ(x) + xφ(x), largest at √2
            return (1 + math.erf(1.0)) / 2 + math.exp(-1.0) / math.sqrt(math.pi)
    if type(module) in AFFINE:
        return operator_norm(module, point)
    return CONSTANTS.get(type(module))
