"""Pairs made from other pairs: a condition put in, a head put on, packs instead of samples.

A value here has a field `base`, the pair that it changes; None stands for the one given or fitting the data, so that a
method can say `Concatenated()` and run on any.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from saddlepoint.errors import NeedsLabels
from saddlepoint.networks.shapes import require

if TYPE_CHECKING:
    from saddlepoint.networks import Networks


@dataclass(frozen=True)
class Wrapping:
    """The form of a pair made from `base`."""

    base: Any = None

    def inner(self) -> Networks:
        require(self.base is not None, f"{type(self).__name__} needs a pair to change, for example MLP().")
        return self.base

    def built(
        self, pair: Networks, shape: tuple[int, ...], latent: int, classes: int
    ) -> dict[str, nn.Module]:
        """The modules of a pair inside this one; only pairs of this kind are told of classes."""
        return pair.build(shape, latent, classes if isinstance(pair, Wrapping) else 0)

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        raise NotImplementedError

    def featured(self) -> Networks:
        """The base with the features of its discriminator returned."""
        inner: Any = self.inner()
        if isinstance(inner, Wrapping):
            return replace(inner, base=inner.featured())  # every wrapping passes the record on
        known = {field.name for field in fields(inner)} if is_dataclass(inner) else set()
        require(
            "features" in known,
            f"{type(self).__name__} needs a discriminator with features; {inner} has none.",
        )
        return replace(inner, features=True)


def around(outer: Any, inner: Any) -> Any:
    """The pair `outer` with `inner` in its empty place; `inner` itself if it is of the same kind already."""
    if not isinstance(outer, Wrapping):
        return outer
    if isinstance(inner, type(outer)):
        return inner
    return replace(outer, base=inner if outer.base is None else around(outer.base, inner))


def labelled(who: Wrapping, classes: int) -> int:
    if classes < 2:
        raise NeedsLabels(f"{type(who).__name__} needs data with at least 2 classes, not {classes}.")
    return classes


def recorded(output: Any) -> dict[str, Any]:
    """What a discriminator returns, as a record of named outputs."""
    return dict(output) if isinstance(output, dict) else {"score": output}


def width(discriminator: nn.Module, *inputs: Tensor) -> int:
    """Numbers of the features of a discriminator, seen on a row of zeros."""
    training = discriminator.training
    with torch.no_grad():
        features: Tensor = discriminator.eval()(*inputs)["features"]
    discriminator.train(training)
    return features.shape[1]


def one_hot(label: Tensor, classes: int, like: Tensor) -> Tensor:
    """int64 [n] -> [n, classes]; rows of a label out of range are 0 everywhere."""
    return (label.unsqueeze(1) == torch.arange(classes, device=label.device)).to(like.dtype)
