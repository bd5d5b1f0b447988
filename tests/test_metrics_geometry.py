"""Geometry Score: holes of witness complexes against GUDHI, living times by hand, shapes whose holes are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.geometry import Landmarks, geometry_score, living_time, living_times
from saddlepoint.metrics.witness import holes


def uniform(n: int, seed: int) -> Tensor:
    return torch.rand(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def circle(n: int, seed: int) -> Tensor:
    angle = 2 * math.pi * uniform(n, seed)
    return torch.stack([angle.cos(), angle.sin()], 1)


def disk(n: int, seed: int) -> Tensor:
    return circle(n, seed) * uniform(n, seed + 1000).sqrt()[:, None]


def gudhi_holes(distances: np.ndarray, alpha: float) -> np.ndarray:
    from gudhi import WitnessComplex

    table = [sorted(enumerate(line), key=lambda pair: pair[1]) for line in distances.tolist()]
    tree = WitnessComplex(table).create_simplex_tree(max_alpha_square=alpha, limit_dimension=2)
    tree.persistence(homology_coeff_field=2)
    return np.array(sorted(map(tuple, tree.persistence_intervals_in_dimension(1)))).reshape(-1, 2)


@pytest.mark.parametrize(
    ("witnesses", "width", "landmarks", "gamma"),
    [
        (200, 2, 20, 0.05),
        (150, 3, 24, 0.2),
        (60, 2, 10, 0.9),
        (40, 5, 8, 0.5),
        (400, 8, 64, 0.01),
        (30, 2, 3, 1.0),
    ],
)
@pytest.mark.parametrize("among", [True, False])
def test_holes_are_those_of_another_library(
    witnesses: int, width: int, landmarks: int, gamma: float, among: bool
) -> None:
    """Landmarks among the witnesses, and landmarks that nobody stands on, some of which are never witnessed."""
    random = np.random.default_rng(landmarks)
    points = random.normal(size=(witnesses, width))
    marks = points[:landmarks] if among else 2 * random.normal(size=(landmarks, width))
    distances = np.linalg.norm(points[:, None] - marks[None], axis=2)
    for alpha in (0.0, gamma * distances.max()):
        np.testing.assert_array_equal(holes(distances, alpha), gudhi_holes(distances, alpha))


def test_a_hole_that_is_filled_by_hand() -> None:
    """Landmarks at the corners of a square, witnesses at the middles of the sides and in the centre, and no relaxation:
    the four sides are edges, and the centre, equally far from all, makes every triangle. Without it there is one hole that
    nothing fills."""
    corners = np.array([[1.0, 1], [1, -1], [-1, -1], [-1, 1]])
    middles = np.array([[1.0, 0], [0, -1], [-1, 0], [0, 1]])
    witnesses = np.concatenate([corners, middles])
    apart = np.linalg.norm(witnesses[:, None] - corners[None], axis=2)
    assert holes(apart, 1e-9).tolist() == [[0.0, math.inf]]
    centre = np.full((1, 4), math.sqrt(2))
    assert holes(np.concatenate([apart, centre]), 1e-9).tolist() == []


def test_living_times_by_hand() -> None:
    """Holes open during [1, 3) and [2, ∞) of [0, 4]: none for 1, one for 1 + 1, two for 1."""
    found = living_time(np.array([[1.0, 3.0], [2.0, math.inf]]), 4.0)
    assert found == pytest.approx([0.25, 0.5, 0.25])
    assert living_time(np.empty((0, 2)), 4.0).tolist() == [1.0]


@pytest.mark.parametrize("seed", range(4))
def test_at_middle_scale_a_circle_has_one_hole_and_a_disk_has_none(seed: int) -> None:
    """Holes that are open at a relaxation of a fifth of the largest distance, whatever the landmarks."""
    for rows, expected in ((circle(400, seed), 1), (disk(400, seed), 0)):
        for first in range(0, 400, 40):
            distances = torch.cdist(rows, rows[first : first + 32]).numpy()
            scale = distances.max() / 5
            births, deaths = holes(distances, 2 * scale).T
            assert ((births <= scale) & (deaths > scale)).sum() == expected


def test_circles_are_alike_and_a_disk_is_not() -> None:
    few = Landmarks(count=32, draws=60, gamma=1 / 16)
    same = [
        geometry_score(real=circle(800, 2 * i), fake=circle(800, 2 * i + 1), landmarks=few) for i in range(3)
    ]
    other = geometry_score(real=circle(800, 0), fake=disk(800, 9), landmarks=few)
    assert max(one.value for one in same) <= 0.02
    assert other.value > 0.3


def test_the_published_setting_tells_circles_alike() -> None:
    """n = 5000 and gamma = 1/128, with fewer draws than the paper's."""
    found = geometry_score(real=circle(5000, 0), fake=circle(5000, 1), landmarks=Landmarks(draws=40))
    assert found.value <= 0.02


def test_moved_turned_and_scaled_sets_have_the_same_holes() -> None:
    """Distances, not their squares, are compared with a share of the largest one: the scale drops out. The same
    landmarks are drawn for the same seed."""
    rows, few = disk(300, 3), Landmarks(count=16, draws=5)
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    first = living_times(rows=rows, landmarks=few, seed=1)
    second = living_times(rows=8 * rows @ turn + 3, landmarks=few, seed=1)
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_landmarks_are_different_rows() -> None:
    """Drawn with replacement, 12 of 12 rows would be all of them once in 18,000 draws. Drawn without it, every draw is
    the same set, so that all living times agree."""
    times = living_times(rows=disk(12, 5), landmarks=Landmarks(count=12, draws=8, gamma=0.3))
    assert np.ptp(times, axis=0).max() == pytest.approx(0, abs=1e-12)


def test_many_holes_are_all_counted() -> None:
    """Far more than the hundred at which published programs cut off: the living times still add up to 1."""
    rows = torch.randn(1500, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    times = living_times(rows=rows, landmarks=Landmarks(draws=2))
    assert times.shape[1] > 101
    assert times[:, 101:].sum() > 0.1
    assert times.sum(1) == pytest.approx(np.ones(2))


def test_the_order_of_the_draws_is_kept_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = living_times(rows=disk(100, 4), landmarks=Landmarks(count=10, draws=7, gamma=0.1), seed=2)
    monkeypatch.setattr("saddlepoint.metrics.geometry.HELD", 2500)
    parts = living_times(rows=disk(100, 4), landmarks=Landmarks(count=10, draws=7, gamma=0.1), seed=2)
    np.testing.assert_allclose(whole, parts, atol=1e-9)


def test_chance_is_the_score_of_a_set_with_itself() -> None:
    """Two groups of draws from one set differ by chance alone: E score = chance, here within a factor of two of the mean
    over six pairs."""
    rows, few = disk(300, 6), Landmarks(count=16, draws=20, gamma=0.1)
    found = [geometry_score(real=rows, fake=rows, landmarks=few, seed=2 * seed) for seed in range(6)]
    ratio = sum(one.value for one in found) / sum(one.chance for one in found)
    assert 0.5 < ratio < 2


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"300 rows and fake has 200.*gamma"):
        geometry_score(real=disk(300, 0), fake=disk(200, 1))
    with pytest.raises(InputError, match=r"50 rows.*at least 64"):
        living_times(rows=disk(50, 0))
    with pytest.raises(InputError, match="at least 3 landmarks"):
        Landmarks(count=2)
