"""Metrics and densities as games: features of points and of networks, the witness under a gradient penalty, noise ratios."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor, nn

from saddlepoint.bound import MethodGame
from saddlepoint.definitions import NoiseRatio, PointFeatures, Witness
from saddlepoint.dynamics import Alternating
from saddlepoint.errors import InputError
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.objectives import (
    MMD,
    DistanceKernel,
    Kernel,
    Metric,
    NoiseContrastive,
    RationalQuadratic,
    Sinkhorn,
)
from saddlepoint.optim import SGD
from saddlepoint.penalties import GradientPenalty
from small_games import batch

pytestmark = pytest.mark.usefixtures("double")

BOTH = Alternating({"generator": SGD(0.1), "discriminator": SGD(0.1)})
ALONE = Alternating({"generator": SGD(0.1)}, steps={"generator": 1})


class Heads(nn.Module):
    """A discriminator that shows its last hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.last = nn.Linear(2, 5), nn.Linear(5, 1)

    def forward(self, point: Tensor) -> dict[str, Tensor]:
        features = torch.tanh(self.hidden(point))
        return {"score": self.last(features)[:, 0], "features": features}


def modules() -> dict[str, nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return {
            "generator": nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)),
            "discriminator": Heads(),
        }


def play(
    method: Method, networks: dict[str, nn.Module], execution: Execution = Plain()
) -> tuple[MethodGame, dict[str, Tensor], Any, dict[str, Any]]:
    reference = {"real": torch.randn(8, 2, generator=torch.Generator().manual_seed(1))}
    game = method.game(networks, reference, execution=execution)
    players, memory = game.init(0, reference)
    return game, players, memory, batch(game)


def flat(loss: Tensor, module: nn.Module) -> Tensor:
    parts = torch.autograd.grad(loss, list(module.parameters()), allow_unused=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


def ordered(game: MethodGame, name: str, vector: Tensor, module: nn.Module) -> Tensor:
    """A player's vector in the order of the module's parameters."""
    named = game.networks[name].layout.named(vector)
    return torch.cat([named[n].flatten() for n, _ in module.named_parameters()])


@pytest.mark.parametrize("metric", [MMD(), MMD(DistanceKernel()), Sinkhorn(iterations=10)], ids=repr)
def test_a_metric_on_the_points_needs_no_discriminator(metric: Metric) -> None:
    method = Method("x", objective=metric, definitions=(PointFeatures(),), latent=Gaussian(3), dynamics=ALONE)
    nets = {"generator": modules()["generator"]}
    game, players, memory, data = play(method, nets)
    assert game.players == ("generator",)
    assert game.needs(("generator",)) == {"real", "latent"}
    found, _ = game.gradients(("generator",), players, memory, data)
    expected = flat(metric.distance(data["real"], nets["generator"](data["latent"])), nets["generator"])
    torch.testing.assert_close(ordered(game, "generator", found["generator"], nets["generator"]), expected)


@pytest.mark.parametrize("kernel", [DistanceKernel(), RationalQuadratic()], ids=repr)
@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=lambda e: type(e).__name__)
def test_the_critic_of_learned_features_is_penalised_by_its_witness(
    kernel: Kernel, execution: Execution
) -> None:
    """L_D = −MMD²(φ(x), φ(G(z))) + λ E(‖∇ witness(x̂)‖ − 1)², everything written out once more."""
    method = Method(
        "x",
        objective=MMD(kernel),
        terms=(GradientPenalty(weight=3.0),),
        definitions=(Witness(kernel),),
        latent=Gaussian(3),
        dynamics=BOTH,
    )
    nets = modules()
    game, players, memory, data = play(method, nets, execution)
    found, _ = game.gradients(("discriminator",), players, memory, data)
    real, fake, mix = data["real"], nets["generator"](data["latent"]).detach(), data["mix"][:, None]
    phi = lambda point: nets["discriminator"](point)["features"]  # noqa: E731
    at = (mix * real + (1 - mix) * fake).requires_grad_()

    def k(a: Tensor, b: Tensor) -> Tensor:
        return kernel((a[:, None] - b).square().sum(-1))

    witness = k(phi(at), phi(real)).mean(1) - k(phi(at), phi(fake)).mean(1)
    slope = torch.autograd.grad(witness.sum(), at, create_graph=True)[0].square().sum(1).add(1e-12).sqrt()
    within = [(k(f, f).sum() - k(f, f).diagonal().sum()) / 56 for f in (phi(real), phi(fake))]
    distance = within[0] + within[1] - 2 * k(phi(real), phi(fake)).mean()
    expected = flat(-distance + 3 * (slope - 1).square().mean(), nets["discriminator"])
    mine = ordered(game, "discriminator", found["discriminator"], nets["discriminator"])
    torch.testing.assert_close(mine, expected, rtol=1e-6, atol=1e-8)


def test_features_that_nobody_shows_are_refused_in_one_sentence() -> None:
    plain = {**modules(), "discriminator": nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))}
    method = Method("x", objective=MMD(), latent=Gaussian(3), dynamics=BOTH)
    with pytest.raises(InputError, match="asks for real_features, but the discriminator returns score only"):
        play(method, plain)


# -- densities ------------------------------


class Scaled(nn.Module):
    """z -> scale·z: the noise."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, latent: Tensor) -> Tensor:
        return self.scale * latent


class Density(nn.Module):
    """log N(mean, I) + c."""

    def __init__(self) -> None:
        super().__init__()
        self.mean, self.log_c = nn.Parameter(torch.tensor([0.4, -0.2])), nn.Parameter(torch.tensor(0.3))

    def forward(self, point: Tensor) -> Tensor:
        return -0.5 * (point - self.mean).square().sum(1) - math.log(math.tau) + self.log_c


def test_a_density_is_played_against_noise() -> None:
    """The model's gradient is Σ (σ(s) − 1)∇log p over data and Σ σ(s)∇log p over noise, s = log p − log p_noise."""
    method = Method(
        "x",
        objective=NoiseContrastive(),
        definitions=(NoiseRatio(scale=1.5),),
        latent=Gaussian(2),
        dynamics=Alternating({"model": SGD(0.1)}, steps={"model": 1}),
    )
    nets = {"model": Density()}
    game, players, memory, data = play(method, nets)
    found, _ = game.gradients(("model",), players, memory, data)
    noise = 1.5 * data["noise"]
    total = torch.zeros(3)
    for points, target in ((data["real"], 1.0), (noise, 0.0)):
        log_noise = multivariate_normal(mean=[0, 0], cov=1.5**2).logpdf(points.numpy())
        residue = torch.sigmoid(nets["model"](points).detach() - torch.tensor(log_noise)) - target
        total += torch.cat(
            [(residue[:, None] * (points - nets["model"].mean)).mean(0), residue.mean()[None]]
        ).detach()
    torch.testing.assert_close(ordered(game, "model", found["model"], nets["model"]), total)
