"""Mode coverage and the classifier's numbers: closed forms within stated tolerances."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.features import Identity
from saddlepoint.metrics import Quantities, Reference, catalogue, class_shares, mean_entropy, mode_coverage
from saddlepoint.metrics.modes import ModeCoverage

SIGMA = 0.05


def ring(modes: int = 8) -> Tensor:
    angles = torch.arange(modes) * (2 * math.pi / modes)
    return 2 * torch.stack([angles.cos(), angles.sin()], 1)


def drawn(centres: Tensor, n: int, seed: int, spread: float = SIGMA) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(centres), (n,), generator=source)
    return centres[chosen] + spread * torch.randn(n, centres.shape[1], generator=source)


def judge(samples: Tensor, centres: Tensor | None = None) -> ModeCoverage:
    return mode_coverage(samples=samples, centres=ring() if centres is None else centres, sigma=SIGMA)


@pytest.mark.parametrize("seed", range(5))
def test_perfect_generator(seed: int) -> None:
    """High quality 1 − e^{−9/2} within 4 binomial standard deviations; 2n KL is chi-square with K − 1 = 7
    degrees of freedom (99.99 % below 29); the variance of 2500·2 numbers is known to 4·sqrt(2/5000) = 8 %."""
    n, share = 2500, 1 - math.exp(-4.5)
    found = judge(drawn(ring(), n, seed))
    assert (found.covered, found.modes) == (8, 8)
    assert found.high_quality == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n))
    assert 0 <= found.divergence < 29 / (2 * n)
    assert found.variance_ratio == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("d", [1, 3, 6])
def test_variance_ratio_allows_for_the_cut_in_every_dimension(d: int) -> None:
    """In 6 dimensions 3σ cuts off 17 % of the samples; 40,000 rows know the variance to 4·sqrt(2/(40000
    d))."""
    found = judge(drawn(torch.zeros(1, d), 40_000, 0), torch.zeros(1, d))
    assert found.variance_ratio == pytest.approx(1, abs=4 * math.sqrt(2 / (40_000 * d)))


@pytest.mark.parametrize("count", [1, 3, 8])
def test_equal_shares_of_some_modes(count: int) -> None:
    found = judge(ring()[:count].repeat(10, 1))
    assert found.covered == count
    assert found.high_quality == 1
    assert found.divergence == pytest.approx(math.log(8 / count), abs=1e-12)
    assert found.variance_ratio == pytest.approx(0, abs=1e-9)


def test_far_samples_cover_nothing() -> None:
    found = judge(ring() * 3)
    assert (found.covered, found.high_quality, found.variance_ratio) == (0, 0, None)


def test_a_sample_just_inside_three_sigma_counts() -> None:
    ends = torch.tensor([[3 * SIGMA - 1e-6, 0.0], [3 * SIGMA + 1e-6, 0.0]])
    assert judge(ends, torch.zeros(1, 2)).high_quality == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_responds_to_every_grade_of_shrinking_blurring_and_dropping(seed: int) -> None:
    shrunk = [
        judge(drawn(ring(), 4000, seed, SIGMA * grade)).variance_ratio or 0 for grade in (1, 0.8, 0.5, 0.2)
    ]
    blurred = [judge(drawn(ring(), 4000, seed, SIGMA * grade)).high_quality for grade in (1, 1.5, 2, 4)]
    dropped = [judge(drawn(ring()[:left], 4000, seed)).divergence for left in (8, 6, 4, 1)]
    assert shrunk == sorted(shrunk, reverse=True)
    assert blurred == sorted(blurred, reverse=True)
    assert dropped == sorted(dropped)
    assert shrunk[2] == pytest.approx(
        0.25 / 0.9494, abs=0.03
    )  # σ²/4 uncut, over the cut variance of the whole


class Circle:
    """Points of the ring, as a data set."""

    name = "circle"
    identity = "sha256:ring"
    shape = (2,)
    size = None
    resizing = "none"
    classes = ()
    centres = ring()
    sigma = SIGMA

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": drawn(ring(), count or 1, 100 + seed)}

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return {"real": drawn(ring(), count or 1, 200 + seed)}


def test_scores_carry_interval_and_floor() -> None:
    half = drawn(ring()[:4], 1000, 0)
    made = Quantities(Reference(Circle(), Identity(), 1000), half)
    scores = {one.metric: one for one in made.scores(catalogue.get("modes"))}
    assert {name: score.floor for name, score in scores.items()}["modes-covered"] == 8
    divergence = scores["mode-divergence"]
    assert divergence.interval is not None
    assert divergence.interval[0] <= math.log(2) + 0.01 <= divergence.interval[1] + 0.02
    assert divergence.floor is not None
    assert divergence.floor < 0.02 < divergence.value
    assert {score.n_fake for score in scores.values()} == {1000}
    assert len(scores) == 4


def test_bad_modes_are_refused() -> None:
    with pytest.raises(InputError, match="sigma is 0"):
        mode_coverage(samples=ring(), centres=ring(), sigma=0)
    with pytest.raises(InputError, match="3 coordinates"):
        mode_coverage(samples=torch.zeros(4, 3), centres=ring(), sigma=1)


def test_shares_and_entropy() -> None:
    certain = torch.eye(4).repeat(3, 1)[:10]
    assert class_shares(probabilities=certain).tolist() == [0.3, 0.3, 0.2, 0.2]
    assert mean_entropy(probabilities=certain) == 0
    assert mean_entropy(probabilities=torch.full((5, 4), 0.25)) == pytest.approx(math.log(4))
    mixed = torch.cat([certain[:5], torch.full((5, 4), 0.25)])
    assert mean_entropy(probabilities=mixed) == pytest.approx(math.log(4) / 2)


def test_logits_are_refused() -> None:
    with pytest.raises(InputError, match="softmax"):
        mean_entropy(probabilities=torch.randn(5, 3, generator=torch.Generator().manual_seed(0)))
