"""A game of two numbers as a phase portrait: where descent pulls, and where rules of moving go.

game, dynamics = Bilinear(), Simultaneous({"x": SGD(0.1), "y": SGD(0.1)})
players, memory = game.init(0, game.data())
side, batch = torch.linspace(-3, 3, 25), timed(game, 0)
field = vector_field(game, memory, batch, side, side)
orbit = trajectory(game, dynamics, dynamics.init(game, players, memory), 100, batch)
draw_portrait(axes, field, {"simultaneous": orbit})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint.dynamics import Dynamics
from saddlepoint.errors import InputError
from saddlepoint.game import Batch, Game, Memory, Players
from saddlepoint.games.small import joined, onwards, parted
from saddlepoint.images import RULE
from saddlepoint.state import State

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Field:
    """−v of a game on the grid xs [w] × ys [h], the direction of descent: `descent` [h, w, 2], whose entry [j, i] stands
    at (xs[i], ys[j]). `names` of the two numbers: their players."""

    names: tuple[str, str]
    xs: Tensor
    ys: Tensor
    descent: Tensor


def vector_field(game: Game, memory: Memory, batch: Batch, xs: Tensor, ys: Tensor) -> Field:
    """−v = (−∇_p L_p)_p of a game of two numbers, the first of them along xs [w], the second along ys [h]."""
    players = game.init(0, batch)[0]
    names, start = _two(game, players), joined(players)
    xs, ys = xs.to(start), ys.to(start)
    points = grid(xs, ys)
    found = [joined(game.field(parted(players, point), memory, batch)) for point in points.flatten(0, 1)]
    return Field(names, xs, ys, -torch.stack(found).view_as(points))


def grid(xs: Tensor, ys: Tensor) -> Tensor:
    """(xs[i], ys[j]) in row j and column i: [len(ys), len(xs), 2]."""
    return torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1)


def trajectory(game: Game, dynamics: Dynamics, state: State, steps: int, batch: Batch) -> Tensor:
    """The two numbers of a game at `state` and after each of the next steps, every turn on the rows of `batch`:
    [steps + 1, 2]."""
    _two(game, state.players)
    return onwards(game, dynamics, state, steps, batch)


def draw_portrait(axes: Axes, field: Field, orbits: Mapping[str, Tensor] = {}) -> None:
    """Stream lines of the field, wider where descent is faster, under orbits [steps + 1, 2] by name; a dot is their
    start. The grid of the field has to rise in equal steps."""
    xs, ys = (_even(name, side) for name, side in (("xs", field.xs), ("ys", field.ys)))
    speed = field.descent.norm(dim=-1)
    width = 0.4 + 1.4 * speed / speed.nan_to_num(0, 0, 0).max().clamp(min=torch.finfo(speed.dtype).tiny)
    across, up = field.descent.numpy().transpose(2, 0, 1)
    axes.streamplot(xs.numpy(), ys.numpy(), across, up, color=RULE, linewidth=width.numpy(), zorder=1)
    for name, orbit in orbits.items():
        axes.plot(*orbit.T.numpy(), linewidth=1.4, marker="o", markevery=[0], markersize=5, label=name)
    axes.set(
        xlim=(float(xs[0]), float(xs[-1])),
        ylim=(float(ys[0]), float(ys[-1])),
        xlabel=field.names[0],
        ylabel=field.names[1],
    )
    if orbits:
        axes.legend(loc="upper right")


def _two(game: Game, players: Players) -> tuple[str, str]:
    """The names of a game's two numbers."""
    names = [
        name if len(vector) == 1 else f"{name} {index + 1}"
        for name, vector in players.items()
        for index in range(len(vector))
    ]
    if len(names) != 2:
        raise InputError(
            f"a phase portrait is of a game of two numbers, such as DiracGAN or Bilinear; {type(game).__name__} has "
            f"{len(names)}"
        )
    return names[0], names[1]


def _even(name: str, side: Tensor) -> Tensor:
    gaps = side.diff()
    if len(gaps) == 0 or gaps.min() <= 0 or not torch.allclose(gaps, gaps.mean(), rtol=1e-3, atol=0):
        raise InputError(f"{name} of a portrait are at least two numbers that rise in equal steps")
    return torch.linspace(float(side[0]), float(side[-1]), len(side), dtype=torch.float64)
