"""Lower bounds on mutual information from a model that recognises: q(c|x) of a code, e(z|x) of latents."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from saddlepoint.errors import InputError
from saddlepoint.metrics.judge import Standardised
from saddlepoint.metrics.models import Generate, made
from saddlepoint.metrics.samples import matrix
from saddlepoint.random import generator, key


@dataclass(frozen=True)
class Recognition:
    """The codes of a run and the head of its discriminator that recognises them.

    categorical: how many values each categorical code has; their logits come first. entropy: H(c) of all codes in nats.
    recognise: rows to [n, Σ categorical + continuous]. drawn: (n, seed) to log q(c|G(z, c)) of n draws, [n].
    """

    categorical: tuple[int, ...]
    entropy: float
    recognise: Generate
    drawn: Callable[[int, int], Tensor]


def mutual_information_bound(*, log_probabilities: Tensor, entropy: float) -> float:
    """L_I = E log q(c|x) + H(c) ≤ I(c; x), in nats (Chen et al. 2016, InfoGAN, eq. 5).

    log_probabilities [n]: of the code with which each sample was made, by the recognition network; densities for codes
    on a continuum. entropy: of the code's own distribution (`categorical_entropy`, `uniform_entropy`), by which a
    discrete code bounds the number from above. Higher is better.
    """
    return float(matrix("log-probabilities", log_probabilities).double().mean()) + entropy


def categorical_entropy(probabilities: Tensor) -> float:
    """H = −Σ p ln p in nats; ln K for K equally likely codes."""
    if probabilities.dim() != 1 or not bool((probabilities >= 0).all()) or not probabilities.sum() > 0:
        raise InputError("probabilities of a code are [K], none below 0 and not all 0.")
    p = probabilities.double() / probabilities.double().sum()
    return -float(torch.special.xlogy(p, p).sum())


def uniform_entropy(low: float = -1.0, high: float = 1.0, dimensions: int = 1) -> float:
    """h = d ln(high − low) in nats, of d independent codes uniform on [low, high]: not that of a Gaussian, which
    published code of InfoGAN takes."""
    if not low < high:
        raise InputError(f"a code uniform on [{low}, {high}] has no entropy; low has to be below high.")
    return dimensions * math.log(high - low)


def majority_accuracy(*, codes: Tensor, labels: Tensor) -> float:
    """Share of samples whose label is the most frequent one among the samples of their code; int64 [n] each.

    Chen et al. 2016 take it as disentanglement of a categorical code. At least the share of the largest class; 1 where
    every code means one class, also where several codes mean the same.
    """
    return float(majority_hits(codes=codes, labels=labels).mean())


def majority_hits(*, codes: Tensor, labels: Tensor) -> Tensor:
    """1 or 0 for each sample: has it the label most frequent with its code? float64 [n]."""
    if codes.shape != labels.shape or codes.dim() != 1 or not len(codes):
        raise InputError(
            f"codes have shape {tuple(codes.shape)} and labels {tuple(labels.shape)}; both have to be [n]."
        )
    kinds, code = codes.unique(return_inverse=True)
    classes, label = labels.unique(return_inverse=True)
    table = torch.zeros(len(kinds), len(classes), dtype=torch.int64)
    table.index_put_((code, label), torch.ones_like(code), accumulate=True)
    return (table.argmax(1)[code] == label).double()


@dataclass(frozen=True)
class Encoder:
    """e(z|x) = N(μ(x), diag σ²(x)), a network of two hidden layers of SiLU, trained by Adam on fresh samples of the
    generator at every step; σ is at least `floor`, so that a generator without noise has a bound."""

    width: int = 128
    steps: int = 500
    batch: int = 128
    rate: float = 2e-3
    floor: float = 1e-2

    def trained(self, generate: Generate, latents: int, seed: int) -> nn.Module:
        """The network that maximises E log e(z|G(z)), z ~ N(0, I) in `latents` dimensions."""
        source = generator("cpu", "encoder", seed)
        z = torch.randn(1000, latents, generator=source)
        network = self._network(made(generate, z).flatten(1), latents, seed)
        optimiser = torch.optim.Adam(network.parameters(), lr=self.rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps)
        for _ in range(self.steps):
            z = torch.randn(self.batch, latents, generator=source)
            loss = -self.log_densities(network, made(generate, z).flatten(1), z).mean()
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
        return network

    def log_densities(self, network: nn.Module, rows: Tensor, latents: Tensor) -> Tensor:
        """log e(z|x) of each pair: [n]."""
        mean, raw = network(rows).chunk(2, 1)
        spread = nn.functional.softplus(raw) + self.floor
        return torch.distributions.Normal(mean, spread).log_prob(latents).sum(1)

    def _network(self, rows: Tensor, latents: int, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key("encoder", seed))
            hidden = (
                nn.Linear(rows.shape[1], self.width),
                nn.SiLU(),
                nn.Linear(self.width, self.width),
                nn.SiLU(),
            )
            return nn.Sequential(Standardised(rows), *hidden, nn.Linear(self.width, 2 * latents))


def latent_information(
    *, generate: Generate, latents: int, seed: int, n: int = 2000, encoder: Encoder = Encoder()
) -> Tensor:
    """log e(z|G(z)) − log p(z) of n latents that the encoder has not seen, float64 [n] in nats.

    Their mean is GILBO (Alemi and Fischer 2018, eq. 3): max_e E log e(z|x) − log p(z) ≤ I(X; Z), with the generator
    frozen and z ~ N(0, I). A lower bound by one family of encoders; 0 where samples say nothing about their latents.
    """
    network = encoder.trained(generate, latents, seed)
    z = torch.randn(n, latents, generator=generator("cpu", "gilbo", seed))
    with torch.no_grad():
        found = encoder.log_densities(network, made(generate, z).flatten(1), z)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    return (found - prior).double()
