"""Densities in the plane against their closed forms. Statistical levels: a correct program fails one run in
10^5."""

from __future__ import annotations

import ast
import math

import numpy as np
import pytest
import torch
from scipy import stats

from saddlepoint.data import load
from saddlepoint.data.densities import (
    DENSITIES,
    Checkerboard,
    Grid,
    Mixture,
    Ring,
    Spiral,
    SwissRoll,
    TwoMoons,
)
from saddlepoint.errors import InputError

LEVEL = 1e-7  # of one test; some dozens are made
SEEDS = (0, 1, 2)
COUNT = 20_000


def points(density, seed, count=COUNT):
    return density.training(count, seed)["real"].double()


def assert_uniform(counts):
    assert len(counts) == 1 or stats.chisquare(counts).pvalue > LEVEL


@pytest.mark.parametrize("modes", [1, 2, 7, 8, 25])
def test_ring_has_distinct_equidistant_centres(modes):
    """The end of the circle is not counted twice: all neighbours are one chord apart."""
    centres = Ring(modes=modes, radius=2.0).centres.double()
    assert centres.shape == (modes, 2)
    assert torch.allclose(centres.norm(dim=1), torch.full((modes,), 2.0, dtype=torch.float64))
    if modes > 1:
        chord = 2 * 2.0 * math.sin(math.pi / modes)
        neighbours = (centres - centres.roll(1, 0)).norm(dim=1)
        assert torch.allclose(neighbours, torch.full_like(neighbours, chord), atol=1e-6)
        assert torch.pdist(centres).min() > 0.99 * chord


def test_ring_has_eight_modes_by_default():
    assert len(load("ring").centres.unique(dim=0)) == 8


def test_grid_is_the_lattice():
    centres = Grid(side=5, spacing=2.0).centres
    expected = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {tuple(row) for row in centres.tolist()} == expected
    assert len(load("grid").centres) == 25


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("density", [Ring(), Grid(), Mixture(((0, 0), (3, 1), (-2, 5)), 0.1)], ids=repr)
def test_modes_have_equal_weight_and_the_stated_width(density, seed):
    sample = points(density, seed)
    centres = density.centres.double()
    nearest = torch.cdist(sample, centres).argmin(1)
    assert_uniform(np.bincount(nearest, minlength=len(centres)))
    scaled = (sample - centres[nearest]) / density.sigma
    for coordinate in scaled.T:
        assert stats.kstest(coordinate.numpy(), "norm").pvalue > LEVEL
    correlation = (scaled[:, 0] * scaled[:, 1]).mean()
    assert abs(correlation) < 5.5 / math.sqrt(COUNT)


@pytest.mark.parametrize(
    "density", [Ring(sigma=0.7), Grid(sigma=0.4), Mixture(((0, 0), (1, 1)), 0.5)], ids=repr
)
def test_log_density_is_that_of_the_mixture(density):
    places = torch.randn(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    each = [
        stats.multivariate_normal(centre, density.sigma**2).pdf(places.numpy())
        for centre in density.centres.double().numpy()
    ]
    assert np.allclose(density.log_density(places).exp(), np.mean(each, 0), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_draws_follow_log_density(seed):
    """Well separated modes: mean of -log p is log K + log(2 pi e sigma^2); its variance is that of chi^2_2/2,
    one."""
    ring = Ring()
    entropy = math.log(8) + math.log(2 * math.pi * math.e * ring.sigma**2)
    measured = -ring.log_density(points(ring, seed)).mean()
    assert abs(measured - entropy) < 5.5 / math.sqrt(COUNT)


@pytest.mark.parametrize("cells", [1, 3, 4])
def test_checkerboard_is_uniform_on_dark_squares(cells):
    board = Checkerboard(cells=cells, width=4.0)
    sample = points(board, 0)
    assert torch.isfinite(board.log_density(sample)).all()
    square = ((sample / 4 + 0.5) * (2 * cells)).long()  # quarters of squares
    counts = torch.bincount(square[:, 0] * 2 * cells + square[:, 1], minlength=4 * cells**2)
    assert_uniform(counts[counts > 0].numpy())
    assert (counts > 0).sum() == 4 * math.ceil(cells**2 / 2)
    line = (torch.arange(360, dtype=torch.float64) + 0.5) / 60 - 3
    mass = board.log_density(torch.cartesian_prod(line, line)).exp().sum() / 60**2
    assert mass == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("arms", [1, 2, 3])
def test_spiral_without_noise_lies_on_its_arms(arms):
    spiral = Spiral(arms=arms, turns=1.5, radius=2.0, noise=0.0)
    sample = points(spiral, 0)
    distance = sample.norm(dim=1)
    turned = torch.atan2(sample[:, 1], sample[:, 0]) / (2 * math.pi) - 1.5 * distance / 2.0
    arm = turned * arms
    assert (arm - arm.round()).abs()[distance > 0.05].max() < 1e-4
    assert stats.kstest((distance / 2.0).square().numpy(), "uniform").pvalue > LEVEL
    assert_uniform(np.bincount((arm.round().long() % arms).numpy(), minlength=arms))


def test_swiss_roll_without_noise_is_the_curve():
    sample = points(SwissRoll(noise=0.0, scale=7.5), 0) * 7.5
    t = sample.norm(dim=1)
    on_curve = torch.stack([t * t.cos(), t * t.sin()], 1)
    assert (sample - on_curve).abs().max() < 1e-3
    assert stats.kstest((t / (1.5 * math.pi) - 1).div(2).numpy(), "uniform").pvalue > LEVEL


def test_two_moons_are_those_of_scikit_learn():
    from sklearn.datasets import make_moons

    sample = points(TwoMoons(noise=0.0), 0, 4000)
    moons, side = make_moons(4000, noise=None)
    curve = torch.from_numpy(moons) - torch.tensor([0.5, 0.25])
    distance, nearest = torch.cdist(sample, curve).min(1)
    assert distance.max() < math.pi / 2000  # the step along their curve
    assert (
        torch.cdist(curve, sample).min(1).values.max() < 0.03
    )  # gaps of 2000 uniform angles: exp(-0.03 2000/pi)
    assert_uniform(np.bincount(side[nearest], minlength=2))


@pytest.mark.parametrize("kind", [Spiral, SwissRoll, TwoMoons])
def test_noise_adds_its_variance(kind):
    """Coordinate variance with noise s exceeds that without by (s / scale)^2."""
    scale = getattr(kind(), "scale", 1.0)
    spread = [points(kind(noise=noise), 0, 100_000).var(0) for noise in (0.0, 2.0 * scale)]
    assert torch.allclose(spread[1] - spread[0], torch.full((2,), 4.0, dtype=torch.float64), rtol=0.05)


@pytest.mark.parametrize("kind", DENSITIES)
def test_defaults_are_of_order_one(kind):
    spread = points(kind(), 0).std(0)
    assert ((spread > 0.45) & (spread < 1.25)).all()


@pytest.mark.parametrize("kind", DENSITIES)
def test_held_out_is_another_stream(kind):
    data = kind()
    trained = {tuple(row) for seed in range(4) for row in data.rows(seed, 0, 9000)["real"].tolist()}
    held = {tuple(row) for seed in range(4) for row in data.held_out(9000, seed)["real"].tolist()}
    assert not trained & held
    assert len(held) > 35_990  # seeds differ as well; float32 points coincide rarely


@pytest.mark.parametrize("kind", DENSITIES)
def test_a_density_is_a_value(kind):
    data = kind()
    call = ast.parse(repr(data), mode="eval").body
    assert kind(**{field.arg: ast.literal_eval(field.value) for field in call.keywords}) == data
    assert load(data.name) == data
    assert data.identity == kind().identity
    modes = 0 if data.centres is None else len(data.centres)
    assert (data.size, data.shape, len(data.classes)) == (None, (2,), modes)


@pytest.mark.parametrize("kind", [Ring, Grid])
def test_the_label_of_a_point_is_its_mode(kind):
    """Within 8 standard deviations of it, and as often as the others."""
    data = kind()
    for rows in (data.rows(3, 100, 9000), data.held_out(9000, 3)):
        assert (rows["real"] - data.centres[rows["label"]]).norm(dim=1).max() < 8 * data.sigma
        shares = torch.bincount(rows["label"], minlength=len(data.classes)) / 9000
        assert (shares - 1 / len(data.classes)).abs().max() < 5 / math.sqrt(9000 * len(data.classes))


def test_identity_follows_the_numbers():
    assert len({density.identity for density in (Ring(), Ring(radius=2.0), Grid(), Ring(sigma=0.1))}) == 4


def test_default_type_does_not_matter():
    before = Ring().rows(3, 0, 5)["real"]
    torch.set_default_dtype(torch.float64)
    try:
        after = Ring(sigma=0.02 / math.sqrt(2)).draw(5, torch.Generator().manual_seed(0))
    finally:
        torch.set_default_dtype(torch.float32)
    assert before.dtype == after.dtype == torch.float32


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Ring(modes=0),
        lambda: Ring(sigma=0.0),
        lambda: Ring(radius=math.nan),
        lambda: Grid(side=-1),
        lambda: Mixture(()),
        lambda: Checkerboard(width=0.0),
    ],
)
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(InputError):
        wrong()


def test_images_options_are_refused():
    with pytest.raises(InputError, match="ring draws points"):
        load("ring", size=32)
