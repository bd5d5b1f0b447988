"""What a trained judge says: neural-network distance and NRDS; and Parzen windows. Closed forms of Gaussians."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    Judge,
    discrimination_curves,
    neural_distance,
    parzen,
    parzen_log_densities,
    relative_scores,
    samples,
)
from saddlepoint.metrics.neural_distance import IDENTITY

QUICK = Judge(width=16, epochs=10, rate=1e-2)
SHARP = Judge(width=16, epochs=10, rate=2e-2)


def normal(n: int, d: int, seed: int, mean: float = 0.0) -> Tensor:
    return mean + torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def jensen_shannon(shift: float) -> float:
    """JSD(N(0, 1), N(shift, 1)) in nats, by quadrature."""
    from scipy.integrate import quad
    from scipy.stats import norm

    def density(x: float) -> float:
        p, q = norm.pdf(x), norm.pdf(x - shift)
        return 0.5 * (p * math.log(2 * p / (p + q)) + q * math.log(2 * q / (p + q)))

    return quad(density, -8, 8 + shift, epsabs=1e-10)[0]


# -- neural-network distance --------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_logarithmic_distance_of_gaussians_is_twice_their_divergence(seed: int) -> None:
    """The best D has the score 2 − 2x, well inside the family: on these very rows it gives what is found up to what the
    search and the choice of the epoch lose, and 2 JSD within 4 standard errors."""
    real, fake = normal(2000, 1, seed), normal(2000, 1, 10 + seed, 2.0)
    found = neural_distance(real=real, fake=fake, seed=seed, judge=QUICK)
    first, second = logsigmoid(2 - 2 * real[:, 0]), logsigmoid(2 * fake[:, 0] - 2)
    best = float(first.mean() + second.mean()) + 2 * math.log(2)
    error = math.sqrt(float(first.var() + second.var()) / 2000)
    assert best == pytest.approx(2 * jensen_shannon(2.0), abs=4 * error)
    assert found.held_out == pytest.approx(best, abs=0.03)
    assert len(found.real_terms) == len(found.fake_terms) == 2000
    assert float(found.real_terms.mean() + found.fake_terms.mean()) == pytest.approx(found.held_out)


def test_identity_measures_total_variation() -> None:
    """E D(x) − E D(y) over D in [0, 1] is TV = 2Φ(1) − 1 = .683 at most, reached by a step at 1 only. A logistic
    slope of 10 in its place loses .01; the terms have a standard error of .01."""
    truth = math.erf(1 / math.sqrt(2))
    rows = normal(2000, 1, 0), normal(2000, 1, 1, 2.0)
    found = neural_distance(real=rows[0], fake=rows[1], seed=0, measuring=IDENTITY, judge=SHARP)
    assert found.held_out == pytest.approx(truth, abs=0.06)


def test_equal_distributions_are_at_nothing_and_training_overshoots() -> None:
    """On 40 rows the judge learns its rows by heart; on the others it gains nothing (up to chance of 80 a side)."""
    long = Judge(width=64, epochs=20)
    found = [
        neural_distance(real=normal(80, 4, seed), fake=normal(80, 4, 50 + seed), seed=seed, judge=long)
        for seed in range(2)
    ]
    assert all(one.training > 0.5 for one in found)
    assert all(one.held_out < 0.2 and one.gap > 0.5 for one in found)


def test_distance_falls_with_the_overlap_and_does_not_see_units() -> None:
    real = normal(800, 3, 0)
    near, far = (normal(800, 3, 1, shift) for shift in (0.5, 2.0))
    values = [neural_distance(real=real, fake=fake, seed=0, judge=QUICK).held_out for fake in (near, far)]
    assert 0 < values[0] < values[1] < 2 * math.log(2)
    scaled = neural_distance(real=1000 * real + 7, fake=1000 * far + 7, seed=0, judge=QUICK).held_out
    assert scaled == pytest.approx(values[1], abs=2e-3)


def test_few_rows_on_one_side_still_fill_every_batch() -> None:
    found = neural_distance(real=normal(2000, 2, 0), fake=normal(12, 2, 1, 5.0), seed=0, judge=QUICK)
    assert 0.5 < found.held_out <= 2 * math.log(2)


def test_too_few_rows_and_other_widths_are_refused() -> None:
    with pytest.raises(InputError, match="needs at least 8"):
        neural_distance(real=normal(3, 2, 0), fake=normal(9, 2, 1), seed=0)
    with pytest.raises(InputError, match="both need as many"):
        neural_distance(real=normal(9, 2, 0), fake=normal(9, 3, 1), seed=0)


# -- NRDS ---------------------------------------------------------------------------


def test_relative_scores_are_shares_of_areas() -> None:
    """Trapezoids of (1, 0, 0) and (1, 1, 0): ½ and 1½."""
    curves = torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    assert relative_scores(curves).tolist() == pytest.approx([0.25, 0.75])
    assert relative_scores(torch.tensor([[0.1, 0.3]])).tolist() == pytest.approx([0.25, 0.75])
    assert relative_scores(torch.zeros(3, 4)).tolist() == [0.25] * 4
    assert relative_scores(curves.flip(1)).tolist() == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("seed", range(2))
def test_the_samples_nearer_to_the_data_score_more(seed: int) -> None:
    fakes = [normal(400, 2, 10 * seed + i, shift) for i, shift in enumerate((0.3, 1.0, 3.0))]
    curves = discrimination_curves(real=normal(400, 2, seed + 90), fakes=fakes, seed=seed, judge=QUICK)
    scores = relative_scores(curves)
    assert curves.shape == (10, 3)
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    assert float(scores.sum()) == pytest.approx(1)
    assert scores[2] < 0.2 < 0.4 < scores[0]


def test_equal_models_have_equal_scores() -> None:
    fake = normal(300, 2, 1, 1.0)
    curves = discrimination_curves(real=normal(300, 2, 0), fakes=[fake, fake], seed=0, judge=QUICK)
    assert relative_scores(curves).tolist() == pytest.approx([0.5, 0.5])


def test_unequal_numbers_or_one_model_are_refused() -> None:
    with pytest.raises(InputError, match="equally many samples"):
        discrimination_curves(real=normal(9, 2, 0), fakes=[normal(9, 2, 1), normal(8, 2, 1)], seed=0)
    with pytest.raises(InputError, match="at least 2 models"):
        discrimination_curves(real=normal(9, 2, 0), fakes=[normal(9, 2, 1)], seed=0)
    with pytest.raises(InputError, match="every number in"):
        relative_scores(torch.full((2, 2), 1.5))


# -- Parzen windows -----------------------------------------------------------------


def test_window_densities_agree_with_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mixture of normal densities with σ as standard deviation, not as variance: σ = ½ tells them apart."""
    from scipy.special import logsumexp
    from scipy.stats import multivariate_normal

    monkeypatch.setattr(samples, "BLOCK", 40)
    points, centres = normal(30, 3, 0).double(), normal(20, 3, 1).double()
    found = parzen_log_densities(points=points, samples=centres, sigmas=torch.tensor([0.5, 2.0]))
    for row, sigma in zip(found, (0.5, 2.0), strict=True):
        each = [
            multivariate_normal.logpdf(points.numpy(), centre, sigma**2 * np.eye(3))
            for centre in centres.numpy()
        ]
        assert row.numpy() == pytest.approx(logsumexp(each, axis=0) - math.log(20), abs=1e-9)


def test_the_window_of_many_samples_nears_the_density() -> None:
    """Data and samples N(0, I₂): E ln p = −1 − ln 2π, and a row's ln p has variance 1: 400 rows know it to 4/√400 =
    .2. A window of 4000 samples loses a few hundredths: at most .1 is allowed."""
    found = parzen(real=normal(400, 2, 0), fake=normal(4000, 2, 1), validation=normal(400, 2, 2))
    truth = -1 - math.log(2 * math.pi)
    assert truth - 0.3 < float(found.log_densities.mean()) < truth + 0.2
    assert len(found.log_densities) == 400


def three() -> dict[str, Tensor]:
    names = ("real", "fake", "validation")
    return {name: normal(200 + 50 * i, 2, i).double() for i, name in enumerate(names)}


def test_the_width_is_the_best_for_validation_rows() -> None:
    rows = three()
    found = parzen(**rows)
    widths = (
        float(rows["validation"].var(0, correction=0).mean().sqrt())
        * 10 ** torch.linspace(-3, 0.3, 34).double()
    )
    chosen = parzen_log_densities(points=rows["validation"], samples=rows["fake"], sigmas=widths).mean(1)
    assert found.sigma == pytest.approx(float(widths[chosen.argmax()]), rel=1e-5)
    sigma = torch.tensor([found.sigma]).double()
    expected = parzen_log_densities(points=rows["real"], samples=rows["fake"], sigmas=sigma)[0]
    torch.testing.assert_close(found.log_densities, expected)


def test_units_cost_their_logarithm() -> None:
    """p(cx) = p(x)/c^d."""
    one, other = parzen(**three()), parzen(**{name: 10 * rows for name, rows in three().items()})
    torch.testing.assert_close(other.log_densities, one.log_densities - 2 * math.log(10))


@pytest.mark.parametrize("spoilt", [lambda x: x + 1, lambda x: x[:1] + 0.01 * x, lambda x: 3 * x])
def test_worse_samples_have_less_likelihood(spoilt: Callable[[Tensor], Tensor]) -> None:
    rows = {"real": normal(400, 2, 0), "validation": normal(400, 2, 2)}
    good, bad = (
        float(parzen(**rows, fake=fake).log_densities.mean())
        for fake in (normal(400, 2, 1), spoilt(normal(400, 2, 1)))
    )
    assert bad < good - 0.1


def test_copies_of_the_validation_rows_are_found_out() -> None:
    real, train = normal(300, 2, 0), normal(300, 2, 1)
    found = parzen(real=real, fake=train, validation=train)
    fresh = parzen(real=real, fake=normal(300, 2, 2), validation=train)
    assert found.sigma < fresh.sigma / 50
    assert float(found.log_densities.mean()) < float(fresh.log_densities.mean()) - 100


def test_windows_refuse_what_has_no_width() -> None:
    with pytest.raises(InputError, match="no scale"):
        parzen(real=normal(8, 2, 1), fake=normal(8, 2, 0), validation=torch.zeros(8, 2))
    with pytest.raises(InputError, match="widths above 0"):
        parzen_log_densities(points=normal(3, 2, 0), samples=normal(3, 2, 1), sigmas=torch.zeros(1))
