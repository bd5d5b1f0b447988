"""Many one-dimensional maxima at once, by values alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from saddlepoint.objectives import Alpha, Divergence, Jeffrey, Pearson

RATIO = (math.sqrt(5) - 1) / 2


def maximum(function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, steps: int = 100) -> Tensor:
    """max over low ≤ v ≤ high of f(v), elementwise, f unimodal in each element: golden-section search.

    An interval is 0.618^steps of its beginning at the end. Where f is not a number it counts as −∞.
    """

    def value(at: Tensor) -> Tensor:
        return function(at).nan_to_num(nan=-math.inf)

    best = torch.maximum(value(low), value(high))
    left, right = high - RATIO * (high - low), low + RATIO * (high - low)
    at_left, at_right = value(left), value(right)
    for _ in range(steps):
        up = at_left < at_right  # the maximum is right of `left`
        low, high = torch.where(up, left, low), torch.where(up, high, right)
        new = torch.where(up, low + RATIO * (high - low), high - RATIO * (high - low))
        at_new = value(new)
        left, right = torch.where(up, right, new), torch.where(up, new, left)
        at_left, at_right = torch.where(up, at_right, at_new), torch.where(up, at_new, at_left)
        best = torch.maximum(best, at_new)
    return best


def variational(kind: Divergence, p: Tensor, q: Tensor) -> Tensor:
    """sup over scores v of p g(v) − q f*(g(v)), elementwise, p, q > 0: q f(p/q) without f or f′."""
    steep = isinstance(
        kind, (Alpha, Jeffrey, Pearson)
    )  # T* is a power of p/q, where others have logarithmic scores
    far = torch.full_like(p, math.asinh(1e12 if steep else 600))

    def value(w: Tensor) -> Tensor:
        v = w.sinh()
        return p * kind.activation(v) - q * kind.composite(v)

    return maximum(value, -far, far)
