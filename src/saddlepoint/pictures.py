"""Pictures along training: of samples, a sheet of images or points; of a pair over the plane that its data lie in."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import torch
from torch import Tensor

from saddlepoint.data.protocol import Data
from saddlepoint.errors import InputError
from saddlepoint.model import Trained

COLOURS = 128  # of a plane: a third of the bytes of all


def sample_picture(samples: Tensor, data: Data, columns: int | None = None) -> bytes:
    """PNG bytes."""
    from saddlepoint import images

    if len(data.shape) == 3:
        return images.png(images.grid(samples, columns))
    real = data.held_out(500)["real"]
    centres: Any = getattr(data, "centres", None)
    samples, real = in_plane(samples, real)
    return images.scatter(samples, real=real, centres=centres)


def plane_picture(model: Trained, data: Data, seed: int) -> bytes | None:
    """PNG bytes of scores, their gradients, the warped grid of latents, samples and held-out rows; None where there is no
    plane to draw (`diagnostics.plane`) or scores are not finite."""
    if data.shape != (2,):
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.style import context
    from PIL import Image

    from saddlepoint.diagnostics import draw_plane, plane

    try:
        found = plane(model, data.held_out(500)["real"], seed=seed)
    except InputError:
        return None
    if not (found.scores.isfinite().all() and found.gradients.isfinite().all()):
        return None
    stream = BytesIO()
    with context("default"):
        figure = Figure(figsize=(7, 5.6), dpi=80)
        axes = figure.add_axes((0.02, 0.02, 0.92, 0.93), xticks=[], yticks=[])  # ticks take half of the time
        draw_plane(axes, found)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    picture = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
    picture.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(stream, format="PNG")
    return stream.getvalue()


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
