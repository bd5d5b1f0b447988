"""Mistakes of well-known published code that no other test would notice here. P numbers are those of the list of pitfalls."""

from __future__ import annotations

import pytest
import torch

from saddlepoint import methods
from saddlepoint.networks import Autoencoder
from saddlepoint.objectives import LeastSquares, LossSensitive
from saddlepoint.optim import Adam, RMSProp
from saddlepoint.penalties import R1, R2


def test_the_clipped_critic_is_trained_without_momentum() -> None:
    """P08: the paper's RMSProp at 5e-5 and five critic moves, for which a popular comparison took Adam."""
    dynamics = methods.get("wgan").dynamics
    assert dynamics.optimizers == {"generator": RMSProp(5e-5), "discriminator": RMSProp(5e-5)}
    assert not isinstance(dynamics.optimizers["discriminator"], Adam)
    assert [turn.players for turn in dynamics.turns(0)].count(("discriminator",)) == 5


@pytest.mark.parametrize(("name", "term"), [("gan-r1", R1(20.0)), ("gan-r2", R2(20.0))])
def test_the_published_weight_of_the_authors_of_r1_is_doubled(name: str, term: R1 | R2) -> None:
    """P02: their code multiplies by 10 without the ½ of their formula, which is γ = 20 here."""
    assert methods.get(name).terms == (term,)


def test_names_one_letter_apart_are_different_methods() -> None:
    """P17: least squares (Mao et al.) and loss-sensitive (Qi). No two ids differ in hyphens and capitals alone but these."""
    assert isinstance(methods.get("lsgan").objective, LeastSquares)
    assert isinstance(methods.get("ls-gan").objective, LossSensitive)
    names = methods.names()
    assert len(set(names)) == len(names)
    bare = [name.replace("-", "").lower() for name in names]
    assert {name for name in names if bare.count(name.replace("-", "")) > 1} == {"lsgan", "ls-gan"}


def test_an_energy_is_differentiated_through_its_target_too() -> None:
    """P09: d‖x − x̂(x)‖²/dx has a part from x itself; a detached target would leave the generator the decoder's alone."""
    torch.manual_seed(0)
    judge = Autoencoder(width=8, code=3, activation="tanh").build((2,), 5)["discriminator"].double()
    x = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    along, h = torch.randn(4, 2, dtype=torch.float64), 1e-6
    slope = (torch.autograd.grad(judge(x)["score"].sum(), x)[0] * along).sum(1)
    with torch.no_grad():
        quotient = (judge(x + h * along)["score"] - judge(x - h * along)["score"]) / (2 * h)
    torch.testing.assert_close(slope, quotient, rtol=1e-7, atol=1e-9)
