"""One evaluation of a game: quantities by name, each computed once; what fits and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from saddlepoint import methods
from saddlepoint.bound import MethodGame
from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.forward import Definition, arguments
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.penalties import R1, Term
from saddlepoint.schedules import Linear
from small_games import ROWS, batch, networks, play, small

BOTH = [Plain(), Functional()]
EXECUTIONS = pytest.mark.parametrize("execution", BOTH, ids=["plain", "functional"])
GAN = small(methods.get("gan"))
D = ("discriminator",)
REFERENCE = torch.randn(ROWS, 2, generator=torch.Generator().manual_seed(1))


def met(method: Method, discriminator: nn.Module, execution: Execution = Plain()) -> MethodGame:
    made = {**networks(method), "discriminator": discriminator}
    return method.game(made, {"real": REFERENCE}, execution=execution)


def gradients(game: MethodGame, data: dict[str, Any], who: tuple[str, ...] = D) -> dict[str, Tensor]:
    players, memory = game.init(0, {"real": REFERENCE})
    return game.gradients(who, players, memory, data)[0]


# -- reals and fakes in one pass ------------------------------


@pytest.mark.usefixtures("double")
@EXECUTIONS
@pytest.mark.parametrize("name", methods.names())
def test_judging_in_one_pass_changes_nothing(name: str, execution: Execution) -> None:
    game, state = play(small(methods.get(name)), execution)
    data = batch(game)
    for who in sorted(game.turns()):
        wanted, together = game.plans[who]
        slopes = {
            "real_gradient",
            "fake_gradient",
        } & wanted  # of one side only: the other's would be for nobody
        both = {"real_score", "fake_score"} <= wanted and len(slopes) != 1 and not game.found.coupled
        assert together == (
            both and "discriminator" in who
        )  # alone, the generator needs no graph of the reals
        once, _ = game.gradients(who, state.players, state.memory, data)
        game.plans[who] = (wanted, False)
        apart, _ = game.gradients(who, state.players, state.memory, data)
        torch.testing.assert_close(once, apart, rtol=1e-12, atol=1e-13)


class Counting(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.calls = inner, 0

    def forward(self, point: Tensor) -> Tensor:
        self.calls += 1
        return self.inner(point)


@pytest.mark.parametrize(
    ("name", "generator", "discriminator"),
    [("gan", 1, 1), ("gan-r1", 1, 2), ("r3gan", 2, 1), ("wgan-gp", 1, 2)],
)
def test_the_discriminator_is_called_as_seldom_as_possible(
    name: str, generator: int, discriminator: int
) -> None:
    """Scores and slopes from one forward pass, reals and fakes together; no D(x) where no part asks for
    it."""
    method = small(methods.get(name))
    game = met(method, Counting(networks(method)["discriminator"]))
    counter = game.networks["discriminator"].training.module
    for player, expected in (("generator", generator), ("discriminator", discriminator)):
        counter.calls = 0
        gradients(game, batch(game), (player,))
        assert counter.calls == expected


def test_only_what_is_read_has_to_be_drawn() -> None:
    def needs(name: str, player: str) -> frozenset[str]:
        return play(small(methods.get(name)))[0].needs((player,))

    assert needs("gan", "generator") == {"latent"}
    assert needs("gan", "discriminator") == {"latent", "real"}
    assert needs("r3gan", "generator") == {"latent", "real"}
    assert needs("wgan-gp", "generator") == {"latent"}
    assert needs("wgan-gp", "discriminator") == {"latent", "real", "mix"}


# -- BatchNorm ------------------------------


def normalised() -> nn.Module:
    return nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1), nn.Flatten(0))


@EXECUTIONS
def test_batch_statistics_are_per_side_and_averaged_from_the_same_start(execution: Execution) -> None:
    """Each side's pass starts from the running mean m and leaves .9m + .1·mean; both are averaged."""
    game = met(GAN, normalised(), execution)
    assert game.found.coupled == D
    players, memory = game.init(0, {"real": REFERENCE})
    start = {"0.running_mean": torch.tensor([1.0, -2.0]), "0.running_var": torch.tensor([3.0, 0.5])}
    memory["buffers"]["discriminator"].update(start)
    data = batch(game)
    _, notes = game.gradients(D, players, memory, data)
    fake = game.sample(players, memory, data)
    sides = (data["real"], fake)
    mean = sum(0.9 * start["0.running_mean"] + 0.1 * side.mean(0) for side in sides) / 2
    variance = sum(0.9 * start["0.running_var"] + 0.1 * side.var(0) for side in sides) / 2
    after = game.remember(D, players, memory, notes)["buffers"]["discriminator"]
    torch.testing.assert_close(after["0.running_mean"], mean)
    torch.testing.assert_close(after["0.running_var"], variance)
    assert after["0.num_batches_tracked"] == 1
    assert torch.equal(memory["buffers"]["discriminator"]["0.running_mean"], start["0.running_mean"])


@EXECUTIONS
def test_batch_norm_loss_uses_the_statistics_of_each_side(execution: Execution) -> None:
    game = met(GAN, normalised(), execution)
    players, memory = game.init(0, {"real": REFERENCE})
    data = batch(game)
    losses, _ = game.losses(D, players, memory, data)
    weight, bias = players["discriminator"][4:6], players["discriminator"][6]
    gain, shift = players["discriminator"][:2], players["discriminator"][2:4]

    def score(point: Tensor) -> Tensor:
        normal = (point - point.mean(0)) / (point.var(0, unbiased=False) + 1e-5).sqrt()
        return (normal * gain + shift) @ weight + bias

    expected = GAN.objective.discriminator(score(data["real"]), score(game.sample(players, memory, data)))
    torch.testing.assert_close(losses["discriminator"], expected)


def test_buffers_of_the_other_player_are_not_kept() -> None:
    game, state = play(GAN, norm=True)
    _, notes = game.gradients(("generator",), state.players, state.memory, batch(game))
    assert "discriminator" in notes.buffers, "the generator's turn runs the discriminator's BatchNorm"
    after = game.remember(("generator",), state.players, state.memory, notes)["buffers"]
    for name, kept in state.memory["buffers"]["discriminator"].items():
        assert torch.equal(after["discriminator"][name], kept)
    assert not torch.equal(
        after["generator"]["1.running_mean"], state.memory["buffers"]["generator"]["1.running_mean"]
    )


@EXECUTIONS
def test_sampling_uses_running_statistics_and_changes_nothing(execution: Execution) -> None:
    method = GAN
    generator = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2))
    game = method.game({**networks(method), "generator": generator}, {"real": REFERENCE}, execution=execution)
    players, memory = game.init(0, {"real": REFERENCE})
    buffers = memory["buffers"]["generator"]
    buffers["0.running_mean"] = torch.tensor([0.5, -1.0, 2.0])
    before = {name: value.clone() for name, value in buffers.items()}
    data = batch(game)
    twin = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2)).eval()
    twin.load_state_dict({**game.networks["generator"].layout.named(players["generator"]), **before})
    torch.testing.assert_close(game.sample(players, memory, data), twin(data["latent"]))
    one = {**data, "latent": data["latent"][:1]}
    torch.testing.assert_close(game.sample(players, memory, one), twin(data["latent"])[:1])
    assert all(torch.equal(buffers[name], before[name]) for name in before)


# -- scores and heads ------------------------------


class Judge(nn.Module):
    """A discriminator whose outputs are made from two features by `shape`."""

    def __init__(self, shape: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.features, self.shape = nn.Linear(2, 4), shape
        nn.init.normal_(self.features.weight, std=0.5, generator=torch.Generator().manual_seed(0))
        nn.init.zeros_(self.features.bias)

    def forward(self, point: Tensor) -> Any:
        return self.shape(torch.tanh(self.features(point)))


SHAPES: dict[str, Callable[[Tensor], Any]] = {
    "number": lambda h: h.mean(1),
    "column": lambda h: h.mean(1, keepdim=True),
    "map": lambda h: h.view(-1, 1, 2, 2),
    "maps": lambda h: [h[:, :2].view(-1, 1, 2), (h[:, 2] + h[:, 3]) / 2],
    "record": lambda h: {"score": h.view(-1, 4), "features": h},
}


@EXECUTIONS
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["gan", "r3gan", "wgan-gp"])
def test_maps_lists_and_records_of_scores_mean_their_mean(
    name: str, shape: str, execution: Execution
) -> None:
    method = small(methods.get(name))
    plain, other = (met(method, Judge(SHAPES[kind]), execution) for kind in ("number", shape))
    data = batch(plain)
    for player in ("generator", "discriminator"):
        torch.testing.assert_close(gradients(other, data, (player,)), gradients(plain, data, (player,)))


@dataclass(frozen=True)
class Matching(Term):
    """‖mean features of reals − of fakes‖², for the generator."""

    players: ClassVar[tuple[str, ...]] = ("generator",)

    def __call__(self, real_features: Tensor, fake_features: Tensor) -> Tensor:  # type: ignore[override]
        return (real_features.mean(0) - fake_features.mean(0)).square().sum()


@EXECUTIONS
def test_terms_may_ask_for_heads(execution: Execution) -> None:
    method = replace(GAN, terms=(Matching(),))
    judge = Judge(SHAPES["record"])
    game = met(method, judge, execution)
    players, memory = game.init(0, {"real": REFERENCE})
    data = batch(game)
    assert game.needs(("generator",)) == {"latent", "real"}
    info = game.losses(("generator",), players, memory, data)[1].info
    real, fake = (judge(point)["features"] for point in (data["real"], game.sample(players, memory, data)))
    torch.testing.assert_close(info["term/Matching"], Matching()(real, fake).detach())


def test_a_head_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="real_features, but the discriminator returns score only"):
        met(replace(GAN, terms=(Matching(),)), Judge(SHAPES["number"]))


# -- definitions ------------------------------


@dataclass(frozen=True)
class Doubled(Definition):
    """Wraps what the discriminator sees."""

    def real_point(self, real_point: Tensor) -> Tensor:
        return 2 * real_point

    def fake_point(self, fake_point: Tensor) -> Tensor:
        return 2 * fake_point


@dataclass(frozen=True)
class Careless(Definition):
    def fake(self, latent: Tensor) -> Tensor:
        return latent


@EXECUTIONS
def test_a_definition_wraps_the_points_in_objective_and_penalty(execution: Execution) -> None:
    """s(2x) has the gradient 2∇s(2x) of x, but the penalty is on the points as the discriminator sees
    them."""
    method = replace(small(methods.get("gan-r1")), definitions=(Doubled(), Doubled()))
    judge = Judge(SHAPES["number"])
    game = met(method, judge, execution)
    players, memory = game.init(0, {"real": REFERENCE})
    data = batch(game)
    info = game.losses(D, players, memory, data)[1].info
    torch.testing.assert_close(info["score/real"], judge(4 * data["real"]).detach())
    torch.testing.assert_close(info["term/R1"], R1(20.0).of(judge, 4 * data["real"]).detach())


def test_an_accidental_redefinition_is_refused() -> None:
    with pytest.raises(ValueError, match="Careless defines fake, which is defined already"):
        play(replace(GAN, definitions=(Careless(),)))


# -- numbers that change, and what is looked at ------------------------------


def test_a_scheduled_weight_is_the_weight_of_the_moment() -> None:
    """The clock of the batch stands at a quarter of the run: 4 + (8 − 4)/4."""
    scheduled = replace(GAN, terms=(R1(gamma=Linear(4.0, 8.0)),))
    game, state = play(scheduled)
    fixed, _ = play(replace(GAN, terms=(R1(gamma=5.0),)))
    data = batch(game)
    found, expected = (g.gradients(D, state.players, state.memory, data)[0] for g in (game, fixed))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def judges_scores(name: str) -> bool:
    """Whether the discriminator's objective is a function of the two scores alone."""
    objective = methods.get(name).objective
    asks = arguments(objective.discriminator) if "discriminator" in objective.players else ()
    alone = methods.get(name).mixture is None
    return alone and {"real_score", "fake_score"} <= set(asks) <= {"real_score", "fake_score", "clock"}


@EXECUTIONS
@pytest.mark.parametrize("name", [name for name in methods.names() if judges_scores(name)])
def test_info_is_free_of_graphs_and_adds_up(name: str, execution: Execution) -> None:
    method = small(methods.get(name))
    game, state = play(method, execution)
    info = game.gradients(D, state.players, state.memory, batch(game))[1].info
    assert not any(value.requires_grad for value in info.values())
    judged = method.objective.discriminator
    clock = {"clock": batch(game)["clock"]} if "clock" in arguments(judged) else {}
    objective = judged(info["score/real"], info["score/fake"], **clock)
    every = {name: part.every for name, part in game.parts.items() if isinstance(part, Term)}
    terms = [value * every[key] for key, value in info.items() if key.startswith("term/")]
    torch.testing.assert_close(info["loss/discriminator"], sum(terms, objective))


# -- what does not fit is said in one sentence ------------------------------


class Dropping(nn.Module):
    """Draws numbers by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 1), nn.Flatten(0))

    def forward(self, point: Tensor) -> Tensor:
        return self.inner(point)


def test_couplings_and_noise_are_found_by_running_the_networks() -> None:
    assert play(GAN)[0].found[1:3] == ((), ())
    assert set(play(GAN, norm=True)[0].found.coupled) == {"generator", "discriminator"}
    assert met(GAN, Dropping()).found.noisy == D
    minibatch = Judge(lambda h: h.mean(1) - h.mean())
    assert met(GAN, minibatch).found.coupled == D
    neighbours = Judge(lambda h: h.mean(1) - h.view(-1, 2, 4).mean((1, 2)).repeat_interleave(2))
    assert met(GAN, neighbours).found.coupled == D
    both = nn.Sequential(nn.BatchNorm1d(2), Dropping())
    assert met(GAN, both).found[1:3] == (D, D)


@pytest.mark.parametrize("name", [name for name in methods.names() if methods.get(name).per_row])
def test_a_penalty_on_single_samples_refuses_a_discriminator_that_couples_them(name: str) -> None:
    method = replace(small(methods.get(name)), treatments=())  # which may be for images only
    with pytest.raises(InputError, match=f"of {name} speaks of each sample by itself"):
        met(method, normalised())


@dataclass(frozen=True)
class OtherLatent(Term):
    def draws(self) -> dict[str, Draw]:
        return {"latent": Draw("uniform", (7,))}


@pytest.mark.parametrize(
    ("method", "change", "sentence"),
    [
        (GAN, {"generator": nn.Linear(3, 5)}, r"shape \(5,\), the data have \(2,\)"),
        (GAN, {"generator": nn.Linear(4, 2)}, "the generator does not take its input"),
        (GAN, {"discriminator": nn.Linear(3, 1)}, "the discriminator does not take its input"),
        (GAN, {"discriminator": nn.Flatten(0)}, r"score of shape \(16,\) for 8 points"),
        (replace(GAN, terms=(OtherLatent(),)), {}, "draw 'latent' differently"),
    ],
)
def test_misfits_are_refused(method: Method, change: dict[str, nn.Module], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        method.game({**networks(method), **change}, {"real": REFERENCE})
    assert "\n" not in str(caught.value)


def test_a_missing_player_is_named() -> None:
    made = networks(GAN)
    del made["generator"]
    with pytest.raises(
        InputError, match="moves the player 'generator', but the networks given are discriminator"
    ):
        GAN.game(made, {"real": REFERENCE})
