"""Spectra of a game: of its field, and of the map that a step of the actual dynamics is.

    field_spectrum(game, state.players, state.memory, batch)       eigenvalues of -J, J the Jacobian of the field
    step_spectrum(game, dynamics, state, batch)                    of x' = F(x), x the vectors with the optimisers' slots
    draw_spectrum(axes, [(0, first), (1000, later)])               into a matplotlib axes, coloured by step

Dense where there are few numbers, by Arnoldi's iteration on Jacobian-vector products above; nothing of the size of the
square is made then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from saddlepoint.dynamics import Dynamics
from saddlepoint.errors import InputError
from saddlepoint.game import Batch, Game, Memory, Players
from saddlepoint.games.small import joined, parted
from saddlepoint.images import INK, MUTED, RULE, window
from saddlepoint.network import Functional
from saddlepoint.state import State

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DENSE = 600  # numbers up to which all eigenvalues are found
COUNT = 12  # eigenvalues that are looked for above
HELD = ("fixed", "buffers", "constraints")  # memory that a step is not differentiated in
SMALL = 1e-3


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues, the ones that decide first: largest real part for a field, largest modulus for a map. `of` is the number
    of numbers; `values` are all of them, or those that Arnoldi's iteration found."""

    values: Tensor
    of: int
    kind: Literal["field", "map"]

    @property
    def growth(self) -> float:
        """max Re λ of a field, max |λ| − 1 of a map: negative where small deviations die out."""
        return float(self.values[0].real if self.kind == "field" else self.values[0].abs() - 1)

    @property
    def turning(self) -> float:
        """|Im λ| of the deciding eigenvalue, or its angle for a map: radians in a unit of time or a step."""
        first = self.values[0]
        return float(first.imag.abs() if self.kind == "field" else first.angle().abs())

    @property
    def verdict(self) -> Literal["stable", "rotating", "diverging"]:
        """diverging: grows faster than .001 of its modulus; stable: shrinks as fast; rotating: neither, and it turns."""
        size = max(float(self.values[0].abs()), 1e-12) if self.kind == "field" else 1.0
        if self.growth > SMALL * size:
            return "diverging"
        if self.growth < -SMALL * size or not self.turning:
            return "stable"
        return "rotating"


def field_spectrum(
    game: Game, players: Players, memory: Memory, batch: Batch, count: int | None = None
) -> Spectrum:
    """Eigenvalues of −J on one batch, J of `game.field` over all players. `count`: so many by Arnoldi; by default all of
    at most 600 numbers, else 12."""

    def product(direction: Tensor) -> Tensor:
        return -joined(game.pushforward(players, memory, batch, parted(players, direction)))

    return _spectrum(product, joined(players), "field", count)


def step_spectrum(
    game: Game, dynamics: Dynamics, state: State, batch: Batch, rows: int = 1, count: int | None = None
) -> Spectrum:
    """Eigenvalues of the Jacobian of one step, every turn of it on the same batch: of the players, what the optimisers and
    the dynamics keep, and what parts remember. Running statistics and the state of constraints are held.

    The game has to play with `Functional` execution, whose steps can be differentiated.
    """
    if not isinstance(game.execution, Functional):
        raise InputError(
            "a step is differentiated in a game with Functional() execution; this one plays plainly"
        )
    step = state.clock["step"]
    turns, played = dynamics.turns(step), game.at(step)
    start = {name: getattr(state, name) for name in ("players", "optimizer", "memory")}
    leaves = _leaves(start)

    def after(whole: Tensor) -> Tensor:
        moved = State(**{**state._asdict(), **_put(start, leaves, whole)})
        reached, _ = dynamics.step(played, moved, turns, lambda turn: batch, rows)
        return _joined(leaves, {name: getattr(reached, name) for name in start})

    at = _joined(leaves, start)

    def product(direction: Tensor) -> Tensor:
        return torch.func.jvp(after, (at,), (direction,))[1]

    return _spectrum(product, at, "map", count)


def draw_spectrum(axes: Axes, spectra: Spectrum | Sequence[tuple[int, Spectrum]]) -> None:
    """Eigenvalues in the complex plane, with the line that a stable rule stays behind: the imaginary axis for a field, the
    unit circle for a map. Of several (step, spectrum) the colour is the step. The title judges the last of them.

    The window is that of the eigenvalues and of 0 (a field) or 1 (a map), about which those of short steps crowd.
    """
    found = [(0, spectra)] if isinstance(spectra, Spectrum) else list(spectra)
    kinds = {spectrum.kind for _, spectrum in found}
    if len(kinds) != 1:
        raise InputError("a picture of spectra shows at least one, all of fields or all of maps")
    values = torch.cat([spectrum.values for _, spectrum in found])
    steps = torch.cat([torch.full((len(spectrum.values),), float(step)) for step, spectrum in found])
    several = not isinstance(spectra, Spectrum)
    colour: Any = {"c": steps.numpy(), "cmap": "viridis"} if several else {"color": INK}
    points = axes.scatter(values.real.numpy(), values.imag.numpy(), s=22, zorder=3, linewidths=0, **colour)
    if several:
        axes.figure.colorbar(points, ax=axes, label="step")
    _bound(axes, values, "map" in kinds)
    last = found[-1][1]
    growth = "max |λ| − 1" if last.kind == "map" else "max Re λ"
    axes.set_title(f"{last.verdict}: {growth} = {last.growth:.3g}", fontsize=10)
    axes.set(xlabel="Re λ", ylabel="Im λ")


def _bound(axes: Axes, values: Tensor, circle: bool) -> None:
    """The bound of stability, and the window about it."""
    axes.axhline(0, color=RULE, linewidth=0.8)
    if circle:
        angle = torch.linspace(0, 2 * torch.pi, 2001)
        axes.plot(angle.cos().numpy(), angle.sin().numpy(), color=MUTED, label="unit circle")
        low, high = window(torch.view_as_real(torch.cat([values, values.new_ones(1)])).numpy())
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    else:
        axes.axvline(0, color=MUTED, label="imaginary axis")
        axes.margins(0.15)
    axes.legend(fontsize=8)


def _spectrum(
    product: Callable[[Tensor], Tensor], like: Tensor, kind: Literal["field", "map"], count: int | None
) -> Spectrum:
    size = len(like)
    if count is None and size <= DENSE:
        columns = [product(axis) for axis in torch.eye(size, dtype=like.dtype, device=like.device)]
        found = torch.linalg.eigvals(torch.stack(columns, 1).double().cpu())
    else:
        found = _arnoldi(product, like, "LR" if kind == "field" else "LM", count or COUNT)
    order = (found.real if kind == "field" else found.abs()).argsort(descending=True, stable=True)
    return Spectrum(found[order], size, kind)


def _arnoldi(product: Callable[[Tensor], Tensor], like: Tensor, which: str, count: int) -> Tensor:
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

    size = len(like)
    if not 1 <= count <= size - 2:
        raise InputError(f"{count} eigenvalues of {size} numbers cannot be looked for: give 1 to {size - 2}")

    def times(direction: Any) -> Any:
        vector = torch.from_numpy(direction.ravel().copy()).to(like)
        return product(vector).double().cpu().numpy()

    source = torch.Generator().manual_seed(0)
    begin = torch.randn(size, generator=source, dtype=torch.float64).numpy()
    operator = LinearOperator((size, size), matvec=times, dtype="float64")
    room = min(size, max(4 * count, 40))
    try:
        found = eigs(operator, count, which=which, v0=begin, ncv=room, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        found = error.eigenvalues
        if not len(found):
            raise InputError("Arnoldi's iteration found no eigenvalue; ask for more of them") from error
    return torch.from_numpy(found)


Path = tuple[Any, ...]


def _leaves(tree: Any, path: Path = ()) -> list[Path]:
    """Where the numbers are that a step moves."""
    if isinstance(tree, Tensor):
        return [path] if tree.is_floating_point() else []
    if isinstance(tree, Mapping):
        inside = ((key, tree[key]) for key in tree if path != ("memory",) or key not in HELD)
        return [leaf for key, value in inside for leaf in _leaves(value, (*path, key))]
    if isinstance(tree, tuple):
        return [leaf for index, value in enumerate(tree) for leaf in _leaves(value, (*path, index))]
    return []


def _get(tree: Any, path: Path) -> Tensor:
    for key in path:
        tree = tree[key]
    return torch.as_tensor(tree)


def _joined(leaves: list[Path], tree: Any) -> Tensor:
    return torch.cat([_get(tree, path).reshape(-1) for path in leaves])


def _put(tree: Any, leaves: list[Path], whole: Tensor) -> Any:
    """The tree with the numbers of `whole` at its leaves."""
    parts = whole.split([_get(tree, path).numel() for path in leaves])
    for path, part in zip(leaves, parts, strict=True):
        tree = _with(tree, path, part.reshape(_get(tree, path).shape))
    return tree


def _with(tree: Any, path: Path, value: Tensor) -> Any:
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(tree, Mapping):
        return {**tree, first: _with(tree[first], rest, value)}
    return tuple(_with(part, rest, value) if index == first else part for index, part in enumerate(tree))
