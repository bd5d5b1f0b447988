"""Audits of games against closed forms, dense matrices and independent sums."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from judged_games import F64, drawn, judged, seeded
from saddlepoint import methods
from saddlepoint.batches import Batches
from saddlepoint.constraints import Clip
from saddlepoint.data import load
from saddlepoint.diagnostics import (
    GradientHealth,
    clipped_share,
    gradient_health,
    local_gain,
    local_nash,
    weight_histogram,
)
from saddlepoint.dynamics import Turn
from saddlepoint.errors import InputError
from saddlepoint.games import Bilinear, DiracGAN, LinearQuadratic, ParallelLines, Quadratic, timed
from saddlepoint.method import Method
from saddlepoint.network import Functional
from saddlepoint.objectives import Wasserstein
from saddlepoint.penalties import R1
from small_games import batch, play, small

# -- gradients ----------------------------------------------------------------------------------------


def lines(method: Method, **players: float) -> tuple[LinearQuadratic, Any, Any]:
    """x² ψ against θz with the objective alone, at a point."""
    game = LinearQuadratic(replace(method, terms=(), constraints=()))
    _, memory = game.init(0, game.data())
    at = {name: torch.tensor([value], dtype=F64) for name, value in players.items()}
    return game, at, memory


def rows(count: int, seed: int) -> dict[str, Any]:
    clock = {"step": 0, "images": 0, "progress": 0.0}
    return {"real": drawn(count, 1, seed=seed), "latent": drawn(count, 1, seed=seed + 100), "clock": clock}


def test_gradients_of_a_game_with_a_closed_form() -> None:
    """Wasserstein, s = ψx²: ∂ψ L_D = θ² E z² − E x², ∂θ L_G = −2ψθ E z²."""
    theta, psi = 1.5, 0.4
    game, players, memory = lines(methods.get("wgan"), generator=theta, discriminator=psi)
    batches = [rows(5, seed) for seed in range(6)]
    found = gradient_health(game, players, memory, batches)
    squares = [(float(b["latent"].square().mean()), float(b["real"].square().mean())) for b in batches]
    wanted = {
        "generator": [-2 * psi * theta * z for z, _ in squares],
        "discriminator": [theta**2 * z - x for z, x in squares],
    }
    assert found.batches == 6
    for player, values in wanted.items():
        own, mean = found.players[player], sum(values) / 6
        assert own.norm == pytest.approx(abs(mean), rel=1e-12)
        assert own.parameters == pytest.approx({"value": abs(mean)}, rel=1e-12)
        assert own.noise == pytest.approx(sum((g - mean) ** 2 for g in values) / 5, rel=1e-12)
        pairs = list(itertools.permutations(values, 2))
        assert own.signal == pytest.approx(sum(a * b for a, b in pairs) / 30, rel=1e-12)
        assert own.cosine == pytest.approx(sum(math.copysign(1, a * b) for a, b in pairs) / 30, rel=1e-12)
        assert own.variance == (own.noise / own.signal if own.signal > 0 else math.inf)
    assert found.players["generator"].cosine == pytest.approx(1)


def test_noise_and_signal_are_unbiased() -> None:
    """Their means over all 3³ samples of three batches, drawn with replacement from three, are exactly E‖g − μ‖² and ‖μ‖²."""
    game, players, memory = lines(methods.get("wgan"), generator=1.5, discriminator=0.4)
    population = [rows(4, seed) for seed in range(3)]
    gradients = [float(game.field(players, memory, b)["discriminator"]) for b in population]
    mean = sum(gradients) / 3
    found = [
        gradient_health(game, players, memory, [population[i] for i in chosen]).players["discriminator"]
        for chosen in itertools.product(range(3), repeat=3)
    ]
    assert sum(f.signal for f in found) / 27 == pytest.approx(mean**2, rel=1e-9)
    noise = sum((g - mean) ** 2 for g in gradients) / 3
    assert sum(f.noise for f in found) / 27 == pytest.approx(noise, rel=1e-9)


def test_equal_batches_have_no_noise() -> None:
    game, players, memory = lines(methods.get("gan"), generator=1.5, discriminator=0.4)
    found = gradient_health(game, players, memory, [rows(4, 0)] * 3).players["generator"]
    assert found.variance == pytest.approx(0, abs=1e-28)
    assert found.cosine == pytest.approx(1)
    assert found.signal == pytest.approx(found.norm**2)


def test_confidence() -> None:
    """D of the logistic game from its definition; of a critic the AUC alone, by counting pairs; an energy is low on data."""
    batches = [rows(7, seed) for seed in (0, 1)]
    x2, z2 = (torch.cat([b[name] for b in batches])[:, 0].square() for name in ("real", "latent"))
    theta, psi = 0.3, 2.0
    above = float((x2[:, None] > theta**2 * z2).double().mean())

    def confidence(name: str) -> Any:
        game, players, memory = lines(methods.get(name), generator=theta, discriminator=psi)
        return gradient_health(game, players, memory, batches).confidence

    logistic, critic = confidence("gan"), confidence("wgan")
    assert logistic.real == pytest.approx(float(torch.sigmoid(psi * x2).mean()), rel=1e-12)
    assert logistic.fake == pytest.approx(float(torch.sigmoid(psi * theta**2 * z2).mean()), rel=1e-12)
    assert (critic.real, critic.fake) == (None, None)
    assert logistic.separation == critic.separation == pytest.approx(above, abs=1e-12)
    assert 0.5 < above < 1
    assert confidence("ls-gan").separation == pytest.approx(1 - above, abs=1e-12)


def test_a_saturated_generator_gets_no_gradient() -> None:
    """L_G = −E sp(s) has the gradient −2θψ E z² σ(s): it vanishes with D(fake) → 0."""
    found: dict[float, GradientHealth] = {}
    for psi in (0.1, -40.0):
        game, players, memory = lines(methods.get("gan-minimax"), generator=3.0, discriminator=psi)
        found[psi] = gradient_health(game, players, memory, [rows(3, 2), rows(3, 5)])
    fair, lost = found.values()
    assert fair.confidence is not None
    assert lost.confidence is not None
    assert lost.confidence.fake < 0.1 < 0.5 < fair.confidence.fake  # type: ignore[operator]
    wanted = [
        -6.0 * -40 * float((z.square() * torch.sigmoid(-360 * z.square())).mean())
        for z in (rows(3, 2)["latent"], rows(3, 5)["latent"])
    ]
    assert lost.players["generator"].norm == pytest.approx(abs(sum(wanted)) / 2, rel=1e-9)


def test_gradients_of_networks_by_name() -> None:
    """Batches of the data set; norms by name add up to the norm, and belong to the names."""
    method = small(replace(methods.get("gan-r1"), averages={}))
    game, state = play(method)
    source = Batches(game, load("ring"), 0, 16, torch.device("cpu"))
    turns = (Turn(game.players),)
    batches = [source.step({"step": k, "images": 0, "rows": 16 * k}, turns, 0.0)[0] for k in range(3)]
    found = gradient_health(game, state.players, state.memory, batches)
    fields = [game.field(state.players, state.memory, b) for b in batches]
    for player, own in found.players.items():
        mean = torch.stack([field[player] for field in fields]).mean(0)
        named = game.networks[player].layout.named(mean)
        assert own.parameters == pytest.approx({n: float(t.norm()) for n, t in named.items()}, rel=1e-5)
        assert math.hypot(*own.parameters.values()) == pytest.approx(own.norm, rel=1e-5)
        assert own.variance > 0
        assert -1 <= own.cosine <= 1


def test_one_batch_shows_no_noise() -> None:
    game, players, memory = lines(methods.get("gan"), generator=1.0, discriminator=1.0)
    with pytest.raises(InputError, match="at least 2 batches, not on 1"):
        gradient_health(game, players, memory, [rows(4, 0)])


# -- weights ------------------------------------------------------------------------------------------


def test_histograms() -> None:
    game, players, _ = judged(seeded(lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0))), (5,))
    at = {**players, "discriminator": torch.tensor([-1.0, -0.5, 0.0, 0.0, 0.99, 1.0])}
    found = weight_histogram(game, "discriminator", at, bins=4)
    assert found.edges.tolist() == [-1, -0.5, 0, 0.5, 1]
    assert {n: c.tolist() for n, c in found.counts.items()} == {
        "0.weight": [1, 1, 2, 1],
        "0.bias": [0, 0, 0, 1],
    }
    assert found.total.tolist() == [1, 1, 2, 2]
    flat = weight_histogram(game, "discriminator", {"discriminator": torch.full((6,), 0.3)}, bins=3)
    assert flat.total.tolist() == [0, 6, 0]
    with pytest.raises(InputError, match="at least 1 bin"):
        weight_histogram(game, "discriminator", at, bins=0)
    with pytest.raises(InputError, match="not all finite"):
        weight_histogram(game, "discriminator", {"discriminator": torch.full((6,), math.nan)})


def test_the_share_at_the_bound() -> None:
    game, players, _ = judged(seeded(lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0))), (5,))
    at = {**players, "discriminator": torch.tensor([-0.01, 0.0096, 0.0094, 0.0, 0.0104, 0.5])}
    assert clipped_share(game, "discriminator", at, 0.01) == pytest.approx(3 / 6)
    assert clipped_share(game, "discriminator", at, 0.01, within=0.07) == pytest.approx(4 / 6)
    for c, within in ((0.0, 0.05), (0.01, 1.0)):
        with pytest.raises(InputError, match="the bound c"):
            clipped_share(game, "discriminator", at, c, within)


def test_clipping_a_large_step_puts_every_weight_at_the_bound() -> None:
    game, players, _ = judged(
        seeded(lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0))), (5,), constraints=(Clip(bound=0.01),)
    )
    before = clipped_share(game, "discriminator", {**players, "discriminator": drawn(6) * 1e-4}, 0.01)
    after = game.after("discriminator", drawn(6))
    assert before == 0
    assert clipped_share(game, "discriminator", {**players, "discriminator": after}, 0.01) == 1


# -- local Nash equilibria ----------------------------------------------------------------------------


def at(game: Any, *values: float) -> tuple[Any, Any, Any, Any]:
    players, memory = game.init(0, game.data())
    placed = {name: torch.tensor([v], dtype=F64) for name, v in zip(players, values, strict=True)}
    return game, placed, memory, timed(game, 0)


@pytest.mark.parametrize("execution", [None, Functional()], ids=["plain", "functional"])
def test_verdicts_on_quadratic_games(execution: Any) -> None:
    """½ax² + bxy against ½cy² − bxy: gradients (ax + by, cy − bx), curvatures a and c."""
    for a, c, place, verdict, strict in (
        (1.0, 2.0, (0.0, 0.0), "local Nash", True),
        (1.0, 2.0, (0.1, 0.0), "not stationary", False),
        (-1.0, 2.0, (0.0, 0.0), "saddle of the player's own loss", False),
        (1.0, -0.5, (0.0, 0.0), "saddle of the player's own loss", False),
        (0.0, 0.0, (0.0, 0.0), "local Nash", False),
    ):
        game = Quadratic(a, 3.0, c, execution=execution) if execution else Quadratic(a, 3.0, c)
        found = local_nash(*at(game, *place))
        x, y = place
        assert found.players["x"].gradient == pytest.approx(abs(a * x + 3 * y), abs=1e-15)
        assert found.players["y"].gradient == pytest.approx(abs(c * y - 3 * x), abs=1e-15)
        assert (found.players["x"].curvature, found.players["y"].curvature) == pytest.approx((a, c))
        assert (found.players["x"].norm, found.players["y"].norm) == pytest.approx((abs(a), abs(c)))
        assert (found.verdict, found.strict) == (verdict, strict)


def test_thresholds() -> None:
    found = local_nash(*at(Quadratic(-3.0, 3.0, 1.0), 0.0, 1e-5), stationary=1e-4, curvature=2.0)
    assert found.verdict == "local Nash"
    assert replace(found, curvature=0.5).verdict == "saddle of the player's own loss"
    assert replace(found, stationary=1e-6).verdict == "not stationary"
    nan = replace(found, players={"x": replace(found.players["x"], gradient=math.nan)})
    assert nan.verdict == "not stationary"


@pytest.mark.parametrize("gamma", [0.0, 0.7])
def test_the_dirac_gan(gamma: float) -> None:
    """At (0, 0) of the logistic game: gradients 0, ∂²_θ L_G = 0, ∂²_ψ L_D = γ (R1 is ½γψ²)."""
    method = replace(methods.get("gan-r1"), terms=(R1(gamma=gamma),) if gamma else (), averages={})
    found = local_nash(*at(DiracGAN(method), 0.0, 0.0))
    assert found.players["generator"].curvature == pytest.approx(0, abs=1e-12)
    assert found.players["discriminator"].curvature == pytest.approx(gamma, abs=1e-12)
    assert (found.verdict, found.strict) == ("local Nash", False)
    # Away from it σ(ψθ)(1 − σ(ψθ))θ² + γ of the discriminator, and its gradient σ(ψθ)θ + γψ.
    theta, psi, s = 1.3, 0.4, 1 / (1 + math.exp(-1.3 * 0.4))
    moved = local_nash(*at(DiracGAN(method), theta, psi))
    assert moved.players["discriminator"].curvature == pytest.approx(s * (1 - s) * theta**2 + gamma)
    assert moved.players["discriminator"].gradient == pytest.approx(s * theta + gamma * psi)
    assert moved.verdict == "not stationary"


def networks() -> tuple[Any, Any, Any, Any]:
    """A game of small tanh networks in double precision, with a penalty."""
    game, state = play(small(replace(methods.get("gan-r1"), averages={})))
    players = {n: v.double() for n, v in state.players.items()}
    rows = {
        n: t.double() if isinstance(t, Tensor) and t.is_floating_point() else t
        for n, t in batch(game).items()
    }
    return game, players, state.memory, rows


def test_curvature_of_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dense and by Lanczos's iteration, against the Hessian that autograd makes of the loss."""
    game, players, memory, rows = networks()
    products: list[Any] = []
    pullback = game.pullback
    monkeypatch.setattr(game, "pullback", lambda *given: products.append(given) or pullback(*given))
    whole = local_nash(game, players, memory, rows)
    assert len(products) == sum(map(len, players.values()))  # a column each
    found = local_nash(game, players, memory, rows, dense=5)
    assert len(products) != 2 * sum(map(len, players.values()))
    for player in game.players:

        def loss(vector: Tensor, player: str = player) -> Tensor:
            return game.losses((player,), {**players, player: vector}, memory, rows)[0][player]

        hessian = torch.autograd.functional.hessian(loss, players[player])
        wanted = torch.linalg.eigvalsh(hessian)
        assert whole.players[player].curvature == pytest.approx(float(wanted[0]), abs=1e-10)
        assert whole.players[player].norm == pytest.approx(float(wanted.abs().max()), rel=1e-10)
        assert found.players[player].curvature == pytest.approx(float(wanted[0]), abs=1e-7)
        assert found.players[player].norm == pytest.approx(float(wanted.abs().max()), rel=1e-7)
        assert whole.players[player].gradient > 1e-3
    assert whole.verdict == "not stationary"


def test_gains_of_descent() -> None:
    """x_t = x* + (1 − ha)ᵗ(x₀ − x*), x* = −(b/a)y; in the bilinear game x moves by −hby a step, with the gain t h b² y²."""
    h, steps = 0.1, 7
    a, b, x, y = 1.5, 2.0, 0.8, 0.3
    best = -b / a * y
    wanted = a / 2 * (x - best) ** 2 * (1 - (1 - h * a) ** (2 * steps))
    found = local_gain(
        at(Quadratic(a, b, 1.0), x, y)[0], "x", *at(Quadratic(a, b, 1.0), x, y)[1:], steps=steps, rate=h
    )
    assert found == pytest.approx(wanted, rel=1e-12)
    game, *rest = at(Bilinear(b=b), x, y)
    assert local_gain(game, "x", *rest, steps=steps, rate=h) == pytest.approx(steps * h * b**2 * y**2)
    assert local_gain(game, "y", *rest, steps=steps, rate=h) == pytest.approx(steps * h * b**2 * x**2)
    assert local_gain(*at(Bilinear(b=b), 0.0, 0.0)[:1], "x", *at(Bilinear(b=b), 0.0, 0.0)[1:]) == 0


def test_no_gain_is_negative_and_none_exceeds_the_best_response() -> None:
    """A rate beyond 2/a climbs: nothing is gained."""
    game, *rest = at(Quadratic(1.0, 2.0, 1.0), 0.8, 0.3)
    assert local_gain(game, "x", *rest, steps=5, rate=3.0) == 0
    share = 0.5 * (0.8 + 0.6) ** 2  # ½a(x − x*)²
    assert 0.99 * share < local_gain(game, "x", *rest, steps=100, rate=0.1) <= share


def test_gains_obey_constraints() -> None:
    """The critic of the parallel lines, L_D = ψθ with |ψ| ≤ 1: from ψ = 0 at most |θ| is gained."""
    game, *rest = at(ParallelLines(), 0.7, 0.0)
    assert local_gain(game, "discriminator", *rest, steps=50, rate=0.1) == pytest.approx(0.7)


def test_a_normalised_critic_gains_no_scale() -> None:
    """s = w·x/‖w‖ between two points at distance d: L_D ≥ −d, however long it descends."""
    method = small(replace(methods.get("sngan"), objective=Wasserstein(), averages={}, networks=None))
    critic = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Flatten(0))
    generator = nn.Linear(3, 2)
    nn.init.zeros_(generator.weight)
    nn.init.zeros_(generator.bias)
    reference = {"real": torch.tensor([[3.0, 4.0]]).repeat(8, 1)}
    game = method.game({"generator": generator, "discriminator": critic}, reference)
    players, memory = game.init(0, reference)
    rows = {
        **reference,
        **{n: d.sample(8, torch.Generator().manual_seed(0), {"real": (2,)}) for n, d in game.draws.items()},
    }
    rows["clock"] = {"step": 0, "images": 0, "progress": 0.0}
    start = float(game.losses(("discriminator",), players, memory, rows)[0]["discriminator"])
    found = local_gain(game, "discriminator", players, memory, rows, steps=300, rate=0.05)
    assert found == pytest.approx(start + 5, rel=1e-4)


def test_bad_requests() -> None:
    game, *rest = at(Bilinear(), 1.0, 1.0)
    with pytest.raises(InputError, match="no player 'z'; it has x, y"):
        local_gain(game, "z", *rest)
    with pytest.raises(InputError, match="at least 1 step"):
        local_gain(game, "x", *rest, steps=0)
    with pytest.raises(InputError, match="above 0"):
        local_gain(game, "x", *rest, rate=0.0)


def test_a_mixture_is_a_game_of_two_vectors() -> None:
    """Gradients by name, weights of all members, curvature of the whole: the same as from its losses."""
    game, state = play(small(replace(methods.get("mix-gan"), averages={})))
    batches = [batch(game, seed=seed) for seed in (0, 1)]
    found = gradient_health(game, state.players, state.memory, batches)
    for player, own in found.players.items():
        assert math.hypot(*own.parameters.values()) == pytest.approx(own.norm, rel=1e-5)
        assert int(weight_histogram(game, player, state.players).total.sum()) == len(state.players[player])
    nash = local_nash(game, state.players, state.memory, batches[0])
    field = game.field(state.players, state.memory, batches[0])
    assert {p: own.gradient for p, own in nash.players.items()} == {
        p: float(g.norm()) for p, g in field.items()
    }
