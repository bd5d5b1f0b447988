"""The duality gap of a run: its losses by hand, its search by an ordinary loop, and the runs that have none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.functional import softplus

import saddlepoint
from saddlepoint import Budget, Run, Settings, methods
from saddlepoint.batches import Batches
from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.evaluate import Evaluator
from saddlepoint.metrics import catalogue
from saddlepoint.metrics.convergence import Contest
from saddlepoint.networks import MLP
from saddlepoint.random import key

METRIC = catalogue.get("duality-gap")
SETTINGS = Settings(evaluations=0, pictures=1, batch_size=16, threads=1)


def trained(method: str, data: str, out: Path) -> Run:
    return saddlepoint.train(
        methods.get(method),
        data,
        MLP(width=8, depth=1),
        out=out,
        budget=Budget(steps=20),
        settings=SETTINGS,
        quiet=True,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained("gan", "ring", tmp_path_factory.mktemp("gap") / "run")


def contest(run: Run) -> Contest:
    found = run.contest()
    assert found
    return found


def test_losses_are_those_of_the_game(run: Run) -> None:
    """−E ln σ(s(x)) − E ln(1 − σ(s(G(z)))) and −E ln σ(s(G(z))), by the modules of the run."""
    rows = run.data.held_out(150, 0)["real"]
    drawn = Batches(run.game, run.data, 7, 150, torch.device("cpu")).noise(0, 0, frozenset({"latent"}))
    with torch.no_grad():
        real, fake = (run.model().judge(x) for x in (rows, run.generator()(drawn["latent"])))
    expected = {
        "discriminator": softplus(-real).mean() + softplus(fake).mean(),
        "generator": softplus(-fake).mean(),
    }
    found = {player: loss(run.state.players) for player, loss in contest(run).losses(rows, 7).items()}
    assert {player: value.item() for player, value in found.items()} == pytest.approx(
        {player: value.item() for player, value in expected.items()}, rel=1e-5
    )


def test_the_gap_is_what_players_gain_on_rows_apart(run: Run) -> None:
    """Adam by hand on training rows, each player against the others where they stand; the losses before less those after,
    on held-out rows."""
    quantities = run.quantities(Evaluator(run.data, 200, 0, extractor="identity"))
    found = quantities.measure(METRIC)["duality-gap"]
    at = contest(run).players
    searched = contest(run).losses(run.data.training(200, 0)["real"], key("searched", 0))
    judged = contest(run).losses(run.data.held_out(200, 0)["real"], key("judged", 0))
    gap = 0.0
    for player in at:
        own = at[player].clone().requires_grad_()
        adam = torch.optim.Adam([own], lr=1e-3)
        for _ in range(200):
            adam.zero_grad()
            searched[player]({**at, player: own}).backward()
            adam.step()
        gap += judged[player](at).item() - judged[player]({**at, player: own}).item()
    assert gap > 0
    assert found.value == pytest.approx(gap, rel=1e-4)
    assert found.interval is None
    assert "no interval" in found.note


def test_noise_of_a_contest_is_a_function_of_its_seed(run: Run) -> None:
    rows = run.data.held_out(50, 0)["real"]
    first, again, other = (
        contest(run).losses(rows, seed)["generator"](run.state.players) for seed in (1, 1, 2)
    )
    assert first.item() == again.item() != other.item()


@pytest.mark.parametrize(("method", "data"), [("wgan", "ring"), ("acgan", "digits")])
def test_bounded_players_and_labels_have_none(method: str, data: str, tmp_path: Path) -> None:
    made = trained(method, data, tmp_path / "run")
    assert made.contest() is None
    quantities = made.quantities(
        Evaluator(made.data, 100, 0, extractor="pixels" if data == "digits" else None)
    )
    with pytest.raises(InputError, match="without labels, and without constraints"):
        quantities.measure(METRIC)


def test_rows_of_another_shape_are_not_judged(run: Run) -> None:
    found = run.quantities(Evaluator(load("digits"), 100, 0, extractor="pixels"))
    assert found.contest is None
