"""Coverage by kernel density, birthdays, bins, Vendi and retrieval: closed forms, other algorithms, coverage of
intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    bin_counts,
    bins_divergence,
    birthday_batch,
    catalogue,
    collision_threshold,
    different_bins,
    duplicate_probability,
    effective_support,
    k_means_bins,
    kde_coverage,
    nearest_neighbour_accuracies,
    nearest_neighbour_accuracy,
    retrieval_comparison,
    retrieval_distances,
    support,
    support_overlap,
    vendi_ratio,
    vendi_score,
)
from saddlepoint.metrics.score import Interval


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def drawn(sizes: int, n: int, seed: int) -> Tensor:
    """n of equally likely samples, as rows of one number."""
    return torch.randint(sizes, (n, 1), generator=torch.Generator().manual_seed(seed)).float()


def holds(truth: float, intervals: list[Interval | None]) -> float:
    return float(np.mean([one is not None and one[0] <= truth <= one[1] for one in intervals]))


# kernel coverage


def test_log_densities_agree_with_another_library() -> None:
    from sklearn.neighbors import KernelDensity

    rows, centres = noise(30, 3, 0).double(), noise(40, 3, 1).double()
    constant = 1.5 * math.log(2 * math.pi)
    widths = 0.7 * torch.tensor(support.WIDTHS, dtype=torch.float64)
    own = support._own_log_densities(centres, widths)
    for index, width in enumerate(widths.tolist()):
        fitted = KernelDensity(bandwidth=width).fit(centres.numpy())
        found = support._log_densities(rows, centres, width).numpy() - constant
        assert np.allclose(found, fitted.score_samples(rows.numpy()), rtol=1e-9, atol=1e-9)
        others = KernelDensity(bandwidth=width).fit(centres[1:].numpy()).score_samples(centres[:1].numpy())
        assert own[index, 0].item() - constant == pytest.approx(others[0], rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_coverage_of_equal_and_of_half_the_modes(seed: int) -> None:
    """Equal: 0.95 with the standard deviation sqrt(2 · .05 · .95/800) = .011. Half of the modes, far apart: half of
    that, with sqrt(.25/800) more: four standard deviations."""
    centres = 30 * torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    real = noise(800, 2, seed) + centres[torch.arange(800) % 4]
    fresh = noise(800, 2, seed + 50) + centres[torch.arange(800) % 4]
    assert kde_coverage(real=real, fake=fresh).value == pytest.approx(0.95, abs=0.044)
    half = kde_coverage(real=real, fake=noise(800, 2, seed + 90) + centres[torch.arange(800) % 2])
    assert half.value == pytest.approx(0.475, abs=0.03)


def test_coverage_of_one_point_and_of_a_wide_cloud() -> None:
    real = noise(200, 2, 0)
    assert kde_coverage(real=real, fake=torch.zeros(200, 2)).value == 0
    assert kde_coverage(real=real, fake=6 * noise(200, 2, 1)).value > 0.99


# birthdays


@pytest.mark.parametrize(("size", "seed"), [(50, 0), (400, 1), (400, 2), (1000, 3), (3000, 4)])
def test_the_support_of_equally_likely_samples_is_recovered(size: int, seed: int) -> None:
    """1200 draws hold n²/2N colliding pairs, 240 for N = 3000: four standard deviations are 26 %."""
    assert effective_support(samples=drawn(size, 1200, seed)).value == pytest.approx(size, rel=0.3)


def test_support_intervals_hold_the_truth() -> None:
    """For equal and for unequal probabilities, of which the truth is 1/Σp²."""
    shares = torch.tensor([0.5] + [0.5 / 99] * 99)
    weighted = [
        torch.multinomial(shares, 300, True, generator=torch.Generator().manual_seed(seed))[:, None].float()
        for seed in range(200)
    ]
    equal = [effective_support(samples=drawn(200, 300, seed)).interval for seed in range(200)]
    assert 0.90 <= holds(200, equal) <= 0.98
    found = [effective_support(samples=rows).interval for rows in weighted]
    assert 0.90 <= holds(1 / float(shares.square().sum()), found) <= 0.98


def test_no_duplicate_is_a_lower_bound() -> None:
    found = effective_support(samples=torch.arange(10.0)[:, None])
    assert (found.value, found.interval) == (45, None)
    assert "lower bound" in found.note


def test_duplicate_probability_is_exact() -> None:
    """All 5^4 sequences of four draws: from 3 equal samples of mass .6 and two halves of a rest that never repeats."""
    assert duplicate_probability(support=365, draws=23) == pytest.approx(
        0.5072972343, abs=1e-9
    )  # the classic
    expected = 0.0
    for draws in np.ndindex(4, 4, 4, 4):  # 0, 1, 2: the set; 3: the rest
        inside = [one for one in draws if one < 3]
        chance = math.prod(0.2 if one < 3 else 0.4 for one in draws)
        expected += chance * (len(set(inside)) < len(inside))
    assert duplicate_probability(support=3, draws=4, mass=0.6) == pytest.approx(expected, rel=1e-12)
    assert duplicate_probability(support=3, draws=4) == pytest.approx(1, abs=1e-15)
    assert duplicate_probability(support=7, draws=1) == 0


def test_the_printed_formula_is_no_bound() -> None:
    exact = duplicate_probability(support=10, draws=20, mass=0.1)
    assert exact < 1 - math.exp(-(20**2 - 20) * 0.1 / 20)


@pytest.mark.parametrize("size", [10, 365, 160_000])
def test_the_birthday_batch_is_where_a_duplicate_is_as_likely_as_not(size: int) -> None:
    batch = birthday_batch(support=size)
    assert duplicate_probability(support=size, draws=batch) >= 0.5
    assert duplicate_probability(support=size, draws=batch - 1) < 0.5
    assert batch == pytest.approx(math.sqrt(2 * size * math.log(2)), abs=1.5)


def test_the_threshold_is_a_quantile_of_nearest_distances() -> None:
    real = torch.tensor([0.0, 1.0, 3.0, 6.0, 10.0])[:, None]  # nearest others at 1, 1, 2, 3, 4
    assert collision_threshold(real=real, quantile=0.5) == 2
    assert collision_threshold(real=drawn(3, 50, 0), quantile=0.1) == 0


def test_overlap_of_discrete_sets() -> None:
    """Uniform on N and on M samples of which S are shared: Σpq/sqrt(Σp² Σq²) = S/sqrt(NM)."""
    for move, shared in ((0, 20), (10, 10), (20, 0)):
        ours, theirs = drawn(20, 900, 0), drawn(20, 900, 1) + move
        found = support_overlap(real=ours, fake=theirs)
        assert found.value == pytest.approx(shared / 20, abs=0.05)
    none = support_overlap(real=torch.arange(50.0)[:, None], fake=drawn(2, 50, 0))
    assert (none.value, none.interval) == (0, None)


def test_overlap_intervals_hold_the_truth() -> None:
    """Σpq/sqrt(Σp² Σq²) of two known distributions."""
    p, q = torch.tensor([0.4, 0.3, 0.2, 0.1, 0.0]), torch.tensor([0.1, 0.1, 0.2, 0.2, 0.4])
    truth = float(p @ q / (p.square().sum() * q.square().sum()).sqrt())

    def side(shares: Tensor, seed: int) -> Tensor:
        source = torch.Generator().manual_seed(seed)
        return torch.multinomial(shares, 200, True, generator=source)[:, None].float()

    found = [support_overlap(real=side(p, seed), fake=side(q, seed + 999)).interval for seed in range(200)]
    assert 0.90 <= holds(truth, found) <= 0.98


# bins


def test_bins_are_the_nearest_centres() -> None:
    centres = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    rows = centres[torch.tensor([0, 1, 1, 2, 2, 2])] + 0.1
    assert bin_counts(rows=rows, centres=centres).tolist() == [1, 2, 3]
    found = k_means_bins(training=centres.repeat(30, 1), bins=3)
    assert torch.cdist(centres.double(), found).amin(1).max() < 1e-9
    assert len(k_means_bins(training=noise(100, 2, 0), bins=100)) == 5  # twenty rows each
    assert len(k_means_bins(training=centres.repeat(30, 1), bins=100)) == 3  # no more than different rows


def test_different_bins_agree_with_the_chi_square_test() -> None:
    """z² of two proportions is Pearson's statistic of the 2 x 2 table without correction."""
    from scipy.stats import chi2_contingency

    source = np.random.default_rng(0)
    real, fake = source.multinomial(900, [0.1] * 10), source.multinomial(500, np.arange(1, 11) / 55)
    expected = [
        chi2_contingency([[a, 900 - a], [b, 500 - b]], correction=False).pvalue < 0.05
        for a, b in zip(real, fake, strict=True)
    ]
    found = different_bins(real=torch.tensor(real), fake=torch.tensor(fake))
    assert found.tolist() == expected
    assert 0 < sum(expected) < 10
    assert not different_bins(real=torch.tensor([5, 0]), fake=torch.tensor([9, 0])).any()


def test_five_percent_of_the_bins_of_equal_sets_differ() -> None:
    """2000 bins of 40 expected rows: 5 % within 4 sqrt(.05 · .95/2000) = 2 %, the test being approximate."""
    source = np.random.default_rng(1)
    sides = [torch.tensor(source.multinomial(80_000, [1 / 2000] * 2000)) for _ in range(2)]
    assert float(different_bins(real=sides[0], fake=sides[1]).double().mean()) == pytest.approx(
        0.05, abs=0.02
    )


def test_divergence_of_bins_agrees_with_another_library() -> None:
    from scipy.spatial.distance import jensenshannon

    real, fake = torch.tensor([5, 0, 10, 85]), torch.tensor([20, 30, 0, 50])
    found = bins_divergence(real=real, fake=fake).value
    assert found == pytest.approx(jensenshannon(real.numpy(), fake.numpy()) ** 2, rel=1e-12)
    assert bins_divergence(real=real, fake=2 * real).value == pytest.approx(0, abs=1e-15)
    apart = bins_divergence(real=torch.tensor([3, 0]), fake=torch.tensor([0, 8]))
    assert apart.value == pytest.approx(math.log(2), rel=1e-12)


@pytest.mark.parametrize("slope", [0.0, 0.5, 3.0])
def test_divergence_intervals_hold_its_mean(slope: float) -> None:
    """Of equal and of different histograms, the mean being that over 400 sets of these sizes."""
    source = np.random.default_rng(2)
    q = np.exp(slope * np.linspace(-1, 1, 20))
    q /= q.sum()
    p = q[::-1]
    found = [
        bins_divergence(
            real=torch.tensor(source.multinomial(500, p)), fake=torch.tensor(source.multinomial(400, q))
        )
        for _ in range(400)
    ]
    mean = float(np.mean([one.value for one in found]))
    assert 0.90 <= holds(mean, [one.interval for one in found]) <= 0.99


# Vendi


def test_vendi_of_orthogonal_parallel_and_grouped_rows() -> None:
    assert vendi_score(samples=torch.eye(7)).value == pytest.approx(7, rel=1e-12)
    assert vendi_score(samples=torch.arange(1.0, 6.0)[:, None] * torch.ones(3)).value == pytest.approx(1)
    grouped = torch.eye(4)[[0, 0, 1, 2]] * torch.tensor([1.0, 5.0, 2.0, 3.0])[:, None]
    expected = math.exp(0.5 * math.log(2) + 0.5 * math.log(4))  # eigenvalues ½, ¼, ¼
    assert vendi_score(samples=grouped).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "d"), [(40, 5), (12, 30)])
def test_vendi_agrees_with_the_kernel_matrix(n: int, d: int) -> None:
    rows = noise(n, d, 0).double() + 0.3
    units = rows / rows.norm(dim=1, keepdim=True)
    values = np.linalg.eigvalsh((units @ units.T / n).numpy()).clip(1e-300)
    expected = math.exp(-float((values * np.log(values)).sum()))
    assert vendi_score(samples=rows).value == pytest.approx(expected, rel=1e-9)


def test_vendi_intervals_hold_its_mean() -> None:
    """The mean over 200 sets, since the score of n rows is below that of all."""
    found = [vendi_score(samples=noise(300, 4, seed) + 0.7) for seed in range(200)]
    mean = float(np.mean([one.value for one in found]))
    assert 0.90 <= holds(mean, [one.interval for one in found]) <= 0.98


def test_vendi_ratio_ignores_units_and_sees_where_rows_lie() -> None:
    real, fake = noise(300, 2, 0), noise(300, 2, 1)
    found = vendi_ratio(real=real, fake=fake).value
    assert found == pytest.approx(1, abs=0.05)
    assert vendi_ratio(real=100 * real + 7, fake=100 * fake + 7).value == pytest.approx(found, rel=1e-5)
    angles = torch.arange(360.0) * (2 * math.pi / 360)
    circle = torch.stack([angles.cos(), angles.sin()], 1)
    # seen from any point inside, directions u of a circle have E[uu'] = I/2: the square of u as a complex number is
    # (z + m) / (1 + conj(m) z) times z, whose mean over the circle is its value at 0
    assert vendi_score(samples=circle + 0.5).value == pytest.approx(2, rel=1e-6)
    moved = [vendi_ratio(real=circle, fake=circle + by).value for by in (0, 0.25, 0.5)]
    assert moved[0] == pytest.approx(1, rel=1e-9)
    assert moved[2] < moved[1] - 1e-3 < moved[0] - 2e-3


# retrieval and 1-NN


def test_retrieval_agrees_with_another_search() -> None:
    from sklearn.neighbors import NearestNeighbors

    real, fake = noise(30, 4, 0), noise(50, 4, 1)
    for k in (1, 3):
        expected = NearestNeighbors(n_neighbors=k).fit(fake.numpy()).kneighbors(real.numpy())[0][:, -1]
        assert np.allclose(retrieval_distances(real=real, fake=fake, k=k).numpy(), expected, atol=1e-6)


def test_retrieval_comparison_of_equal_near_and_far_sets() -> None:
    from scipy.stats import wilcoxon

    real, near, far = noise(40, 2, 0), noise(60, 2, 1), noise(60, 2, 2) + 1
    same = retrieval_comparison(real=real, first=near, second=near.flip(0))
    assert (same.wins.value, same.p) == (0.5, 1.0)
    found = retrieval_comparison(real=real, first=near, second=far)
    back = retrieval_comparison(real=real, first=far, second=near)
    assert found.wins.value == pytest.approx(1 - back.wins.value)
    assert found.wins.value > 0.6
    apart = [torch.cdist(real.double(), side.double()).amin(1).numpy() for side in (near, far)]
    assert found.p == pytest.approx(wilcoxon(apart[0] - apart[1]).pvalue, rel=1e-6)


def test_sides_of_the_nearest_neighbour_test() -> None:
    """A far clump: everybody is with its own. A clump on one real row takes that one alone. Twins take everybody."""
    real, fake = noise(200, 2, 0), noise(200, 2, 1)
    sets = {"far": 0.01 * fake + 20, "on one": real[0] + 1e-6 * fake, "twins": real + 1e-6}
    found = {
        name: {side: one.value for side, one in nearest_neighbour_accuracies(real=real, fake=rows).items()}
        for name, rows in sets.items()
    }
    assert found["far"] == {"real": 1, "fake": 1, "both": 1}
    assert found["twins"] == {"real": 0, "fake": 0, "both": 0}
    assert found["on one"]["real"] < 1
    assert found["on one"]["fake"] > 0.99
    both = nearest_neighbour_accuracies(real=real, fake=fake)["both"].value
    assert both == nearest_neighbour_accuracy(real=real, fake=fake)


@pytest.mark.parametrize(("shift", "d"), [(0.0, 2), (1.0, 2), (0.7, 10)])
def test_nearest_neighbour_intervals_hold_the_mean(shift: float, d: int) -> None:
    found = [
        nearest_neighbour_accuracies(real=noise(100, d, seed), fake=noise(100, d, seed + 999) + shift)
        for seed in range(300)
    ]
    for name in ("real", "fake", "both"):
        mean = float(np.mean([one[name].value for one in found]))
        assert 0.90 <= holds(mean, [one[name].interval for one in found]) <= 0.99, name


def test_bad_input_is_refused_in_a_sentence() -> None:
    rows = noise(30, 2, 0)
    for ask, said in (
        (lambda: kde_coverage(real=rows, fake=rows * torch.nan), "NaN"),
        (lambda: effective_support(samples=rows, threshold=-1), "threshold is -1"),
        (lambda: support_overlap(real=rows, fake=rows), "at least 40"),
        (lambda: duplicate_probability(support=0, draws=3), "support 0"),
        (lambda: k_means_bins(training=rows), "at least 40"),
        (lambda: different_bins(real=torch.ones(3), fake=torch.ones(4)), "fake is no list of counts"),
        (lambda: retrieval_distances(real=rows, fake=rows, k=31), "k is 31 with 30"),
        (lambda: retrieval_comparison(real=rows, first=rows, second=rows[1:]), "30 and 29"),
        (lambda: nearest_neighbour_accuracies(real=rows, fake=rows[1:]), "30 rows"),
        (lambda: vendi_score(samples=rows[:1]), "1 rows"),
    ):
        with pytest.raises(InputError, match=said):
            ask()


class Rival:
    """A generator of standard normal points, moved."""

    def __init__(self, name: str, shift: float) -> None:
        self.name, self.shift = name, shift

    def latents(self, n: int, seed: int) -> Tensor:
        return noise(n, 2, seed)

    def generate(self, latents: Tensor) -> Tensor:
        return latents + self.shift

    def judge(self, samples: Tensor) -> Tensor:
        return samples[:, 0]


def test_rivals_are_ranked_by_what_is_retrieved() -> None:
    real, fake = noise(200, 2, 5), noise(200, 2, 6)
    rivals = (Rival("twin", 0.0), Rival("far", 3.0))
    metric = catalogue.get("retrieval-rivals")
    found = metric.measure(real_samples=real, fake_samples=fake, rivals=rivals, seed=7)["retrieval-wins"]
    assert 0.35 < found.value < 0.65  # the hardest is the twin
    alone = metric.measure(real_samples=real, fake_samples=fake, rivals=rivals[1:], seed=7)["retrieval-wins"]
    assert alone.value > 0.9
    assert "against twin" in found.note
    assert "against far" in found.note
