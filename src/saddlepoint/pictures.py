"""The picture of samples that suits the data: a sheet of images, or points."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from saddlepoint.data.protocol import Data


def sample_picture(samples: Tensor, data: Data, columns: int | None = None) -> bytes:
    """PNG bytes."""
    from saddlepoint import images

    if len(data.shape) == 3:
        return images.png(images.grid(samples, columns))
    real = data.held_out(500)["real"]
    centres: Any = getattr(data, "centres", None)
    samples, real = in_plane(samples, real)
    return images.scatter(samples, real=real, centres=centres)


def in_plane(samples: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors [n, d] and [m, d] as points: on the two principal directions of the real ones where d > 2; single
    numbers spread evenly over a second axis, in the order in which they come."""
    width = real.shape[1]
    if width == 2:
        return samples, real
    if width == 1:
        spread = (torch.cat([x, torch.linspace(-1, 1, len(x)).view(-1, 1)], 1) for x in (samples, real))
        return next(spread), next(spread)
    if len(real) < 2:
        return samples[:, :2], real[:, :2]
    directions = torch.linalg.svd(real - real.mean(0), full_matrices=False)[2][:2].T
    return samples @ directions, real @ directions
