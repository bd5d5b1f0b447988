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
    `training`: the same on the rows that D was trained on."""

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
    """sup_D E_P φ(D) + E_Q φ(1 − D) − 2φ(½), D = σ(s) found by gradient ascent on every other row of each side and
    measured on the remaining ones. Features [n, …] and [m, …].

    For φ = ln at most 2 JSD(P, Q) in nats, hence at most 2 ln 2; for φ = id at most the total variation distance.
    0 at P = Q, where a value below 0 says how far training overshot. A supremum over one family by one way of
    searching: a lower bound, and the number belongs to this family. (The absolute value of the definition is left out:
    its other sign is attained by 1 − D.)
    """
    reals, fakes = (rows.float() for rows in matrices(real, fake, least=4))

    def loss(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return -(measuring.function(network(x)).mean() + measuring.function(-network(y)).mean())

    *_, score = judge.trained(reals[::2], fakes[::2], loss, seed)
    sides = [
        [
            measuring.function(sign * score(rows)).double() - measuring.middle
            for rows in (side[::2], side[1::2])
        ]
        for side, sign in ((reals, 1), (fakes, -1))
    ]
    training, held_out = (float(a.mean() + b.mean()) for a, b in zip(*sides, strict=True))
    return NeuralDistance(held_out, training, sides[0][1], sides[1][1])
