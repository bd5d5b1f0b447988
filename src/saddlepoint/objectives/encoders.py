"""Games with an encoder: who judges pairs of points and latents, what a reconstruction is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy

from saddlepoint.objectives.base import Objective, Scores, expect
from saddlepoint.objectives.logistic import NonSaturating, cross_entropy, no, yes
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class Bidirectional(NonSaturating):
    """L_D and L_G as in `NonSaturating`; L_E = E_P sp(s) = −E_P log(1 − σ(s(x, E(x)))): the encoder wants its pairs taken for
    samples as the generator wants its own taken for data (Dumoulin et al. 2017; Donahue et al. 2017)."""

    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator", "encoder")

    def encoder(self, real_score: Scores) -> Tensor:
        return expect(no, real_score)


@dataclass(frozen=True)
class LogOdds(Objective):
    """L_D as in `NonSaturating`; L_G = −E_Q s. At the optimal discriminator s = log p/q, and L_G is KL(Q‖P)."""

    logit: ClassVar[bool] = True

    def discriminator(self, real_score: Scores, fake_score: Scores) -> Tensor:
        return cross_entropy(real_score, fake_score)

    def generator(self, fake_score: Scores) -> Tensor:
        return -expect(lambda score: score, fake_score)


@dataclass(frozen=True)
class ManifoldDiffusion(NonSaturating):
    """L_D and L_G as in `NonSaturating` between reconstructions and samples (diffusion), and a second game between data and
    reconstructions, whose judge is the player `manifold` with scores t: L_manifold = E_P sp(−t(x)) + E_P sp(t(G(E(x)))),
    weight·E_P sp(−t(G(E(x)))) in L_G and L_E (Che et al. 2017, section 3.3)."""

    players: ClassVar[tuple[str, ...]] = ("generator", "encoder", "discriminator", "manifold")

    weight: float | Schedule = 1e-2

    def generator(  # type: ignore[override]
        self, fake_score: Scores, reconstruction_verdict: Scores, clock: Clock | None = None
    ) -> Tensor:
        return expect(yes, fake_score) + self.encoder(reconstruction_verdict, clock)

    def encoder(self, reconstruction_verdict: Scores, clock: Clock | None = None) -> Tensor:
        return now(self.weight, clock) * expect(yes, reconstruction_verdict)

    def manifold(self, data_verdict: Scores, reconstruction_verdict: Scores) -> Tensor:
        return cross_entropy(data_verdict, reconstruction_verdict)


@dataclass(frozen=True)
class Autoencoding(Objective):
    """L = E mean (x − x̂)² of `representation` and `decoder`; the mean is over the numbers of a point."""

    players: ClassVar[tuple[str, ...]] = ("representation", "decoder")

    def representation(self, real: Tensor, reconstruction: Tensor) -> Tensor:
        return (real - reconstruction).square().mean()

    def decoder(self, real: Tensor, reconstruction: Tensor) -> Tensor:
        return (real - reconstruction).square().mean()


class Likelihood:
    """log p(x|x̂) of points, given what a decoder returns: [n, …], [n, …] -> nats [n]."""

    def log(self, point: Tensor, decoded: Tensor) -> Tensor:
        raise NotImplementedError


@dataclass(frozen=True)
class Bernoulli(Likelihood):
    """Σ t log π + (1 − t) log(1 − π) over pixels and channels, t = (x + 1)/2 and π = (x̂ + 1)/2, x and x̂ in [−1, 1]. For grey
    values this is a cross-entropy, not the logarithm of a density. π = (tanh a + 1)/2 is σ(2a)."""

    def log(self, point: Tensor, decoded: Tensor) -> Tensor:
        target, probability = ((value.flatten(1) + 1) / 2 for value in (point, decoded))
        return -binary_cross_entropy(probability, target, reduction="none").sum(1)


@dataclass(frozen=True)
class Normal(Likelihood):
    """log N(x; x̂, scale² I)."""

    scale: float = 0.1

    def log(self, point: Tensor, decoded: Tensor) -> Tensor:
        off = ((point - decoded) / self.scale).flatten(1)
        constant = math.log(self.scale) + 0.5 * math.log(math.tau)
        return -0.5 * off.square().sum(1) - off.shape[1] * constant


@dataclass(frozen=True)
class ByKind(Likelihood):
    """`images` for points (channels, height, width), `vectors` for others."""

    images: Bernoulli | Normal = Bernoulli()
    vectors: Normal = Normal()

    def log(self, point: Tensor, decoded: Tensor) -> Tensor:
        return (self.images if point.dim() == 4 else self.vectors).log(point, decoded)


@dataclass(frozen=True)
class EvidenceBound(Objective):
    """−ELBO in nats, of generator and encoder alike: −E_P E_q log p(x|G(z)) + E_P KL(q(z|x) ‖ N(0, I)), with one z a point
    (Kingma and Welling 2014, equation 10). Sums over all numbers of a point and of a latent, means over points."""

    players: ClassVar[tuple[str, ...]] = ("generator", "encoder")

    likelihood: Bernoulli | Normal | ByKind = ByKind()

    def generator(self, real: Tensor, reconstruction: Tensor, posterior: tuple[Tensor, Tensor]) -> Tensor:
        return (divergence(*posterior) - self.likelihood.log(real, reconstruction)).mean()

    def encoder(self, real: Tensor, reconstruction: Tensor, posterior: tuple[Tensor, Tensor]) -> Tensor:
        return self.generator(real, reconstruction, posterior)


def divergence(mean: Tensor, deviation: Tensor) -> Tensor:
    """KL(N(μ, diag σ²) ‖ N(0, I)) = ½ Σ (μ² + σ² − log σ² − 1): [n]."""
    return 0.5 * (mean.square() + deviation.square() - 2 * torch.log(deviation) - 1).sum(1)
