"""Games of a method with two networks of one parameter each: every objective, penalty and constraint takes part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.bound import MethodGame
from saddlepoint.game import Batch, Memory, Players
from saddlepoint.games.small import Small, vector
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.network import Execution, Plain


class TwoNumbers(MethodGame, Small):
    """A method between two networks of one parameter, on fixed rows of data and noise."""

    def __init__(
        self,
        method: Method,
        networks: Mapping[str, nn.Module],
        rows: Mapping[str, Tensor],
        execution: Execution,
    ) -> None:
        """`rows`: the entries of the batch that are part of the game; other noise is drawn from seed 0."""
        method = replace(method, latent=Gaussian(1), averages={})
        super().__init__(method, networks, rows, execution=execution)
        generator, count = torch.Generator().manual_seed(0), len(rows["real"])
        drawn = {n: draw.sample(count, generator, {"real": (1,)}) for n, draw in self.draws.items()}
        self.rows = {**{n: noise.double() for n, noise in drawn.items()}, **rows}

    def data(self) -> dict[str, Any]:
        return dict(self.rows)

    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        return MethodGame.init(self, seed, reference)

    def start(self) -> Players:
        return self.init(0, self.rows)[0]


class DiracGAN(TwoNumbers):
    """P = δ₀, Q = δ_θ, s(x) = ψx (Mescheder et al. 2018, section 2), played with the parts of any method.

    Under the non-saturating objective the field is (−σ(−ψθ)ψ, σ(ψθ)θ) and the eigenvalues of −J at the equilibrium
    (0, 0) are ±i/2. Noise that a part draws comes in `rows` draws.
    """

    def __init__(
        self,
        method: Method,
        begin: tuple[float, float] = (1.0, 1.0),
        rows: int = 4,
        execution: Execution = Plain(),
    ) -> None:
        networks = {"generator": _Place(begin[0]), "discriminator": _Linear(begin[1])}
        real = torch.zeros(rows, 1, dtype=torch.float64)
        super().__init__(method, networks, {"real": real}, execution)


class LinearQuadratic(TwoNumbers):
    """P = N(0, 1), Q = N(0, θ²), s(x) = ψx²: absolutely continuous, unlike the Dirac-GAN (Nagarajan & Kolter 2017).

    Expectations over the normal are the three-point Gauss–Hermite rule, whose weights 1/6, 2/3, 1/6 are six equal rows
    (−√3, 0, 0, 0, 0, √3): exact for losses linear in the score (Wasserstein: field (−2ψθ, θ² − 1)), and for the Jacobian
    of any objective at the equilibrium (1, 0), where the score and its first two moments alone take part.
    """

    def __init__(
        self, method: Method, begin: tuple[float, float] = (1.5, 0.5), execution: Execution = Plain()
    ) -> None:
        nodes = torch.tensor([-(3**0.5), 0, 0, 0, 0, 3**0.5], dtype=torch.float64)[:, None]
        networks = {"generator": _Scale(begin[0]), "discriminator": _Square(begin[1])}
        super().__init__(method, networks, {"real": nodes, "latent": nodes}, execution)


class _One(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(vector(value))


class _Place(_One):
    def forward(self, latent: Tensor) -> Tensor:
        return self.value.expand(len(latent), 1)


class _Linear(_One):
    def forward(self, point: Tensor) -> Tensor:
        return self.value * point[:, 0]


class _Scale(_One):
    def forward(self, latent: Tensor) -> Tensor:
        return self.value * latent


class _Square(_One):
    def forward(self, point: Tensor) -> Tensor:
        return self.value * point[:, 0].square()
