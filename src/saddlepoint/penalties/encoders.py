"""Terms on reconstructions: of points by way of latents, and of latents by way of samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from saddlepoint.penalties.base import Term, full
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class Reconstruction(Term):
    """λ E_P mean (x − G(E(x)))², for generator and encoder; the mean is over the numbers of a point."""

    players: ClassVar[tuple[str, ...]] = ("generator", "encoder")

    weight: float | Schedule = 1.0

    def __call__(self, real: Tensor, reconstruction: Tensor, clock: Clock | None = None) -> Tensor:  # type: ignore[override]
        return now(self.weight, clock) * (real - full(reconstruction)).square().mean()

    def of(self, real: Tensor, reconstruction: Tensor, clock: Clock | None = None) -> Tensor:
        """The term alone: `Reconstruction().of(x, generator(encoder(x)))`."""
        return self(real, reconstruction, clock)


@dataclass(frozen=True)
class ModeRegulariser(Term):
    """−λ E_P log D(G(E(x))) = λ E_P sp(−s(G(E(x)))), for generator and encoder: reconstructions lie near every mode of the
    data, and shall be taken for data there (Che et al. 2017, section 3.2)."""

    players: ClassVar[tuple[str, ...]] = ("generator", "encoder")

    weight: float | Schedule = 1.0

    def __call__(  # type: ignore[override]
        self, reconstruction: Tensor, score: Callable[[Any], Tensor], clock: Clock | None = None
    ) -> Tensor:
        return now(self.weight, clock) * softplus(-score(reconstruction)).mean()

    def of(
        self, reconstruction: Tensor, discriminator: Callable[[Any], Tensor], clock: Clock | None = None
    ) -> Tensor:
        """The term alone: `ModeRegulariser().of(generator(encoder(x)), discriminator)`."""
        return self(reconstruction, discriminator, clock)


@dataclass(frozen=True)
class CodeReconstruction(Term):
    """λ E_z ‖z − E(G(z))‖², for generator and encoder (Srivastava et al. 2017, equation 2); the sum is over the latent."""

    players: ClassVar[tuple[str, ...]] = ("generator", "encoder")

    weight: float | Schedule = 1.0

    def __call__(self, prior_code: Tensor, fake_encoding: Tensor, clock: Clock | None = None) -> Tensor:  # type: ignore[override]
        return now(self.weight, clock) * (prior_code - full(fake_encoding)).square().sum(1).mean()

    def of(self, prior_code: Tensor, fake_encoding: Tensor, clock: Clock | None = None) -> Tensor:
        """The term alone: `CodeReconstruction().of(z, encoder(generator(z)))`."""
        return self(prior_code, fake_encoding, clock)
