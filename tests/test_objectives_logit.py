"""Which objectives take their scores for logits."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from saddlepoint.objectives import FGAN, Hinge, LeastSquares, TopK, Wasserstein
from saddlepoint.objectives.discrimination import Discrimination
from saddlepoint.objectives.divergences import KL, GANDivergence, JensenShannon, Pearson
from saddlepoint.objectives.encoders import LogOdds
from saddlepoint.objectives.logistic import MaximumLikelihood, Minimax, NonSaturating

F64 = torch.float64


LOGITS = (Minimax(), NonSaturating(), MaximumLikelihood(), LogOdds(), Discrimination(), TopK())
LOGITS += (FGAN(), FGAN(JensenShannon()), FGAN(GANDivergence(), tricky=True))
OTHERS = (Wasserstein(), Hinge(), LeastSquares(), FGAN(KL()), FGAN(Pearson()), TopK(Hinge()))


@pytest.mark.parametrize("objective", [*LOGITS, *OTHERS], ids=str)
def test_a_score_is_a_logit_where_the_best_one_is_the_log_odds(objective: Any) -> None:
    """Where p/q = u, the pointwise loss u L(real at s) + L(fake at s) is stationary in s at log u, or it is not."""
    steep = []
    for u in (0.2, 1.0, 5.0):
        real, fake = (torch.tensor([math.log(u)], dtype=F64, requires_grad=True) for _ in range(2))
        slopes = torch.autograd.grad(objective.discriminator(real, fake), (real, fake))
        steep.append(abs(float(u * slopes[0] + slopes[1])))
    assert objective.logit == (max(steep) < 1e-12)
