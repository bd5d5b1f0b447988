"""Reconstructions: the variational bound, mode regularisation, features of an autoencoder that is trained before."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from saddlepoint import Budget, Run, Settings, methods, train
from saddlepoint.data import load
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method, Stage
from saddlepoint.networks import MLP
from saddlepoint.objectives import (
    Bernoulli,
    ByKind,
    EvidenceBound,
    Normal,
)
from saddlepoint.penalties import R1, ModeRegulariser, Reconstruction
from saddlepoint.plan import Plan
from small_games import batch, close, differing, evaluated, networks, play, small
from workers.games import Played

double = pytest.mark.usefixtures("double")


# -- the variational bound ------------------------------


class Linear(nn.Module):
    """A decoder Wz + b with orthogonal columns, so that the posterior's covariance is diagonal."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, -0.4], [2.0, 0.2], [0.5, 0.0]]))
        self.bias = nn.Parameter(torch.tensor([0.3, -1.0, 0.2]))

    def forward(self, code: Tensor) -> Tensor:
        return code @ self.weight.T + self.bias


def inverse(decoder: Linear, scale: float, off: float = 0.0) -> nn.Linear:
    """The encoder of the exact posterior N(ΣWᵀ(x − b)/s², Σ), Σ = (I + WᵀW/s²)⁻¹; `off` added to its means."""
    covariance = torch.linalg.inv(torch.eye(2) + decoder.weight.T @ decoder.weight / scale**2).detach()
    gain = covariance @ decoder.weight.T.detach() / scale**2
    encoder = nn.Linear(3, 4)
    raw = torch.expm1(covariance.diag().sqrt() - 1e-6).log()  # softplus⁻¹
    with torch.no_grad():
        encoder.weight.copy_(torch.cat([gain, torch.zeros(2, 3)]))
        encoder.bias.copy_(torch.cat([off - gain @ decoder.bias, raw]))
    return encoder


def bound(scale: float, off: float) -> tuple[Tensor, Tensor, Linear, Tensor]:
    """The loss of the game, its gradient in the decoder, the decoder and the points. The four points ±√2 e_i have the
    mean and covariance of N(0, I), and so give expectations of quadratics exactly."""
    decoder = Linear()
    encoder = inverse(decoder, scale, off)
    points = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    noise = math.sqrt(2) * torch.cat([torch.eye(2), -torch.eye(2)])
    rows = {"real": points.repeat_interleave(4, 0), "latent": noise.repeat(5, 1), "clock": {}}
    method = replace(
        methods.get("vae"), latent=Gaussian(2), objective=EvidenceBound(ByKind(vectors=Normal(scale)))
    )
    game = method.game({"generator": decoder, "encoder": encoder}, {"real": points})
    players, memory = game.init(0, {"real": points})
    found = game.losses(game.players, players, memory, rows)[0]
    torch.testing.assert_close(found["generator"], found["encoder"])
    slope = game.gradients(game.players, players, memory, rows)[0]["generator"]
    return found["generator"], slope, decoder, points


@double
@pytest.mark.parametrize("scale", [0.5, 1.3])
def test_the_bound_is_the_likelihood_where_the_posterior_is_exact(scale: float) -> None:
    """x ~ N(b, WWᵀ + s²I): value by scipy, gradient by torch's own density."""
    loss, slope, decoder, points = bound(scale, 0.0)
    covariance = decoder.weight @ decoder.weight.T + scale**2 * torch.eye(3)
    exact = multivariate_normal(decoder.bias.detach().numpy(), covariance.detach().numpy())
    assert -loss.item() == pytest.approx(exact.logpdf(points.numpy()).mean(), abs=1e-9)
    density = torch.distributions.MultivariateNormal(decoder.bias, covariance)
    likelihood = -density.log_prob(points).mean()
    expected = torch.autograd.grad(likelihood, (decoder.weight, decoder.bias))
    torch.testing.assert_close(slope, torch.cat([g.flatten() for g in expected]), rtol=1e-6, atol=1e-6)


@double
def test_the_bound_is_short_by_the_divergence_from_the_posterior() -> None:
    """Means that are off by δ in both coordinates: KL = ½ Σ δ²/Σ_ii."""
    scale, off = 0.7, 0.2
    exact, _, decoder, _ = bound(scale, 0.0)
    precision = torch.eye(2) + decoder.weight.T @ decoder.weight / scale**2
    short = 0.5 * off**2 * precision.diag().sum()
    assert (bound(scale, off)[0] - exact).item() == pytest.approx(short.item(), abs=1e-8)


def test_the_likelihood_of_images_sums_over_height_width_and_channels() -> None:
    """P21: 3 channels of independent pixels have three times the cost of one. Binary images against torch's own."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(4, 3, 5, 5, generator=generator).round() * 2 - 1
    decoded = torch.rand(4, 3, 5, 5, generator=generator) * 1.9 - 0.95
    expected = torch.distributions.Bernoulli((decoded + 1) / 2).log_prob((image + 1) / 2).sum((1, 2, 3))
    torch.testing.assert_close(Bernoulli().log(image, decoded), expected)
    torch.testing.assert_close(ByKind().log(image, decoded), expected)
    one = Bernoulli().log(image[:, :1], decoded[:, :1])
    tripled = Bernoulli().log(image[:, :1].repeat(1, 3, 1, 1), decoded[:, :1].repeat(1, 3, 1, 1))
    torch.testing.assert_close(tripled, 3 * one)
    vectors = torch.randn(4, 7, generator=generator), torch.randn(4, 7, generator=generator)
    torch.testing.assert_close(
        ByKind(vectors=Normal(0.4)).log(*vectors),
        torch.distributions.Normal(vectors[1], 0.4).log_prob(vectors[0]).sum(1),
    )


def test_the_game_of_the_bound_has_no_discriminator() -> None:
    game, _ = play(small(methods.get("vae")))
    assert set(game.networks) == {"generator", "encoder"}


# -- mode regularisation ------------------------------


@double
def test_losses_of_the_regularised_gan_written_out() -> None:
    """Taking reconstructions for data is rewarded: −log D(G(E(x))) falls with the score."""
    method = replace(
        small(methods.get("mdgan-regularized")), terms=(Reconstruction(0.3), ModeRegulariser(0.7))
    )
    found, net, rows = evaluated(method)
    x, fake = rows["real"], net["generator"](rows["latent"])
    back = net["generator"](net["encoder"](x))
    own = 0.3 * (x - back).square().mean() - 0.7 * logsigmoid(net["discriminator"](back)).mean()
    close(
        found,
        {
            "generator": -logsigmoid(net["discriminator"](fake)).mean() + own,
            "encoder": own,
            "discriminator": -logsigmoid(net["discriminator"](x)).mean()
            - logsigmoid(-net["discriminator"](fake)).mean(),
        },
    )
    score = torch.zeros(4, requires_grad=True)
    ModeRegulariser(1.0).of(x, lambda point: score).backward()
    assert (score.grad < 0).all()  # type: ignore[operator]


def test_without_weights_the_regularised_gan_is_its_base() -> None:
    method = small(methods.get("mdgan-regularized"))
    free = replace(method, terms=(Reconstruction(0.0), ModeRegulariser(0.0)))
    bare = replace(small(methods.get("gan")), networks=None)
    found = []
    for one in (free, bare):
        game, state = play(one)
        players = {**state.players, **play(bare)[1].players}  # the same networks but for the encoder
        found.append(game.gradients(("generator",), players, state.memory, batch(game))[0]["generator"])
    assert torch.equal(found[0], found[1])


@double
def test_losses_of_manifold_and_diffusion_written_out() -> None:
    method = small(methods.get("mdgan-manifold"))
    method = replace(method, objective=replace(method.objective, weight=0.3))
    found, net, rows = evaluated(method)
    x, fake = rows["real"], net["generator"](rows["latent"])
    back = net["generator"](net["encoder"](x))
    near, judge = net["manifold"], net["discriminator"]
    own = (x - back).square().mean() - 0.3 * logsigmoid(near(back)).mean()
    close(
        found,
        {
            "generator": -logsigmoid(judge(fake)).mean() + own,
            "encoder": own,
            "discriminator": -logsigmoid(judge(back)).mean() - logsigmoid(-judge(fake)).mean(),
            "manifold": -logsigmoid(near(x)).mean() - logsigmoid(-near(back)).mean(),
        },
    )


def test_where_the_discriminator_is_flat_the_distance_still_moves_the_generator() -> None:
    """Why M27 regularises: a discriminator that has won says nothing, reconstructions do."""
    moved = {}
    for name in ("gan", "mdgan-regularized"):
        game, state = play(small(methods.get(name)))
        players = {**state.players, "discriminator": torch.zeros_like(state.players["discriminator"])}
        found = game.gradients(("generator",), players, state.memory, batch(game))[0]
        moved[name] = found["generator"].norm()
    assert moved["gan"] == 0
    assert moved["mdgan-regularized"] > 1e-2


def test_the_bound_rises_on_digits() -> None:
    """M42, quickly: the loss falls from window to window of 30 steps, by more than it varies within the last."""
    plan = Plan(methods.get("vae"), load("digits"), MLP(width=64), Budget(steps=120), Settings(seed=0))
    played = Played(plan)
    losses = torch.stack([played.step()["loss/generator"] for _ in range(120)]).view(4, 30)
    windows = losses.mean(1)
    assert (windows[:-1] - windows[1:]).min() > losses[-1].std() / 30**0.5


# -- representative features ------------------------------

QUICK = Settings(seed=0, batch_size=32, pictures=0, evaluations=0, threads=1, checkpoint_steps=10, keep=20)


def staged(steps: int) -> Method:
    method = methods.get("rfgan")
    return replace(method, before=(Stage(method.before[0].method, steps),))


def saved(run: Run) -> dict[int, Any]:
    return {int(path.stem): run.folder.load(path, torch.device("cpu"))[0] for path in run.folder.saved()}


def test_the_representation_learns_before_and_stays_bit_for_bit_after(tmp_path: Path) -> None:
    run = train(
        staged(40),
        "ring",
        MLP(width=16),
        out=tmp_path / "run",
        budget=Budget(steps=80),
        settings=QUICK,
        quiet=True,
    )
    states = saved(run)
    during, first, end = states[40], states[50], states[80]
    assert set(during.players) == {"representation", "decoder"}
    assert set(end.players) == {"generator", "discriminator"}
    for name in ("representation", "decoder"):
        assert torch.equal(end.memory["fixed"][name], during.players[name])
        assert torch.equal(end.memory["fixed"][name], first.memory["fixed"][name])
        assert not torch.equal(states[10].players[name], during.players[name])
    assert not torch.equal(first.players["discriminator"], end.players["discriminator"])
    errors = [error(run, states[step].players) for step in (10, 40)]
    assert errors[1] < 0.9 * errors[0]
    reopened = run.model().judge(run.data.training(8)["real"])
    torch.testing.assert_close(reopened, scores(run, run.data.training(8)["real"]))


def test_a_run_that_stops_during_its_stage_samples_and_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    runs = []
    for name, budgets in (("whole", (30,)), ("parts", (7, 15, 30))):
        for steps in budgets:
            run = train(
                staged(10),
                "ring",
                MLP(width=16),
                out=tmp_path / name,
                budget=Budget(steps=steps),
                settings=QUICK,
                quiet=True,
            )
            assert run.sample(4).shape == (4, 2)
            assert Run.untrained(run).sample(4).shape == (4, 2)
        runs.append(run)
    assert not differing(runs[0].state, runs[1].state)


def modules(run: Run, vectors: dict[str, Tensor]) -> dict[str, Any]:
    made = run.plan.modules()
    for name, vector in vectors.items():
        made[name].load_state_dict(run.game.networks[name].layout.named(vector))
    return made


def error(run: Run, vectors: dict[str, Tensor]) -> float:
    """Of the autoencoder, on data."""
    made, x = modules(run, vectors), run.data.training(500)["real"]
    return float((x - made["decoder"](made["representation"](x))).detach().square().mean())


def scores(run: Run, x: Tensor) -> Tensor:
    """s(x, R(x)) of the networks by themselves."""
    made = modules(run, {**run.state.players, **run.state.memory["fixed"]})
    found: Tensor = made["discriminator"]((x, made["representation"](x)))["score"]
    return found


@double
def test_the_score_is_linear_in_the_representation_and_slopes_pass_through_it() -> None:
    """s(x, R(x)) = s(x) + w·R(x): R1 is that of the composition; the representation gets no part of it."""
    method = replace(small(methods.get("rfgan")), terms=(R1(2.0),))
    game, state = play(method)
    rows = batch(game)
    net: dict[str, Any] = networks(method)
    x = rows["real"].clone().requires_grad_()
    judge, represent = net["discriminator"], net["representation"]
    score = judge((x, represent(x)))["score"]
    torch.testing.assert_close(score, judge.network(x) + represent(x) @ judge.weigh.weight.squeeze(0))
    slope = torch.autograd.grad(score.sum(), x)[0]
    info = game.losses(("discriminator",), state.players, state.memory, rows)[1].info
    torch.testing.assert_close(info["term/R1"], slope.square().sum(1).mean())
    torch.testing.assert_close(info["score/real"], score.detach())
    alone = torch.autograd.grad(judge.network(x).sum(), x)[0]
    assert (slope - alone).norm() > 1e-2
