"""Layers on wish: virtual batch normalisation, self-attention, conditional batch normalisation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from command_line import here
from saddlepoint import Budget, Settings, methods, train
from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.method import Method
from saddlepoint.network import Functional
from saddlepoint.networks import (
    DCGAN,
    MLP,
    Attentive,
    Classifying,
    Concatenated,
    LabelledGenerator,
    Modulated,
    Projected,
    VirtuallyNormalised,
)
from saddlepoint.networks.attention import SelfAttention
from saddlepoint.networks.modulated import ConditionalNorm
from saddlepoint.networks.virtual import Referenced, VirtualBatchNorm
from saddlepoint.penalties import R1

VIRTUAL = DCGAN(width=4, discriminator_norm="virtual", generator_norm="virtual")


@pytest.fixture(autouse=True)
def _seeded() -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def played(method: Method, pair: Any, data: Any, **more: Any) -> tuple[Any, Any, Any]:
    """The game of a method with these networks, its players and its memory; the reference are 16 rows."""
    classes = len(data.classes)
    modules = pair.build(data.shape, method.latent.size, *([classes] if type(pair) is not DCGAN else []))
    game = method.game(modules, data.training(8), **more)
    return game, *game.init(3, data.training(16))


def judged(game: Any, players: Any, memory: Any, real: Tensor) -> Tensor:
    """Scores in training mode."""
    forward = game.forward(
        ("discriminator",), players, memory, {"real": real, "latent": torch.randn(len(real), 128)}
    )
    forward.together = False
    scores: Tensor = forward["real_score"].detach()
    return scores


@pytest.mark.parametrize("norm", ["virtual", "batch"])
def test_a_sample_does_not_see_the_others(norm: Any) -> None:
    """M66: its score is unchanged to 1e-6 when all others are replaced, BatchNorm's is not; the same for the generator."""
    pair = DCGAN(width=4, discriminator_norm=norm, generator_norm=norm)
    method = replace(methods.get("gan"), latent=replace(methods.get("gan").latent, size=128))
    digits = load("digits", size=16)
    game, players, memory = played(method, pair, digits)
    assert ("discriminator" in game.found.coupled) == (norm == "batch")
    one, others = digits.training(9)["real"], digits.held_out(8)["real"]
    first, second = (
        judged(game, players, memory, torch.cat([one[:1], rows]))[0] for rows in (one[1:], others)
    )
    latent = torch.randn(9, 128)
    changed = torch.cat([latent[:1], torch.randn(8, 128)])
    forwards = (game.forward(("generator",), players, memory, {"latent": z}) for z in (latent, changed))
    made, again = (forward["fake"][0].detach() for forward in forwards)
    apart = max(float((first - second).abs()), float((made - again).abs().max()))
    assert apart < 1e-6 if norm == "virtual" else apart > 1e-3


def test_the_statistics_are_those_of_the_reference_and_the_sample() -> None:
    """Against the formula in numpy, place by place: each sample as one row more in the reference batch, its places weighing
    as much as those of another row."""
    layer, reference, rows = VirtualBatchNorm(2), torch.randn(5, 2, 3, 4), 2 + 3 * torch.randn(4, 2, 3, 4)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    same, found = layer(reference, rows)
    for sample in range(4):
        together = torch.cat([reference, rows[sample : sample + 1]]).double().numpy()
        mean, deviation = together.mean((0, 2, 3)), np.sqrt(together.var((0, 2, 3)) + 1e-5)
        for channel in range(2):
            normal = (rows[sample, channel].double().numpy() - mean[channel]) / deviation[channel]
            expected = normal * layer.weight[channel].item() + layer.bias[channel].item()
            np.testing.assert_allclose(found[sample, channel].detach().numpy(), expected, atol=1e-5)
    batch = nn.functional.batch_norm(reference, None, None, layer.weight, layer.bias, training=True, eps=1e-5)
    torch.testing.assert_close(same, batch)


def test_the_reference_is_what_the_layers_see_of_the_data() -> None:
    """Real rows for the discriminator, labels beside them where it is told; other rows for another batch."""
    digits = load("digits", size=16)
    method = replace(methods.get("cgan"), latent=replace(methods.get("cgan").latent, size=7))
    game, players, memory = played(method, Concatenated(VIRTUAL), digits)
    (seen,) = (b for name, b in memory["buffers"]["discriminator"].items() if name.endswith("reference"))
    rows = digits.training(16)
    assert torch.equal(seen[:, :1], rows["real"])
    assert torch.equal(seen[:, 1:, 0, 0].argmax(1), rows["label"])
    (latent,) = (b for name, b in memory["buffers"]["generator"].items() if name.endswith("reference"))
    assert latent.shape == (16, 7 + 10)
    assert torch.equal(latent[:, 7:].argmax(1), rows["label"])
    again = game.init(3, rows)[1]["buffers"]["generator"]
    other = game.init(4, rows)[1]["buffers"]["generator"]
    name = next(n for n in again if n.endswith("reference"))
    assert torch.equal(again[name], latent)
    assert not torch.equal(other[name], latent), "keyed by the seed"
    compared = judged_with(game, players, memory, rows)
    changed = {**memory["buffers"]["discriminator"]}
    key = next(n for n in changed if n.endswith("reference"))
    changed[key] = changed[key].flip(0) * 0.5
    other_memory = {**memory, "buffers": {**memory["buffers"], "discriminator": changed}}
    assert not torch.allclose(compared, judged_with(game, players, other_memory, rows))


def judged_with(game: Any, players: Any, memory: Any, rows: Any) -> Tensor:
    forward = game.evaluation(players, memory, {**rows, "latent": torch.zeros(16, 7)})
    scores: Tensor = forward["real_score"].detach()
    return scores


@pytest.mark.parametrize(
    "pair", [VIRTUAL, VirtuallyNormalised(MLP(8)), Attentive(DCGAN(width=4, discriminator_norm="none"))]
)
def test_penalties_on_single_samples_take_them(pair: Any) -> None:
    """R1 is not refused, both executions agree, and a penalty's gradient reaches the weights."""
    digits = load("digits", size=16)
    method = replace(methods.get("gan"), terms=(R1(1.0),), latent=replace(methods.get("gan").latent, size=5))
    found = []
    for more in ({}, {"execution": Functional()}):
        torch.manual_seed(0)
        game, players, memory = played(method, pair, digits, **more)
        rows = {
            "real": digits.training(6)["real"],
            "latent": torch.ones(6, 5).cumsum(0),
            "clock": {"step": 0, "images": 0},
        }
        found.append(game.gradients(("discriminator",), players, memory, rows)[0]["discriminator"])
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-6)
    assert torch.isfinite(found[0]).all()
    assert found[0].norm() > 0


def test_a_run_with_virtual_normalisation_is_itself_again(tmp_path: Path) -> None:
    """Trained, stopped and continued, sampled, and its generator taken out as a module."""
    network = 'DCGAN(width=4, generator_norm="virtual", discriminator_norm="virtual")'
    line = f"train gan --data digits --size 16 --network '{network}' --batch-size 12 --evaluations 0 --pictures 1 --quiet"
    for command in ("--steps 4 --out whole", "--steps 2 --out half", "--steps 4 --out half"):
        done = here(f"{line} {command}", tmp_path)
        assert done.returncode == 0, done.stderr
    whole, half = (
        (tmp_path / n / "weights" / "generator.safetensors").read_bytes() for n in ("whole", "half")
    )
    assert whole == half
    from saddlepoint.trained import Run

    run = Run.open(tmp_path / "whole")
    latent = torch.randn(5, run.method.latent.size)
    torch.testing.assert_close(run.generator()(latent), run.model().generate(latent))
    reference = next(m for m in run.generator().modules() if isinstance(m, Referenced)).reference
    assert reference.shape == (12, run.method.latent.size), "as many rows as a batch"


def test_attention_starts_as_nothing_and_is_a_weighted_mean() -> None:
    layer, rows = SelfAttention(16), torch.randn(2, 16, 3, 2)
    assert torch.equal(layer(rows), rows)
    with torch.no_grad():
        layer.gamma.fill_(0.7)
    places = rows.flatten(2)
    f, g, h, v = (getattr(layer, n).weight[:, :, 0, 0].detach() for n in "fghv")
    for sample in range(2):
        x = places[sample]
        for j in range(6):
            weights = torch.stack([(f @ x[:, i]).dot(g @ x[:, j]) for i in range(6)]).softmax(0)
            seen = sum(weights[i] * (h @ x[:, i]) for i in range(6))
            expected = x[:, j] + 0.7 * (v @ seen)  # type: ignore[operator]
            torch.testing.assert_close(layer(rows).flatten(2)[sample, :, j].detach(), expected)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32)])
def test_attention_stands_in_both_networks(shape: tuple[int, ...]) -> None:
    made = Attentive(DCGAN(width=8)).build(shape, 6)
    generator, discriminator = made["generator"], made["discriminator"]
    sizes = {}
    for name, network in made.items():
        (layer,) = (m for m in network if isinstance(m, SelfAttention))  # type: ignore[attr-defined]
        layer.register_forward_hook(lambda m, i, out, name=name: sizes.update({name: tuple(out.shape[1:])}))
    score = discriminator(generator(torch.randn(4, 6)))
    assert score.shape == (4,)
    assert sizes["generator"] == sizes["discriminator"] == (8, shape[1] // 2, shape[2] // 2)
    with pytest.raises(InputError, match="at least 9 convolutions in a row"):
        Attentive(DCGAN(width=8), stage=9).build(shape, 6)
    with pytest.raises(InputError, match="convolutions in a row"):
        Attentive(MLP(8)).build((2,), 6)


def test_conditional_normalisation_has_gains_of_its_own_for_each_class() -> None:
    base = nn.BatchNorm2d(3)
    nn.init.normal_(base.weight)
    layer, rows, label = ConditionalNorm(base, 4), torch.randn(6, 3, 2, 2), torch.tensor([0, 1, 2, 3, 0, 1])
    torch.testing.assert_close(layer(rows, label), base(rows))
    with torch.no_grad():
        layer.gain[2], layer.shift[2] = 2.0, -1.0
    normal = nn.functional.batch_norm(rows, None, None, training=True)
    torch.testing.assert_close(layer(rows, label)[2], 2 * normal[2] - 1)
    torch.testing.assert_close(layer(rows, label)[[0, 1, 3, 4, 5]], base(rows)[[0, 1, 3, 4, 5]])


@pytest.mark.parametrize(
    ("name", "pair"), [("projection", Modulated(Projected())), ("acgan", Modulated(Classifying()))]
)
def test_labels_through_normalisation_go_with_conditional_methods(
    name: str, pair: Any, tmp_path: Path
) -> None:
    """The generator's first layer sees the latent alone, and the label changes the sample after a few steps."""
    method = replace(methods.get(name), networks=pair)
    settings = Settings(batch_size=16, pictures=0, evaluations=0, threads=1)
    run = train(
        method,
        load("digits", size=16),
        DCGAN(width=4),
        out=tmp_path / "r",
        budget=Budget(steps=4),
        settings=settings,
        quiet=True,
    )
    linear = next(m for m in run.generator().modules() if isinstance(m, nn.Linear))
    assert linear.in_features == method.latent.size
    two, three = (run.sample(4, labels=torch.full((4,), k)) for k in (2, 3))
    assert (two - three).abs().max() > 0
    assert torch.equal(two, run.sample(4, labels=torch.full((4,), 2)))


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    with pytest.raises(InputError, match="in a row with BatchNorm"):
        Modulated(LabelledGenerator(MLP(8))).build((2,), 3, 4)
    with pytest.raises(InputError, match="at least 2 classes, not 0"):
        Modulated(DCGAN(4)).build((1, 8, 8), 3)
    with pytest.raises(InputError, match="at least 3 linear layers"):
        VirtuallyNormalised(MLP(8, depth=1)).build((2,), 3)
    with pytest.raises(InputError, match='"batch", "virtual" and "none"'):
        DCGAN(discriminator_norm="layer")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="stage of at least 1"):
        Attentive(stage=0)
