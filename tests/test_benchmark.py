"""Both sides of benchmarks/step.py compute the same gradients, row by row, from the same weights, data and noise."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from hand import Hand
from step import ROWS, Row

from saddlepoint.network import Functional, Plain


def drawn(row: Row, seed: int) -> dict[str, Any]:
    noise = torch.Generator().manual_seed(seed)
    rows, real = 8, row.data()
    return {
        "latent": torch.randn(rows, row.latent, generator=noise),
        "real": real[torch.randint(len(real), (rows,), generator=noise)],
        "mix": torch.rand(rows, generator=noise),
        "clock": {"step": 0, "images": 0, "progress": 0.0},
    }


def by_hand(row: Row, networks: dict[str, nn.Module], batch: dict[str, Any], power: dict[str, Tensor]):
    """The gradients of the hand-written losses; `power`: the vectors of spectral normalisation to be used."""
    pair = copy.deepcopy(networks)
    names = {player: [name for name, _ in module.named_parameters()] for player, module in pair.items()}
    hand = Hand(
        pair["generator"], pair["discriminator"], row.loss, row.data(), row.latent, len(batch["real"])
    )
    for name, module in pair["discriminator"].named_modules():
        if hasattr(module, "parametrizations"):
            normalised = module.parametrizations["weight"][0]
            normalised._u.copy_(power[f"{name}.weight.u"])
            normalised._v.copy_(power[f"{name}.weight.v"])
            normalised.eval()  # the iteration belongs to the step, not to its gradient
    real = batch["real"] if row.loss == "rpgan-r1" else None
    losses = (
        lambda: hand.generator_loss(batch["latent"], real),
        lambda: hand.discriminator_loss(batch["latent"], batch["real"].clone(), batch["mix"]),
    )
    found = {}
    for player, loss in zip(pair, losses, strict=True):
        for optimizer in hand.optimizers:
            optimizer.zero_grad()
        loss().backward()
        own = {
            name.replace("parametrizations.", "").removesuffix(".original"): parameter.grad
            for name, parameter in pair[player].named_parameters()
        }
        found[player] = torch.cat([own[name].reshape(-1) for name in names[player]])
    return found


@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_both_sides_of_the_benchmark_compute_the_same_gradients(row: Row, execution):
    networks = row.networks()
    game = row.value().game(copy.deepcopy(networks), {"real": row.data()[:8]}, execution=execution)
    for seed in range(3):
        batch = drawn(row, seed)
        players, memory = game.init(seed, {"real": batch["real"]})
        constraint = memory["constraints"]["discriminator"]
        expected = by_hand(row, networks, batch, constraint.get("0", {}))
        for player in ("generator", "discriminator"):
            found, _ = game.gradients((player,), players, memory, batch)
            difference = (found[player] - expected[player]).norm() / expected[player].norm()
            assert difference < 1e-4, (player, seed)
