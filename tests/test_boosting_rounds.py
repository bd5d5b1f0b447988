"""Boosting as a sequence of games: who moves when, what rows the next component sees, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import saddlepoint
from saddlepoint import Budget, Settings, methods
from saddlepoint.boosting import boosted, odds
from saddlepoint.data import load
from saddlepoint.data.resampled import Resampled
from saddlepoint.errors import InputError
from saddlepoint.mixture import Boosting
from saddlepoint.networks import MLP
from saddlepoint.objectives import Judging
from saddlepoint.rounds import boosting
from saddlepoint.sampling import latents, samples
from saddlepoint.trained import Run

SMALL = MLP(width=16, depth=1)
SETTINGS = Settings(seed=3, batch_size=32, pictures=0, evaluations=0, threads=1, checkpoint_seconds=1e6)


def trained(method: Any, place: Path, steps: int) -> Run:
    return saddlepoint.train(
        method, "ring", SMALL, out=place, budget=Budget(steps=steps), settings=SETTINGS, quiet=True
    )


def members(run: Run, player: str) -> Tensor:
    """The vectors of the components, [components, numbers]."""
    known = {**run.state.memory["fixed"], **run.state.players}
    count = run.plan.method.mixture.components  # type: ignore[union-attr]
    return known[player][count:].view(count, -1)


@pytest.mark.parametrize("base", ["gan", "lsgan", "wgan-gp", "gan-r1"])
def test_the_first_component_is_trained_as_the_base_is(base: str, tmp_path: Path) -> None:
    method = replace(methods.get(base), averages={})
    alone = trained(method, tmp_path / "alone", 6)
    first = trained(boosting(method, components=2, steps=6, judging=2), tmp_path / "rounds", 6)
    for player, vector in alone.state.players.items():
        torch.testing.assert_close(members(first, player)[0], vector, atol=1e-6, rtol=0)


def test_each_stage_moves_its_own_networks_and_no_other(tmp_path: Path) -> None:
    method = boosting(methods.get("gan"), components=2, steps=4, judging=3)
    ends = {steps: trained(method, tmp_path / "run", steps) for steps in (1, 4, 7, 9)}
    seen = {
        steps: [
            *members(run, "generator"),
            *members(run, "discriminator"),
            {**run.state.memory["fixed"], **run.state.players}["judge"],
        ]
        for steps, run in ends.items()
    }
    names = ("generator 1", "generator 2", "discriminator 1", "discriminator 2", "judge")

    def moved(before: int, after: int) -> list[str]:
        pairs = zip(names, seen[before], seen[after], strict=True)
        return [name for name, a, b in pairs if not torch.equal(a, b)]

    assert moved(1, 4) == ["generator 1", "discriminator 1"]
    assert moved(4, 7) == ["judge"]
    assert moved(7, 9) == ["generator 2", "discriminator 2"]


def test_samples_come_from_the_components_so_far_alike(tmp_path: Path) -> None:
    """With generators that are constants, so that a sample says who made it."""
    method = boosting(methods.get("gan"), components=3, steps=2, judging=1)
    for steps, known in ((1, {0.0}), (3, {0.0}), (4, {0.0, 1.0}), (7, {0.0, 1.0, 2.0})):
        run = trained(method, tmp_path / "run", steps)
        made = constant(run)
        shares = {float(v): float((made == v).float().mean()) for v in made.unique()}
        assert set(shares) == known
        assert all(abs(share - 1 / len(known)) < 4 * (0.25 / len(made)) ** 0.5 for share in shares.values())


def constant(run: Run) -> Tensor:
    """First numbers of 3,000 samples when component i returns i whatever it is given."""
    network = run.game.networks["generator"]
    vector = {**run.state.memory["fixed"], **run.state.players}["generator"]
    named = dict(network.layout.named(torch.zeros_like(vector)))
    last = max(name for name in named if name.endswith("bias") and name.startswith("members.0"))
    for member in range(3):
        name = last.replace("members.0", f"members.{member}")
        named[name] = torch.full_like(named[name], float(member))
    named["logits"] = torch.zeros(3)
    flat = network.layout.vector(named)
    state = run.state
    players = {n: flat if n == "generator" else v for n, v in state.players.items()}
    fixed = {n: flat if n == "generator" else v for n, v in state.memory["fixed"].items()}
    noise = latents(run.game.method, 3000, 0, "constants")
    return samples(run.game, players, {**state.memory, "fixed": fixed}, noise)[:, 0]


def test_the_next_component_sees_the_rows_by_the_judges_odds() -> None:
    """A judge that is sure of half of the ring: w = boosted(e^−j), by hand, and frequencies as many as that."""
    data = load("ring")
    rule = Boosting(components=2, turn=2)

    def judged(points: Tensor) -> Tensor:
        return torch.where(points[:, 0] > 0, -2.0, 2.0)  # right of 0 the mixture is e² times as likely

    seen = rule.training_rows(data, judged)
    assert isinstance(seen, Resampled)
    real = seen.pool["real"]
    expected = boosted(odds(judged(real)), 0.5)
    torch.testing.assert_close(seen.weight, expected)
    drawn = seen.rows(0, 0, 20_000)["real"]
    share = float(expected[real[:, 0] > 0].sum())
    assert share < 0.05
    assert abs(float((drawn[:, 0] > 0).float().mean()) - share) < 0.01
    assert Boosting(components=2, turn=1).training_rows(data, judged) is data


def test_resampled_rows_follow_their_weights_and_do_not_depend_on_how_they_are_cut() -> None:
    data = load("digits")
    pool = {name: rows[:4] for name, rows in data.training().items()}
    weight = torch.tensor([0.5, 0.0, 0.3, 0.2], dtype=torch.float64)
    seen = Resampled(data, pool, weight)
    whole = seen.rows(1, 0, 9000)
    parts = [seen.rows(1, start, 500) for start in range(0, 9000, 500)]
    assert torch.equal(whole["real"], torch.cat([part["real"] for part in parts]))
    same = (whole["real"].unsqueeze(1) == pool["real"]).flatten(2).all(2)
    assert torch.equal(pool["label"][same.int().argmax(1)], whole["label"])
    counts = same.double().mean(0)
    assert counts[1] == 0
    assert ((counts - weight).abs() < 4 * (weight * (1 - weight) / 9000).sqrt() + 1e-12).all()


def test_what_cannot_be_boosted_is_refused() -> None:
    with pytest.raises(InputError, match="one pair in one stage, and mix-gan has more"):
        boosting(methods.get("mix-gan"))
    with pytest.raises(InputError, match="no such turn: give one from 1 to 2"):
        Boosting(components=2, turn=3)


def test_the_judges_gradient_is_the_closed_form() -> None:
    """j(x) = w·x: ∇_w L = E_Q σ(j) x − E_P σ(−j) x, the fakes being constants."""
    source = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(n, 3, generator=source, dtype=torch.float64) for n in (7, 5))
    weight = torch.randn(3, generator=source, dtype=torch.float64).requires_grad_()
    fake.requires_grad_()
    Judging().judge(lambda x: x @ weight, real, fake).backward()
    of_fake = ((fake @ weight).sigmoid()[:, None] * fake).mean(0)
    of_real = ((-real @ weight).sigmoid()[:, None] * real).mean(0)
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, (of_fake - of_real).detach(), atol=1e-12, rtol=0)
    assert fake.grad is None
