"""The picture of samples that suits the data: a sheet of images, or points in the plane."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from saddlepoint.data.protocol import Data


def sample_picture(samples: Tensor, data: Data, columns: int | None = None) -> bytes:
    """PNG bytes."""
    from saddlepoint import images

    if len(data.shape) == 3:
        return images.png(images.grid(samples, columns))
    real = data.held_out(500)["real"]
    centres: Any = getattr(data, "centres", None)
    return images.scatter(samples, real=real, centres=centres)
