"""What a classifier of the real data says of the samples."""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.samples import matrix


def class_shares(*, probabilities: Tensor) -> Tensor:
    """Share of the samples whose likeliest class is each one: probabilities [n, classes] -> float64
    [classes]."""
    rows = _checked(probabilities)
    return torch.bincount(rows.argmax(1), minlength=rows.shape[1]).double() / len(rows)


def mean_entropy(*, probabilities: Tensor) -> float:
    """Mean over samples of H(p(y|x)) = −Σ_y p log p, in nats: 0 where the classifier is certain, ln K where
    lost."""
    return float(entropies(probabilities=probabilities).mean())


def entropies(*, probabilities: Tensor) -> Tensor:
    """H(p(y|x)) of each sample in nats, float64 [n]; 0 log 0 is 0."""
    rows = _checked(probabilities)
    return -torch.special.xlogy(rows, rows).sum(1)


def _checked(probabilities: Tensor) -> Tensor:
    rows = matrix("probabilities", probabilities).double()
    if rows.min() < 0 or (rows.sum(1) - 1).abs().max() > 1e-3:
        raise InputError(
            "probabilities holds a row that is negative or does not sum to 1; logits need a softmax first."
        )
    return rows
