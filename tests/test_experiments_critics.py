"""Arithmetic of the experiments on small games and on critics: E02, E03, E10, E11, E22, E27."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from saddlepoint.data.densities import Grid, Ring
from saddlepoint.experiments import e03_intervals as e03
from saddlepoint.experiments import e10_eigenvalues as e10
from saddlepoint.experiments import e11_critics as e11
from saddlepoint.experiments import e22_lipschitz as e22
from saddlepoint.experiments import e27_wasserstein as e27
from saddlepoint.experiments.dirac_methods import CASES, field_jacobian, game
from saddlepoint.experiments.playing import NearRows, effective, last, play
from saddlepoint.games import Intervals, joined, orbit, parted
from saddlepoint.networks import MLP

SLOPE = torch.tensor([[3.0, -4.0]], dtype=torch.float64)  # of norm 5


def linear() -> nn.Module:
    layer = nn.Linear(2, 1, bias=False).double()
    layer.weight.data = SLOPE.clone()
    return nn.Sequential(layer, nn.Flatten(0)).requires_grad_(False)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.consensus])
def test_slopes_by_hand_are_those_of_the_game(name: str) -> None:
    case, at = CASES[name], (0.7, -0.9)
    played = game(case, at)
    players, memory = played.init(0, played.data())
    found = joined(played.field(players, memory, {**played.data(), "clock": {"step": 0, "progress": 0.0}}))
    assert found.tolist() == pytest.approx(case.slopes(*at), rel=1e-9)


def test_consensus_turns_the_spectrum_by_a_quarter_of_gamma() -> None:
    found = torch.linalg.eigvals(-field_jacobian(CASES["consensus"]))
    assert sorted(found.imag.tolist()) == pytest.approx([-0.5, 0.5])
    assert found.real.tolist() == pytest.approx([-0.25, -0.25])


@pytest.mark.parametrize("name", e03.RULES)
def test_many_games_at_once_are_each_game_alone(name: str) -> None:
    many = e03.beginnings(3, 2)
    assert many["generator"].shape == (84, 2)
    assert bool((many["discriminator"].diff(dim=1) > 0).all())
    assert float(many["discriminator"].min()) < -4.5
    assert float(many["discriminator"].max()) > 4.5
    after = e03.played(e03.RULES[name], {p: v[40:43] for p, v in many.items()}, 7)
    for row in range(3):
        alone = Intervals(means=tuple(many["generator"][40 + row].tolist()))
        start = {p: v[40 + row] for p, v in many.items()}
        end = parted(start, orbit(alone, e03.RULES[name], 7, start)[-1])
        for player, vector in end.items():
            torch.testing.assert_close(after[player][row], vector, rtol=0, atol=1e-12)


def test_the_jacobian_of_networks_is_the_derivative_of_the_field_by_hand() -> None:
    """Columns by vmap in single precision against central differences of the formula in double precision."""
    moment = last(play(e10.METHODS["SimGD"], e10.RING, MLP(width=4, activation="tanh"), 3, 0, 32))
    rows = next(e10.batches(0, 1, 16))
    found = e10.jacobian(moment, rows)
    double = {p: v.double() for p, v in moment.state.players.items()}
    whole, h = joined(double), 1e-5
    for column in (0, 50, len(whole) - 2):
        step = h * torch.eye(len(whole), dtype=torch.float64)[column]
        moved = [moment.state._replace(players=parted(double, whole + s * step)) for s in (1, -1)]
        ends = [e10.by_hand(moment._replace(state=state), rows)[0] for state in moved]
        torch.testing.assert_close(found[:, column], (ends[0] - ends[1]) / (2 * h), rtol=1e-3, atol=1e-5)
    field, back = e10.by_hand(moment, rows)
    torch.testing.assert_close(back, found.T @ field, rtol=1e-4, atol=1e-6)


def test_spectra_of_a_rotation_and_what_is_judged_of_them() -> None:
    """J = [[0, −b], [b, 0]]: ±ib, and −γb² ± ib with −γJᵀJ."""
    b = 0.3
    found = e10.spectra(torch.tensor([[0.0, -b], [b, 0.0]], dtype=torch.float64))
    assert e10.judged(found["J − γJᵀJ"]) == pytest.approx((1 / (e10.GAMMA * b), -e10.GAMMA * b * b))
    tiny = torch.tensor([1e-4 + 1e-4j, 2.0 + 1.0j], dtype=torch.complex128)
    assert e10.judged(tiny) == pytest.approx((0.5, 2.0))


def test_rows_and_noise_of_a_fixed_generator() -> None:
    """Rows are taken with equal shares: binomial, 5 standard errors; the noise has its variance."""
    rows = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    latent = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    made = NearRows(rows, spread=0.5)(latent)
    chosen = torch.cdist(made, rows).argmin(1)
    shares = torch.bincount(chosen, minlength=4) / len(made)
    assert float((shares - 0.25).abs().max()) < 5 * math.sqrt(0.25 * 0.75 / len(made))
    spread = (made - rows[chosen]).square().mean()
    assert float(spread) == pytest.approx(0.25, rel=5 * math.sqrt(2 / (2 * len(made))))


def test_the_normalised_estimate_of_a_linear_critic_is_the_distance_along_it() -> None:
    fake = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    moved = fake + 2 * SLOPE / 5  # by 2 along the slope
    assert e11.normalised(linear(), moved, fake, fake) == pytest.approx(2.0)


def test_deviations_inside_modes_of_a_linear_critic() -> None:
    """s = 3x − 4y: inside 5σ, across modes that of 3cx − 4cy over the centres."""
    data = Grid()
    expected = 5 * data.sigma / (data.centres.double() @ SLOPE[0]).std()
    critic = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Flatten(0))
    critic[0].weight.data = SLOPE.float()
    rows = e11.HELD - len(data.centres)
    tolerance = 5 / math.sqrt(2 * rows) + 0.01  # of the deviations, and of the means of modes
    assert e11.within(critic, data) == pytest.approx(float(expected), rel=tolerance)


def test_gradients_by_layer_shrink_by_the_weights_between() -> None:
    """Positive weights of .1 I on positive points: each earlier layer has a tenth of the gradient."""
    layers: list[nn.Module] = []
    for _ in range(3):
        layer = nn.Linear(2, 2, bias=False)
        layer.weight.data = 0.1 * torch.eye(2)
        layers += [layer, nn.LeakyReLU(0.2)]
    end = nn.Linear(2, 1, bias=False)
    critic = nn.Sequential(*layers, end, nn.Flatten(0))
    points = torch.rand(8, 2, generator=torch.Generator().manual_seed(0)) + 0.1
    found = e11.by_layer(critic, points, points + 1)
    last_layer = float(end.weight.norm()) * math.sqrt(2 / 8)  # 16 rows, each with w/8
    assert found == pytest.approx([last_layer / 100, last_layer / 10, last_layer], rel=1e-6)


def test_histograms_are_percentages_of_all_weights() -> None:
    found = e11.histogram(torch.tensor([-9.0, 0.01, 0.02, 9.0]), 1.0)
    assert sum(found) == pytest.approx(100)
    assert found[0] == found[-1] == pytest.approx(25)


def test_quotients_and_ascent_of_a_linear_critic() -> None:
    """Random pairs are below its slope 5, ascent turns them along it."""
    first, second = e22.pairs(0)
    found = e22.quotients(linear(), first, second)
    assert float(found.detach().max()) <= 5 * (1 + 1e-12)
    along = (first - second) @ SLOPE[0] / (first - second).norm(dim=1)
    torch.testing.assert_close(found.detach(), along.abs())
    low = found.argsort()[2000:2064]  # far from steep
    reached = e22.ascended(linear(), first[low], second[low])
    assert float(found[low].detach().max()) * 1.5 < reached <= 5 * (1 + 1e-12)


def test_effective_weights_of_a_normalised_network_have_norm_one() -> None:
    moment = next(play(e22.METHODS["spectral norm"], Ring(), MLP(width=8), 1, 0, 16))
    critic = effective(moment, "discriminator")
    norms = [
        float(torch.linalg.matrix_norm(m.weight, 2)) for m in critic.modules() if isinstance(m, nn.Linear)
    ]
    assert norms == pytest.approx([1.0] * 3, rel=0.05)  # 15 power iterations
    plain = [m.weight for m in moment.module("discriminator").modules() if isinstance(m, nn.Linear)]
    assert float(torch.linalg.matrix_norm(plain[0], 2)) != pytest.approx(1.0, rel=0.05)


def test_running_medians_and_arrivals() -> None:
    assert e27.filtered([9.0, 1.0, 2.0, 3.0, 100.0, 4.0]) == [2.0, 2.5, 3.0, 3.0, 3.5, 4.0]
    assert e27.arrival([0, 10, 20], [1.0, e27.NEAR, 0.5]) == 10
    assert e27.arrival([0, 10], [1.0, 2.0]) == math.inf
    assert e27.rank_correlation([1, 2, 3, 4], [1, 10, 100, 1000]) == pytest.approx(1)


class _Step(nn.Module):
    """The logit of a discriminator that knows on which side a point is, with odds of e^a."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x[:, 0] > 0, 40.0, -40.0)


def test_estimates_of_a_sure_discriminator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disjoint laws: log 2, their Jensen–Shannon divergence, for a GAN; the difference of means for a critic."""
    real, fake = torch.ones(4, 2), -torch.ones(4, 2)
    for name, expected in (("GAN", math.log(2)), ("WGAN-GP", 80.0)):
        moment = next(play(e27.METHODS[name], Ring(), MLP(width=4), 1, 0, 8))
        monkeypatch.setattr(type(moment), "module", lambda self, name: _Step())
        assert e27.estimate(moment, real, fake) == pytest.approx(expected, rel=1e-6)
