"""bf16 against fp32."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent / "workers"))

from games import CASES, Played

from saddlepoint.network import Functional, Plain, Precision
from saddlepoint.networks import DCGAN

# A bf16 number has 8 significant bits: one rounding is off by at most 2^-8. A generator's gradient passes both networks
# forth and back: some 10 rounded results each way in these (products, normalisations, activations). Were all 20 off by the
# most and in one direction, the gradient would be off by this share.
TOLERANCE = 20 * 2**-8


@pytest.mark.parametrize("name", ["gan", "r3gan", "wgan-gp", "dcgan"])
@pytest.mark.parametrize("execution", [Plain, Functional])
def test_bf16_gradients_are_near_those_of_fp32_and_leave_in_fp32(name: str, execution: type) -> None:
    case = CASES[name]
    if name == "dcgan":
        case = replace(case, networks=DCGAN(width=8))
    played = Played(case.plan())
    batch = played.batch()
    game = played.game.bound()
    for who in game.players:
        found = []
        for precision in ("fp32", "bf16"):
            game.execution = execution(Precision(precision))
            gradients, notes = game.gradients((who,), played.state.players, played.state.memory, batch)
            assert gradients[who].dtype == torch.float32
            assert all(value.dtype == torch.float32 for value in notes.info.values())
            found.append(gradients[who])
        error = float((found[1] - found[0]).norm() / found[0].norm())
        assert 0 < error < TOLERANCE, (who, error)


def test_float64_passes_untouched_without_autocast() -> None:
    played = Played(CASES["gan"].plan())
    double = {name: vector.double() for name, vector in played.state.players.items()}
    batch = {n: v.double() if isinstance(v, torch.Tensor) else v for n, v in played.batch().items()}
    gradients, _ = played.game.gradients(("discriminator",), double, played.state.memory, batch)
    assert gradients["discriminator"].dtype == torch.float64
    single, _ = played.game.gradients(
        ("discriminator",), played.state.players, played.state.memory, played.batch()
    )
    difference = (gradients["discriminator"] - single["discriminator"].double()).abs().max()
    assert 0 < difference < 1e-6  # float64 really was used, and says the same
