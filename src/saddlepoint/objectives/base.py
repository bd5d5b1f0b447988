"""The form of an objective, and the expectation that all of them take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from saddlepoint.parts import Part


@dataclass(frozen=True)
class Objective(Part):
    """One method per player, named after the player; its arguments are names of quantities, its result a scalar.

    What an objective needs follows from its argument names: a `generator(self, fake_score)` never runs the
    discriminator on real data.
    """

    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    low_is_real: ClassVar[bool] = False
    """Whether a low score means real (energies)."""
    logit: ClassVar[bool] = False
    """Whether σ(score) is the discriminator's probability that a row is real."""


class Weighted:
    """Scores (or features) whose rows count differently: `weight` [rows], not negative, of any sum."""

    def __init__(self, value: Any, weight: Tensor) -> None:
        self.value, self.weight = value, weight


Scores: TypeAlias = Any  # Tensor | Weighted | a list or tuple of such


def expect(function: Callable[..., Tensor], *scores: Scores) -> Tensor:
    """E f(s, …): every objective takes its expectations here, and so takes scores as discriminators return them.

    Tensors of any shape [rows, …] (maps of patches): the mean over all entries. Lists or tuples (several scales or
    periods), nested as one likes: the mean over their members, of the size of one loss whatever their number.
    `Weighted`: Σ wᵢ f(sᵢ) / Σ wᵢ over rows, with the product of the weights where several scores have them.
    """
    if all(isinstance(score, Tensor) for score in scores):
        return function(*scores).mean()
    values = [_value(score) for score in scores]
    lengths = {len(value) for value in values if isinstance(value, (list, tuple))}
    if len(lengths) > 1:
        raise ValueError(f"lists of scores have different lengths: {sorted(lengths)}")
    if lengths:
        members = [[_member(score, index) for score in scores] for index in range(*lengths)]
        return torch.stack([expect(function, *member) for member in members]).mean()
    rows = function(*values)
    weights = [score.weight for score in scores if isinstance(score, Weighted)]
    if not weights:
        return rows.mean()
    weight = weights[0] if len(weights) == 1 else torch.stack(weights).prod(0)
    return (weight * (rows.flatten(1).mean(1) if rows.dim() > 1 else rows)).sum() / weight.sum()


def mean(scores: Scores) -> Tensor:
    """E s."""
    return expect(_same, scores)


def means(scores: Scores) -> Any:
    """The mean score, list by list: what a relativistic average judges against."""
    value = _value(scores)
    if isinstance(value, (list, tuple)):
        return [means(_member(scores, index)) for index in range(len(value))]
    return expect(_same, scores)


def _same(score: Tensor) -> Tensor:
    return score


def _value(scores: Scores) -> Any:
    return scores.value if isinstance(scores, Weighted) else scores


def _member(scores: Scores, index: int) -> Scores:
    """Member `index` of a list; what is no list goes with every member."""
    if isinstance(scores, Weighted):
        return Weighted(_member(scores.value, index), scores.weight)
    return scores[index] if isinstance(scores, (list, tuple)) else scores
