"""Methods with a way back from samples to latents: their losses written out, their optima in closed form."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from saddlepoint import Budget, Settings, methods, train
from saddlepoint.data import load
from saddlepoint.definitions import ConditionalGenerator, Labelled
from saddlepoint.errors import InputError
from saddlepoint.forward import joined, parted
from saddlepoint.latents import Gaussian, Uniform
from saddlepoint.networks import DCGAN, MLP, Encoding, Joint, LabelledGenerator, Representing, Variational
from saddlepoint.objectives import (
    Bidirectional,
    LogOdds,
    Weighted,
)
from saddlepoint.penalties import R1
from saddlepoint.treatments import InstanceNoise
from small_games import batch, close, evaluated, networks, play, small

double = pytest.mark.usefixtures("double")
PAIRED = ("ali", "bigan", "veegan")


# -- pairs ------------------------------


@double
def test_losses_of_ali_written_out() -> None:
    found, net, rows = evaluated(small(methods.get("ali")))
    x, z = rows["real"], rows["latent"]
    data = net["discriminator"]((x, net["encoder"](x)))["score"]
    made = net["discriminator"]((net["generator"](z), z))["score"]
    expected = {
        "generator": -logsigmoid(made).mean(),
        "encoder": -logsigmoid(-data).mean(),
        "discriminator": -logsigmoid(data).mean() - logsigmoid(-made).mean(),
    }
    close(found, expected)
    again, _, _ = evaluated(replace(small(methods.get("bigan")), name="ali"))
    close(again, expected)


@double
def test_losses_of_veegan_are_those_of_its_algorithm_under_the_opposite_sign() -> None:
    """P18: in the paper D is high for (z, G(z)); here s = −D. The encoder's loss holds no discriminator."""
    found, net, rows = evaluated(small(methods.get("veegan")))
    x, z = rows["real"], rows["latent"]
    fake = net["generator"](z)

    def judge(code: Tensor, point: Tensor) -> Tensor:
        return -net["discriminator"]((point, code))["score"]

    around = (z - net["encoder"](fake)).square().sum(1).mean()
    close(
        found,
        {
            "generator": judge(z, fake).mean() + around,
            "encoder": around,
            "discriminator": -(judge(z, fake).sigmoid().log()).mean()
            - (1 - judge(net["encoder"](x), x).sigmoid()).log().mean(),
        },
    )


@double
def test_at_the_optimal_discriminator_the_generator_of_log_odds_descends_the_reverse_divergence() -> None:
    """P = N(0, 1), Q = N(θ, 1): s = log p/q = θ²/2 − θx, KL(Q‖P) = θ²/2, slope θ."""
    x = torch.linspace(-12, 12, 4001)
    for shift in (0.3, 1.7):
        theta = torch.tensor(shift, requires_grad=True)
        density = torch.exp(-0.5 * (x - theta) ** 2)
        loss = LogOdds().generator(Weighted(shift**2 / 2 - shift * x, density))
        assert loss.item() == pytest.approx(shift**2 / 2, abs=1e-9)
        assert torch.autograd.grad(loss, theta)[0].item() == pytest.approx(shift, abs=1e-9)


def best(objective: Bidirectional, data: Tensor, made: Tensor) -> tuple[Tensor, float]:
    """The discriminator over a finite set of pairs that minimises its loss, and the loss."""
    score = torch.zeros_like(data, requires_grad=True)
    rule = torch.optim.LBFGS(
        [score], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Any:
        rule.zero_grad()
        loss = objective.discriminator(Weighted(score, data), Weighted(score, made))
        loss.backward()
        return loss

    rule.step(closure)
    return score.detach(), closure().item()


@double
def test_the_discriminator_of_pairs_measures_the_divergence_of_the_joint_distributions() -> None:
    """Over 3 × 4 pairs (x, z): s = log p(x, z)/q(x, z), L_D = log 4 − 2 JSD. Moving encodings q(z|x) against L_E then moves
    the joint of data by the slope of −E log(1 − D)."""
    source = torch.Generator().manual_seed(0)
    data, made = (torch.rand(12, generator=source) + 0.05 for _ in range(2))
    data, made = data / data.sum(), made / made.sum()
    score, value = best(Bidirectional(), data, made)
    torch.testing.assert_close(score, data.log() - made.log(), rtol=0, atol=1e-5)
    assert value == pytest.approx(math.log(4) - 2 * jensenshannon(data, made) ** 2, abs=1e-10)
    assert Bidirectional().encoder(Weighted(score, data)).item() == pytest.approx(
        (data * (1 + data / made).log()).sum().item(), abs=1e-5
    )


@double
def test_the_discriminator_of_pairs_cannot_win_if_and_only_if_the_encoder_inverts_the_generator() -> None:
    """Three latents, three points, G a bijection, and every encoder that is one."""
    generator = (2, 0, 1)  # G(z)
    made = torch.zeros(3, 3)
    for z, x in enumerate(generator):
        made[x, z] = 1 / 3
    for encoder in permutations(range(3)):
        data = torch.zeros(3, 3)
        for x, z in enumerate(encoder):
            data[x, z] = 1 / 3
        inverts = all(encoder[generator[z]] == z for z in range(3))
        shared = (data * made > 0).double().sum() / 3  # JSD of equal weights on equal or disjoint pairs
        expected = math.log(4) * shared.item()
        assert best(Bidirectional(), data.flatten(), made.flatten())[1] == pytest.approx(expected, abs=1e-3)
        assert inverts == (expected == pytest.approx(math.log(4)))


@pytest.mark.parametrize("name", PAIRED)
def test_penalties_and_treatments_of_pairs(name: str) -> None:
    """R1 sees the slope in both members; noise is put on the sample alone, and none of it changes nothing."""
    method = replace(small(methods.get(name)), terms=(R1(2.0), *methods.get(name).terms))
    game, state = play(method)
    rows = batch(game)
    info = game.losses(("discriminator",), state.players, state.memory, rows)[1].info
    net = networks(method)
    x = rows["real"].requires_grad_()
    code = net["encoder"](x).detach().requires_grad_()
    score = net["discriminator"]((x, code))["score"].sum()
    slopes = torch.autograd.grad(score, (x, code))
    expected = sum(s.square().sum(1) for s in slopes).mean()
    torch.testing.assert_close(info["term/R1"], expected)
    assert slopes[1].norm() > 1e-2
    still, _ = play(replace(method, treatments=(InstanceNoise(0.0),)))
    loud, _ = play(replace(method, treatments=(InstanceNoise(1.0),)))
    at = (("discriminator",), state.players, state.memory, batch(loud))
    plain, kept, moved = (g.losses(*at)[0]["discriminator"] for g in (game, still, loud))
    torch.testing.assert_close(kept, plain)
    assert (moved - plain).abs() > 1e-3


def test_pairs_are_joined_and_parted_again() -> None:
    one, other = ((torch.randn(3, 2), torch.randn(3, 4)) for _ in range(2))
    again = parted(joined([one, other]), 2)
    for pair, found in zip((one, other), again, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(pair, found, strict=True))


# -- networks, runs, errors ------------------------------


@pytest.mark.parametrize("base", [MLP(width=8), DCGAN(width=4)])
def test_encoders_go_round_any_pair(base: Any) -> None:
    shape, rows = (1, 16, 16), torch.randn(6, 1, 16, 16).tanh()
    for pair, outputs in ((Joint(Encoding(base)), 5), (Variational(base), 10)):
        assert pair.build(shape, 5)["encoder"](rows).shape == (6, outputs)
    joint = Joint(Encoding(base)).build(shape, 5)["discriminator"].eval()
    code = torch.randn(6, 5)
    first, second = (joint((rows, c))["score"] for c in (code, code + 1))
    assert first.shape == (6,)
    assert (first - second).abs().min() > 0
    made = Representing(base, numbers=7).build(shape, 5)
    assert made["decoder"](made["representation"](rows)).shape == rows.shape


def test_statistics_of_an_encoder_move_when_it_moves() -> None:
    method = replace(small(methods.get("mdgan-regularized")), latent=Gaussian(5))
    real = {"real": torch.randn(8, 1, 16, 16)}
    game = method.game(Encoding(DCGAN(width=4)).build((1, 16, 16), 5), real)
    assert any(name.endswith("running_mean") for name in game.networks["encoder"].moving)


@pytest.mark.parametrize("name", ["ali", "veegan", "mdgan-manifold"])
def test_runs_sample_and_judge_like_any_other(name: str, tmp_path: Path) -> None:
    run = train(
        methods.get(name),
        "digits",
        MLP(width=16),
        out=tmp_path / "run",
        budget=Budget(steps=4),
        settings=Settings(batch_size=32, pictures=0, evaluations=0, threads=1),
        quiet=True,
    )
    assert run.sample(5).shape == (5, 1, 8, 8)
    judged = run.model().judge(run.data.training(6)["real"])
    assert judged.shape == (6,)
    assert torch.isfinite(judged).all()


def test_a_posterior_is_of_a_gaussian_prior() -> None:
    method = replace(methods.get("vae"), latent=Uniform(3))
    with pytest.raises(
        InputError, match=r"Posterior is for a latent Gaussian\(…\), and that of vae is Uniform\(size=3\)"
    ):
        method.game(
            {player: nn.Identity() for player in method.dynamics.optimizers}, {"real": torch.zeros(8, 2)}
        )


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [("ali", 4, 3), ("veegan", 4, 3), ("mdgan-regularized", 2, 3), ("mdgan-manifold", 4, 3), ("vae", 3, 6)],
)
def test_an_encoder_of_the_wrong_size_is_said_in_a_sentence(name: str, given: int, wanted: int) -> None:
    method = small(methods.get(name))
    wrong = {**networks(method), "encoder": nn.Linear(2, given)}
    sentence = f"the encoder returns {given} numbers a sample, and latents of 3 numbers need {wanted}"
    with pytest.raises(InputError, match=sentence):
        method.game(wrong, {"real": torch.randn(8, 2)})
    with pytest.raises(InputError, match=r"Encoder|Posterior"):  # points of another size
        method.game({**wrong, "encoder": nn.Linear(5, wanted)}, {"real": torch.randn(8, 2)})


def test_a_bound_whose_prior_is_no_encoder_s_is_missing_it() -> None:
    method = replace(small(methods.get("vae")))
    with pytest.raises(InputError, match="'encoder', but the networks given are generator"):
        method.game({"generator": nn.Linear(3, 2)}, {"real": torch.randn(8, 2)})


def test_a_reconstruction_is_made_for_the_label_of_its_row() -> None:
    """A generator that returns its label: x̂ of row i is the label of row i, whatever the encoder says."""
    base = methods.get("ali")
    method = replace(
        base, latent=Gaussian(3), definitions=(Labelled(), ConditionalGenerator(), *base.definitions)
    )
    pair = LabelledGenerator(MLP(width=8, features=True))
    modules = Joint(Encoding(pair)).build((2,), 3, 8)
    data = load("ring").training(32)
    assert method.game(modules, data).found.given == {"label"}

    class Labels(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Parameter(torch.ones(()))

        def forward(self, latent: Tensor, label: Tensor) -> Tensor:
            return self.one * label.unsqueeze(1) + 0 * latent[:, :2]

    game = method.game({**modules, "generator": Labels()}, data)
    players, memory = game.init(0, data)
    batch = {**data, "latent": torch.randn(32, 3), "clock": {"step": 0, "images": 0, "progress": 0.0}}
    made = game.evaluation(players, memory, batch)["reconstruction"]
    assert torch.equal(made, data["label"].float().unsqueeze(1).expand(-1, 2))
