"""Samples of a game from keyed noise, in rows that do not depend on how they are batched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from saddlepoint.data.protocol import Data
from saddlepoint.errors import InputError
from saddlepoint.game import Game, Memory, Players
from saddlepoint.latents import Codes
from saddlepoint.method import Method
from saddlepoint.random import generator
from saddlepoint.state import State

PART = 250  # rows at a time
SHOWN = 20  # classes in a picture, the first of them


def latents(
    method: Method, n: int, seed: int, name: str, truncation: float | None = None
) -> dict[str, Tensor]:
    """`n` rows of the method's prior, drawn on the CPU so that they are the same on every device; fewer rows are the
    first of more, since torch fills whole blocks of 16 numbers in order and redraws only an odd end."""
    drawn = {
        part: draw.sample(n + -n % 16, generator("cpu", seed, name, part))[:n]
        for part, draw in method.noise.items()
    }
    if truncation is not None:
        drawn["latent"] = method.latent.truncate(drawn["latent"], truncation)
    return drawn


def walks(method: Method, rows: int, steps: int, seed: int) -> dict[str, Tensor]:
    """Noise of `rows` ways between pairs of latents, `steps` rows each, ends included. What is drawn besides the latent
    (codes, the component of a mixture) stays that of the start."""
    start, end = (latents(method, rows, seed, f"interpolation {side}") for side in ("start", "end"))
    still = {name: value.repeat_interleave(steps, 0) for name, value in start.items()}
    way = method.latent.between(start["latent"], end["latent"], torch.linspace(0, 1, steps))
    return {**still, "latent": way.flatten(0, 1)}


def conditions(game: Game, data: Data, n: int, seed: int) -> dict[str, Tensor]:
    """What n samples are made for besides noise (labels, images): that of held-out rows, again from the first where
    there are fewer. Empty for methods whose samples are made from noise alone."""
    wanted = game.bound().found.given
    if not wanted:
        return {}
    rows = data.held_out(n, seed)
    return {name: rows[name][torch.arange(n) % len(rows[name])] for name in sorted(wanted)}


def by_class(game: Game, data: Data, columns: int) -> dict[str, Tensor]:
    """Labels of a grid with a class a row, of 20 at most; held-out rows for other conditions; empty without any."""
    wanted, classes = game.bound().found.given, len(data.classes[:SHOWN])
    if wanted == {"label"}:
        return {"label": torch.arange(classes * columns) // columns}
    return conditions(game, data, 8 * columns, 0)


def coded(method: Method) -> Codes:
    """The latent of a method that has codes."""
    latent = method.latent
    if not isinstance(latent, Codes) or not latent.named():
        raise InputError(
            f"{method.name} has no codes to vary: a traversal is for a latent such as Codes(), which infogan has"
        )
    return latent


def samples(game: Game, players: Players, memory: Memory, noise: Mapping[str, Tensor]) -> Tensor:
    """float32 samples on the CPU, in evaluation mode, a row for each row of noise."""
    device = next(iter(players.values())).device
    rows = len(next(iter(noise.values())))
    made = [
        game.sample(players, memory, {n: t[i : i + PART].to(device) for n, t in noise.items()})
        for i in range(0, rows, PART)
    ]
    return torch.cat(made).float().cpu().contiguous()


def deployed(game: Any, state: State) -> tuple[Players, Memory, str]:
    """What one would use after training: averaged weights and statistics where the method keeps them."""
    if not state.average:
        return state.players, state.memory, "raw"
    players = {**state.players, **{name: a["vector"] for name, a in state.average.items()}}
    buffers = {**state.memory.get("buffers", {}), **{name: a["buffers"] for name, a in state.average.items()}}
    return players, {**state.memory, "buffers": buffers}, "average"
