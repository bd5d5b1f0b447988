"""Weights of boosting for generators (Tolstikhin et al., AdaGAN, NIPS 2017, arXiv:1701.02386): on which rows the next
component has to work, given what the mixture so far makes.

    ratio = odds(score)                       # of a discriminator between the mixture (low) and the data (high)
    weight = boosted(ratio, share=1 / 3)      # for the third component, which gets a third of the new mixture
"""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError


def odds(score: Tensor) -> Tensor:
    """d = (1 − D)/D = e^{−s} of raw scores s, D = σ(s): an estimate of dQ/dP of the mixture at rows of the data."""
    return (-score.double()).exp()


def level(ratio: Tensor, share: float) -> Tensor:
    """λ*, the root of Σᵢ (λ − (1 − β) dᵢ)₊ = N β, exactly: a number.

    The left side is piecewise linear and increasing in λ. With d sorted, the root within the piece of the first k is
    λ_k = (N β + (1 − β) Σ_{i ≤ k} dᵢ) / k; it is the one for the first k with λ_k ≤ (1 − β) d_{k+1}.
    """
    if ratio.dim() != 1 or not len(ratio) or not bool((ratio >= 0).all()):
        raise InputError("boosting needs a ratio that is not negative for each of at least 1 row")
    if not 0 < share <= 1:
        raise InputError(f"a component with a share of {share} is none: give a number above 0, at most 1")
    parts = (1 - share) * ratio.double().sort().values
    count = torch.arange(1, len(parts) + 1, dtype=torch.float64, device=parts.device)
    levels = (len(parts) * share + parts.cumsum(0)) / count
    ends = torch.cat([parts[1:], parts.new_full((1,), torch.inf)])
    return levels[(levels <= ends).int().argmax()]


def boosted(ratio: Tensor, share: float) -> Tensor:
    """wᵢ = (λ* − (1 − β) dᵢ)₊ / (N β), not negative, of sum 1: [rows], float64.

    `ratio`: d = dQ/dP at N rows of the data, Q the mixture so far. `share`: β, what the new component is to get of the
    mixture (1 − β) Q + β Q'; the authors give the t-th 1/t, so that all end with equal shares. The best Q' for an
    f-divergence to the data has the density N w relative to them.
    """
    weight = (level(ratio, share) - (1 - share) * ratio.double()).clamp(min=0)
    return weight / (len(ratio) * share)
