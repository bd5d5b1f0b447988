"""Lambert's W of large and small arguments, differentiable."""

from __future__ import annotations

import torch
from torch import Tensor

STEPS = 7  # from the start below to rounding in float64, for every y


def log_omega(y: Tensor) -> Tensor:
    """x = log W(e^y), W Lambert's function: the root of e^x + x = y (Wright's omega is e^x). Any shape.

    Newton's method finds the root without a graph; two more steps from there are differentiated. A step from the root
    turns a correct derivative of order n into one of order 2n + 1, so that derivatives up to the third are exact.
    """
    with torch.no_grad():
        x = torch.where(y > 1, y.clamp(min=1).log(), y)
        for _ in range(STEPS):
            x = _newton(x, y)
    return _newton(_newton(x.detach(), y), y)


def _newton(x: Tensor, y: Tensor) -> Tensor:
    power = x.exp()
    return x - (power + x - y) / (power + 1)
