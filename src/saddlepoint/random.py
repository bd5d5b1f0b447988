"""Keyed randomness: every random number is a function of a seed and of the names of what it is drawn for."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def key(*parts: int | str) -> int:
    """A number in [0, 2^63) that depends on all parts, their order and whether they are numbers or text."""
    text = repr(tuple(part if isinstance(part, str) else int(part) for part in parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(device: torch.device | str, *parts: int | str) -> torch.Generator:
    """A fresh generator on `device` whose stream is keyed by the parts; the global generators are not
    touched."""
    import torch

    return torch.Generator(device=device).manual_seed(key(*parts))
