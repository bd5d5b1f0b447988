"""Generators against discriminators: closed forms of Gaussians, other libraries, Glickman's own example."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    Match,
    Rating,
    adversarial_metric,
    fooling_interval,
    fooling_rate,
    rated,
    separating_threshold,
    skill_ratings,
)


def normal(n: int, seed: int, mean: float = 0.0) -> Tensor:
    return mean + torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def phi(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


# -- who fools whom -----------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.0, 0.5, -2.0])
def test_fooling_rate_of_gaussian_scores(shift: float) -> None:
    """P(y > x) = Φ(shift/√2) for x ~ N(0, 1), y ~ N(shift, 1); standard deviation at most ½·sqrt(2/n) each side."""
    n = 4000
    found = fooling_rate(real=normal(n, 0), fake=normal(n, 1, shift))
    assert found == pytest.approx(phi(shift / math.sqrt(2)), abs=4 * 0.5 * math.sqrt(2 / n))


def test_fooling_rate_agrees_with_another_library_and_counts_ties_half() -> None:
    from sklearn.metrics import roc_auc_score

    real, fake = (normal(60, 0) * 3).round(), (normal(90, 1) * 3).round()
    auc = roc_auc_score([1] * 60 + [0] * 90, torch.cat([real, fake]).numpy())
    assert fooling_rate(real=real, fake=fake) == pytest.approx(1 - auc, abs=1e-12)
    assert fooling_rate(real=torch.zeros(5), fake=torch.zeros(3)) == 0.5
    assert fooling_rate(real=torch.zeros(5), fake=torch.ones(3)) == 1


def test_fooling_rate_does_not_know_scale_zero_or_order() -> None:
    real, fake = normal(50, 0), normal(70, 1)
    whole = fooling_rate(real=real, fake=fake)
    assert fooling_rate(real=(real / 3).exp() + 100, fake=(fake / 3).exp() + 100) == whole
    assert fooling_rate(real=real.flip(0), fake=fake.flip(0)) == whole


def test_several_judges_are_averaged() -> None:
    real, fake = normal(40, 0).view(20, 2), normal(60, 1).view(30, 2)
    each = [fooling_rate(real=real[:, j], fake=fake[:, j]) for j in range(2)]
    assert fooling_rate(real=real, fake=fake) == pytest.approx(sum(each) / 2)
    twice = real[:, :1].expand(-1, 2), fake[:, :1].expand(-1, 2)
    alone = fooling_interval(real=real[:, 0], fake=fake[:, 0])
    assert fooling_interval(real=twice[0], fake=twice[1]) == pytest.approx(alone)


def test_the_interval_covers_the_truth() -> None:
    """95 % intervals in 300 repeats: between 91 % and 99 % (3 binomial standard deviations)."""
    truth = phi(1 / math.sqrt(2))
    hits = 0
    for seed in range(300):
        low, high = fooling_interval(real=normal(60, 2 * seed), fake=normal(90, 2 * seed + 1, 1.0))
        hits += low <= truth <= high
    assert 0.91 <= hits / 300 <= 0.99


def test_the_threshold_lies_between_what_can_be_parted() -> None:
    assert separating_threshold(real=torch.tensor([5.0, 6.0]), fake=torch.tensor([1.0, 2.0])) == 3.5
    found = separating_threshold(real=normal(20_000, 0, 3.0), fake=normal(20_000, 1, 1.0))
    assert found == pytest.approx(2, abs=0.2)  # equal variances: half way; the minimum is flat


# -- generative adversarial metric --------------------------------------------------


def errors(wrong: int, n: int = 99, real: bool = True) -> Tensor:
    """Scores of n rows of which `wrong` lie on the wrong side of 0."""
    sign = -1.0 if real else 1.0
    return torch.cat([torch.full((wrong,), sign), torch.full((n - wrong,), -sign)])


def test_adversarial_metric_is_the_ratio_of_error_rates() -> None:
    """(9 + ½)/100 over (19 + ½)/100, and (5 + ½)/100 over (49 + ½)/100."""
    verdict = adversarial_metric(
        test=(errors(9), errors(19)), samples=(errors(5, real=False), errors(49, real=False))
    )
    assert verdict == pytest.approx((9.5 / 19.5, 5.5 / 49.5))
    assert verdict.winner() == 0  # the discriminators are too unequal
    assert verdict.winner(tolerance=0.6) == 1


def test_adversarial_metric_turns_round_with_the_models() -> None:
    test, samples = (errors(10), errors(11)), (errors(20, real=False), errors(30, real=False))
    one = adversarial_metric(test=test, samples=samples)
    other = adversarial_metric(test=test[::-1], samples=samples[::-1])
    assert one == pytest.approx((1 / other.test, 1 / other.samples))
    assert (one.winner(), other.winner()) == (1, 2)
    none = adversarial_metric(
        test=(errors(0), errors(0)), samples=(errors(0, real=False), errors(0, real=False))
    )
    assert none == (1, 1)
    assert none.winner() == 0


# -- Glicko-2 -----------------------------------------------------------------------


def test_glickman_s_example() -> None:
    """The worked example of Glickman's "Example of the Glicko-2 system": 1464.06, 151.52, 0.05999."""
    players = [Rating(1500, 200), Rating(1400, 30), Rating(1550, 100), Rating(1700, 300)]
    after = rated(players, [Match(0, 1, 1.0), Match(0, 2, 0.0), Match(0, 3, 0.0)])[0]
    assert after.value == pytest.approx(1464.06, abs=0.02)
    assert after.deviation == pytest.approx(151.52, abs=0.02)
    assert after.volatility == pytest.approx(0.05999, abs=1e-5)


def test_volatility_is_the_maximum_of_its_posterior() -> None:
    """σ'² maximises N(Δ; 0, φ² + v + σ²) times the log-normal prior of ln σ² (τ): by a fine grid. The surprise is large,
    so that Glickman's other bracket is taken."""
    player, rival, tau = Rating(1500, 50, 0.06), Rating(2000, 30, 0.06), 0.6
    after = rated([player, rival], [Match(0, 1, 1.0)] * 3, tau)[0]
    scale = 400 / math.log(10)
    g = 1 / math.sqrt(1 + 3 * (30 / scale) ** 2 / math.pi**2)
    expected = 1 / (1 + math.exp(g * 500 / scale))
    v = 1 / (3 * g**2 * expected * (1 - expected))
    delta, phi_squared = v * g * 3 * (1 - expected), (50 / scale) ** 2
    assert delta**2 > phi_squared + v
    x = torch.linspace(math.log(0.06**2) - 3, math.log(0.06**2) + 8, 2_000_001, dtype=torch.float64)
    wide = phi_squared + v + x.exp()
    posterior = -0.5 * wide.log() - delta**2 / (2 * wide) - (x - math.log(0.06**2)) ** 2 / (2 * tau**2)
    assert after.volatility == pytest.approx(math.exp(float(x[posterior.argmax()]) / 2), rel=1e-4)


def test_matches_count_in_any_order_and_both_ways() -> None:
    players = [Rating(1500 + 50 * i, 100 + 30 * i) for i in range(3)]
    matches = [Match(0, 1, 0.3), Match(1, 2, 1.0), Match(2, 0, 0.5)]
    turned = [Match(b, a, 1 - s) for a, b, s in matches]
    expected = rated(players, matches)
    for order in itertools.permutations(turned):
        for one, other in zip(rated(players, order), expected, strict=True):
            assert one == pytest.approx(other, rel=1e-9)


def test_who_does_not_play_only_becomes_less_certain() -> None:
    idle = rated([Rating(1600, 200, 0.06), Rating(), Rating()], [Match(1, 2, 1.0)])[0]
    assert (idle.value, idle.volatility) == (1600, 0.06)
    scale = 400 / math.log(10)
    assert idle.deviation == pytest.approx(scale * math.hypot(200 / scale, 0.06), abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_a_known_ranking_of_generators_is_recovered(seed: int) -> None:
    """Data N(0, 1), generators N(δ, 1) for δ = 0, ½, 1, 2, judged by the best discriminators against each: −δx."""
    shifts = (0.0, 0.5, 1.0, 2.0)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed)).tolist()
    periods = []
    for period in range(10):
        real = normal(64, 1000 * seed + period)
        made = [normal(64, 1000 * seed + 100 * i + period + 500, shifts[i]) for i in order]
        rates = [[fooling_rate(real=-d * real, fake=-d * x) for d in shifts] for x in made]
        periods.append(torch.tensor(rates, dtype=torch.float64))
    ratings = skill_ratings(torch.stack(periods)).generators
    ranked = sorted(range(4), key=lambda place: -ratings[place].value)
    assert [order[place] for place in ranked] == [0, 1, 2, 3]


def test_equal_generators_have_equal_ratings_and_unmet_ones_none() -> None:
    wins = torch.tensor([[0.3, 0.3], [0.3, 0.3], [torch.nan, torch.nan]])
    first, second, idle = skill_ratings(wins).generators
    assert first == second
    assert first.value < 1500 == idle.value
    assert skill_ratings(wins).discriminators[0].value > 1500


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"score 1\.5"):
        rated([Rating(), Rating()], [Match(0, 1, 1.5)])
    with pytest.raises(InputError, match=r"\[periods, generators, discriminators\]"):
        skill_ratings(torch.zeros(4))
    with pytest.raises(InputError, match=r"outside \[0, 1\]"):
        skill_ratings(torch.full((2, 2), 2.0))
    with pytest.raises(InputError, match="one score a row"):
        separating_threshold(real=torch.zeros(3, 2), fake=torch.zeros(3))
    with pytest.raises(InputError, match="both need as many"):
        fooling_rate(real=torch.zeros(3, 2), fake=torch.zeros(3))
    with pytest.raises(InputError, match="NaN"):
        fooling_rate(real=torch.tensor([0.0, torch.nan]), fake=torch.zeros(3))
