"""Terms on what a discriminator says besides its score: the class of a point, the code of a sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from saddlepoint.errors import InputError
from saddlepoint.parts import Gather, own
from saddlepoint.penalties.base import Term, full
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class RealClass(Term):
    """−λ E_P log P(y|x), the discriminator's part in L_C on data (Odena et al. 2017, equation 3)."""

    weight: float | Schedule = 1.0

    def __call__(  # type: ignore[override]
        self, real_class: Tensor, label: Tensor, clock: Clock | None = None, gather: Gather = own
    ) -> Tensor:
        """real_class: logits [n, classes]; label int64 [n]."""
        return now(self.weight, clock) * cross_entropy(full(real_class), gather(label))

    def of(self, real_class: Tensor, label: Tensor, clock: Clock | None = None) -> Tensor:
        """The term alone: `RealClass().of(classify(x), y)`."""
        return self(real_class, label, clock)


@dataclass(frozen=True)
class FakeClass(Term):
    """−λ E log P(y|G(z, y)): both players want samples to be of their class (Odena et al. 2017, equation 3)."""

    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator")

    weight: float | Schedule = 1.0

    def __call__(  # type: ignore[override]
        self, fake_class: Tensor, label: Tensor, clock: Clock | None = None, gather: Gather = own
    ) -> Tensor:
        """fake_class: logits [n, classes]; label int64 [n]."""
        return now(self.weight, clock) * cross_entropy(full(fake_class), gather(label))

    def of(self, fake_class: Tensor, label: Tensor, clock: Clock | None = None) -> Tensor:
        """The term alone: `FakeClass().of(classify(generator(z, y)), y)`."""
        return self(fake_class, label, clock)


@dataclass(frozen=True)
class MutualInformation(Term):
    """−λ L_I, L_I = H(c) + E log Q(c|G(z, c)) ≤ I(c; G(z, c)) in nats, for both players (Chen et al. 2016, equation 5).

    Q: a categorical distribution for each of `categorical`, N(μ, 1) for each continuous code. H(c) = Σ log K + log 2 for
    each code uniform on [−1, 1): the entropy of the prior that is drawn (a Gaussian's in its place would give no bound).
    """

    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator")

    categorical: tuple[int, ...] = (10,)
    weight: float | Schedule = 1.0

    def __call__(  # type: ignore[override]
        self, fake_code: Tensor, code: Tensor, clock: Clock | None = None, gather: Gather = own
    ) -> Tensor:
        """fake_code [n, Σ K + continuous]: logits, then means. code: one-hot, then values in [−1, 1)."""
        return -now(self.weight, clock) * self.bound(fake_code, gather(code))

    def of(self, fake_code: Tensor, code: Tensor, clock: Clock | None = None) -> Tensor:
        """The term alone: `MutualInformation().of(recognise(generator(z, c)), c)`."""
        return self(fake_code, code, clock)

    def bound(self, fake_code: Tensor, code: Tensor) -> Tensor:
        """L_I, in nats."""
        chosen = sum(self.categorical)
        if fake_code.shape != code.shape or code.shape[1] < chosen:
            raise InputError(
                f"MutualInformation compares codes of {code.shape[1]} numbers, {chosen} of them categorical, with a head of "
                f"{fake_code.shape[1]}: give the recognition head as many outputs"
            )
        known = self.log_probabilities(fake_code, code)
        return known.mean() + self.entropy(code.shape[1] - chosen)

    def entropy(self, continuous: int) -> float:
        """H(c) of so many continuous codes beside the categorical ones, in nats."""
        return sum(map(math.log, self.categorical)) + continuous * math.log(2)

    def log_probabilities(self, fake_code: Tensor, code: Tensor) -> Tensor:
        """log Q(c|x) of each row, a density in the continuous codes: [n]."""
        found, wanted = full(fake_code), full(code)
        known, start = [], 0
        for count in self.categorical:
            part = slice(start, start + count)
            known.append((found[:, part].log_softmax(1) * wanted[:, part]).sum(1))
            start += count
        off = (wanted[:, start:] - found[:, start:]).square()
        known.append((-0.5 * off - 0.5 * math.log(math.tau)).sum(1))
        return torch.stack(known).sum(0)
