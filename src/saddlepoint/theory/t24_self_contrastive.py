"""T24: learning to be told from oneself is maximum likelihood at half speed, and a GAN's generator does something else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from saddlepoint.objectives import MaximumLikelihood, Minimax, NoiseContrastive, SelfContrastive, Weighted
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.quadrature import GRID, normal

PAIRS = (
    (0.5, 1.2),
    (1.5, 0.8),
    (-1.0, 0.6),
    (0.3, 2.0),
)  # mean and deviation of the model; the data are N(0, 1)
REAL = normal()
NOISE = normal(2.0, 2.0)


def log_density(parameters: Tensor, at: Tensor = GRID) -> Tensor:
    """Of N(μ, e^{2τ}) with parameters (μ, τ)."""
    mean, log_scale = parameters
    return -0.5 * ((at - mean) / log_scale.exp()).square() - log_scale - 0.5 * math.log(math.tau)


def likelihood(parameters: Tensor) -> Tensor:
    """KL(N(0, 1) ‖ N(μ, e^{2τ})) = τ + (1 + μ²)/(2e^{2τ}) − ½, which differs from −E_P log p by a constant."""
    mean, log_scale = parameters
    return log_scale + (1 + mean.square()) * (-2 * log_scale).exp() / 2 - 0.5


def contrasted(parameters: Tensor) -> Tensor:
    """The loss of self-contrastive estimation, expectations by quadrature over the data and the model's present density."""
    log = log_density(parameters)
    fake = log.detach().exp()
    return SelfContrastive().model(Weighted(log, REAL), Weighted(log, fake))


def stale(parameters: Tensor) -> Tensor:
    """Noise contrastive estimation, whose noise N(2, 4) is not the model's present density."""
    ratio = log_density(parameters) - NOISE.log()
    return NoiseContrastive().model(Weighted(ratio, REAL), Weighted(ratio, NOISE))


def generated(objective: Minimax | MaximumLikelihood) -> Callable[[Tensor], Tensor]:
    """The generator's loss for x = μ + e^τ z against its optimal discriminator log p/q, held."""

    def loss(parameters: Tensor) -> Tensor:
        mean, log_scale = parameters
        at = mean + log_scale.exp() * GRID
        score = -0.5 * at.square() - 0.5 * math.log(math.tau) - log_density(parameters.detach(), at)
        return objective.generator(Weighted(score, REAL))  # z is as N(0, 1) as the data

    return loss


def slope(loss: Callable[[Tensor], Tensor], parameters: Tensor) -> Tensor:
    found: Tensor = torch.func.grad(loss)(parameters)
    return found


def check() -> Sequence[Sides]:
    """Gradients in (μ, τ = log σ) by differentiation of the objectives under quadrature, against those of the closed form of
    KL(P‖model); both exact to about 1e-10.

    Over all models together, the cosine between gradients says whether one is a multiple of the other: it is 1 for the
    model's own copy as noise and below for noise N(2, 4), which stays, and for the minimax generator; the same generator with
    the cost −½e^s has ½ ∇KL."""
    found: list[Sides] = []
    rules: dict[str, Callable[[Tensor], Tensor]] = {
        "self-contrastive": contrasted,
        "generator with −½e^s": generated(MaximumLikelihood()),
        "noise contrastive": stale,
        "minimax generator": generated(Minimax()),
    }
    models = [torch.tensor([mean, math.log(deviation)], dtype=torch.float64) for mean, deviation in PAIRS]
    exact = [slope(likelihood, at) for at in models]
    for rule, loss in rules.items():
        slopes = [slope(loss, at) for at in models]
        cosine = float(cosine_similarity(torch.cat(slopes), torch.cat(exact), dim=0))
        if rule in ("noise contrastive", "minimax generator"):
            found.append(Sides(f"{rule}: cosine with likelihood", cosine, "<=", 0.999))
            continue
        found.append(Sides(f"{rule}: cosine with likelihood", cosine, "=", 1.0, 1e-9))
        for (mean, deviation), own, whole in zip(PAIRS, slopes, exact, strict=True):
            for number, axis in enumerate(("μ", "log σ")):
                what = f"{rule}, model N({mean:g}, {deviation:g}²): slope in {axis}"
                found.append(Sides(what, float(own[number]), "=", float(whole[number]) / 2, 1e-9))
    return found


CLAIM = Claim(
    id="T24",
    title="self-contrastive estimation",
    statement="noise contrastive estimation with a fresh copy of the model as noise has half the gradient of maximum "
    "likelihood; the gradient of a GAN's generator at the optimal discriminator is not a multiple of it",
    source="Goodfellow, On distinguishability criteria for estimating generative models, 2014, arXiv:1412.6515",
    check=check,
)
