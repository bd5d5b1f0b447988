"""Prior distributions of the generator's input, as values."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError


@dataclass(frozen=True)
class Gaussian:
    """z ~ N(0, I) in `size` dimensions."""

    size: int = 128

    def draws(self) -> dict[str, Draw]:
        return {"latent": Draw("normal", (self.size,))}

    def truncate(self, latent: Tensor, threshold: float) -> Tensor:
        """Each coordinate as if drawn from N(0, 1) conditioned on |z| <= threshold.

        Through the distribution function, z -> Φ⁻¹(½ + (Φ(z) − ½)·(2Φ(t) − 1)): deterministic in z, unlike redrawing
        (Brock et al. 2019 redraw; the distribution is the same).
        """
        width = torch.special.ndtr(torch.tensor(threshold, dtype=torch.float64)) - 0.5
        quantile = 0.5 + (torch.special.ndtr(latent.double()) - 0.5) * 2 * width
        return torch.special.ndtri(quantile).to(latent.dtype)


@dataclass(frozen=True)
class Uniform:
    """z uniform on [−1, 1)^size (Radford et al. 2016)."""

    size: int = 100

    def draws(self) -> dict[str, Draw]:
        return {"latent": Draw("symmetric", (self.size,))}

    def truncate(self, latent: Tensor, threshold: float) -> Tensor:
        """Shrinks the cube about its centre by `threshold` in (0, 1]."""
        if threshold > 1:
            raise InputError(
                f"truncation {threshold} would leave the cube of a uniform latent: give a number up to 1"
            )
        return latent * threshold


Latent = Gaussian | Uniform
