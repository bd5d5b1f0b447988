"""Normalised relative discriminative score (Zhang et al. 2018): whose samples stay hard to tell from real ones?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from saddlepoint.errors import InputError
from saddlepoint.metrics.judge import Judge
from saddlepoint.metrics.samples import matrices


def relative_scores(curves: Tensor) -> Tensor:
    """NRDS_i = A_i / Σ_j A_j, A_i the area under the curve of the classifier's mean output on the samples of model i.

    curves [epochs, models] in [0, 1], 1 where the classifier takes them to be real; trapezoids, or the values
    themselves of a single epoch. float64 [models], which add to 1; higher is better; 1/models where all are equal.
    """
    if curves.dim() != 2 or not curves.numel() or not ((curves >= 0) & (curves <= 1)).all():
        raise InputError("curves of NRDS are [epochs, models], every number in [0, 1].")
    values = curves.detach().cpu().double()
    areas = torch.trapezoid(values, dim=0) if len(values) > 1 else values[0]
    return areas / areas.sum() if areas.sum() > 0 else torch.full_like(areas, 1 / len(areas))


def discrimination_curves(
    *, real: Tensor, fakes: Sequence[Tensor], seed: int, judge: Judge = Judge()
) -> Tensor:
    """Mean output on the samples of each model, after every epoch of one classifier that is trained to tell real (1)
    from the samples of all models (0): [epochs, models].

    Each side counts one half, and all models alike: equal numbers of samples are needed, since a model with more is
    learnt better.
    """
    counts = {len(fake) for fake in fakes}
    if len(fakes) < 2 or len(counts) > 1:
        raise InputError(
            f"NRDS compares at least 2 models with equally many samples; there are {len(fakes)} with {sorted(counts)}."
        )
    sets = [matrices(real, fake, least=2)[1].float() for fake in fakes]
    reals = matrices(real, fakes[0])[0].float()

    def loss(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        own, other = network(x), network(y)
        positive = binary_cross_entropy_with_logits(own, torch.ones_like(own))
        return positive + binary_cross_entropy_with_logits(other, torch.zeros_like(other))

    return torch.stack(
        [
            torch.stack([score(rows).sigmoid().mean() for rows in sets])
            for score in judge.trained(reals, torch.cat(sets), loss, seed)
        ]
    )
