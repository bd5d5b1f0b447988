"""A trained pair over the plane that its data lie in: what the discriminator thinks of every point and where it pulls, and
how the generator bends its latent space.

    run = Run.open("runs/ring")
    seen = plane(run.model(), run.data.held_out(500)["real"])
    draw_plane(axes, seen)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint.definitions import Packing
from saddlepoint.diagnostics.fields import grid
from saddlepoint.errors import InputError
from saddlepoint.images import CENTRE, INK, MUTED, window
from saddlepoint.metrics.models import judged, made
from saddlepoint.model import Trained
from saddlepoint.penalties.base import score_and_gradient

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INSIDE = 0.95  # share of the prior's draws that the grid of latents spans


@dataclass(frozen=True, eq=False)
class Plane:
    """A trained pair on 2-D data, float32.

    scores [n, n]: s at (xs[i], ys[j]) in row j and column i, higher for what is taken to be real; xs, ys [n].
    gradients [m, m, 2]: ∇s at places [m, m, 2].
    warped [k, k, 2]: G(z) at z = axis[i]·basis[0] + axis[j]·basis[1] in row j and column i; axis [k], basis [2, latent].
    samples [r, 2] and real [q, 2]: points of the generator and of the data.
    """

    name: str
    xs: Tensor
    ys: Tensor
    scores: Tensor
    places: Tensor
    gradients: Tensor
    axis: Tensor
    basis: Tensor
    warped: Tensor
    samples: Tensor
    real: Tensor


def plane(
    model: Trained,
    real: Tensor,
    *,
    resolution: int = 100,
    arrows: int = 18,
    lines: int = 21,
    samples: int = 500,
    seed: int = 0,
) -> Plane:
    """A trained pair (`Run.model()`) in the square about the data points real [q, 2].

    `resolution` scores and `arrows` gradients along a side, `lines` of the latent grid each way, `samples` drawn. Of a latent
    of two numbers the grid is that of these, as far as 95 % of their draws go. Of more numbers it is a plane through the
    origin in the direction of two draws, as far out as 95 % of the norms: on the circle that touches its sides lie latents of
    usual norm, inside, in high dimension, ones that are hardly ever drawn. What a mixture draws besides (the component) is
    that of the first draw; between the values of a categorical code there is no prior.
    """
    if any(
        isinstance(definition, Packing) and definition.rows > 1 for definition in model.method.definitions
    ):
        raise InputError(f"the discriminator of {model.name} judges packs of points, not each by itself")
    latents = model.latents(samples, seed)
    drawn = made(model.generate, latents)
    for what, points in (("the data have", real), (f"{model.name} makes", drawn)):
        if points.shape[1:] != (2,):
            raise InputError(
                f"a plane shows points of two numbers, and {what} samples of shape {tuple(points.shape[1:])}"
            )
    alone, among = (judged(model, real[:rows])[0] for rows in (1, 8))
    if not torch.allclose(alone, among, rtol=1e-3, atol=1e-3, equal_nan=True):
        raise InputError(f"the discriminator of {model.name} judges a point by what is beside it")
    low, high = (corner.tolist() for corner in window(real.double().numpy()))
    xs, ys = (torch.linspace(*ends, resolution) for ends in zip(low, high, strict=True))
    points = grid(xs, ys)
    scores = judged(model, points.flatten(0, 1))
    places = grid(*(torch.linspace(*ends, arrows + 2)[1:-1] for ends in zip(low, high, strict=True)))
    gradients = score_and_gradient(model.judge, places.flatten(0, 1))[1].detach().float()
    axis, basis = _axes(latents[:, : model.method.latent.size], lines)
    z = latents[:1].repeat(lines**2, 1)
    z[:, : basis.shape[1]] = grid(axis, axis).flatten(0, 1) @ basis
    warped = made(model.generate, z).view(lines, lines, 2)
    return Plane(
        name=model.name,
        xs=xs,
        ys=ys,
        scores=scores.view(resolution, resolution),
        places=places,
        gradients=gradients.view_as(places),
        axis=axis,
        basis=basis,
        warped=warped,
        samples=drawn,
        real=real.float(),
    )


def _axes(latents: Tensor, lines: int) -> tuple[Tensor, Tensor]:
    """How far to go, [lines], along two orthonormal directions [2, latent]."""
    size = latents.shape[1]
    if size < 2:
        raise InputError(f"a grid of latents needs at least two numbers of them; there is {size}")
    plain = size == 2
    basis = torch.eye(2) if plain else torch.linalg.qr(latents[:2].T)[0].T
    span = float((latents.abs().flatten() if plain else latents.norm(dim=1)).quantile(INSIDE))
    return torch.linspace(-span, span, lines), basis


def draw_plane(axes: Axes, plane: Plane) -> None:
    """Scores as shades with a colour bar, their gradient as arrows with a key, the warped latent grid as lines, points of
    the data and of the generator as dots."""
    xs, ys = plane.xs.numpy(), plane.ys.numpy()
    shades = axes.pcolormesh(xs, ys, plane.scores.numpy(), cmap="YlGn", alpha=0.5, shading="nearest")
    axes.figure.colorbar(shades, ax=axes, label="score of the discriminator, higher for real")
    for lines in (plane.warped, plane.warped.transpose(0, 1)):
        axes.plot(lines[..., 0].numpy(), lines[..., 1].numpy(), color=CENTRE, linewidth=0.6, alpha=0.7)
    axes.lines[-1].set_label("latent grid")
    for name, points, colour in (("data", plane.real, "black"), ("samples", plane.samples, INK)):
        axes.scatter(
            points[:, 0].numpy(), points[:, 1].numpy(), s=7, color=colour, linewidths=0, label=name, zorder=3
        )
    pull = plane.gradients.flatten(0, 1)
    if longest := float(f"{pull.norm(dim=1).max():.1g}"):
        places = plane.places.flatten(0, 1).T.numpy()
        arrows = axes.quiver(*places, *pull.T.numpy(), angles="xy", color=MUTED, width=0.002)
        axes.quiverkey(arrows, 0.85, 1.03, longest, f"gradient {longest:g}", labelpos="E", labelcolor=MUTED)
    axes.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]), aspect="equal")
    axes.set_title(plane.name, loc="left")
    axes.legend(loc="upper right", fontsize=8, markerscale=2)
