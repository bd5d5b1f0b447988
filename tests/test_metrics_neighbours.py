"""Precision and recall, 1-NN accuracy and the distance ratio: made-up sets, other libraries, faults."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    inside,
    nearest_distances,
    nearest_neighbour_accuracy,
    nearest_neighbour_distance_ratio,
    neighbour_hits,
    precision_recall,
    samples,
)


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_precision_counts_the_boundary_and_not_the_row_itself() -> None:
    """Reals 0, 1, 3 with k = 1 have radii 1, 1, 2, so they cover [−1, 5]. The ends belong to it."""
    reals = torch.tensor([[0.0], [1.0], [3.0]])
    fakes = torch.tensor([[-1.0], [5.0], [5.001], [-1.001], [2.0]])
    assert inside(points=fakes, reference=reals, k=1).tolist() == [True, True, False, False, True]


def test_the_two_sides_are_not_exchanged() -> None:
    """Fakes on one of two far clusters: every fake is real-like, half the reals are out of reach."""
    real = torch.cat([noise(50, 2, 0), noise(50, 2, 1) + 100])
    fake = torch.cat([real[:50], real[:50] + 1e-3])
    assert precision_recall(real=real, fake=fake) == (1.0, 0.5)
    assert precision_recall(real=fake, fake=real) == (0.5, 1.0)


def test_equal_sets_are_at_one_and_far_ones_at_zero() -> None:
    rows = noise(60, 3, 0)
    assert precision_recall(real=rows, fake=rows.flip(0)) == (1.0, 1.0)
    assert precision_recall(real=rows, fake=rows + 100) == (0.0, 0.0)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_agree_with_another_search(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.neighbors import NearestNeighbors

    monkeypatch.setattr(samples, "BLOCK", 500)  # many blocks
    sides = noise(130, 4, 1).numpy(), (noise(90, 4, 2) * 1.3 + 0.4).numpy()
    expected = []
    for reference, points in (sides, sides[::-1]):
        radius = NearestNeighbors(n_neighbors=k + 1).fit(reference).kneighbors(reference)[0][:, k]
        apart = np.linalg.norm(points[:, None] - reference[None], axis=2)
        expected.append(np.mean((apart <= radius).any(1)))
    found = precision_recall(real=torch.tensor(sides[0]), fake=torch.tensor(sides[1]), k=k)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_precision_falls_with_noise_and_recall_with_dropped_data(seed: int) -> None:
    real, clean = noise(400, 4, seed), noise(400, 4, seed + 10)
    noisy = [precision_recall(real=real, fake=clean * grade).precision for grade in (1, 2, 4, 8)]
    kept = [precision_recall(real=real, fake=clean[clean[:, 0] < most]).recall for most in (9, 0.7, 0, -0.7)]
    assert noisy == sorted(noisy, reverse=True)
    assert kept == sorted(kept, reverse=True)
    assert noisy[-1] < 0.5 * noisy[0]
    assert kept[-1] < 0.7 * kept[0]


@pytest.mark.parametrize("width", [2, 100])
def test_one_nearest_neighbour_accuracy_of_known_sets(width: int) -> None:
    """Two sets of one distribution: each of 800 answers is right with probability ½ (dependence less than
    doubles the variance), so 0.5 ± 4·sqrt(2/4/800) = ± 0.1."""
    rows = noise(400, width, 0)
    assert nearest_neighbour_accuracy(real=rows, fake=noise(400, width, 1)) == pytest.approx(0.5, abs=0.1)
    assert nearest_neighbour_accuracy(real=rows, fake=rows.flip(0)) == 0.0
    assert nearest_neighbour_accuracy(real=rows, fake=rows + 100) == 1.0


def test_one_nearest_neighbour_counts_each_side_and_ties() -> None:
    """Reals 0, 1 and fakes 10, 0.4: 0 → 0.4 wrong; 1 → 0.4 wrong; 10 → 1 wrong; 0.4 → 0 wrong. Fakes −1, 2: 0
    is as near to 1 as to −1 (½), 1 likewise, both fakes are wrong."""
    real = torch.tensor([[0.0], [1.0]])
    assert neighbour_hits(real=real, fake=torch.tensor([[10.0], [0.4]])).tolist() == [0, 0, 0, 0]
    assert neighbour_hits(real=real, fake=torch.tensor([[-1.0], [2.0]])).tolist() == [0.5, 0.5, 0, 0]


def test_one_nearest_neighbour_agrees_with_another_library() -> None:
    from sklearn.model_selection import LeaveOneOut, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    real, fake = noise(60, 3, 0), noise(60, 3, 1) * 1.5
    rows, label = torch.cat([real, fake]).numpy(), [0] * 60 + [1] * 60
    expected = cross_val_score(KNeighborsClassifier(1), rows, label, cv=LeaveOneOut()).mean()
    assert nearest_neighbour_accuracy(real=real, fake=fake) == pytest.approx(expected, abs=1e-12)


def test_unequal_numbers_are_refused() -> None:
    with pytest.raises(InputError, match=r"4 rows.*5"):
        nearest_neighbour_accuracy(real=noise(4, 2, 0), fake=noise(5, 2, 0))


@pytest.mark.parametrize("width", [2, 65, 200])
@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_nearest_distances_agree_with_differences(
    width: int, offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saddlepoint.metrics.neighbours.BLOCK", 300)
    rows, others = noise(70, width, 0) + offset, noise(90, width, 1) + offset
    apart = (rows.double()[:, None] - others.double()[None]).norm(dim=2)
    assert torch.allclose(nearest_distances(rows=rows, others=others), apart.amin(1), rtol=1e-6, atol=0)
    within = (rows.double()[:, None] - rows.double()[None]).norm(dim=2) + torch.eye(70) * 1e9
    assert torch.allclose(nearest_distances(rows=rows), within.amin(1), rtol=1e-6, atol=0)


@pytest.mark.parametrize("width", [3, 80])
def test_distance_ratio_of_copies_fresh_rows_and_far_rows(width: int) -> None:
    training, held_out, fresh = noise(500, width, 0), noise(300, width, 1), noise(400, width, 2)
    ratio = [
        nearest_neighbour_distance_ratio(fake=fake, training=training, held_out=held_out)
        for fake in (training[50:100], fresh, 5 * fresh)
    ]
    assert ratio[0] == 0.0
    assert ratio[1] == pytest.approx(1, abs=0.1)
    assert ratio[2] > 2


def test_distance_ratio_rises_from_copies_to_fresh_rows_with_the_share_of_fresh_ones() -> None:
    training, held_out, fresh = noise(500, 5, 0), noise(300, 5, 1), noise(200, 5, 2)
    mixed = [torch.cat([training[: 200 - count], fresh[:count]]) for count in (0, 50, 100, 150, 200)]
    found = [
        nearest_neighbour_distance_ratio(fake=fake, training=training, held_out=held_out) for fake in mixed
    ]
    assert found == pytest.approx([share * found[-1] for share in (0, 0.25, 0.5, 0.75, 1)], abs=0.08)
