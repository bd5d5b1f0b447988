"""What pictures of a generator's inside draw: walks along latents, and which mode each code or class ends in."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.models import Generate, made
from saddlepoint.metrics.samples import distances, matrices


class Walk(NamedTuple):
    """A row of pictures for each direction: latents [directions, steps, k], samples [directions, steps, …], and the
    length of the way that the samples go from picture to picture, [directions, steps − 1]."""

    latents: Tensor
    samples: Tensor
    lengths: Tensor


def latent_walk(*, generate: Generate, origin: Tensor, directions: Tensor, shares: Tensor) -> Walk:
    """Samples at origin + share · direction, for origin [k], directions [m, k] and shares [steps].

    Coordinate i alone: row i of the identity. From one latent to another: their difference, with shares from 0 to 1.
    Towards every value of a code: the rows that change it.
    """
    if origin.dim() != 1 or directions.dim() != 2 or directions.shape[1] != len(origin) or shares.dim() != 1:
        raise InputError(
            f"a walk from a latent {tuple(origin.shape)} along {tuple(directions.shape)} at {tuple(shares.shape)} "
            "shares; [k], [directions, k] and [steps] are needed."
        )
    latents = origin + shares.view(1, -1, 1) * directions[:, None]
    flat = made(generate, latents.flatten(0, 1))
    samples = flat.view(*latents.shape[:2], *flat.shape[1:])
    lengths = samples.double().flatten(2).diff(dim=1).norm(dim=2)
    return Walk(latents, samples, lengths)


def sweep(*, origins: Tensor, codes: Tensor) -> Tensor:
    """Every origin [n, k] with its last numbers replaced by every code [m, c]: latents [n, m, k], a row an origin."""
    if codes.dim() != 2 or origins.dim() != 2 or codes.shape[1] > origins.shape[1]:
        raise InputError(
            f"origins have shape {tuple(origins.shape)} and codes {tuple(codes.shape)}; [n, k] and [m, at most k]."
        )
    kept = origins[:, None, : origins.shape[1] - codes.shape[1]].expand(-1, len(codes), -1)
    return torch.cat([kept, codes.expand(len(origins), -1, -1).to(origins.dtype)], 2)


def nearest_modes(*, samples: Tensor, centres: Tensor) -> Tensor:
    """The number of the nearest centre of each sample; the first of equally near ones: int64 [n]."""
    modes, rows = matrices(centres, samples)
    return torch.cat([block.argmin(1) for _, block in distances(rows, modes)])


def assignment_counts(*, given: Tensor, found: Tensor, shape: tuple[int, int]) -> Tensor:
    """How often what was given (a code, a class, a cell of the latent space) was found as (a mode, a predicted class):
    int64 [given, found] of `shape`. A generator that keeps a code apart has one full cell in each row."""
    if given.shape != found.shape or given.dim() != 1:
        raise InputError(
            f"given has shape {tuple(given.shape)} and found {tuple(found.shape)}; both are [n]."
        )
    for role, numbers, count in (("given", given, shape[0]), ("found", found, shape[1])):
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < count:
            raise InputError(f"{role} holds numbers outside 0 to {count - 1}.")
    counts = torch.bincount(given.long() * shape[1] + found.long(), minlength=shape[0] * shape[1])
    return counts.view(shape)


def latent_map(*, generate: Generate, centres: Tensor, side: int = 64, reach: float = 3.0) -> Tensor:
    """The mode in which each point of a square grid of two-dimensional latents ends, from −reach to reach:
    int64 [side, side], rows along the second coordinate."""
    line = torch.linspace(-reach, reach, side)
    second, first = torch.meshgrid(line, line, indexing="ij")
    points = made(generate, torch.stack([first, second], -1).view(-1, 2))
    return nearest_modes(samples=points, centres=centres).view(side, side)
