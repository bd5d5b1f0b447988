"""Memorisation: closed forms on few rows, other libraries, mixtures with known shares of copies."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    Measured,
    RealSides,
    authentic,
    catalogue,
    cosine_gap,
    data_copying,
    distance_ratio,
    farther,
    frechet_distance,
    frechet_interval,
    k_means_bins,
    mifid,
    nearest_distances,
    nearest_neighbour_distance_ratio,
)


def noise(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


SIDES = RealSides(noise(400, 3, 0), noise(300, 3, 1))
FRESH = noise(300, 3, 2)
CENTRES = k_means_bins(training=SIDES.training, bins=4)


def partly(share: float) -> Tensor:
    """Fresh rows of which a share are copies."""
    copied = round(share * len(FRESH))
    return torch.cat([SIDES.training[:copied], FRESH[copied:]])


def test_mifid_agrees_with_another_library() -> None:
    """There the least distance is over fakes, for every real row, and real rows are the training rows: the sides are
    exchanged. Fréchet distances do not mind."""
    from torchmetrics.image.mifid import MemorizationInformedFrechetInceptionDistance

    real, fake = noise(60, 8, 3), noise(50, 8, 4) + 0.3
    for threshold in (0.05, 0.9):
        theirs = MemorizationInformedFrechetInceptionDistance(
            feature=torch.nn.Identity(), cosine_distance_eps=threshold
        )
        theirs.update(fake, real=True)
        theirs.update(real, real=False)
        found = mifid(real=real, fake=fake, training=real, threshold=threshold)
        assert found.value == pytest.approx(float(theirs.compute()), rel=1e-6)
    assert cosine_gap(rows=fake, training=real) > 0.05  # so that one threshold is on either side


def test_cosine_gap_of_known_directions() -> None:
    training = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert cosine_gap(rows=torch.tensor([[-3.0, 0.0], [0.0, 1.0]]), training=training) == pytest.approx(0)
    assert cosine_gap(rows=torch.tensor([[1.0, 1.0]]), training=training) == pytest.approx(1 - math.sqrt(0.5))
    assert cosine_gap(rows=torch.zeros(2, 2), training=training) == 1
    assert cosine_gap(rows=torch.tensor([[0.0, 0.0], [1.0, 1.0]]), training=training) == pytest.approx(
        1 - math.sqrt(0.5)
    )


def test_mifid_of_fresh_samples_is_the_distance_and_of_copies_explodes() -> None:
    metric = catalogue.get("mifid")
    real, train, fake = (noise(300, 20, seed) for seed in (5, 6, 7))
    plain = frechet_distance(real=real, fake=fake)
    fresh = metric.measure(real=real, fake=fake, train=train)["mifid"]
    assert fresh.value == plain
    low, high = frechet_interval(real=real, fake=fake)
    assert fresh.interval is None
    assert f"from {low:.4g} to {high:.4g}" in fresh.note
    copies = metric.measure(real=real, fake=train, train=train)["mifid"]
    assert copies.value > 1e10 * plain


def test_authentic_by_hand() -> None:
    """Training rows 0, 1, 5: their nearest others are at 1, 1, 4. −1.5 is 1.5 from 0: authentic; 0.3 is nearer; 8 is
    3 from 5: not; 9.5 is 4.5 from 5: authentic; 5 is a copy."""
    training = torch.tensor([0.0, 1.0, 5.0])[:, None]
    rows = torch.tensor([-1.5, 0.3, 8.0, 9.5, 5.0])[:, None]
    assert authentic(rows=rows, training=training).tolist() == [True, False, False, True, False]


@pytest.mark.parametrize("width", [3, 80])
def test_authentic_agrees_with_another_search(width: int) -> None:
    from sklearn.neighbors import NearestNeighbors

    rows, training = noise(70, width, 8), noise(90, width, 9)
    fitted = NearestNeighbors(n_neighbors=2).fit(training.numpy())
    alone = fitted.kneighbors(training.numpy())[0][:, 1]
    near, index = fitted.kneighbors(rows.numpy(), n_neighbors=1)
    expected = near[:, 0] > alone[index[:, 0]]
    assert authentic(rows=rows, training=training).tolist() == expected.tolist()


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_copies_lower_every_score_by_their_share(share: float) -> None:
    """A copy is at 0, nearer than all held-out rows and never authentic: the shares of the fresh rest remain."""
    fresh, rest = partly(share), FRESH[round(share * len(FRESH)) :]
    left = authentic(rows=FRESH, training=SIDES.training)[len(FRESH) - len(rest) :].sum() / len(FRESH)
    assert authentic(rows=fresh, training=SIDES.training).double().mean() == pytest.approx(float(left))
    near = nearest_distances(rows=SIDES.held_out, others=SIDES.training)
    apart = nearest_distances(rows=FRESH, others=SIDES.training)[len(FRESH) - len(rest) :]
    wins = float((apart[:, None] > near[None]).double().sum()) / (len(FRESH) * len(near))
    assert farther(fake=fresh, sides=SIDES).value == pytest.approx(wins, abs=1e-12)
    assert distance_ratio(fake=fresh, sides=SIDES).value == pytest.approx(
        float(apart.sum()) / len(FRESH) / float(near.mean()), rel=1e-9
    )


def test_distance_ratio_is_the_one_of_the_trust_table() -> None:
    ours = distance_ratio(fake=FRESH, sides=SIDES).value
    theirs = nearest_neighbour_distance_ratio(fake=FRESH, training=SIDES.training, held_out=SIDES.held_out)
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_mann_whitney_agrees_with_another_library() -> None:
    from scipy.stats import mannwhitneyu, norm

    near, fresh = (nearest_distances(rows=rows, others=SIDES.training) for rows in (FRESH, SIDES.held_out))
    theirs = mannwhitneyu(near.numpy(), fresh.numpy(), method="asymptotic", use_continuity=False)
    found = farther(fake=FRESH, sides=SIDES)
    assert found.value == pytest.approx(theirs.statistic / (len(near) * len(fresh)), rel=1e-12)
    z = float(found.note.split("=")[1])
    assert 2 * norm.sf(abs(z)) == pytest.approx(theirs.pvalue, abs=2e-3)  # the note has three digits


def test_ties_count_one_half() -> None:
    assert farther(fake=SIDES.held_out, sides=SIDES).value == pytest.approx(0.5, abs=1e-12)
    copies = RealSides(SIDES.training, SIDES.training[:50])
    assert farther(fake=SIDES.training[50:90], sides=copies).value == 0.5


def test_one_cell_has_the_score_of_all_rows_and_cells_are_averaged() -> None:
    """C_T of one cell is Mann-Whitney's z; of several, the mean of their own with the held-out shares as weights."""
    centre = torch.zeros(1, 3)
    whole = data_copying(fake=FRESH, sides=SIDES, centres=centre)
    assert whole.value == pytest.approx(float(farther(fake=FRESH, sides=SIDES).note.split("=")[1]), abs=0.005)
    parts, weights = [], []
    cell = {
        name: torch.cdist(rows, CENTRES).argmin(1) for name, rows in (("f", FRESH), ("r", SIDES.held_out))
    }
    for one in range(4):
        inner = RealSides(SIDES.training, SIDES.held_out[cell["r"] == one])
        parts.append(data_copying(fake=FRESH[cell["f"] == one], sides=inner, centres=centre).value)
        weights.append(len(inner.held_out))
    found = data_copying(fake=FRESH, sides=SIDES, centres=CENTRES)
    assert found.value == pytest.approx(np.average(parts, weights=weights), rel=1e-12)
    few = data_copying(fake=FRESH[:3], sides=SIDES, centres=CENTRES)
    assert (few.value, "nothing is said" in few.note) == (0, True)


def test_copying_of_fresh_samples_has_its_standard_deviation() -> None:
    """100 fresh generators: mean 0 within 4 standard errors and the standard deviation of the note within 30 %, which is
    4 standard errors of a standard deviation from 100. Training and held-out rows are drawn anew each time."""
    values, stated = [], 0.0
    for seed in range(100):
        sides = RealSides(noise(200, 2, seed), noise(150, 2, 1000 + seed))
        found = data_copying(fake=noise(150, 2, 2000 + seed), sides=sides, centres=torch.eye(2))
        values.append(found.value)
        stated = float(found.note.split("deviation ")[1].split(";")[0])
    assert abs(np.mean(values)) < 4 * stated / 10
    assert np.std(values) == pytest.approx(stated, rel=0.3)


def test_copies_and_far_fakes_lie_on_either_side_of_fresh_ones() -> None:
    found = [
        data_copying(fake=rows, sides=SIDES, centres=CENTRES).value
        for rows in (partly(1), partly(0.5), FRESH, FRESH + 0.5 * noise(300, 3, 3), 2 * FRESH)
    ]
    assert found == sorted(found)
    assert found[0] < -6
    assert found[-1] > 3


def kept(one: Measured, mean: float) -> bool:
    low, high = one.interval or (math.nan, math.nan)
    return low <= mean <= high


def test_intervals_hold_the_mean() -> None:
    """200 sets of fakes and held-out rows for one set of training rows, which the intervals hold fixed."""
    found: dict[str, list[Measured]] = {}
    for seed in range(200):
        sides = RealSides(SIDES.training, noise(120, 3, 100 + seed))
        fake = 1.2 * noise(120, 3, 500 + seed)
        found.setdefault("farther", []).append(farther(fake=fake, sides=sides))
        found.setdefault("ratio", []).append(distance_ratio(fake=fake, sides=sides))
        score = catalogue.get("auth-pct").measure(real=sides.held_out, fake=fake, train=sides.training)
        for name, one in score.items():
            found.setdefault(name, []).append(one)
    for name, ones in found.items():
        mean = float(np.mean([one.value for one in ones]))
        assert 0.90 <= np.mean([kept(one, mean) for one in ones]) <= 0.99, name


def test_order_does_not_matter() -> None:
    for metric in ("mifid", "auth-pct", "data-copying"):
        asks = {"real": SIDES.held_out, "fake": FRESH, "train": SIDES.training}
        extra = {"seed": 0} if "seed" in catalogue.get(metric).asks else {}
        first = catalogue.get(metric).measure(**asks, **extra)
        second = catalogue.get(metric).measure(**asks | {"fake": FRESH.flip(0)}, **extra)
        for name, one in first.items():
            assert second[name].value == pytest.approx(one.value, rel=1e-9), name


def test_bad_input_is_refused_in_a_sentence() -> None:
    for ask, said in (
        (lambda: cosine_gap(rows=FRESH[:, :2], training=SIDES.training), "2"),
        (lambda: authentic(rows=FRESH * torch.nan, training=SIDES.training), "NaN"),
        (lambda: distance_ratio(fake=FRESH, sides=RealSides(FRESH, FRESH)), "all training rows"),
        (lambda: mifid(real=FRESH[:1], fake=FRESH, training=FRESH), "1 rows"),
    ):
        with pytest.raises(InputError, match=said):
            ask()
