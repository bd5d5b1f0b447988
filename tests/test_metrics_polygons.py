"""Convex polygons: how they are drawn, the data sets, and distances to the manifold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from saddlepoint.data import load
from saddlepoint.data.polygons import LEAST_ANGLE, RADIUS, drawn, random_angles, vertices
from saddlepoint.errors import InputError
from saddlepoint.metrics import catalogue
from saddlepoint.metrics.polygons import DELTA, polygon_distances, polygon_scores
from saddlepoint.metrics.quantities import Quantities, Reference


def pictures(first: int, count: int, corners: int = 3) -> torch.Tensor:
    """Polygons that are not among those where a search starts."""
    return (
        torch.from_numpy(drawn(random_angles(5000 + first + count, corners)[5000 + first :])).float() / 127.5
        - 1
    )


@pytest.mark.parametrize("corners", [3, 5, 8])
def test_a_pixel_is_the_share_of_its_points_outside(corners: int) -> None:
    """Every point looked at by another library. A point on an edge may be counted differently: two points of 64."""
    from matplotlib.path import Path

    angles = random_angles(12, corners)
    line = (np.arange(224) + 0.5) / 8
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    for image, outline in zip(drawn(angles)[:, 0], vertices(angles), strict=True):
        inside = Path(outline).contains_points(points).reshape(28, 8, 28, 8).sum((1, 3))
        assert np.abs(image - 255 * (1 - inside / 64)).max() <= 8.5


def test_level_and_upright_edges() -> None:
    """A square of 21/√2 = 14.85 pixels with its edges along the lines: its area, to within a line of points along two edges,
    2 · 14.85/8 = 3.7, and pixels wholly inside or outside."""
    square = drawn(np.pi / 4 + np.pi / 2 * np.arange(4)[None])[0, 0]
    share = 1 - square / 255
    assert share.sum() == pytest.approx(2 * RADIUS**2, abs=3.8)
    assert (share[8:20, 8:20] == 1).all()
    assert share[:6].max() == 0
    np.testing.assert_array_equal(square, square.T)
    np.testing.assert_array_equal(square, square[::-1])


@pytest.mark.parametrize("corners", [3, 8])
def test_angles_obey_their_rules(corners: int) -> None:
    """Neighbouring corners at least 20 degrees apart, also across the end; turned by any angle: the direction of the
    first corner is uniform over the circle, where 6.28 degrees would leave 98 % of it empty."""
    angles = random_angles(20_000, corners)
    gaps = np.diff(np.concatenate([angles, angles[:, :1] + 2 * math.pi], 1), axis=1)
    assert gaps.min() >= LEAST_ANGLE - 1e-9
    assert gaps.max() <= 2 * (2 * math.pi / corners) - LEAST_ANGLE + 1e-9
    direction = np.exp(1j * angles[:, 0])
    for order in (1, 2, 3):
        assert abs((direction**order).mean()) < 4 / math.sqrt(20_000)
    assert vertices(angles).mean(1) == pytest.approx(np.full((20_000, 2), 14.0))
    assert vertices(angles).min() > 0
    assert vertices(angles).max() < 28


@pytest.mark.parametrize(("name", "corners"), [("triangles", 3), ("convex-polygons", 8)])
def test_the_data_set(
    name: str, corners: int, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("saddlepoint.data.named.POLYGON_ROWS", (60, 20))
    data = load(name)
    assert (data.shape, data.size, data.classes) == ((1, 28, 28), 60, ())
    assert load(name).identity == data.identity
    rows = torch.cat([data.training()["real"], data.held_out()["real"]])
    expected = torch.from_numpy(drawn(random_angles(80, corners))).float() / 127.5 - 1
    assert sorted(rows.flatten(1).sum(1).tolist()) == pytest.approx(
        sorted(expected.flatten(1).sum(1).tolist())
    )
    assert load(name, size=14).shape == (1, 14, 14)


@pytest.mark.parametrize("corners", [3, 8])
def test_mixtures_of_two_polygons_lie_off_the_manifold(corners: int) -> None:
    """α one + (1 − α) other: near 0 at both ends, rising towards the middle. Twice as large a share of another polygon is
    four times as far, while the nearest polygon stays near the first."""
    one, other = pictures(0, 9, corners), pictures(9, 9, corners)
    shares = (0.0, 0.1, 0.2, 0.35, 0.65, 0.8, 0.9, 1.0)
    found = torch.stack(
        [polygon_distances(samples=(1 - a) * one + a * other, corners=corners) for a in shares]
    )
    for end in (found[0], found[-1]):
        assert end.max() < 0.5
        assert end.median() < 0.05
    middle = found.median(1).values
    assert (middle[:3].diff() > 0).all()
    assert (middle[-3:].diff() < 0).all()
    assert middle[3] > middle[2]
    assert middle[4] > middle[5]
    assert float(middle[2] / middle[1]) == pytest.approx(4, rel=0.25)


def test_a_distance_is_that_of_the_pixels() -> None:
    """A triangle whose far corner pixel is grey by c instead of white is at c² from it, and no other is much nearer."""
    image = pictures(0, 8)
    spotted = image.clone()
    spotted[:, 0, 0, 0] -= 2 * 0.8
    found = polygon_distances(samples=spotted) - polygon_distances(samples=image)
    assert found.tolist() == pytest.approx([0.64] * 8, abs=0.02)


def test_other_shapes_are_far_away() -> None:
    """A triangle drawn at two thirds of the size, and noise."""
    small = torch.nn.functional.interpolate(pictures(0, 8), scale_factor=2 / 3, mode="area")
    centred = torch.nn.functional.pad(small, (5, 5, 5, 5), value=1.0)
    noise = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert polygon_distances(samples=centred).min() > 0.75
    assert polygon_distances(samples=noise).min() > 20


def test_scores_by_hand() -> None:
    scores = polygon_scores(
        fake=torch.tensor([0.1, 0.2, 0.75, 3.0]), inverted=torch.tensor([0.5, 1.0, 2.0, 0.8])
    )
    assert scores == (0.5, 0.25, pytest.approx(1 / 3))
    assert polygon_scores(fake=torch.ones(3), inverted=torch.ones(2)) == (0, 0, 0)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[1, 8, 8\].*\[1, 28, 28\]"):
        polygon_distances(samples=torch.zeros(2, 1, 8, 8))
    with pytest.raises(InputError, match="18 corners"):
        polygon_distances(samples=pictures(0, 1), corners=18)


class Between:
    """Makes what lies between the images of a bank: a latent of large numbers picks one of them."""

    name = "between"

    def __init__(self, bank: torch.Tensor) -> None:
        self.bank = bank

    def latents(self, n: int, seed: int) -> torch.Tensor:
        source = torch.Generator().manual_seed(seed % 2**31)
        return torch.randn(n, len(self.bank), generator=source)

    def generate(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nk,k...->n...", (4 * latents).softmax(1), self.bank)

    def judge(self, samples: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


def test_the_metric_of_models_that_know_all_and_half_of_the_polygons(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("saddlepoint.data.named.POLYGON_ROWS", (30, 8))
    data = load("triangles")
    unused: Any = None
    reference = Reference(data, unused, n=8)
    real = reference.real_samples
    apart = torch.cdist(real.flatten(1), real.flatten(1)).square() / 4 + 9 * torch.eye(8)
    assert apart.min() > 2 * DELTA  # nobody stands in for another
    metric = catalogue.get("polygons")
    for known, fakes, expected in ((real, real, (1.0, 1.0)), (real[:4], -real, (0.0, 0.5))):
        found = Quantities(reference, fakes, model=Between(known)).measure(metric)
        precision, recall = (found[f"polygon-{what}"].value for what in ("precision", "recall"))
        assert (precision, recall) == expected
        low, high = found["polygon-recall"].interval  # type: ignore[misc]
        assert low <= recall <= high
    smaller = Reference(load("triangles", size=14), unused, n=8)
    for other in (smaller, Reference(load("digits"), unused, n=8)):
        with pytest.raises(InputError, match="not of convex polygons, grey and 28x28"):
            Quantities(other, other.real_samples, model=Between(other.real_samples)).measure(metric)
