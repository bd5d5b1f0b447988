"""What data-dependent networks are started with: the batch with which virtual batch normalisation compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from saddlepoint.game import Batch, Memory, Players
from saddlepoint.network import Network
from saddlepoint.networks.virtual import Referenced
from saddlepoint.probe import filled

if TYPE_CHECKING:
    from saddlepoint.bound import MethodGame


def compare(game: MethodGame, players: Players, memory: Memory, reference: Batch, seed: int) -> None:
    """Fill the reference of every module that has one with what it sees of a batch: reals, or samples from keyed noise.

    Called before the first step, on the memory that is just made.
    """
    for name, quantity in (("generator", "fake"), ("discriminator", "real_score")):
        found = _modules(game.networks[name]) if name in game.networks else {}
        if not found:
            continue
        forward = game.evaluation(players, memory, filled(game, reference, seed))
        for module in found.values():
            module.seen = []
        try:
            with torch.no_grad():
                forward[quantity]
            seen = {f"{path}.reference": _first(module) for path, module in found.items()}
        finally:
            for module in found.values():
                module.seen = None
            forward.clear()
        memory["buffers"][name] |= seen


def _modules(network: Network) -> dict[str, Referenced]:
    """Of the network in evaluation mode, by their path."""
    parts = network.evaluating.module.named_modules()
    return {path: part for path, part in parts if isinstance(part, Referenced)}


def _first(module: Referenced) -> torch.Tensor:
    assert module.seen, "the network was called"
    return module.seen[0].detach().clone()
