"""Quantities of methods with a way back from samples to latents, as values for `Method.definitions`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from saddlepoint.errors import InputError
from saddlepoint.forward import Definition, record
from saddlepoint.latents import Gaussian
from saddlepoint.penalties.base import per_point


@dataclass(frozen=True)
class Encoder(Definition):
    """The player `encoder` takes points to latents, E: [n, *shape] -> [n, latent].

    `encoding` E(x), `reconstruction` G(E(x)), `fake_encoding` E(G(z)), `prior_code` z as the generator gets it. What else the
    generator takes, such as the label of the row, stands in the reconstruction too.
    """

    def prior_code(self, generator_input: tuple[Any, ...]) -> Tensor:
        code: Tensor = generator_input[0]
        return code

    def encoding(self, encoder: Callable[..., Tensor], real: Tensor) -> Tensor:
        return encoder(real)

    def fake_encoding(self, encoder: Callable[..., Tensor], fake: Tensor) -> Tensor:
        return encoder(fake)

    def reconstruction(
        self, generator: Callable[..., Tensor], encoding: Tensor, beside: tuple[Any, ...]
    ) -> Tensor:
        return generator(encoding, *beside)

    def check(self, encoding: Tensor, prior_code: Tensor) -> None:  # type: ignore[override]
        _same_size(encoding, prior_code, 1)


@dataclass(frozen=True)
class Pairs(Definition):
    """The discriminator judges points beside their latents: (x, E(x)) of data and (G(z), z) of samples. Follows
    `Encoder`; gradient penalties differentiate both members, treatments act on the first."""

    def real_point(self, real_point: Tensor, encoding: Tensor) -> tuple[Tensor, Tensor]:
        return real_point, encoding

    def fake_point(self, fake_point: Tensor, prior_code: Tensor) -> tuple[Tensor, Tensor]:
        return fake_point, prior_code


@dataclass(frozen=True)
class Posterior(Definition):
    """The player `encoder` gives q(z|x) = N(μ, diag σ²): [n, *shape] -> [n, 2 latent], μ beside ρ, σ = 1e-6 + sp(ρ).

    `posterior` (μ, σ), `posterior_code` z = μ + σε, `reconstruction` G(z). ε is the draw of the prior.
    """

    prior: ClassVar[type] = Gaussian

    def posterior(self, encoder: Callable[..., Tensor], real: Tensor) -> tuple[Tensor, Tensor]:
        mean, raw = encoder(real).chunk(2, 1)
        return mean, 1e-6 + softplus(raw)

    def posterior_code(self, posterior: tuple[Tensor, Tensor], latent: Tensor) -> Tensor:
        mean, deviation = posterior
        return mean + deviation * latent

    def reconstruction(
        self, generator: Callable[..., Tensor], posterior_code: Tensor, beside: tuple[Any, ...]
    ) -> Tensor:
        return generator(posterior_code, *beside)

    def check(self, encoder: Callable[..., Tensor], real: Tensor, latent: Tensor) -> None:  # type: ignore[override]
        _same_size(encoder(real), latent, 2)


@dataclass(frozen=True)
class Diffusion(Definition):
    """What the discriminator is to take samples for are reconstructions, not data: `real_point` G(E(x)). The network
    `manifold` judges `data_verdict` and `reconstruction_verdict`, x and G(E(x)) (Che et al. 2017). Follows `Encoder`."""

    replaces: ClassVar[tuple[str, ...]] = ("real_point",)

    def real_point(self, reconstruction: Tensor) -> Tensor:
        return reconstruction

    def data_verdict(self, manifold: Callable[..., Any], real: Tensor) -> Tensor:
        return per_point(record(manifold(real))["score"])

    def reconstruction_verdict(self, manifold: Callable[..., Any], reconstruction: Tensor) -> Tensor:
        return per_point(record(manifold(reconstruction))["score"])


@dataclass(frozen=True)
class Decoded(Definition):
    """`reconstruction` of data by the networks `representation` and `decoder`."""

    def reconstruction(
        self, representation: Callable[..., Tensor], decoder: Callable[..., Tensor], real: Tensor
    ) -> Tensor:
        return decoder(representation(real))


@dataclass(frozen=True)
class Represented(Definition):
    """The discriminator sees a point beside what the network `representation` makes of it. Where no optimiser moves that
    network it is constant, and gradients pass through it to the point."""

    def discriminator(
        self, discriminator: Callable[..., Any], representation: Callable[..., Tensor]
    ) -> Callable[..., Any]:
        return lambda point, *condition: discriminator((point, representation(point)), *condition)


def _same_size(found: Tensor, latent: Tensor, each: int) -> None:
    wanted = each * latent.shape[1]
    if found.shape != (len(latent), wanted):
        raise InputError(
            f"the encoder returns {'x'.join(map(str, found.shape[1:]))} numbers a sample, and latents of "
            f"{latent.shape[1]} numbers need {wanted}"
        )
