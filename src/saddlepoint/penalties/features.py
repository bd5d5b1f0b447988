"""Terms of the generator on features: what the discriminator knows of points besides their score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from saddlepoint.errors import InputError
from saddlepoint.penalties.base import Term, full
from saddlepoint.schedules import Clock, Schedule, now

Features = Any  # a Tensor [rows, …], or lists of such, nested


def frozen(module: nn.Module) -> Callable[..., Any]:
    """The module as a function whose parameters are constants: gradients pass through it to its inputs and never reach its
    parameters, so that a generator's step leaves nothing in the discriminator's `.grad`."""
    constants = {name: parameter.detach() for name, parameter in module.named_parameters()}
    return lambda *inputs: torch.func.functional_call(module, constants, inputs)


@dataclass(frozen=True)
class FeatureMatching(Term):
    """λ‖E_P f(x) − E_Q f(G(z))‖², f the discriminator's features (Salimans et al. 2016, section 3.1), for the generator.

    The square is summed over units (the authors' code takes their mean: λ = 1/units). Features of reals and fakes must
    come before noise and dropout, or they differ by the noise. In a game a player's loss is differentiated with respect
    to its own vector alone, so f is not trained by this term; in a loop of one's own take `frozen(f)`.
    """

    players: ClassVar[tuple[str, ...]] = ("generator",)
    couples_rows: ClassVar[bool] = True

    weight: float | Schedule = 1.0

    def __call__(  # type: ignore[override]
        self, real_features: Tensor, fake_features: Tensor, clock: Clock | None = None
    ) -> Tensor:
        gap = full(real_features).detach().flatten(1).mean(0) - full(fake_features).flatten(1).mean(0)
        return now(self.weight, clock) * gap.square().sum()

    def of(self, real_features: Tensor, fake_features: Tensor, clock: Clock | None = None) -> Tensor:
        """The term alone: `FeatureMatching().of(frozen(f)(x), frozen(f)(generator(z)))`."""
        return self(real_features, fake_features, clock)


@dataclass(frozen=True)
class LayerMatching(Term):
    """λ Σ_d Σ_l E|f_dl(x) − f_dl(x̃)|, f_dl layer l of discriminator d: the feature matching of vocoders and of translation
    between images, where x̃ is made for x, row by row. For the generator; the reals are constants.

    Features: a tensor, a list of layers, or a list of lists (several discriminators); the mean is over a layer's entries.
    """

    players: ClassVar[tuple[str, ...]] = ("generator",)

    weight: float | Schedule = 2.0

    def __call__(  # type: ignore[override]
        self, real_features: Features, fake_features: Features, clock: Clock | None = None
    ) -> Tensor:
        return now(self.weight, clock) * _apart(real_features, fake_features)

    def of(self, real_features: Features, fake_features: Features, clock: Clock | None = None) -> Tensor:
        """The term alone, for any training loop; take `frozen(discriminator)` for both, or step the generator only."""
        return self(real_features, fake_features, clock)


def _apart(real: Features, fake: Features) -> Tensor:
    if isinstance(real, Sequence):
        if len(real) != len(fake):
            raise InputError(f"LayerMatching got {len(real)} features of reals and {len(fake)} of fakes")
        return torch.stack([_apart(r, f) for r, f in zip(real, fake, strict=True)]).sum()
    if real.shape != fake.shape:
        raise InputError(
            f"LayerMatching got features {tuple(real.shape)} of reals, {tuple(fake.shape)} of fakes"
        )
    return (full(real).detach() - full(fake)).abs().mean()


@dataclass(frozen=True)
class PullingAway(Term):
    """λ/(N(N − 1)) Σ_{i≠j} cos²(f_i, f_j) over the features of the samples of a batch, for the generator only (Zhao et al.
    2017, EBGAN-PT, eq. 4): squared cosines, so that opposite features repel too. f is the encoder's output."""

    players: ClassVar[tuple[str, ...]] = ("generator",)
    couples_rows: ClassVar[bool] = True

    weight: float | Schedule = 0.1

    def __call__(self, fake_features: Tensor, clock: Clock | None = None) -> Tensor:  # type: ignore[override]
        rows = len(fake_features)
        if rows < 2:
            raise InputError("PullingAway compares the samples of a batch: give it at least 2 rows")
        unit = normalize(full(fake_features).flatten(1), dim=1)
        with torch.autocast(
            unit.device.type, enabled=False
        ):  # a product of matrices would lose half its digits
            cosines = (unit @ unit.T).square()
        return now(self.weight, clock) * (cosines.sum() - cosines.diagonal().sum()) / (rows * (rows - 1))

    def of(self, fake_features: Tensor, clock: Clock | None = None) -> Tensor:
        """The term alone: `PullingAway().of(frozen(encoder)(generator(z)))`."""
        return self(fake_features, clock)
