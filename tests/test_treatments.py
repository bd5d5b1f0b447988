"""Noise and augmentation of what the discriminator judges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from saddlepoint import methods
from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.networks import DCGAN
from saddlepoint.penalties import R1, GradientPenalty
from saddlepoint.schedules import Linear
from saddlepoint.treatments import ADA, DiffAugment, InstanceNoise, operations
from small_games import CLOCK, batch, descent, networks, play, small

EXECUTIONS = pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
GAN = small(descent(methods.get("gan")))


def uniform(rows: int, numbers: int, seed: int = 0) -> Tensor:
    return torch.rand(rows, numbers, generator=torch.Generator().manual_seed(seed))


def images(rows: int = 6, channels: int = 3, height: int = 8, width: int = 10) -> Tensor:
    return torch.randn(rows, channels, height, width, generator=torch.Generator().manual_seed(1))


# -- instance noise ------------------------------


@EXECUTIONS
def test_the_discriminator_sees_noisy_points_of_both_kinds(execution: Execution) -> None:
    noisy = replace(GAN, treatments=(InstanceNoise(0.7),))
    (game, state), (bare, _) = play(noisy, execution), play(GAN, execution)
    data = batch(game)
    judge = bare.execution.open(
        bare.networks["discriminator"],
        bare.networks["discriminator"].effective(state.players["discriminator"], {}),
        {},
        True,
        [],
    )
    info = game.losses(("discriminator",), state.players, state.memory, data)[1].info
    fake = game.sample(state.players, state.memory, data)
    for side, point in (("real", data["real"]), ("fake", fake)):
        expected = judge(point + 0.7 * data[f"instance_noise/{side}"])
        torch.testing.assert_close(info[f"score/{side}"], expected.detach())
    assert not torch.equal(data["instance_noise/real"], data["instance_noise/fake"])


@EXECUTIONS
@pytest.mark.parametrize("term", [R1(0.3), GradientPenalty(1.0)])
def test_penalties_differentiate_at_the_noisy_point(execution: Execution, term: Any) -> None:
    """∇ₓ s(x + σε) is the slope of s at x + σε, so a shift of all data by the noise is the same penalty."""
    noisy = replace(GAN, treatments=(InstanceNoise(0.7),), terms=(term,))
    (game, state), (bare, _) = play(noisy, execution), play(replace(GAN, terms=(term,)), execution)
    data = batch(game)
    side = "other" if isinstance(term, GradientPenalty) else "real"
    if side == "other":  # the same noise everywhere shifts the interpolates by it
        for kind in ("real", "fake"):
            data[f"instance_noise/{kind}"] = data["instance_noise/other"]
    shift = 0.7 * data[f"instance_noise/{side}"]
    value = game.losses(("discriminator",), state.players, state.memory, data)[1].info
    name = f"term/{type(term).__name__}"
    if side == "real":
        moved = {**data, "real": data["real"] + shift}
        expected = bare.losses(("discriminator",), state.players, state.memory, moved)[1].info[name]
    else:
        fake = bare.sample(state.players, state.memory, data)
        points = term.at.points(data["real"], fake, data["mix"]) + shift
        network = bare.networks["discriminator"]
        judge = Plain().open(network, network.effective(state.players["discriminator"], {}), {}, True, [])
        points.requires_grad_()
        (slope,) = torch.autograd.grad(judge(points).sum(), points)
        expected = (slope.norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(value[name], expected, rtol=1e-4, atol=1e-6)


def test_noise_is_annealed_by_a_schedule() -> None:
    noise = {"instance_noise": torch.ones(2, 2)}
    treated = InstanceNoise(Linear(0.4, 0.0)).apply(torch.zeros(2, 2), noise, {}, CLOCK)
    torch.testing.assert_close(treated, torch.full((2, 2), 0.4 * (1 - CLOCK["progress"])))


# -- differentiable augmentation ------------------------------


def test_translation_moves_whole_pixels_and_enters_zeros() -> None:
    x = images()
    most_rows, most_columns = 1, 1  # an eighth of 8 and of 10, rounded
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            u = torch.full((6,), (down + most_rows + 0.5) / (2 * most_rows + 1))
            v = torch.full((6,), (right + most_columns + 0.5) / (2 * most_columns + 1))
            moved = operations.translated(x, u, v, 0.125)
            expected = torch.zeros_like(x)
            # row i of the result shows row i + down
            target = expected[:, :, max(0, -down) : 8 - max(0, down), max(0, -right) : 10 - max(0, right)]
            target.copy_(x[:, :, max(0, down) : 8 + min(0, down), max(0, right) : 10 + min(0, right)])
            assert torch.equal(moved, expected)


def test_a_cut_is_a_box_of_half_a_side_somewhere() -> None:
    u = uniform(500, 2)
    whole = torch.ones(500, 1, 8, 12)
    zeros = operations.cut(whole, u[:, 0], u[:, 1], 0.5) == 0
    rows, columns = zeros.any(3).sum(2).flatten(), zeros.any(2).sum(2).flatten()
    assert torch.equal(zeros.sum((1, 2, 3)), rows * columns)
    assert rows.max() == 4
    assert columns.max() == 6
    assert rows.min() >= 2
    assert columns.min() >= 3  # cut off by the border at most to a half
    assert zeros.any(0).all(), "every pixel is cut sometimes"


def test_colours_keep_what_they_should() -> None:
    x, u = images(), uniform(6, 1)[:, 0]
    torch.testing.assert_close(operations.brightness(x, u) - x, (u - 0.5).view(-1, 1, 1, 1).expand_as(x))
    torch.testing.assert_close(operations.saturation(x, u).mean(1), x.mean(1))
    torch.testing.assert_close(operations.contrast(x, u).mean((1, 2, 3)), x.mean((1, 2, 3)))
    for operation in (operations.saturation, operations.contrast):
        torch.testing.assert_close(operation(x, torch.full((6,), 0.5)), x)
    grey = operations.saturation(x, torch.zeros(6))
    torch.testing.assert_close(grey, x.mean(1, keepdim=True).expand_as(x))


def test_turns_and_mirrors_are_those_of_the_square() -> None:
    x = images(4, 2, 6, 6)
    turned = operations.turned(x, torch.tensor([0.1, 0.3, 0.6, 0.9]))
    for row, quarters in enumerate((0, 1, 2, 3)):
        assert torch.equal(turned[row], x[row].rot90(quarters, (1, 2)))
    wide = images(2, 2, 6, 4)
    assert torch.equal(operations.turned(wide, torch.tensor([0.1, 0.6]))[0], wide[0].rot90(2, (1, 2)))
    assert torch.equal(operations.mirrored(x, torch.tensor([0.2, 0.7, 0.7, 0.7]))[0], x[0].flip(2))


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    "policy", [("color",), ("translation",), ("cutout",), ("color", "translation", "cutout")]
)
def test_augmentation_is_differentiable_in_the_image(policy: tuple[str, ...]) -> None:
    """Affine in the image: the derivative along d is the difference of the images, exactly."""
    x, d = torch.randn(5, 3, 8, 8), torch.randn(5, 3, 8, 8)
    noise = {"diffaugment": torch.rand(5, DiffAugment.numbers)}

    def augmented(image: Tensor) -> Tensor:
        return DiffAugment(policy).apply(image, noise, {}, CLOCK)

    _, slope = torch.func.jvp(augmented, (x,), (d,))
    torch.testing.assert_close(slope, augmented(x + d) - augmented(x))
    assert slope.abs().sum() > 0


def on_digits(treatment: Any, terms: tuple[Any, ...] = ()) -> Method:
    return replace(GAN, treatments=(treatment,), terms=terms)


@pytest.mark.parametrize("treatment", [DiffAugment(), ADA(), InstanceNoise()])
@EXECUTIONS
def test_images_train_under_augmentation_in_both_turns(treatment: Any, execution: Execution) -> None:
    data = load("digits").training(8)
    method = on_digits(treatment, (R1(0.1),))
    torch.manual_seed(0)
    game = method.game(DCGAN(4, discriminator_norm="none").build((1, 8, 8), 3), data, execution=execution)
    state = method.dynamics.init(game, *game.init(0, data))
    noise = {
        n: d.sample(8, torch.Generator().manual_seed(3), {"real": (1, 8, 8)}) for n, d in game.draws.items()
    }
    rows: dict[str, Any] = {**data, **noise, "clock": CLOCK}
    name = next(iter(treatment.draws()))
    assert {f"{name}/fake"} <= game.needs(("generator",))
    assert {f"{name}/fake", f"{name}/real"} <= game.needs(("discriminator",))
    for turn in method.dynamics.turns(0):
        before = state.players
        state, info = method.dynamics.move(game, state, turn, rows)
        assert all(torch.isfinite(value).all() for value in info.values())
        assert not torch.equal(before[turn.players[0]], state.players[turn.players[0]])


@pytest.mark.parametrize("treatment", [DiffAugment(), ADA()])
def test_points_that_are_no_images_are_refused(treatment: Any) -> None:
    with pytest.raises(InputError, match=rf"{type(treatment).__name__} is for images.*\(2,\)"):
        replace(GAN, treatments=(treatment,)).game(networks(GAN), batch(play(GAN)[0]))


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InputError, match="no 'colour': accepted are color, translation, cutout"):
        DiffAugment(("colour",))


# -- adaptive augmentation ------------------------------


def test_p_follows_the_sign_of_the_real_scores() -> None:
    """Four moves of mean sign r move p by ±(images shown)/speed, never below 0 (pitfall P13: no cap at 1)."""
    ada, players = ADA(target=0.6, speed=1000, every=4), {"discriminator": torch.zeros(3)}
    memory, p = ada.start(players), 0.0
    signs = [1.0] * 8 + [0.5] * 8 + [-1.0] * 40 + [0.7] * 80
    last = 0
    for move, sign in enumerate(signs, 1):
        memory = ada.remember(
            memory, {"sign": torch.tensor(sign), "images": torch.tensor(64.0 * move)}, players
        )
        if move % 4 == 0:
            p = max(0.0, p + (1 if sign > 0.6 else -1) * 64 * (move - last) / 1000)
            last = move
        assert memory["p"].item() == pytest.approx(p, abs=1e-5)
    assert p > 1


def test_p_is_the_share_of_augmented_images() -> None:
    x = images(400, 1, 8, 8)
    ada = ADA()
    noise = {"ada": torch.rand(400, *ada.draws()["ada"].shape, generator=torch.Generator().manual_seed(0))}

    def unchanged(p: float) -> float:
        seen = ada.apply(x, noise, {"p": torch.tensor(p)}, CLOCK)
        return (seen == x).flatten(1).all(1).double().mean().item()

    assert unchanged(0.0) == 1
    assert unchanged(1.5) < 0.02
    # A mirror, a turn, a move may do nothing to an image (1/2, 1/4, 1/9); a grey image has no saturation.
    p = 0.3
    expected = (1 - p / 2) * (1 - 3 * p / 4) * (1 - 8 * p / 9) * (1 - p) ** 2
    assert unchanged(p) == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 400) ** 0.5)


@EXECUTIONS
def test_reals_that_are_told_apart_raise_p(execution: Execution) -> None:
    data = load("digits").training(8)
    method = on_digits(ADA(every=1, speed=100))
    torch.manual_seed(0)
    game = method.game(DCGAN(4, discriminator_norm="none").build((1, 8, 8), 3), data, execution=execution)
    state = method.dynamics.init(game, *game.init(0, data))
    noise = {
        n: d.sample(8, torch.Generator().manual_seed(3), {"real": (1, 8, 8)}) for n, d in game.draws.items()
    }
    bias = game.networks["discriminator"].layout.named(state.players["discriminator"])
    certain = {
        n: torch.full_like(t, 9.0) if t.shape == (1,) else t for n, t in bias.items()
    }  # of the last layer
    vector = game.networks["discriminator"].layout.vector(certain)
    state = state._replace(players={**state.players, "discriminator": vector})
    turn = method.dynamics.turns(0)[1]
    rows: dict[str, Any] = {**data, **noise, "clock": {**CLOCK, "images": 16}}
    state, _ = method.dynamics.move(game, state, turn, rows)
    assert state.memory["parts"]["treatment/ADA"]["p"].item() == pytest.approx(0.16)
