"""The score record: JSON there and back, refusals that name the field, intervals that cover."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from saddlepoint.errors import InputError
from saddlepoint.metrics import Score, bootstrap_interval, difference, over_runs
from saddlepoint.metrics.score import IDENTITY, INCEPTION

SCORE = Score("recall", 0.5, "pca-8", "sha256:1", "sha256:2", "held-out", 100, 90, 3, (0.4, 0.7), 0.9)


@pytest.mark.parametrize(
    "score",
    [
        SCORE,
        replace(SCORE, interval=None, floor=None, note="too few rows"),
        replace(SCORE, value=math.inf, interval=(0.5, math.inf), floor=-math.inf),
    ],
)
def test_json_there_and_back(score: Score) -> None:
    assert Score.from_json(json.loads(json.dumps(score.to_json(), allow_nan=False))) == score


def test_records_with_other_fields_are_refused() -> None:
    record = SCORE.to_json()
    with pytest.raises(InputError, match="colour"):
        Score.from_json(record | {"colour": 1})
    del record["seed"]
    with pytest.raises(InputError, match="differing: seed"):
        Score.from_json(record)


@pytest.mark.parametrize("name", IDENTITY)
def test_scores_of_different_identity_are_refused_by_name(name: str) -> None:
    old = getattr(SCORE, name)
    other = replace(SCORE, **{name: old + 1 if isinstance(old, int) else old + "x"})
    with pytest.raises(InputError, match=f"different {name} do not compare"):
        difference(SCORE, other)


def test_difference_of_scores() -> None:
    """Half-widths below: hypot(0.5 − 0.4, 0.4 − 0.3) = 0.1414; above: hypot(0.7 − 0.5, 0.3 − 0.1) =
    0.2828."""
    other = replace(SCORE, value=0.3, interval=(0.1, 0.4))
    found = difference(SCORE, other)
    assert found.value == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.2 - 0.1 * 2**0.5, 0.2 + 0.2 * 2**0.5))
    assert difference(SCORE, replace(other, interval=None)).interval is None


def test_the_mean_over_runs_has_students_interval() -> None:
    """Values 1, 2, 3: mean 2, s = 1, t_{.975, 2} = 4.302653 (tables), so 2 ± 4.302653/√3."""
    runs = [replace(SCORE, value=value) for value in (1.0, 2.0, 3.0)]
    found = over_runs(runs)
    assert (found.value, found.runs, found.note) == (2.0, 3, "runs: 1, 2, 3")
    assert found.interval == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), rel=1e-6)
    with pytest.raises(InputError, match="different hash do not compare"):
        over_runs([SCORE, replace(SCORE, hash="sha256:9")])
    with pytest.raises(InputError, match="at least 2"):
        over_runs([SCORE])


def test_the_label_carries_the_extractor_and_only_inception_makes_an_fid() -> None:
    distance = replace(SCORE, metric="frechet-distance")
    assert SCORE.label == "recall[pca-8]"
    assert replace(SCORE, extractor="none").label == "recall"
    assert distance.label == "FD[pca-8]"
    assert replace(distance, extractor=INCEPTION).label == "FID"


def test_bootstrap_of_a_mean_covers_and_is_keyed_by_its_seed() -> None:
    """200 samples of 100 uniform numbers: 95 % of the intervals hold ½, within 4 standard deviations (6
    %)."""
    rows = [torch.rand(100, generator=torch.Generator().manual_seed(seed)) for seed in range(200)]
    ends = np.array([bootstrap_interval(row, seed=0) for row in rows])
    assert np.mean((ends[:, 0] < 0.5) & (ends[:, 1] > 0.5)) == pytest.approx(0.95, abs=0.062)
    assert bootstrap_interval(rows[0], seed=1) == bootstrap_interval(rows[0], seed=1)
    assert bootstrap_interval(rows[0], seed=1) != bootstrap_interval(rows[0], seed=2)


def test_bootstrap_of_equal_numbers_is_a_point() -> None:
    assert bootstrap_interval(torch.ones(20), seed=0) == (1.0, 1.0)
