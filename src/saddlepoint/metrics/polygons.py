"""Precision and recall on the manifold of convex polygons, to which distances can be found (Lucic et al. 2018, section 5)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import jacfwd, vmap

from saddlepoint.data.polygons import LEAST_ANGLE, RADIUS, SIDE, drawn, random_angles
from saddlepoint.errors import InputError
from saddlepoint.metrics.quantities import Progress
from saddlepoint.metrics.samples import matrix, silent

DELTA = 0.75
BANK = 4096  # polygons among which a start is looked for
STARTS = 2
STEPS = 10
CHUNK = 256


class PolygonScores(NamedTuple):
    """precision: share of the fakes nearer than delta to the polygons; recall: share of polygons that the model comes
    nearer than delta to; f1: their harmonic mean. All in [0, 1], 1 is best."""

    precision: float
    recall: float
    f1: float


def polygon_scores(*, fake: Tensor, inverted: Tensor, delta: float = DELTA) -> PolygonScores:
    """From squared distances: `fake` [m] of samples to the manifold (`polygon_distances`), `inverted` [n] of held-out
    polygons to the nearest sample that the model can make (its latents being searched)."""
    precision = float((matrix("fake", fake) < delta).double().mean())
    recall = float((matrix("inverted", inverted) < delta).double().mean())
    both = precision + recall
    return PolygonScores(precision, recall, 2 * precision * recall / both if both else 0.0)


def polygon_distances(*, samples: Tensor, corners: int = 3, progress: Progress = silent) -> Tensor:
    """Squared distance of each image [n, 1, 28, 28] in [−1, 1] to the nearest polygon with that many corners, float64 [n].

    Sum over the pixels with grey levels from 0 to 1, as delta = 0.75 has it. Least squares over the angles of the corners
    from the two nearest of 4096 polygons, by Levenberg and Marquardt's steps on smooth edges; the polygon found is then
    drawn as the data are. What is found is an upper bound.
    """
    if samples.shape[1:] != (1, SIDE, SIDE):
        raise InputError(
            f"samples have shape {list(samples.shape[1:])}; polygons are images of [1, {SIDE}, {SIDE}]."
        )
    if not 3 <= corners <= 17:
        raise InputError(f"{corners} corners are refused; polygons have 3 to 17 of them, 20 degrees apart.")
    target = (matrix("samples", samples).float() + 1) / 2
    bank, pictures = _bank(corners)
    found = []
    for block in target.split(CHUNK):
        found.append(_nearest(block, bank, pictures, corners))
        progress(min(len(found) * CHUNK, len(target)), len(target))
    return torch.cat(found)


@lru_cache(maxsize=2)
def _bank(corners: int) -> tuple[Tensor, Tensor]:
    """Angles of polygons, and their pictures. Not to be written to."""
    bank = torch.from_numpy(random_angles(BANK, corners))
    return bank, _levels(bank)


def _nearest(target: Tensor, bank: Tensor, pictures: Tensor, corners: int) -> Tensor:
    apart = (
        pictures.square().sum(1)
        - 2 * target.double() @ pictures.T
        + target.double().square().sum(1, keepdim=True)
    )
    start = apart.topk(STARTS, dim=1, largest=False)
    goal = target.repeat_interleave(STARTS, 0)
    fitted = _fitted(_parameters(bank[start.indices.flatten()], corners).float(), goal)
    exact = (_levels(_angles(fitted.double())) - goal).square().sum(1).view(-1, STARTS)
    return torch.minimum(exact.amin(1), start.values[:, 0].clamp(min=0))


def _fitted(parameters: Tensor, goal: Tensor) -> Tensor:
    """Parameters [n, corners + 1] whose smooth picture is nearer to the goal [n, pixels]; a step that leads away is taken
    back and its damping raised."""
    damping = parameters.new_full((len(parameters), 1, 1), 0.1)
    picture, slopes = vmap(_smooth), vmap(jacfwd(_smooth))
    residual = picture(parameters) - goal
    for _ in range(STEPS):
        slope = slopes(parameters)  # [n, pixels, parameters]
        normal = slope.mT @ slope
        scale = torch.diag_embed(torch.diagonal(normal, dim1=1, dim2=2) + 1e-3)
        step = torch.linalg.solve(normal + damping * scale, slope.mT @ residual[..., None])[..., 0]
        after = picture(parameters - step) - goal
        better = (after.square().sum(1) < residual.square().sum(1))[:, None]
        parameters = torch.where(better, parameters - step, parameters)
        residual = torch.where(better, after, residual)
        damping = torch.where(better[..., None], damping / 4, damping * 6)
    return parameters


def _angles(parameters: Tensor) -> Tensor:
    """A turn, and the place of each corner in its sector through a sigmoid: no parameters leave the manifold."""
    corners = parameters.shape[-1] - 1
    sector = 2 * math.pi / corners
    place = (sector - LEAST_ANGLE) * parameters[..., 1:].sigmoid()
    return parameters[..., :1] + sector * torch.arange(corners).to(parameters) + place


def _parameters(angles: Tensor, corners: int) -> Tensor:
    """Some parameters of these angles, in the middle of those that give them."""
    sector = 2 * math.pi / corners
    offset = angles - sector * torch.arange(corners).to(angles)
    low, high = offset.amin(1, keepdim=True), offset.amax(1, keepdim=True)
    turn = (low + high - sector + LEAST_ANGLE) / 2
    place = (offset - turn) / (sector - LEAST_ANGLE)
    return torch.cat([turn, place.clamp(0.02, 0.98).logit()], 1)


def _smooth(parameters: Tensor) -> Tensor:
    """Share of each pixel outside one polygon, its edges taken for straight lines with the pixel one wide."""
    angles = _angles(parameters)
    points = RADIUS * torch.stack([angles.cos(), angles.sin()], -1)
    points = points - points.mean(0) + SIDE / 2
    along = points.roll(-1, 0) - points
    length = along.square().sum(-1, keepdim=True).sqrt().clamp(min=1e-6)
    normal = torch.stack([along[:, 1], -along[:, 0]], -1) / length  # points outwards
    line = torch.arange(SIDE).to(parameters) + 0.5
    reach = (normal * points).sum(-1)
    away = normal[:, :1, None] * line + normal[:, 1:, None] * line[:, None] - reach[:, None, None]
    return 1 - (0.5 - away).clamp(0, 1).prod(0).flatten()


def _levels(angles: Tensor) -> Tensor:
    """The polygons as the data draw them, grey levels from 0 to 1, float64 [n, pixels]."""
    return torch.from_numpy(drawn(angles.numpy())).double().flatten(1) / 255
