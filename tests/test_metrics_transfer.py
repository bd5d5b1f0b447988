"""Classifiers trained on fakes: made-up tasks whose answers are known."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.features import quick_classifier
from saddlepoint.metrics import Labelled, Task, boundary_distortion, boundary_spectrum, catalogue

CENTRES = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 4.0]])


def blobs(n: int, seed: int, spread: float = 1.0) -> Labelled:
    """Three Gaussians, 6 and 5 standard deviations apart: a Bayes error of at most Φ(−3) + Φ(−2.5) = 0.8 %."""
    labels = torch.arange(n) % 3
    points = CENTRES[labels] + spread * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    return Labelled(points, labels)


TRAINING, HELD_OUT, FRESH = blobs(300, 0), blobs(300, 1), blobs(300, 2)
EXCHANGED = Labelled(FRESH.samples, (FRESH.labels + 1) % 3)


def silent(done: int, total: int) -> None:
    pass


def asked(fake: Labelled) -> dict[str, Tensor]:
    return {
        "train_samples": TRAINING.samples, "train_labels": TRAINING.labels, "real_samples": HELD_OUT.samples,
        "real_labels": HELD_OUT.labels, "fake_samples": fake.samples, "fake_labels": fake.labels,
    }  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def short() -> Iterator[None]:
    """A fifth of the training: these tasks are easy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[quick_classifier.__module__], "QUICK_EXAMPLES", 4000)
        yield


@pytest.fixture(scope="module")
def fresh() -> dict[str, float]:
    return taken(FRESH)


def taken(fake: Labelled) -> dict[str, float]:
    taught = Task(TRAINING, fake, HELD_OUT).taught(0, silent)
    return {
        "base": taught.gan_base().value,
        "train": taught.gan_train().value,
        "test": taught.gan_test().value,
        "divergence": taught.divergence(HELD_OUT.samples).value,
    }


def test_fresh_fakes_teach_as_well_as_real_rows(fresh: dict[str, float]) -> None:
    assert min(fresh["base"], fresh["train"], fresh["test"]) > 0.96
    assert fresh["divergence"] < 0.2


def test_copies_teach_exactly_what_real_rows_teach() -> None:
    found = taken(TRAINING)
    assert found["train"] == found["base"]
    assert found["divergence"] == 0


def test_exchanged_labels_teach_the_wrong_classes(fresh: dict[str, float]) -> None:
    """A classifier that learns the exchange is right where it errs, and the other way round."""
    found = taken(EXCHANGED)
    assert found["train"] < 0.04
    assert found["test"] < 0.04
    assert found["divergence"] > 2 + fresh["divergence"]


def test_a_dropped_class_costs_its_share() -> None:
    few = FRESH.labels < 2
    found = taken(Labelled(FRESH.samples[few], FRESH.labels[few]))
    assert found["train"] == pytest.approx(2 / 3, abs=0.04)
    assert found["test"] > 0.96


def test_the_sets_that_train_are_cut_to_equal_numbers() -> None:
    task = Task(TRAINING, FRESH.first(100), HELD_OUT)
    assert (len(task.training.samples), len(task.fake.labels), task.classes) == (100, 100, 3)


def test_boundary_distortion_of_equal_exchanged_and_single_classes() -> None:
    """Chance accuracies: exchanged labels are never right; one class is right on its third."""
    equal = boundary_distortion(task=Task(TRAINING, FRESH, HELD_OUT))
    assert equal.value == pytest.approx(0, abs=0.02)
    assert "75 rows" in equal.note
    assert boundary_distortion(task=Task(TRAINING, EXCHANGED, HELD_OUT)).value > 0.95
    one = Labelled(FRESH.samples, torch.zeros(300, dtype=torch.long))
    assert boundary_distortion(task=Task(TRAINING, one, HELD_OUT)).value == pytest.approx(2 / 3, abs=0.04)


def test_boundary_spectrum_is_the_square_of_the_spread() -> None:
    """A set about its class means scaled by s has s² times the eigenvalues, exactly."""
    centred = Labelled(
        CENTRES[TRAINING.labels] + 0.5 * (TRAINING.samples - CENTRES[TRAINING.labels]), TRAINING.labels
    )
    assert boundary_spectrum(task=Task(TRAINING, centred, HELD_OUT)).value == pytest.approx(0.25, rel=1e-5)
    point = Labelled(CENTRES[TRAINING.labels], TRAINING.labels)
    assert boundary_spectrum(task=Task(TRAINING, point, HELD_OUT)).interval is None


def test_boundary_spectrum_intervals_hold_its_mean() -> None:
    """Logarithms, as the interval is taken on them; 200 pairs of sets. The largest eigenvalue of an ellipse is far from
    the second."""
    found, stretch = [], torch.tensor([2.0, 0.5])
    for seed in range(200):
        sides = [blobs(240, 10 * seed + k) for k in range(2)]
        stretched = [Labelled((side.samples - CENTRES[side.labels]) * stretch, side.labels) for side in sides]
        found.append(boundary_spectrum(task=Task(*stretched, stretched[0])))
    mean = sum(math.log(one.value) for one in found) / 200
    hits = [
        one.interval is not None and one.interval[0] <= math.exp(mean) <= one.interval[1] for one in found
    ]
    assert 0.90 <= sum(hits) / 200 <= 0.985


def test_progress_reaches_the_end_and_images_are_taken() -> None:
    seen: list[tuple[int, int]] = []
    source = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 2
    images = (0.3 * torch.randn(60, 1, 8, 8, generator=source) + (2 * labels - 1)[:, None, None, None]).clamp(
        -1, 1
    )
    side = Labelled(images, labels)
    taught = Task(side, side, side).taught(0, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    assert taught.gan_train().value == 1


def test_training_leaves_the_global_generator_alone_and_repeats_itself(fresh: dict[str, float]) -> None:
    state = torch.get_rng_state()
    assert taken(FRESH) == fresh
    assert torch.equal(state, torch.get_rng_state())


def test_catalogue_files_carry_the_base(fresh: dict[str, float]) -> None:
    for name, score in (("gan-train", "gan-train"), ("adversarial-divergence", "adversarial-accuracy")):
        found = catalogue.get(name).measure(**asked(FRESH), seed=0, progress=silent)
        assert found[score].value == fresh["train"]
        assert f"{fresh['base']:.4g}" in found[score].note
        assert set(found) == set(catalogue.get(name).better)
    assert set(catalogue.get("boundary-distortion").measure(**asked(FRESH))) == {
        "boundary-distortion", "boundary-spectrum",
    }  # fmt: skip


def test_bad_input_is_refused_in_a_sentence() -> None:
    for fake, said in (
        (Labelled(FRESH.samples, FRESH.labels[:9]), "fake has 9 labels"),
        (Labelled(FRESH.samples, FRESH.labels + 1), "from 0 to 2"),
        (Labelled(FRESH.samples * torch.nan, FRESH.labels), "NaN"),
        (Labelled(FRESH.samples[:, :1], FRESH.labels), r"\(2,\)"),
        (FRESH.first(1), "1 rows"),
    ):
        with pytest.raises(InputError, match=said):
            Task(TRAINING, fake, HELD_OUT)
