"""The distance that a family of neural networks sees (Arora et al. 2017, definition 2), on rows it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from saddlepoint.metrics.judge import Judge
from saddlepoint.metrics.samples import matrices


@dataclass(frozen=True)
class Measuring:
    """φ of the distance, as a function of the score s with D = σ(s): φ(D), and φ(½) to be taken off."""

    function: Callable[[Tensor], Tensor]
    middle: float


LOGARITHM = Measuring(logsigmoid, math.log(0.5))
IDENTITY = Measuring(torch.sigmoid, 0.5)


class NeuralDistance(NamedTuple):
    """terms of the held-out rows: φ(D(x)) − φ(½) of reals, φ(1 − D(y)) − φ(½) of fakes; their means add to `held_out`.
    `training`: the same sum on the rows that D was trained on, at the end of training."""

    held_out: float
    training: float
    real_terms: Tensor
    fake_terms: Tensor

    @property
    def gap(self) -> float:
        """How much of the distance on the training rows does not carry over to others."""
        return self.training - self.held_out


def neural_distance(
    *, real: Tensor, fake: Tensor, seed: int, measuring: Measuring = LOGARITHM, judge: Judge = Judge()
) -> NeuralDistance:
    """sup_D E_P φ(D) + E_Q φ(1 − D) − 2φ(½), D = σ(s) found by gradient ascent on every other row of each side. Of
    the rows left, one half chooses after which epoch D is taken, and it is measured on the other.

    Features [n, …] and [m, …]. For φ = ln at most 2 JSD(P, Q) in nats, hence at most 2 ln 2; for φ = id at most the
    total variation distance. 0 at P = Q, up to chance on either side. A supremum over one family by one way of
    searching: a lower bound, and the number belongs to this family. (The absolute value of the definition is left out:
    its other sign is attained by 1 − D.)
    """
    reals, fakes = (rows.float() for rows in matrices(real, fake, least=4))

    def loss(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return -(measuring.function(network(x)).mean() + measuring.function(-network(y)).mean())

    def terms(score: Callable[[Tensor], Tensor], first: int, every: int) -> list[Tensor]:
        found = (
            measuring.function(score(reals[first::every])),
            measuring.function(-score(fakes[first::every])),
        )
        return [values.double() - measuring.middle for values in found]

    best, measured, training = -math.inf, terms(torch.zeros_like, 3, 4), 0.0
    for score in judge.trained(reals[::2], fakes[::2], loss, seed):
        training, chosen = (_sum(terms(score, *part)) for part in ((0, 2), (1, 4)))
        if chosen > best:
            best, measured = chosen, terms(score, 3, 4)
    return NeuralDistance(_sum(measured), training, *measured)


def _sum(terms: list[Tensor]) -> float:
    return float(terms[0].mean() + terms[1].mean())
