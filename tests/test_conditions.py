"""Conditions, codes, packs and heads: what the networks are told, what they answer, and what comes of it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from command_line import QUICK, here
from saddlepoint import Budget, Settings, methods, train
from saddlepoint.data import load
from saddlepoint.definitions import Inpainting, Packing
from saddlepoint.dynamics import Alternating
from saddlepoint.errors import InputError
from saddlepoint.latents import Codes, Gaussian, Sphere
from saddlepoint.method import Method
from saddlepoint.networks import (
    DCGAN,
    MLP,
    Classifying,
    Concatenated,
    KPlusOne,
    LabelledGenerator,
    MinibatchDeviation,
    MinibatchDiscrimination,
    Packed,
    Painted,
    Projected,
    Recognising,
    ResNet,
)
from saddlepoint.networks.packed import Closeness
from saddlepoint.optim import Adam
from saddlepoint.penalties import R1, FakeClass, GradientPenalty, MutualInformation, RealClass
from saddlepoint.treatments import InstanceNoise
from small_games import ROWS, batch, play, small


def modules(pair: Any, shape: tuple[int, ...], latent: int = 5, classes: int = 3) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return pair.build(shape, latent, classes)


@pytest.mark.parametrize("base", [MLP(width=8), DCGAN(width=4), ResNet(width=4)])
@pytest.mark.parametrize(
    "wrap", [Concatenated, Projected, lambda base: LabelledGenerator(Classifying(base)), KPlusOne]
)
def test_labels_go_round_any_pair(base: Any, wrap: Any) -> None:
    """Samples and scores of the right shape; where a network is told the label, another label changes its answer."""
    shape, rows = (1, 16, 16), torch.randn(6, 1, 16, 16).tanh()
    pair = wrap(base)
    made = modules(pair, shape)
    generator, discriminator = made["generator"].eval(), made["discriminator"].eval()
    label, other = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([1, 2, 0, 1, 2, 0])
    latent = torch.randn(6, 5)
    if not isinstance(pair, KPlusOne):
        assert generator(latent, label).shape == rows.shape
        assert not torch.equal(generator(latent, label), generator(latent, other))
    if isinstance(pair, Concatenated | Projected):
        first, second = (score(discriminator(rows, chosen)) for chosen in (label, other))
        assert first.shape == (6,)
        assert not torch.equal(first, second)
    else:
        assert discriminator(rows)["class"].shape == (6, 3)


def score(output: Any) -> Tensor:
    return output["score"] if isinstance(output, dict) else output


def test_the_projection_is_an_inner_product_with_the_features() -> None:
    """s(x, y) − s(x, y') = <e_y − e_y', φ(x)>."""
    judge: Any = modules(Projected(MLP(width=8)), (2,))["discriminator"]
    point = torch.randn(4, 2)
    zero, one = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    features = judge.network(point)["features"]
    along = features @ (judge.embedding.weight[1] - judge.embedding.weight[0])
    torch.testing.assert_close(judge(point, one)["score"] - judge(point, zero)["score"], along)


def test_k_plus_one_logits_imply_the_score() -> None:
    """D = Z/(Z + 1) with Z = Σ exp l_k is σ(log Z): the softmax over the classes and a fake one with logit 0."""
    found = modules(KPlusOne(MLP(width=8)), (2,))["discriminator"](torch.randn(5, 2))
    with_fake = torch.cat([found["class"], torch.zeros(5, 1)], 1).softmax(1)
    torch.testing.assert_close(found["score"].sigmoid(), 1 - with_fake[:, -1])


def test_class_terms_are_cross_entropies_of_the_right_rows() -> None:
    logits, label = torch.randn(7, 4), torch.arange(7) % 4
    expected = -logits.log_softmax(1)[torch.arange(7), label].mean()
    torch.testing.assert_close(RealClass(2.0)(logits, label), 2 * expected)
    torch.testing.assert_close(FakeClass(0.5).of(logits, label), 0.5 * expected)


def test_mutual_information_is_the_entropy_when_the_code_is_known() -> None:
    """P20: H(c) = log 3 + log 5 + 2 log 2, the uniform prior's own entropy. With certain and right categorical answers and
    exact means L_I = H(c) − 2·½ log 2π; with answers that know nothing of the categories 0 nats come of them."""
    latent = Codes(noise=4, categorical=(3, 5), continuous=2)
    draws = {n: d.sample(4000, torch.Generator().manual_seed(0)) for n, d in latent.draws().items()}
    code = latent.code(draws["choice"], draws["place"])
    term = MutualInformation(categorical=(3, 5))
    certain = torch.cat([1e4 * code[:, :8], code[:, 8:]], 1)
    entropy = math.log(15) + 2 * math.log(2)
    assert term.bound(certain, code).item() == pytest.approx(entropy - math.log(math.tau), abs=1e-5)
    ignorant = torch.cat([torch.zeros(4000, 8), code[:, 8:]], 1)
    assert term.bound(ignorant, code).item() == pytest.approx(2 * math.log(2) - math.log(math.tau), abs=1e-5)
    assert term.of(certain, code).item() == pytest.approx(-term.bound(certain, code).item())
    with pytest.raises(InputError, match="as many outputs"):
        term(certain[:, :7], code)


def test_codes_are_drawn_as_their_prior_says() -> None:
    latent = Codes(noise=4, categorical=(3, 5), continuous=2)
    draws = {n: d.sample(30_000, torch.Generator().manual_seed(1)) for n, d in latent.draws().items()}
    code = latent.code(draws["choice"], draws["place"])
    assert code.shape[1] + 4 == latent.size
    for part, count in ((code[:, :3], 3), (code[:, 3:8], 5)):
        assert torch.equal(part.sum(1), torch.ones(30_000))
        assert (part.mean(0) - 1 / count).abs().max() < 5 * math.sqrt(1 / count / 30_000)
    assert code[:, 8:].abs().max() <= 1
    together = latent.generator_input((draws["latent"],), code)[0]
    torch.testing.assert_close(together, torch.cat([draws["latent"], code], 1))


def test_a_sphere_is_a_sphere() -> None:
    latent = Sphere(16)
    (point,) = latent.generator_input((torch.randn(9, 16),))
    torch.testing.assert_close(point.norm(dim=1), torch.full((9,), 4.0))


def test_infogan_without_weight_is_its_base() -> None:
    """The generator's gradient equals that of the game without the term."""
    method = small(methods.get("infogan"))
    free = replace(method, terms=(MutualInformation(categorical=(10,), weight=0.0),))
    bare = replace(method, terms=())
    found = []
    for one in (free, bare):
        game, state = play(one)
        found.append(game.gradients(("generator",), state.players, state.memory, batch(game))[0]["generator"])
    assert torch.equal(found[0], found[1])


def test_packs_of_one_are_the_base_bit_for_bit() -> None:
    for name in ("gan", "wgan-gp", "r3gan"):
        base = small(methods.get(name))
        packed = replace(base, definitions=(*base.definitions, Packing(1)), networks=Packed(rows=1))
        found = []
        for one in (base, packed):
            game, state = play(one)
            found.append(game.gradients(game.players, state.players, state.memory, batch(game))[0])
        for player in found[0]:
            assert torch.equal(found[0][player], found[1][player])


def test_a_pack_is_its_rows_side_by_side() -> None:
    """Images by channels, and treatments and penalties see packs: the slope is over the pack."""
    real = torch.arange(4 * 2 * 3 * 3.0).view(4, 2, 3, 3)
    packed = Packing(2).real_point(real)
    assert packed.shape == (2, 4, 3, 3)
    assert torch.equal(packed[1], torch.cat([real[2], real[3]]))
    with pytest.raises(InputError, match="packs of 3 do not divide a batch of 8"):
        play(replace(small(methods.get("pacgan")), definitions=(Packing(3),), networks=Packed(rows=3)))
    method = small(methods.get("pacgan"))
    rich = replace(method, terms=(GradientPenalty(10.0), R1(0.5)), treatments=(InstanceNoise(0.3),))
    game, state = play(rich)
    data = batch(game)
    losses, notes = game.losses(("discriminator",), state.players, state.memory, data)
    assert torch.isfinite(losses["discriminator"])
    assert notes.info["score/real"].shape == (ROWS // 2,)


@pytest.mark.parametrize("base", ["lsgan", "wgan-gp", "hinge"])
def test_codes_and_packs_go_with_other_bases(base: str) -> None:
    """PacGAN x InfoGAN x another objective as one value, and the head sees the packs' trunk."""
    method = small(methods.get(base))
    codes = replace(method, latent=Codes(2, (3,), 1), networks=Recognising(outputs=4))
    both = replace(codes, terms=(*codes.terms, MutualInformation(categorical=(3,))))
    game, state = play(both)
    losses, notes = game.losses(game.players, state.players, state.memory, batch(game))
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert notes.info["term/MutualInformation"].item() > -math.log(3) - math.log(2)
    packed = replace(method, definitions=(Packing(2),), networks=Packed(rows=2))
    game, state = play(packed)
    assert torch.isfinite(game.losses(game.players, state.players, state.memory, batch(game))[0]["generator"])


def test_a_collapsed_batch_is_seen() -> None:
    """o is 1 where all rows are equal, which is the most it can be; alone in the batch there is nobody near."""
    layer = Closeness(nn.Identity(), 6, kernels=3, numbers=2)
    same, apart = torch.ones(5, 6), 100 * torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer.others(same), torch.ones(5, 3))
    assert layer.others(apart).max() < 0.5
    features = torch.randn(4, 6)
    placed = layer.project(features).view(4, 3, 2)
    for row in range(4):
        others = [j for j in range(4) if j != row]
        near = torch.stack([(-(placed[row] - placed[j]).abs().sum(1)).exp() for j in others]).mean(0)
        torch.testing.assert_close(layer.others(features)[row], near)


@pytest.mark.parametrize("wrap", [MinibatchDiscrimination, MinibatchDeviation])
def test_batch_aware_networks_couple_their_rows(wrap: Any) -> None:
    """The probe finds it, so reals and fakes are judged apart and penalties on single samples are refused."""
    method = Method("x", latent=Gaussian(4), networks=wrap())
    game, _ = play(method)
    assert "discriminator" in game.found.coupled
    with pytest.raises(InputError, match="couples the samples"):
        play(replace(method, terms=(R1(1.0),)))


def test_inpainting_paints_the_middle_and_conditions_on_the_rest() -> None:
    real = torch.ones(2, 1, 8, 8)
    (given,) = Inpainting(0.5).given(real)
    assert given[0, 0].sum() == 64 - 16
    assert given[0, 0, 2:6, 2:6].abs().sum() == 0
    method = replace(
        methods.get("cgan"),
        definitions=(Inpainting(0.5), *methods.get("cgan").definitions[1:]),
        networks=Painted(),
        latent=Gaussian(3),
    )
    networks = Painted(MLP(width=8, depth=1)).build((1, 8, 8), 3)
    game = method.game(networks, load("digits").training(8))
    assert game.found.given == {"real"}


def test_a_labelled_ring_is_learned_by_label(tmp_path: Path) -> None:
    """M21: more than 95 % of the samples of label k land nearest to mode k; a GAN that ignores labels would reach 1/8.
    Two seeds of a quick training, at rates for a task this small."""
    method = replace(
        methods.get("cgan"),
        dynamics=Alternating({who: Adam(1e-3, (0.5, 0.9)) for who in ("generator", "discriminator")}),
        latent=Gaussian(8),
        terms=(R1(0.2),),
    )
    ring = load("ring")
    labels = torch.arange(800) % 8
    for seed in (0, 1):
        run = train(
            method,
            ring,
            MLP(width=64),
            out=tmp_path / str(seed),
            budget=Budget(steps=600),
            settings=Settings(seed=seed, batch_size=128, pictures=0, evaluations=0, threads=1),
            quiet=True,
        )
        samples = run.sample(800, labels=labels)
        nearest = torch.cdist(samples, ring.centres).argmin(1)
        assert (nearest == labels).double().mean() > 0.95


def test_samples_of_a_class_from_the_command_line(tmp_path: Path) -> None:
    line = "train cgan --data digits --steps 2 --batch-size 16 --evaluations 1 --evaluation-samples 100 --quiet --out run"
    assert here(line, tmp_path).returncode == 0
    for command in (
        "sample run -n 6 --label 3 --npz three.npz",
        "sample run -n 20 --label all --npz all.npz",
    ):
        done = here(command, tmp_path)
        assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "three.npz")["samples"].shape == (6, 8, 8, 1)
    wrong = here("sample run --label 12 --npz no.npz", tmp_path)
    assert wrong.returncode == 2
    assert "--label 12 is no class" in wrong.stderr
    assert here(f"train gan --data ring {QUICK} --out plain", tmp_path).returncode == 0
    wrong = here("sample plain --label 1 --npz no.npz", tmp_path)
    assert wrong.returncode == 2
    assert "no class in particular" in wrong.stderr


def test_metrics_look_into_codes_and_are_refused_for_labels(tmp_path: Path) -> None:
    settings = Settings(pictures=0, evaluations=0, threads=1, batch_size=16)
    for name in ("infogan", "cgan"):
        method = methods.get(name)
        run = train(
            method,
            "ring",
            MLP(width=8),
            out=tmp_path / name,
            budget=Budget(steps=2),
            settings=settings,
            quiet=True,
        )
        if name == "cgan":
            with pytest.raises(InputError, match="made of noise alone"):
                run.evaluate(n=64, metrics=["path-length"])
            with pytest.raises(InputError, match="not of noise alone"):
                run.model()
            continue
        model = run.model()
        latent = model.latents(32, 0)
        assert latent.shape == (32, method.latent.size)
        assert torch.equal(latent[:, 62:72].sum(1), torch.ones(32))
        moved = latent.clone().requires_grad_()
        (slope,) = torch.autograd.grad(model.generate(moved).sum(), moved)
        assert slope.abs().sum(0).min() > 0
        assert run.evaluate(n=64, metrics=["path-length"])[0].value > 0


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    with pytest.raises(InputError, match="at least 2 classes, not 0"):
        Concatenated(MLP()).build((2,), 3)
    with pytest.raises(InputError, match="needs a pair to change"):
        Concatenated().build((2,), 3, 4)
    with pytest.raises(InputError, match="no label of its own"):
        play(
            replace(
                small(methods.get("cgan")),
                definitions=(*methods.get("cgan").definitions, Packing(2)),
                networks=Concatenated(Packed(rows=2)),
            )
        )
    with pytest.raises(InputError, match="as many outputs"):
        play(replace(small(methods.get("infogan")), networks=Recognising(outputs=5)))
