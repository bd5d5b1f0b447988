"""Every dynamics on networks: what moves and is remembered, both executions, one graph, draws, cost, determinism."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from saddlepoint import methods
from saddlepoint.average import EMA
from saddlepoint.batches import Batches
from saddlepoint.bound import MethodGame
from saddlepoint.constraints import Clip, SpectralNorm
from saddlepoint.data import load
from saddlepoint.dynamics import (
    Aligned,
    Alternating,
    Burst,
    CompetitiveGradientDescent,
    Consensus,
    Dynamics,
    Extragradient,
    Lookahead,
    PastExtragradient,
    Simultaneous,
    SymplecticAdjustment,
    Unrolled,
)
from saddlepoint.errors import InputError
from saddlepoint.game import Game, Notes
from saddlepoint.games import Bilinear
from saddlepoint.method import Method
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.optim import SGD, Adam, Optimistic, Optimizer
from saddlepoint.parallel import Accumulated
from saddlepoint.state import State
from saddlepoint.vocabulary import read
from small_games import ROWS, batch, differing, play, small

RATES: dict[str, Optimizer] = {"generator": SGD(0.05), "discriminator": SGD(0.05)}
ADAMS: dict[str, Optimizer] = {"generator": Adam(0.01), "discriminator": Adam(0.01)}
DYNAMICS: dict[str, Dynamics] = {
    "extragradient": Extragradient(RATES),
    "past": PastExtragradient(RATES),
    "consensus": Consensus(RATES, gamma=0.5),
    "symplectic": SymplecticAdjustment(RATES, alignment=Aligned()),
    "lookahead": Lookahead(Alternating(RATES), period=2),
    "lookahead-extra": Lookahead(Extragradient(RATES), period=1),
    "unrolled": Unrolled(RATES, ahead=2),
    "unrolled-together": Unrolled(RATES, {"generator+discriminator": 1}, ahead=2),
    "competitive": CompetitiveGradientDescent(RATES, eta=0.05, iterations=2),
    "optimistic": Alternating({p: Optimistic(SGD(0.05)) for p in RATES}),
}
EVERY = pytest.mark.parametrize("name", DYNAMICS)


def played_by(dynamics: Dynamics, base: str = "gan", **changes: Any) -> Method:
    averages = {"generator": EMA(half_life=20.0)}
    return replace(small(methods.get(base)), dynamics=dynamics, averages=averages, **changes)


def batches(method: Method, game: MethodGame, count: int) -> list[list[dict[str, Any]]]:
    made = []
    for number in range(count):
        clock = {"step": number, "images": number * ROWS, "progress": number / 10}
        turns = method.dynamics.turns(number)
        made.append([{**batch(game, seed=10 * number + i), "clock": clock} for i, _ in enumerate(turns)])
    return made


def steps(method: Method, game: Game, state: State, made: list[list[dict[str, Any]]] | int) -> State:
    drawn = batches(method, game.bound(), made) if isinstance(made, int) else made
    for number, step in enumerate(drawn):
        state, _ = method.dynamics.step(game, state, method.dynamics.turns(number), step.__getitem__, ROWS)
    return state


# -- memory moves once a committed move ------------------------------


@EVERY
def test_batch_statistics_move_once_a_committed_move(name: str) -> None:
    method = played_by(DYNAMICS[name])
    game, state = play(method, norm=True)
    after = steps(method, game, state, 3)
    counts = {
        player: {int(b) for n, b in buffers.items() if n.endswith("num_batches_tracked")}
        for player, buffers in after.memory["buffers"].items()
    }
    assert counts == {"generator": {3}, "discriminator": {3}}


@EVERY
def test_power_iterations_move_once_a_committed_move(name: str) -> None:
    """The singular vectors after one step are those of one power iteration at the moved weights, from the start."""
    method = played_by(DYNAMICS[name], "sngan")
    assert any(isinstance(c, SpectralNorm) for c in method.constraints)
    game, state = play(method)
    after = steps(method, game, state, 1)
    network = game.networks["discriminator"]
    named = network.layout.named(after.players["discriminator"])
    for index, constraint in enumerate(network.constraints):
        # Lookahead pulls the vector back after the move that was remembered
        if "lookahead" in name and method.dynamics.turns(0)[-1].closes:
            continue
        once = constraint.remember(named, state.memory["constraints"]["discriminator"][str(index)])
        torch.testing.assert_close(
            after.memory["constraints"]["discriminator"][str(index)], once, rtol=1e-6, atol=1e-7
        )


@EVERY
def test_state_keeps_its_form_and_averages_follow(name: str) -> None:
    """What a step leaves can start the next: the same entries, of the same shapes, no two names for one tensor."""
    method = played_by(DYNAMICS[name])
    game, state = play(method, norm=True)
    after = steps(method, game, state, 2)
    assert shapes(after) == shapes(state)
    assert not torch.equal(after.average["generator"]["vector"], state.average["generator"]["vector"])
    found = [id(t) for t in tensors([after.players, after.memory, after.average])]
    assert len(set(found)) == len(found)


def tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [t for part in parts if isinstance(part, (dict, list, Tensor)) for t in tensors(part)]


def shapes(value: Any) -> Any:
    if isinstance(value, State):
        value = value._asdict()
    if isinstance(value, dict):
        return {n: shapes(v) for n, v in value.items()}
    return (value.shape, value.dtype) if isinstance(value, Tensor) else None


@EVERY
@pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])
def test_projections_follow_every_move(name: str, execution: Execution) -> None:
    method = played_by(DYNAMICS[name], "wgan", constraints=(Clip(bound=0.05),))
    game, state = play(method, execution)
    assert steps(method, game, state, 2).players["discriminator"].abs().max() <= 0.05


# -- executions ------------------------------


@EVERY
@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("base", ["gan", "gan-r1"])
def test_functional_steps_equal_plain_ones(name: str, base: str) -> None:
    method = played_by(DYNAMICS[name], base, terms=()) if base == "gan" else played_by(DYNAMICS[name], base)
    norm = base == "gan"
    ends = [steps(method, *play(method, execution, norm), 2) for execution in (Plain(), Functional())]
    for part in ("players", "memory", "average"):
        torch.testing.assert_close(getattr(ends[0], part), getattr(ends[1], part), rtol=1e-8, atol=1e-10)


@EVERY
@pytest.mark.usefixtures("double")
def test_accumulated_steps_equal_those_of_the_whole_batch(name: str) -> None:
    """Products with the Jacobian are linear in the batch; a squared norm of a micro-batch's gradient would not be."""
    method = played_by(DYNAMICS[name])
    game, state = play(method)
    whole, parts = (steps(method, g, state, 2) for g in (game, Accumulated(game, 4)))
    torch.testing.assert_close(parts.players, whole.players, rtol=1e-9, atol=1e-11)


@EVERY
def test_members_of_a_population_equal_their_solo_runs(name: str) -> None:
    method = played_by(DYNAMICS[name])
    game, state = play(method, Functional())
    members = [play(method, Functional(), seed=seed)[1].players for seed in (1, 2)]

    made = batches(method, game, 2)

    def run(players: dict[str, Tensor]) -> dict[str, Tensor]:
        return steps(method, game, method.dynamics.init(game, players, state.memory), made).players

    stacked = {p: torch.stack([member[p] for member in members]) for p in game.players}
    together = torch.vmap(run)(stacked)
    for index, member in enumerate(members):
        torch.testing.assert_close(
            {p: v[index] for p, v in together.items()}, run(member), rtol=1e-4, atol=1e-5
        )


@EVERY
def test_same_batches_same_bits(name: str) -> None:
    method = played_by(replace_optimizers(DYNAMICS[name]))
    ends = [steps(method, *play(method, norm=True), 2) for _ in range(2)]
    assert not differing(*ends)


def replace_optimizers(dynamics: Dynamics) -> Dynamics:
    if isinstance(dynamics, Lookahead):
        return replace(dynamics, inner=replace(dynamics.inner, optimizers=ADAMS))
    return replace(dynamics, optimizers=ADAMS)


# -- draws, cost, values ------------------------------


@EVERY
def test_cost_counts_what_is_evaluated(name: str) -> None:
    """Gradients of single losses, counted in the game; a product with the Jacobian counts as one for each player."""
    dynamics = DYNAMICS[name]
    method = played_by(dynamics)
    game, state = play(method)
    counted = Counted(game)
    turns = dynamics.turns(0)
    made = [batch(game, seed=i) for i, _ in enumerate(turns)]
    dynamics.step(counted, state, turns, made.__getitem__, ROWS)
    assert sum(map(dynamics.cost, turns)) == counted.count
    clock = dynamics.advance(game, state.clock, turns, ROWS)
    assert clock["gradients"] == counted.count


class Counted(Accumulated):
    """Counts gradients, and those that are differentiated again twice."""

    def __init__(self, base: Game) -> None:
        super().__init__(base, 1)
        self.count = 0

    def gradients(self, who: Any, players: Any, memory: Any, batch: Any, create_graph: bool = False) -> Any:
        self.count += len(who) * (2 if create_graph else 1)
        return self.base.gradients(who, players, memory, batch, create_graph)

    def derivatives(self, losses: Any, at: Any) -> Any:
        self.count += len(at)
        return super().derivatives(losses, at)

    def pullback(self, players: Any, memory: Any, batch: Any, cotangent: Any) -> Any:
        self.count += len(players)
        return self.base.pullback(players, memory, batch, cotangent)

    def pushforward(self, players: Any, memory: Any, batch: Any, tangent: Any) -> Any:
        self.count += len(players)
        return self.base.pushforward(players, memory, batch, tangent)


@pytest.mark.parametrize("shared", [False, True])
def test_extragradient_looks_ahead_on_one_batch_and_steps_on_another(shared: bool) -> None:
    method = small(methods.get("extra-adam"))
    method = replace(method, dynamics=replace(method.dynamics, shared=shared))
    game, state = play(method)
    turns = method.dynamics.turns(0)
    made = Batches(game, load("ring"), 0, ROWS, torch.device("cpu")).step(state.clock, turns, 0.0)
    assert torch.equal(made[0]["real"], made[1]["real"]) == shared
    clock = method.dynamics.advance(game, state.clock, turns, ROWS)
    assert clock["rows"] == ROWS * (1 if shared else 2)


def test_the_extrapolated_point_leaves_nothing_but_the_optimisers_slots() -> None:
    """The step is taken from the saved point, and the memory is that of an evaluation at the extrapolated one."""
    method = played_by(Extragradient(RATES))
    game, state = play(method, norm=True)
    made = [batch(game, seed=seed) for seed in (0, 1)]
    first, _ = game.gradients(game.players, state.players, state.memory, made[0])
    ahead = {p: v - 0.05 * first[p] for p, v in state.players.items()}
    second, notes = game.gradients(game.players, ahead, state.memory, made[1])
    after, _ = method.dynamics.step(game, state, method.dynamics.turns(0), made.__getitem__, ROWS)
    torch.testing.assert_close(after.players, {p: v - 0.05 * second[p] for p, v in state.players.items()})
    torch.testing.assert_close(after.memory["buffers"]["generator"], notes.buffers["generator"])


def test_lookahead_pulls_everybody_back_once_a_period() -> None:
    inner = Alternating(RATES)
    method, plain = played_by(Lookahead(inner, period=3, alpha=0.25)), played_by(inner)
    game, state = play(method)
    start = state.players
    assert [[turn.closes for turn in method.dynamics.turns(s)] for s in range(6)] == [
        [False, s % 3 == 2] for s in range(6)
    ]
    fast = steps(plain, *play(plain), 3).players
    after = steps(method, game, state, 3)
    for player, vector in after.players.items():
        torch.testing.assert_close(vector, start[player] + 0.25 * (fast[player] - start[player]))
        assert torch.equal(after.memory["slow"][player], vector)


def test_bursts_of_critic_steps() -> None:
    """100 critic steps in each of the first 25 steps and in every 500th, else five: two patterns in all."""
    dynamics = Alternating(steps={"generator": 1, "discriminator": 5}, burst=Burst())
    moves = {step: len(dynamics.turns(step)) - 1 for step in (0, 24, 25, 499, 500, 501, 1000, 1001)}
    assert moves == {0: 100, 24: 100, 25: 5, 499: 5, 500: 100, 501: 5, 1000: 100, 1001: 5}
    assert len({dynamics.turns(step) for step in range(1200)}) == 2
    game, state = play(played_by(dynamics))
    clock = dynamics.advance(game, state.clock, dynamics.turns(0), ROWS)
    assert clock["images"] == 100 * ROWS
    assert clock["gradients"] == 101


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Burst(moves=0), "at least 1"),
        (lambda: Alternating(burst=Burst("critic")), "'critic'"),
        (lambda: Lookahead(Lookahead()), "other dynamics than itself"),
        (lambda: Lookahead(period=0), "whole periods"),
    ],
)
def test_what_cannot_be_is_said(make: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make()


@EVERY
def test_values_are_read_back_from_their_text(name: str) -> None:
    assert read(repr(DYNAMICS[name])) == DYNAMICS[name]
    burst = Alternating(RATES, burst=Burst())
    assert read(repr(burst)) == burst


@dataclass(frozen=True)
class Three(Bilinear):
    """Rock, paper, scissors: each player's loss is its number times the next one's."""

    players = ("x", "y", "z")
    signs: tuple[float, ...] = field(default=(1.0, 1.0, 1.0))

    def start(self) -> dict[str, Tensor]:
        return {
            p: torch.tensor([v], dtype=torch.float64) for p, v in zip("xyz", (1.0, -0.5, 2.0), strict=True)
        }

    def losses(self, who: Any, players: Any, memory: Any, batch: Any) -> Any:
        following = {"x": "y", "y": "z", "z": "x"}
        return {p: players[p].dot(players[following[p]]) for p in who}, Notes({}, {})


@pytest.mark.parametrize(
    "make",
    [
        Simultaneous,
        Extragradient,
        PastExtragradient,
        Consensus,
        SymplecticAdjustment,
        CompetitiveGradientDescent,
    ],
)
def test_three_players_move_by_every_rule(make: Any) -> None:
    """Exact for three too: one step of each rule with the Jacobian J (a cycle) as a matrix."""
    from saddlepoint.games import orbit

    h, jacobian = 0.1, torch.tensor([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=torch.float64)
    rule = make({p: SGD(h) for p in "xyz"})
    if make is CompetitiveGradientDescent:
        rule = replace(rule, eta=h, iterations=4)
    x, identity = orbit(Three(), rule, 1)[:2].unbind(0)[0], torch.eye(3, dtype=torch.float64)
    found = orbit(Three(), rule, 1)[1]
    v = jacobian @ x
    directions = {
        Simultaneous: v,
        Extragradient: jacobian @ (x - h * v),
        PastExtragradient: v,
        Consensus: v + 10 * jacobian.T @ v,
        SymplecticAdjustment: v + (jacobian.T - jacobian) @ v / 2,
        CompetitiveGradientDescent: torch.linalg.solve(identity + h * jacobian, v),
    }
    torch.testing.assert_close(found, x - h * directions[make], rtol=1e-9, atol=1e-11)
