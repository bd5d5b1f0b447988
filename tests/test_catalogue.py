"""Every method trains on points and on images, alone and with parts of others put in; what cannot be is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from command_line import saddlepoint
from saddlepoint import Budget, Settings, methods
from saddlepoint.data import load
from saddlepoint.dynamics import Consensus, Extragradient, Simultaneous
from saddlepoint.errors import InputError
from saddlepoint.method import Method
from saddlepoint.networks import MLP, Autoencoder, Mixture
from saddlepoint.penalties import R1
from saddlepoint.plan import Plan, fitting
from workers.games import Played

NAMES = methods.names()
IMAGES_ONLY = [n for n in NAMES if any(treatment.images for treatment in methods.get(n).treatments)]
BATCH_AWARE = ("improved-techniques", "minibatch-discrimination")
DENSITIES = [n for n in NAMES if isinstance(methods.get(n).networks, Mixture)]
LINE = (
    "train {} --data ring --steps 12 --batch-size 16 --evaluations 1 --evaluation-samples 100 --pictures 1 "
    "--quiet --out {}"
)
DOZEN = (
    "fgan-kl",
    "fgan-alpha",
    "wgan-lp",
    "dragan",
    "roth",
    "consensus",
    "unrolled",
    "extra-adam",
    "ralsgan",
    "began",
    "mmd-gan",
    "historical-averaging",
)


def trained(method: Method, data: str, steps: int = 20) -> list[dict[str, torch.Tensor]]:
    """What was seen in each step."""
    small = MLP(width=16, depth=1)
    published: Any = method.networks
    if isinstance(published, Autoencoder):
        published = replace(published, width=16)
    pair = published if isinstance(published, Autoencoder | Mixture) else fitting(method, small)
    plan = Plan(method, load(data), pair, Budget(steps=steps), Settings(seed=1, batch_size=16))
    plan.check()
    played = Played(plan)
    before = {player: vector.clone() for player, vector in played.state.players.items()}
    seen = [played.step() for _ in range(steps)]
    for player, vector in played.state.players.items():
        assert torch.isfinite(vector).all()
        assert not torch.equal(vector, before[player])
    samples = played.game.sample(played.state.players, played.state.memory, played.batch())
    assert samples.shape == (16, *plan.data.shape)
    assert torch.isfinite(samples).all()
    return seen


@pytest.mark.parametrize("data", ["ring", "digits"])
@pytest.mark.parametrize("name", NAMES)
def test_every_method_trains(name: str, data: str) -> None:
    if data == "ring" and name in IMAGES_ONLY:
        with pytest.raises(InputError, match="is for images"):
            trained(methods.get(name), data)
        return
    if data == "digits" and name in DENSITIES:
        with pytest.raises(InputError, match="density of vectors"):
            trained(methods.get(name), data)
        return
    for info in trained(methods.get(name), data):
        assert all(math.isfinite(value.double().mean()) for value in info.values())


@pytest.mark.parametrize("name", [n for n in NAMES if n not in IMAGES_ONLY])
@pytest.mark.parametrize("change", ["penalty", "dynamics"])
def test_every_method_takes_parts_of_others(name: str, change: str) -> None:
    """R1 beside its own terms; another update rule with its own optimisers."""
    method = methods.get(name)
    if change == "penalty":
        if "discriminator" not in method.dynamics.optimizers:
            with pytest.raises(InputError, match="R1"):
                trained(replace(method, terms=(R1(0.1),)), "ring", 5)
            return
        method = replace(method, terms=(*method.terms, R1(0.1)))
        if name in BATCH_AWARE:
            with pytest.raises(InputError, match="couples the samples"):
                trained(method, "ring", 5)
            return
    else:
        rule = {0: Simultaneous, 1: Extragradient, 2: Consensus}[NAMES.index(name) % 3]
        method = replace(method, dynamics=rule(method.dynamics.optimizers))  # type: ignore[abstract]
    trained(method, "ring", 5)


@pytest.mark.slow
@pytest.mark.parametrize("name", DOZEN)
def test_a_dozen_from_the_command_line(name: str, tmp_path: Any) -> None:
    done = saddlepoint(LINE.format(name, "run"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").is_file()
    again = saddlepoint(LINE.format(name, "run").replace(" --quiet", ""), tmp_path)
    assert "nothing to do" in again.stderr + again.stdout
