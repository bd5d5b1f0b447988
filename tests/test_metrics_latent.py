"""Paths, Jacobians, latents found again, information, dimension, panels: linear generators with closed forms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    Encoder,
    assignment_counts,
    categorical_entropy,
    dimension_interval,
    dimension_ratio,
    fractal_dimension,
    from_normal,
    latent_information,
    latent_map,
    latent_walk,
    log_conditions,
    majority_accuracy,
    mutual_information_bound,
    nearest_latents,
    nearest_modes,
    pair_radius,
    path_lengths,
    singular_values,
    sweep,
    uniform_entropy,
)

MAP = torch.tensor([[1.0, 0.5], [-0.3, 0.8], [0.2, -0.6]])


def linear(z: Tensor) -> Tensor:
    return z @ MAP.to(z.dtype).T + 1


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def uniform(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.rand(n, d, generator=torch.Generator().manual_seed(seed))


def curved() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 6), nn.Unflatten(1, (1, 2, 3))
        ).double()


@dataclass(frozen=True)
class Linear:
    """A model of the protocol."""

    uniform: bool = False
    scale: float = 1.0
    name: str = "linear"

    def latents(self, n: int, seed: int) -> Tensor:
        source = torch.Generator().manual_seed(seed)
        drawn = (
            torch.rand(n, 2, generator=source) * 2 - 1
            if self.uniform
            else torch.randn(n, 2, generator=source)
        )
        return self.scale * drawn

    def generate(self, latents: Tensor) -> Tensor:
        return linear(latents)

    def judge(self, samples: Tensor) -> Tensor:
        return samples.sum(1)


# -- paths and Jacobians ------------------------------------------------------------


def test_path_length_of_a_linear_generator() -> None:
    """|A(z₁ − z₀)|² wherever on the line; its mean for independent ends is 2 tr AᵀA."""
    start, end = normal(4000, 2), normal(4000, 2, seed=1)
    found = path_lengths(generate=linear, start=start, end=end, share=uniform(4000, 1))
    torch.testing.assert_close(found, ((end - start) @ MAP.T).double().square().sum(1), atol=1e-5, rtol=1e-4)
    expected = 2 * float(MAP.square().sum())
    assert float(found.mean()) == pytest.approx(expected, abs=4 * float(found.std()) / math.sqrt(4000))


def test_path_length_is_the_limit_of_small_differences() -> None:
    generate, share = curved(), uniform(30, 1)[:, 0].double()
    start, end = normal(30, 4).double(), normal(30, 4, seed=1).double()
    found = path_lengths(generate=generate, start=start, end=end, share=share)
    at = start + share[:, None] * (end - start)
    with torch.no_grad():
        apart = generate(at + 1e-4 * (end - start)) - generate(at)
    torch.testing.assert_close(found, apart.flatten(1).square().sum(1) / 1e-8, rtol=1e-3, atol=1e-6)


def test_a_constant_generator_has_no_path() -> None:
    found = path_lengths(
        generate=lambda z: torch.ones(len(z), 3),
        start=normal(5, 2),
        end=normal(5, 2, seed=1),
        share=uniform(5, 1),
    )
    assert found.tolist() == [0] * 5


def test_singular_values_are_those_of_the_jacobian() -> None:
    generate, latents = curved(), normal(5, 4).double()
    found = singular_values(generate=generate, latents=latents)
    for z, values in zip(latents, found, strict=True):
        jacobian = torch.func.jacrev(lambda point: generate(point[None]).flatten())(z)
        torch.testing.assert_close(values, torch.linalg.svdvals(jacobian))


def test_condition_of_a_linear_generator() -> None:
    """ln of the ratio of the eigenvalues of AᵀA, from the quadratic formula."""
    trace, determinant = float(MAP.square().sum()), float(torch.det(MAP.T @ MAP))
    root = math.sqrt(trace**2 / 4 - determinant)
    found = log_conditions(singular_values(generate=linear, latents=normal(3, 2)))
    assert found.tolist() == pytest.approx([math.log((trace / 2 + root) / (trace / 2 - root))] * 3, rel=1e-4)


def test_more_latents_than_numbers_and_no_slope_at_all() -> None:
    """One number of four latents has one singular value and condition 1; a constant has that of rounding."""
    wide = singular_values(generate=lambda z: z.sum(1, keepdim=True), latents=normal(3, 4))
    assert wide.flatten().tolist() == pytest.approx([2.0] * 3)
    assert log_conditions(wide).tolist() == [0] * 3
    worst = [-2 * math.log(torch.finfo(torch.float32).eps)]
    assert log_conditions(torch.zeros(1, 3)).tolist() == pytest.approx(worst)
    assert log_conditions(torch.tensor([[1.0, 0.0]])).tolist() == pytest.approx(worst)


# -- latents found again ------------------------------------------------------------


def test_least_error_of_a_linear_generator_is_the_distance_to_its_plane() -> None:
    targets = normal(12, 3, seed=5)
    found = nearest_latents(generate=linear, targets=targets, starts=normal(2, 12, 2), steps=300)
    solved = torch.linalg.lstsq(MAP.expand(12, -1, -1), (targets - 1)[..., None]).solution[..., 0]
    torch.testing.assert_close(found.latents, solved, atol=1e-3, rtol=1e-3)
    expected = (linear(solved) - targets).double().square().mean(1)
    torch.testing.assert_close(found.errors, expected, atol=1e-6, rtol=1e-4)


def test_the_curve_only_falls_and_ends_at_the_errors() -> None:
    found = nearest_latents(
        generate=curved().float(), targets=normal(7, 1, 2, 3), starts=normal(3, 7, 4), steps=50
    )
    assert bool((found.curve.diff() <= 0).all())
    assert len(found.curve) == 51
    assert float(found.curve[-1]) == pytest.approx(float(found.errors.mean()))
    assert float(found.curve[-1]) < float(found.curve[0])


def test_rows_do_not_see_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from saddlepoint.metrics import models

    generate, targets, starts = curved(), normal(7, 6).double(), normal(2, 7, 4).double()
    whole = nearest_latents(generate=generate, targets=targets, starts=starts, steps=30)
    monkeypatch.setattr(models, "PART", 3)
    parted = nearest_latents(generate=generate, targets=targets, starts=starts, steps=30)
    for one, other in zip(whole, parted, strict=True):
        torch.testing.assert_close(one, other)


def test_a_second_start_finds_the_other_valley() -> None:
    """(z² − 1)² seen through G(z) = z² for z > 0 and −z/10 below: from the left nothing above ½ is found."""

    def generate(z: Tensor) -> Tensor:
        return torch.where(z > 0, z.square(), -z / 10)

    left, both = torch.full((1, 1, 1), -1.0), torch.tensor([[[-1.0]], [[0.5]]])
    target = torch.tensor([[4.0]])
    alone = nearest_latents(generate=generate, targets=target, starts=left, steps=60)
    joined = nearest_latents(generate=generate, targets=target, starts=both, steps=200)
    assert float(alone.errors) > 5
    assert float(joined.errors) == pytest.approx(0, abs=1e-4)
    assert float(joined.latents) == pytest.approx(2, abs=1e-2)


def test_priors_are_brought_to_the_normal_one() -> None:
    """2Φ(u) − 1 of normal u is uniform: equal to the model's own samples in distribution, and at a known point."""
    u = torch.tensor([[0.0, 1.0]])
    expected = torch.tensor([[0.0, math.erf(1 / math.sqrt(2))]])
    torch.testing.assert_close(from_normal(Linear(uniform=True))(u), linear(expected))
    torch.testing.assert_close(from_normal(Linear())(u), linear(u))
    with pytest.raises(InputError, match="neither"):
        from_normal(Linear(scale=3.0))


# -- information --------------------------------------------------------------------


def test_bound_of_a_perfect_and_of_a_blind_recognition() -> None:
    """I(c; x) = ln 10 where every code is read for certain, 0 where nothing is known."""
    entropy = categorical_entropy(torch.full((10,), 0.1))
    assert entropy == pytest.approx(math.log(10))
    assert mutual_information_bound(log_probabilities=torch.zeros(50), entropy=entropy) == pytest.approx(
        math.log(10)
    )
    blind = torch.full((50,), -math.log(10))
    assert mutual_information_bound(log_probabilities=blind, entropy=entropy) == pytest.approx(0, abs=1e-6)
    assert categorical_entropy(torch.tensor([1.0, 0.0])) == 0


def test_bound_of_a_gaussian_channel_and_of_a_uniform_code() -> None:
    """x = c + ε, both N(0, 1): the exact posterior N(x/2, ½) gives I = ½ ln 2. A uniform code on [−1, 1] has ln 2."""
    c, noise = normal(40_000), normal(40_000, seed=1)
    posterior = torch.distributions.Normal((c + noise) / 2, math.sqrt(0.5))
    found = mutual_information_bound(
        log_probabilities=posterior.log_prob(c), entropy=0.5 * math.log(2 * math.pi * math.e)
    )
    assert found == pytest.approx(0.5 * math.log(2), abs=4 * math.sqrt(0.5 / 40_000))
    wrong = torch.distributions.Normal((c + noise) / 2, 1.0).log_prob(c)
    assert mutual_information_bound(log_probabilities=wrong, entropy=1.4189) < found - 0.05
    assert uniform_entropy() == pytest.approx(math.log(2))
    assert uniform_entropy(0, 1, dimensions=3) == 0


def test_majority_accuracy_matches_codes_to_labels() -> None:
    codes, labels = torch.tensor([7, 7, 7, 2, 2, 5]), torch.tensor([0, 0, 1, 1, 1, 1])
    assert majority_accuracy(codes=codes, labels=labels) == pytest.approx(5 / 6)
    assert majority_accuracy(codes=labels, labels=labels) == 1
    assert majority_accuracy(codes=torch.zeros(6, dtype=torch.int64), labels=labels) == pytest.approx(4 / 6)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    assert majority_accuracy(codes=codes[order], labels=labels[order]) == pytest.approx(5 / 6)


@pytest.mark.parametrize("seed", range(2))
def test_information_of_the_sign(seed: int) -> None:
    """G(z) = sign z: the best Gaussian of z given its sign has variance 1 − 2/π, so E log e − log p = −½ ln(1 − 2/π) =
    .506 (below I = ln 2). The term of one latent has a standard deviation below 1.5 there: 4·1.5/√4000 = .1."""
    quick = Encoder(width=32, steps=300)
    terms = latent_information(generate=lambda z: z.sign(), latents=1, seed=seed, n=4000, encoder=quick)
    assert float(terms.mean()) == pytest.approx(-0.5 * math.log(1 - 2 / math.pi), abs=0.1)


def test_information_adds_over_latents_and_ignores_unused_ones() -> None:
    """Two signs tell twice as much as one, a third latent that is not looked at adds nothing."""
    quick = Encoder(width=32, steps=400)
    terms = latent_information(generate=lambda z: z[:, :2].sign(), latents=3, seed=0, n=4000, encoder=quick)
    assert float(terms.mean()) == pytest.approx(-math.log(1 - 2 / math.pi), abs=0.15)


def test_a_constant_generator_tells_nothing() -> None:
    quick = Encoder(width=16, steps=300)
    terms = latent_information(generate=lambda z: torch.ones(len(z), 2), latents=2, seed=0, encoder=quick)
    assert float(terms.mean()) == pytest.approx(0, abs=0.02)


# -- dimension ----------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3])
def test_dimension_of_cubes_wherever_they_lie(d: int) -> None:
    """A cube in six dimensions, turned and scaled. Pairs within R of n points know d to d/√pairs, and the edge takes
    away a share of order R: a tenth is allowed."""
    turn = torch.linalg.qr(normal(6, 6, seed=3)).Q[:, :d]
    rows = 100 * uniform(1500, d) @ turn.T
    assert fractal_dimension(rows=rows) == pytest.approx(d, rel=0.1)


def test_dimension_agrees_with_the_slope_of_the_counts() -> None:
    rows = uniform(1500, 2).double()
    apart = torch.pdist(rows)
    radii = apart.quantile(torch.tensor([0.001, 0.01], dtype=torch.float64)) if len(apart) < 1 << 24 else None
    assert radii is not None
    slope = math.log(10) / float((radii[1] / radii[0]).log())
    assert fractal_dimension(rows=rows) == pytest.approx(slope, rel=0.1)


def test_collapsed_rows_have_no_dimension_at_the_scale_of_the_data() -> None:
    real = uniform(600, 2)
    near = 0.5 + 1e-4 * normal(600, 2)
    assert dimension_ratio(real=real, fake=near) < 0.2
    assert fractal_dimension(rows=near) == pytest.approx(2, rel=0.2)
    assert fractal_dimension(rows=torch.ones(10, 2), radius=pair_radius(rows=real)) == 0


def test_dimension_ratio_knows_lines_from_squares_in_any_order() -> None:
    real = uniform(1000, 2)
    line = uniform(1000, 1, 1).expand(-1, 2)
    found = dimension_ratio(real=real, fake=line)
    assert found == pytest.approx(0.5, abs=0.06)
    assert dimension_ratio(real=real.flip(0), fake=line.flip(0)) == pytest.approx(found)
    assert dimension_ratio(real=real, fake=real) == 1
    with pytest.raises(InputError, match="copies of each other"):
        dimension_ratio(real=torch.ones(10, 2), fake=real)


def test_interval_of_equal_distributions_holds_one() -> None:
    """95 % intervals of 60 repeats: at least 85 % (3.5 binomial standard deviations below)."""
    hits = 0
    for seed in range(60):
        low, high = dimension_interval(real=uniform(150, 2, seed), fake=uniform(150, 2, 1000 + seed))
        hits += low <= 1 <= high
    assert hits >= 51


# -- panels -------------------------------------------------------------------------


def test_walk_along_axes_of_a_linear_generator() -> None:
    """A step of ½ along axis i moves the sample by ½ of column i."""
    shares = torch.linspace(-1, 1, 5)
    walk = latent_walk(
        generate=linear, origin=torch.tensor([1.0, 2.0]), directions=torch.eye(2), shares=shares
    )
    assert walk.samples.shape == (2, 5, 3)
    assert walk.latents[0, :, 0].tolist() == pytest.approx([0, 0.5, 1, 1.5, 2])
    assert walk.latents[0, :, 1].tolist() == [2] * 5
    torch.testing.assert_close(walk.samples[1, 2], linear(torch.tensor([[1.0, 2.0]]))[0])
    torch.testing.assert_close(walk.lengths, (MAP.norm(dim=0) / 2)[:, None].expand(2, 4).double())


def test_sweep_replaces_the_code_and_keeps_the_rest() -> None:
    origins, codes = normal(3, 5), torch.eye(2)
    swept = sweep(origins=origins, codes=codes)
    assert swept.shape == (3, 2, 5)
    for i in range(3):
        for j in range(2):
            assert torch.equal(swept[i, j], torch.cat([origins[i, :3], codes[j]]))


def test_assignment_counts_and_modes() -> None:
    centres = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    samples = torch.tensor([[0.1, 0.0], [0.9, 0.1], [4.0, 4.0], [0.2, 0.0]])
    found = nearest_modes(samples=samples, centres=centres)
    assert found.tolist() == [0, 1, 2, 0]
    counts = assignment_counts(given=torch.tensor([0, 1, 1, 0]), found=found, shape=(2, 3))
    assert counts.tolist() == [[2, 0, 0], [0, 1, 1]]


def test_map_of_a_plane_of_latents() -> None:
    """The identity ends right of the middle line in the second mode, in every row alike."""
    centres = torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    found = latent_map(generate=lambda z: z, centres=centres, side=8, reach=2.0)
    assert found.tolist() == [[0] * 4 + [1] * 4] * 8


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"\[restarts, 4 targets, latents\]"):
        nearest_latents(generate=linear, targets=normal(4, 3), starts=normal(4, 2))
    with pytest.raises(InputError, match="outside 0 to 1"):
        assignment_counts(given=torch.tensor([2]), found=torch.tensor([0]), shape=(2, 2))
    with pytest.raises(InputError, match="directions, k"):
        latent_walk(generate=linear, origin=torch.zeros(2), directions=torch.eye(3), shares=torch.zeros(2))
    with pytest.raises(InputError, match="at most k"):
        sweep(origins=torch.zeros(2, 2), codes=torch.zeros(1, 3))
    with pytest.raises(InputError, match="low has to be below high"):
        uniform_entropy(1, 1)
    with pytest.raises(InputError, match="not all 0"):
        categorical_entropy(torch.zeros(3))
    with pytest.raises(InputError, match="between 0 and 1"):
        fractal_dimension(rows=normal(9, 2), share=1.5)
