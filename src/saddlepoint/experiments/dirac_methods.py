"""The Dirac-GAN under the methods of Mescheder et al. 2018: games of the package beside slopes and Jacobians by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from saddlepoint import methods
from saddlepoint.constraints import Clip
from saddlepoint.games import DiracGAN, jacobian
from saddlepoint.method import Method
from saddlepoint.penalties import R1, R2, GradientPenalty, NagarajanKolter, NoiseBall, Roth
from saddlepoint.theory import dirac
from saddlepoint.treatments import InstanceNoise

GAMMA, WEIGHT, SIGMA, ETA = 0.3, 0.35, 0.7, 0.5
HALF = ((0.0, -0.5), (0.5, 0.0))  # f'(0) = ½: the Jacobian of the field of every unregularised GAN
Matrix = tuple[tuple[float, float], tuple[float, float]]


class Case(NamedTuple):
    """A method; its slopes by hand; the Jacobian of its field at 0 by hand, None where it has none; the bound that ψ is
    clipped to; γ of consensus, which is a rule of moving."""

    method: Method
    slopes: dirac.Slopes
    jacobian: Matrix | None
    bound: float = math.inf
    consensus: float = 0.0


def method(name: str, *terms: Any, **changes: Any) -> Method:
    return replace(methods.get(name), **{"terms": terms, "constraints": (), **changes})


def damped(discriminator: float, generator: float = 0.0) -> Matrix:
    """HALF, with a player's own derivative on the diagonal."""
    return ((generator, -0.5), (0.5, discriminator))


def zero_centred(gamma: float) -> dirac.Slopes:
    return dirac.plus(dirac.non_saturating, dirac.zero_centred(gamma))


CASES: Mapping[str, Case] = {
    "GAN": Case(method("gan-minimax"), dirac.minimax, HALF),
    "NS-GAN": Case(method("gan"), dirac.non_saturating, HALF),
    "WGAN": Case(
        method("wgan", constraints=(Clip(bound=1.0),)),
        dirac.wasserstein,
        ((0.0, -1.0), (1.0, 0.0)),
        bound=1.0,
    ),
    "WGAN-GP": Case(
        method("wgan-gp", GradientPenalty(WEIGHT)),
        dirac.plus(dirac.wasserstein, dirac.centred_at_one(WEIGHT)),
        None,
    ),
    "DRAGAN": Case(
        method("gan", GradientPenalty(WEIGHT, at=NoiseBall())),
        dirac.plus(dirac.non_saturating, dirac.centred_at_one(WEIGHT)),
        None,
    ),
    "instance noise": Case(
        method("gan", treatments=(InstanceNoise(SIGMA),)), dirac.noisy(SIGMA), damped(SIGMA**2 / 2)
    ),
    "consensus": Case(method("gan"), dirac.consensus(1.0), damped(0.25, 0.25), consensus=1.0),
    "Roth": Case(method("gan", Roth(GAMMA)), dirac.roth(GAMMA), damped(GAMMA / 2)),
    "Nagarajan–Kolter": Case(
        method("gan-minimax", NagarajanKolter(ETA)), dirac.nagarajan_kolter(ETA), damped(0.0, ETA / 2)
    ),
    "R1 of .3": Case(method("gan", R1(GAMMA)), zero_centred(GAMMA), damped(GAMMA)),
    "R1 of 1": Case(method("gan", R1(1.0)), zero_centred(1.0), damped(1.0)),
    "R2 of .3": Case(method("gan", R2(GAMMA)), zero_centred(GAMMA), damped(GAMMA)),
}


def game(case: Case, begin: tuple[float, float]) -> DiracGAN:
    """Noise of a treatment is on the six equal rows that integrate a normal's first five moments."""
    made = DiracGAN(case.method, begin, rows=len(dirac.NODES))
    nodes = torch.tensor(dirac.NODES, dtype=torch.float64)[:, None]
    made.rows.update({name: nodes for name in made.rows if name.startswith("instance_noise")})
    return made


def field_jacobian(case: Case) -> Tensor:
    """Of the direction that is descended, at (0, 0), by differentiation of the game. For consensus, v + γJᵀv, that is
    J + γJᵀJ where v = 0."""
    found = jacobian(game(case, (0.0, 0.0)))
    return found + case.consensus * found.T @ found


def jacobian_error() -> float:
    """The largest difference between an entry by differentiation and by hand, over all cases that have a Jacobian."""
    errors = [
        (field_jacobian(case) - torch.tensor(case.jacobian, dtype=torch.float64)).abs().max()
        for case in CASES.values()
        if case.jacobian is not None
    ]
    return float(torch.stack(errors).max())
