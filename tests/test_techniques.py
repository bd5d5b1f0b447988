"""Techniques put together are the sum of their parts; an autoencoder that learns the data before the game begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from saddlepoint import Budget, Settings, methods, train
from saddlepoint.data import load
from saddlepoint.dynamics.base import Turn
from saddlepoint.method import Method, Stage
from saddlepoint.metrics.tournament import fooling_rate
from saddlepoint.networks import Autoencoder
from saddlepoint.objectives import EnergyMargin, RealEnergy
from saddlepoint.run import read_json
from saddlepoint.schedules import Linear
from small_games import batch, play, small

PLAYERS = ("generator", "discriminator")


def moved(method: Method) -> tuple[object, object]:
    """A game and its state a step after the start, where the history says something."""
    game, state = play(method)
    turns: tuple[Turn, ...] = method.dynamics.turns(0)
    state, _ = method.dynamics.step(game, state, turns, lambda i: batch(game, seed=i), 8)
    return game, state


@pytest.mark.usefixtures("double")
def test_the_techniques_together_are_the_sum_of_each() -> None:
    """At one point of the game the gradient with all parts is that without terms and what each term alone adds to it."""
    whole = small(methods.get("improved-techniques"))
    game, state = moved(whole)
    rows = batch(game, seed=9)  # type: ignore[arg-type]

    def gradients(method: Method) -> dict[str, Tensor]:
        other, _ = play(method)
        kept = state.memory["parts"]  # type: ignore[attr-defined]
        if len(method.terms) == 1 and other.remembering:  # alone, a term is known without its number
            (name,) = other.remembering
            kept = {name: kept[f"{name}{whole.terms.index(method.terms[0])}"]}
        memory = {**state.memory, "parts": kept}  # type: ignore[attr-defined]
        return other.gradients(PLAYERS, state.players, memory, rows)[0]  # type: ignore[attr-defined]

    bare = gradients(replace(whole, terms=()))
    added = {player: torch.zeros_like(bare[player]) for player in PLAYERS}
    for term in whole.terms:
        alone = gradients(replace(whole, terms=(term,)))
        for player in PLAYERS:
            gain = alone[player] - bare[player]
            assert (gain.norm() > 1e-6) == (player in term.players), f"{term} acts on {player}"
            added[player] += gain
    together = gradients(whole)
    for player in PLAYERS:
        torch.testing.assert_close(together[player], bare[player] + added[player])


def test_the_autoencoder_knows_the_data_before_the_first_sample(tmp_path: Path) -> None:
    """M14: after pre-training, before any move of the generator, energies of images of noise are above those of held-out
    digits with probability above .95; before it they are not. The generator is still as it was initialised."""
    method = methods.get("ebgan-pretrained")
    (stage,) = method.before
    short = replace(method, before=(Stage(stage.method, 150),))
    noise = torch.rand(300, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    real = load("digits").held_out(300)["real"]
    settings = Settings(batch_size=64, pictures=0, evaluations=0, threads=1)
    run = train(
        short,
        "digits",
        Autoencoder(width=64),
        out=tmp_path / "r",
        budget=Budget(steps=150),
        settings=settings,
        quiet=True,
    )
    found = run.state.players["discriminator"]
    assert set(run.state.players) == {"discriminator"}
    module = run.plan.modules()["discriminator"]
    before = module(noise)["score"], module(real)["score"]
    module.load_state_dict(run.game.networks["discriminator"].layout.named(found), strict=False)
    after = module(noise)["score"], module(real)["score"]
    assert fooling_rate(real=before[1].detach(), fake=before[0].detach()) < 0.95
    assert fooling_rate(real=after[1].detach(), fake=after[0].detach()) > 0.95


def test_pre_training_hands_its_vector_on_and_the_run_continues(tmp_path: Path) -> None:
    """Stopped within the first stage and continued past it equals one run; losses of the generator begin with the game."""
    stage = methods.get("ebgan-pretrained").before[0].method
    method = replace(methods.get("ebgan-pretrained"), before=(Stage(stage, 3),))
    settings = Settings(batch_size=8, pictures=0, evaluations=0, threads=1, checkpoint_steps=1)
    for out, steps in (("whole", (6,)), ("half", (2, 6))):
        for budget in steps:
            run = train(
                method,
                "ring",
                Autoencoder(8),
                out=tmp_path / out,
                budget=Budget(steps=budget),
                settings=settings,
                quiet=True,
            )
    ends = [
        (tmp_path / out / "weights" / "discriminator.safetensors").read_bytes() for out in ("whole", "half")
    ]
    assert ends[0] == ends[1]
    logged = run.folder.rows(run.folder.metrics)
    assert ["loss/generator" in line for line in logged] == [False] * 3 + [True] * 3
    assert read_json(tmp_path / "half" / "summary.json")["status"] == "finished"


def test_margins_fall() -> None:
    """L_D = E_P s + E_Q max(0, m_t − s): the whole margin at first, half at half of the images, only E_P s at the end."""
    objective = EnergyMargin(margin=Linear(2.0, 0.0, over=1000))
    real, fake = torch.rand(6), torch.rand(6)
    for images, margin in ((0, 2.0), (500, 1.0), (1000, 0.0), (5000, 0.0)):
        found = objective.discriminator(real, fake, {"step": 0, "images": images, "progress": 0.0})
        torch.testing.assert_close(found, real.mean() + (margin - fake).clamp(min=0).mean())
    torch.testing.assert_close(found, RealEnergy().discriminator(real))
