"""The distance that a family of neural networks sees (Arora et al. 2017, definition 2), on rows it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from saddlepoint.metrics.intervals import standard_error
from saddlepoint.metrics.judge import Judge
from saddlepoint.metrics.samples import matrices


@dataclass(frozen=True)
class Measuring:
    """φ of the distance, as a function of the score s with D = σ(s): φ(D), and φ(½) to be taken off."""

    function: Callable[[Tensor], Tensor]
    middle: float

    def terms(self, score: Callable[[Tensor], Tensor], reals: Tensor, fakes: Tensor) -> tuple[Tensor, Tensor]:
        """φ(D(x)) − φ(½) of each real row and φ(1 − D(y)) − φ(½) of each fake."""
        first, second = self.function(score(reals)), self.function(-score(fakes))
        return first.double() - self.middle, second.double() - self.middle


LOGARITHM = Measuring(logsigmoid, math.log(0.5))
IDENTITY = Measuring(torch.sigmoid, 0.5)


FOLDS = 4
SCALES = (0.25, 0.5, 1.0)  # of the score, tried after every epoch


class NeuralDistance(NamedTuple):
    """terms [n] and [m]: of each row, by a D that has not seen it; their means add to `held_out`. `training`: the same sum
    on the rows that D was trained on, at the end of training."""

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
    """sup_D E_P φ(D) + E_Q φ(1 − D) − 2φ(½), D = σ(s) found by gradient ascent on one half of both sides, taken after the
    epoch and with the scale of s that are best on a quarter, by the gain there less its standard error (D = ½ where that
    is not above 0, so that chance is not taken for a gain), and measured on the last quarter; four times, so that
    every row is measured once.

    Features [n, …] and [m, …]. For φ = ln at most 2 JSD(P, Q) in nats, hence at most 2 ln 2; for φ = id at most the
    total variation distance. 0 at P = Q, up to chance on either side. A supremum over one family by one way of
    searching: a lower bound, and the number belongs to this family. (The absolute value of the definition is left out:
    its other sign is attained by 1 − D.)
    """
    reals, fakes = (rows.float() for rows in matrices(real, fake, least=2 * FOLDS))
    found = [
        _measured(_folds(reals, fold), _folds(fakes, fold), seed, (measuring, judge)) for fold in range(FOLDS)
    ]
    first, second = torch.cat([one.real_terms for one in found]), torch.cat([one.fake_terms for one in found])
    return NeuralDistance(_sum(first, second), sum(one.training for one in found) / FOLDS, first, second)


def _folds(rows: Tensor, fold: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows to train on, to choose by, and to measure."""
    parts = [rows[(fold + i) % FOLDS :: FOLDS] for i in range(FOLDS)]
    return torch.cat(parts[:-2]), parts[-2], parts[-1]


def _measured(
    reals: tuple[Tensor, ...], fakes: tuple[Tensor, ...], seed: int, how: tuple[Measuring, Judge]
) -> NeuralDistance:
    measuring, judge = how

    def loss(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return -(measuring.function(network(x)).mean() + measuring.function(-network(y)).mean())

    best, terms, training = 0.0, measuring.terms(lambda rows: torch.zeros(len(rows)), reals[2], fakes[2]), 0.0
    for score in judge.trained(reals[0], fakes[0], loss, seed):
        training = _sum(*measuring.terms(score, reals[0], fakes[0]))
        for scale in SCALES:
            scaled = partial(_scaled, score, scale)
            chosen = _assured(*measuring.terms(scaled, reals[1], fakes[1]))
            if chosen > best:
                best, terms = chosen, measuring.terms(scaled, reals[2], fakes[2])
    return NeuralDistance(_sum(*terms), training, *terms)


def _scaled(score: Callable[[Tensor], Tensor], scale: float, rows: Tensor) -> Tensor:
    return scale * score(rows)


def _assured(first: Tensor, second: Tensor) -> float:
    return _sum(first, second) - math.hypot(standard_error(first), standard_error(second))


def _sum(first: Tensor, second: Tensor) -> float:
    return float(first.mean() + second.mean())
