"""Terms that need the centre's hooks, in games: the discriminator's gradient, a memory of parameters, features."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from saddlepoint import methods
from saddlepoint.dynamics import Simultaneous
from saddlepoint.network import Execution, Functional, Plain
from saddlepoint.optim import SGD
from saddlepoint.penalties import FeatureMatching, HistoricalAveraging, NagarajanKolter, Roth
from small_games import batch, descent, play, small
from test_games import assert_spectrum, dirac, jacobian, pair

pytestmark = pytest.mark.usefixtures("double")
EXECUTIONS = pytest.mark.parametrize("execution", [Plain(), Functional()], ids=["plain", "functional"])


@EXECUTIONS
@pytest.mark.parametrize("g", [0.1, 1.0, 10.0])
def test_eigenvalues_on_the_dirac_gan(g: float, execution: Execution) -> None:
    """M46, M47, M48: −γ/4 ± √(γ²/16 − ¼) for Roth's term on the discriminator and for the generator's on the slope of the
    discriminator's loss."""
    for term in (Roth(g), NagarajanKolter(g)):
        found = jacobian(*dirac(replace(methods.get("gan"), terms=(term,)), execution))
        assert_spectrum(found, pair(-g / 4, g**2 / 16 - 1 / 4))


@EXECUTIONS
def test_historical_averaging_pulls_each_player_to_its_own_past(execution: Execution) -> None:
    """M64: the gradient gains 2λ(θ − θ̄), θ̄ the mean over θ₀ … θ_t of that player's committed moves."""
    terms = (HistoricalAveraging("generator", 0.7), HistoricalAveraging("discriminator", 0.2))
    method = replace(small(descent(methods.get("gan"))), terms=terms)
    steps = {"generator": 1, "discriminator": 2}
    method = replace(method, dynamics=replace(method.dynamics, steps=steps))
    (game, state), (bare, _) = (play(m, execution) for m in (method, replace(method, terms=())))
    past = {player: [vector] for player, vector in state.players.items()}
    for number, turn in enumerate(method.dynamics.turns(0) * 3):
        data = batch(game, seed=number)
        for term in terms:
            who, theta = (term.player,), state.players[term.player]
            at = (who, state.players, state.memory, data)
            gained = game.gradients(*at)[0][term.player] - bare.gradients(*at)[0][term.player]
            expected = 2 * term.weight * (theta - torch.stack(past[term.player]).mean(0))
            torch.testing.assert_close(gained, expected, rtol=1e-8, atol=1e-12)
        state, _ = method.dynamics.move(game, state, turn, data)
        for player in turn.players:
            past[player].append(state.players[player])
    assert [len(past[player]) for player in ("generator", "discriminator")] == [4, 7]


def test_feature_matching_is_the_generators_only_loss() -> None:
    """Also in a turn of both: the discriminator's gradient does not know of it."""
    method = small(methods.get("feature-matching"))
    both = Simultaneous({"generator": SGD(0.1), "discriminator": SGD(0.1)})
    game, state = play(replace(method, dynamics=both))
    data = batch(game)
    losses, notes = game.losses(game.players, state.players, state.memory, data)
    torch.testing.assert_close(losses["generator"], notes.info["term/FeatureMatching"])
    heavy, _ = play(replace(method, dynamics=both, terms=(FeatureMatching(100.0),)))
    light, much = (g.field(state.players, state.memory, data) for g in (game, heavy))
    torch.testing.assert_close(light["discriminator"], much["discriminator"], rtol=0, atol=0)
    torch.testing.assert_close(100 * light["generator"], much["generator"])
