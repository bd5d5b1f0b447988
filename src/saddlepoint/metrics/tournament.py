"""Generators against discriminators: who fools whom, and what follows about who is better.

Every discriminator's scores are higher for what it takes to be real. Nothing here compares scores of different
discriminators, nor trusts their zero: a critic's scores have neither a scale nor a zero.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import NORMAL_95
from saddlepoint.metrics.samples import matrices, matrix
from saddlepoint.metrics.score import Interval


def fooling_rate(*, real: Tensor, fake: Tensor) -> float:
    """P(s(fake) > s(real)) + ½ P(equal) over all pairs; in [0, 1]. Scores [n] and [m] of one discriminator, or
    [n, judges] and [m, judges], over which it is the mean.

    0: every sample is told from every real row; ½: the discriminator cannot tell them apart; above: fakes look more
    real than the data. It is 1 − AUC, the Mann–Whitney statistic, so any increasing function of the scores gives the
    same. (Olsson et al. 2018 count samples with D > ½, which presumes that the scores are calibrated log-odds.)
    """
    reals, fakes = matrices(real, fake)
    return float(_placements(fakes, reals).mean())


def fooling_interval(*, real: Tensor, fake: Tensor) -> Interval:
    """95 % interval of the rate over the rows of both sides, the discriminators held fixed (DeLong et al. 1988).

    The variance is Var(share of reals below a fake)/m + Var(share of fakes above a real)/n.
    """
    reals, fakes = matrices(real, fake, least=2)
    above, below = _placements(fakes, reals), 1 - _placements(reals, fakes)
    half = NORMAL_95 * float(above.var() / len(fakes) + below.var() / len(reals)) ** 0.5
    value = float(above.mean())
    return max(0.0, value - half), min(1.0, value + half)


def _placements(scores: Tensor, others: Tensor) -> Tensor:
    """For each score the share of the others below it, equal ones counted half; the mean over judges: [n]."""
    ordered, asked = others.T.sort().values.contiguous(), scores.T.contiguous()
    below, upto = (torch.searchsorted(ordered, asked, right=right) for right in (False, True))
    return (below + upto).double().mean(0) / (2 * len(others))


def separating_threshold(*, real: Tensor, fake: Tensor) -> float:
    """The threshold with the least mean of the two error rates: reals at or below it, fakes above it.

    In the middle between neighbouring scores; of several equally good ones the middle one.
    """
    reals, fakes = _scores("real", real), _scores("fake", fake)
    points = torch.cat([reals, fakes]).sort().values
    between = (points[1:] + points[:-1]) / 2
    missed = torch.searchsorted(reals.sort().values, between, right=True).double() / len(reals)
    passed = 1 - torch.searchsorted(fakes.sort().values, between, right=True).double() / len(fakes)
    errors = missed + passed
    best = (errors <= errors.min() + 1e-12).nonzero()[:, 0]
    return float(between[best[len(best) // 2]])


class Verdict(NamedTuple):
    """Generative adversarial metric of the first model against the second (Im et al. 2016, section 4.1).

    test: ε(D₁(test)) / ε(D₂(test)), near 1 where the discriminators generalise equally well.
    samples: ε(D₁(G₂)) / ε(D₂(G₁)), below 1 where the first model wins: it is fooled less than it fools.
    ε is the share that the discriminator gets wrong.
    """

    test: float
    samples: float

    def winner(self, tolerance: float = 0.2) -> int:
        """1 or 2; 0 where the discriminators generalise too differently to say, or neither wins."""
        level = 1 - tolerance <= self.test <= 1 + tolerance
        return (1 if self.samples < 1 else 2 if self.samples > 1 else 0) if level else 0


def adversarial_metric(*, test: tuple[Tensor, Tensor], samples: tuple[Tensor, Tensor]) -> Verdict:
    """test: scores of held-out reals under D₁ and D₂; samples: D₁'s of G₂'s samples and D₂'s of G₁'s; all [n], with
    each discriminator's threshold (`separating_threshold`) subtracted, so that above 0 means real.

    Rates are (errors + ½)/(rows + 1), so that no error at all still gives a ratio.
    """
    missed = [_rate(_scores("test", scores) <= 0) for scores in test]
    fooled = [_rate(_scores("sample", scores) > 0) for scores in samples]
    return Verdict(missed[0] / missed[1], fooled[0] / fooled[1])


def _scores(role: str, scores: Tensor) -> Tensor:
    column = matrix(f"{role} scores", scores).double()
    if column.shape[1] != 1:
        raise InputError(f"{role} scores have {column.shape[1]} numbers a row; one score a row is needed.")
    return column[:, 0]


def _rate(wrong: Tensor) -> float:
    return float((wrong.sum() + 0.5) / (len(wrong) + 1))
