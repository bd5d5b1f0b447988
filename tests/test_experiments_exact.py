"""The arithmetic of experiments with exact answers, against closed forms and simulation."""

from __future__ import annotations

import math

import pytest
import torch

from saddlepoint.dynamics import Simultaneous
from saddlepoint.experiments.e12_perfect_discriminator import RING, optimal
from saddlepoint.experiments.e14_loss_programme import dual
from saddlepoint.experiments.e23_contrast import asymptotic, estimated
from saddlepoint.experiments.line import AT, Gaussians, best, bound, distance, fitting, reached
from saddlepoint.objectives import KL, Divergence, JensenShannon, Neyman, Pearson
from saddlepoint.optim import Adam
from saddlepoint.theory.quadrature import integral

TWO = Gaussians(weights=(0.3, 0.7), means=(-1.0, 2.0), deviations=(0.5, 1.0))


def test_draws_have_the_density() -> None:
    """Moments of the mixture by its formula, by its log-density and by 100,000 draws (standard error .0047 of the mean)."""
    mean = 0.3 * -1 + 0.7 * 2
    variance = 0.3 * (0.25 + 1) + 0.7 * (1 + 4) - mean**2
    density = TWO.log_density().exp()
    assert integral(density, AT) == pytest.approx(1, abs=1e-10)
    assert integral(density * AT, AT) == pytest.approx(mean, abs=1e-10)
    drawn = TWO.training(100_000)["real"]
    assert drawn.shape == (100_000, 1)
    assert float(drawn.mean()) == pytest.approx(mean, abs=0.025)
    assert float(drawn.var()) == pytest.approx(variance, rel=0.03)


def test_divergences_of_gaussians_have_closed_forms() -> None:
    """KL and χ² between N(0, 1) and N(m, s²); the mass of q²/p lies far out."""
    one = Gaussians(weights=(1.0,), means=(0.0,), deviations=(1.0,))
    assert distance(KL(), one, 0.7, 1.3) == pytest.approx(
        math.log(1.3) + (1 + 0.49) / (2 * 1.69) - 0.5, abs=1e-10
    )
    room = 2 * 1.69 - 1  # ∫p²/q = s² e^{m²/(2s² − 1)}/√(2s² − 1)
    assert distance(Pearson(), one, 0.7, 1.3) == pytest.approx(
        1.69 * math.exp(0.49 / room) / math.sqrt(room) - 1, abs=1e-9
    )
    room = 2 - 1.44  # ∫q²/p = e^{m²/(2 − s²)}/(s√(2 − s²))
    exact = math.exp(1 / room) / (1.2 * math.sqrt(room)) - 1
    assert distance(Neyman(), one, 1.0, 1.2) == pytest.approx(exact, rel=1e-9)


def test_the_best_gaussian_by_kl_has_the_moments_of_the_data() -> None:
    mean = 0.3 * -1 + 0.7 * 2
    variance = 0.3 * (0.25 + 1) + 0.7 * (1 + 4) - mean**2
    found = best(KL(), TWO, (0.0, 1.0))
    assert found.mean == pytest.approx(mean, abs=1e-5)
    assert found.deviation == pytest.approx(math.sqrt(variance), abs=1e-5)


@pytest.mark.parametrize("kind", [KL(), JensenShannon(), Neyman()], ids=str)
def test_the_bound_of_any_discriminator_is_below_the_divergence(kind: Divergence) -> None:
    """F ≤ D_f at the generator's place, untrained and after 100 steps of the discriminator, which raise F."""
    rule = Simultaneous({"generator": Adam(1e-12), "discriminator": Adam(0.003)})
    moments = [m for m in fitting(kind, TWO, rule, 100, 256, 0) if m.step in (0, 100)]
    bounds = [bound(moment, kind, TWO) for moment in moments]
    assert bounds[0] < bounds[1] <= reached(moments[1], kind, TWO).value + 1e-9


def test_the_optimal_score_under_noise_tells_by_bayes() -> None:
    """Where fakes are the ring's own centres with its width the ratio is 1 everywhere: the score is 0."""
    sigma = 0.5
    score = optimal(RING.centres, sigma)(torch.randn(50, 2, generator=torch.Generator().manual_seed(0)))
    # centres have no width of their own: σ of both differs by the ring's own, 4e-4 of it, at most 12 deviations out
    assert float(score.abs().max()) < 0.03


def test_the_dual_programme_of_a_pair() -> None:
    """One real and one fake a distance Δ apart: min l + λ(Δ + l − l')₊ with |l − l'| ≤ κΔ is λΔ(1 − κ)₊ at l = 0."""
    real, fake = torch.tensor([[0.0]]).double(), torch.tensor([[2.0]]).double()
    assert dual(real, fake, 3.0, 0.25) == pytest.approx(3 * 2 * 0.75, abs=1e-12)
    assert dual(real, fake, 3.0, 2.0) == pytest.approx(0, abs=1e-12)


def test_the_asymptotic_variance_of_noise_contrastive_estimation() -> None:
    """With the data's own law as noise w = ½, I = ½ and the first moment of the score is 0: twice the likelihood's
    variance 1/n; checked against 300 estimates with another noise (standard deviation of the ratio √(2/299) = .082)."""
    assert asymptotic(1.0, 1.0) == pytest.approx(2 / 500, rel=1e-9)
    source = torch.Generator().manual_seed(0)
    found = []
    for _ in range(300):
        real, noise = torch.randn(2, 500, generator=source, dtype=torch.float64)
        found.append(estimated(1 + real, 2 + 0.8 * noise, 2.0, 0.8))
    assert float(torch.tensor(found).var()) / asymptotic(2.0, 0.8) == pytest.approx(1, abs=0.33)
