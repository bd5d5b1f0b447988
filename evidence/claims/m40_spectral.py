"""M40: singular values of spectrally normalised weights during training, and the Lipschitz constant they bound."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch

from claims.check import Check, Numbers, Range, at_least, at_most
from saddlepoint import methods
from saddlepoint.constraints import SpectralNorm
from saddlepoint.experiments.playing import Moment, play
from saddlepoint.networks import DCGAN, MLP

METHOD = methods.get("sngan")
CASES: tuple[tuple[str, Any], ...] = (
    ("ring", MLP(width=64, activation="leaky_relu")),
    ("digits", DCGAN(width=8, discriminator_norm="none")),
)


def singular(moment: Moment) -> list[float]:
    """The largest singular value of every effective weight."""
    network = moment.game.networks["discriminator"]
    named = network.layout.named(moment.state.players["discriminator"])
    effective = network.constraints[0].inside(named, moment.state.memory["constraints"]["discriminator"]["0"])
    matrices = [w.flatten(1) for name, w in effective.items() if name in network.constraints[0].weights]
    return [float(torch.linalg.matrix_norm(m.double(), 2)) for m in matrices]


def lipschitz(moment: Moment) -> float:
    """The largest ratio |s(x) − s(y)|/‖x − y‖ over pairs near and far."""
    network = moment.game.networks["discriminator"]
    named = network.layout.named(moment.state.players["discriminator"])
    memory = moment.state.memory["constraints"]["discriminator"]["0"]
    module = moment.module("discriminator")
    module.load_state_dict(dict(network.constraints[0].inside(named, memory)), strict=False)
    source = torch.Generator().manual_seed(0)
    x = moment.sample(2000)
    ratios = []
    for size in (0.001, 0.1, 1.0):
        y = x + size * torch.randn(x.shape, generator=source)
        with torch.no_grad():
            ratios.append(((module(x) - module(y)).abs() / (x - y).flatten(1).norm(dim=1)).max())
    return float(torch.stack(ratios).max())


def held(seed: int) -> Numbers:
    """The weights of the start; one power iteration from a fresh direction is what one forward pass makes."""
    early, late, every = [], [], []
    for data, networks in CASES:
        method = replace(METHOD, constraints=(SpectralNorm(start=1),))
        moment = next(play(method, data, networks, 1, seed))
        bound, memory = moment.game.networks["discriminator"].constraints[0], moment.state.memory
        vectors = memory["constraints"]["discriminator"]["0"]
        named = moment.game.networks["discriminator"].layout.named(moment.state.players["discriminator"])
        for forward in range(2, 201):
            vectors = bound.remember(named, vectors)
            memory = {**memory, "constraints": {"discriminator": {"0": vectors}}}
            if forward in (2, 5, 10, 50, 200):
                every += (found := singular(moment._replace(state=moment.state._replace(memory=memory))))
                early += found if forward == 50 else []
                late += found if forward == 200 else []
    return {"largest after 50": max(early), "largest after 200": max(late), "smallest ever": min(every)}


def training(seed: int) -> Numbers:
    """Moves of the discriminator are counted: five a step."""
    early, late, every, product = [], [], [], []
    for data, networks in CASES:
        for moment in play(METHOD, data, networks, 40, seed):
            if moment.step in (0, 1, 2, 5, 10, 20, 40):
                found = singular(moment)
                every += found
                early += found if moment.step == 10 else []
                late += found if moment.step == 40 else []
        if data == "ring":  # for convolutions the reshaped norm is a proxy and bounds nothing
            product.append(lipschitz(moment) / math.prod(singular(moment)))
    return {
        "largest after 50": max(early),
        "largest after 200": max(late),
        "smallest ever": min(every),
        "Lipschitz quotient over the product": max(product),
    }


RANGES = {
    "largest after 50": Range(1 - 1e-6, 1.05),
    "largest after 200": Range(1 - 1e-6, 1.01),
    "smallest ever": at_least(1 - 1e-6),
}
CHECKS = (
    Check(
        "M40",
        "largest singular value of every normalised weight, weights held, after 50 and 200 power iterations",
        "1 to 1.05 after 50, 1 to 1.01 after 200, never below 1 − 1e-6",
        "exact",
        RANGES,
        held,
        seeds=5,
        budget="no training; ring and digits",
        values=(METHOD, CASES),
    ),
    Check(
        "M40",
        "the same while the discriminator moves, one iteration a move; quotients on the ring",
        "the same; the product of the singular values bounds |s(x) − s(y)|/‖x − y‖",
        "exact",
        {**RANGES, "Lipschitz quotient over the product": at_most(1 + 1e-5)},
        training,
        seeds=5,
        budget="200 discriminator moves on ring and digits",
        values=(METHOD, CASES),
    ),
)
