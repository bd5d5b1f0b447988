"""M48: the spectrum of a small GAN on the ring of radius 1, σ .01, and what consensus does to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from claims.check import Check, Numbers, at_most
from saddlepoint import methods
from saddlepoint.data.densities import Ring
from saddlepoint.dynamics import Simultaneous
from saddlepoint.experiments.playing import Moment, last, play
from saddlepoint.games import joined, parted
from saddlepoint.networks import MLP
from saddlepoint.optim import RMSProp

RING = Ring(radius=1.0, sigma=0.01)
GAMMA = 10.0
METHOD = replace(
    methods.get("consensus"),
    dynamics=Simultaneous({p: RMSProp(1e-4) for p in ("generator", "discriminator")}),
)


def jacobian(moment: Moment) -> np.ndarray:
    """Of the field, all rows (a published notebook keeps the last of each tensor only)."""
    game, players, memory = moment.game, moment.state.players, moment.state.memory
    whole = joined(players)
    columns = [
        joined(game.pushforward(players, memory, moment.batch, parted(players, axis)))
        for axis in torch.eye(len(whole))
    ]
    return torch.stack(columns, 1).double().numpy()


def measure(seed: int) -> Numbers:
    """−J and −J − γJᵀJ after 500 steps of simultaneous descent, on one batch of 512."""
    field = jacobian(last(play(METHOD, RING, MLP(width=16), 500, seed)))
    spectra = {
        "plain": np.linalg.eigvals(-field),
        "with": np.linalg.eigvals(-field - GAMMA * field.T @ field),
    }
    found: Numbers = {}
    for name, values in spectra.items():
        seen = values[abs(values) > 1e-3]
        found[f"largest |Im|/|Re|, {name}"] = float(
            (abs(seen.imag) / np.maximum(abs(seen.real), 1e-12)).max()
        )
        found[f"largest real part, {name}"] = float(values.real.max())
        found[f"share in the right half-plane, {name}"] = float((seen.real > 0).mean())
    found["|Im|/|Re|, with over plain"] = found["largest |Im|/|Re|, with"] / found["largest |Im|/|Re|, plain"]
    found["change of the largest real part"] = (
        found["largest real part, with"] - found["largest real part, plain"]
    )
    return found


CHECKS = (
    Check(
        "M48",
        "eigenvalues of −J and of −J − 10 JᵀJ of networks of 915 weights on the ring",
        "moves into the left half-plane (none of |λ| > .001 on the right); largest |Im|/|Re| falls (medians)",
        "published-unverified",
        {
            "|Im|/|Re|, with over plain": at_most(1 - 1e-9),
            "change of the largest real part": at_most(0),
            "share in the right half-plane, with": at_most(0),
        },
        measure,
        seeds=5,
        median=True,
        budget="500 steps of batch 512, width 16, depth 2",
        values=(METHOD, RING),
    ),
)
