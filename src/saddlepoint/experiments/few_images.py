"""A finite data set with few of its training rows, and the logits of a discriminator on both sides."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from saddlepoint.data import load
from saddlepoint.data.split import Split
from saddlepoint.data.stream import permutation
from saddlepoint.data.table import Table


def first_rows(name: str, count: int, seed: int = 0) -> Table:
    """The set with `count` training rows, which the seed chooses; held-out rows are those of the whole set."""
    known = load(name)
    assert isinstance(known, Table)
    order = known.split.training[permutation(seed, 0, known.size).numpy()]
    split = Split(order[:count], known.split.held_out)
    return replace(known, name=f"{count} {name}", identity=f"{known.identity} {count} {seed}", split=split)


def logit_gap(discriminator: nn.Module, data: Table) -> float:
    """Mean logit of training rows minus that of held-out rows, in standard deviations of the latter: 0 where nothing is
    known by heart."""
    seen, unseen = (discriminator(part["real"]) for part in (data.training(), data.held_out()))
    return float((seen.mean() - unseen.mean()) / unseen.std())
