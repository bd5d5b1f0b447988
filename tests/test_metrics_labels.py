"""Scores from p(y|x): closed forms, identities between them, and another library."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics import (
    Measured,
    am_score,
    catalogue,
    class_coverage,
    class_diversity,
    divergence_floor,
    expected_coverage,
    inception_score,
    inception_scores,
    label_shares,
    mode_score,
    prior_mode_score,
    reversed_mode_score,
    triples,
    within_class_share,
)

UNIFORM = torch.full((4,), 0.25)


def logits(n: int, classes: int, seed: int, size: float = 2.0) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return size * torch.randn(n, classes, generator=source, dtype=torch.float64)


def certain(counts: list[int]) -> Tensor:
    return torch.eye(len(counts)).repeat_interleave(torch.tensor(counts), 0)


def kl(first: Tensor, second: Tensor) -> float:
    return float((first * (first / second).log()).sum())


def test_certain_balanced_predictions_score_the_number_of_classes() -> None:
    for classes in (2, 7, 10):
        assert inception_score(probabilities=certain([5] * classes)).value == pytest.approx(
            classes, rel=1e-12
        )


def test_constant_predictions_score_one() -> None:
    row = torch.tensor([[0.7, 0.2, 0.1]]).repeat(20, 1)
    found = inception_score(probabilities=row)
    assert (found.value, found.interval) == (pytest.approx(1), pytest.approx((1, 1)))


def test_certain_unbalanced_predictions_score_the_exponential_of_the_entropy() -> None:
    shares = torch.tensor([0.5, 0.3, 0.2])
    found = inception_score(probabilities=certain([50, 30, 20])).value
    assert found == pytest.approx(math.exp(-float((shares * shares.log()).sum())), rel=1e-6)


def test_inception_score_agrees_with_another_library() -> None:
    from torchmetrics.image.inception import InceptionScore

    rows = logits(330, 10, 0)
    for splits in (1, 7):
        theirs = InceptionScore(feature=torch.nn.Identity(), normalize=False, splits=splits)
        theirs.update(rows)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            mean, spread = theirs.compute()
            torch.manual_seed(3)
            order = torch.randperm(len(rows))
        ours = inception_scores(probabilities=rows[order].softmax(1), splits=splits)
        assert float(ours.mean()) == pytest.approx(float(mean), rel=1e-6)
        if splits > 1:
            assert float(ours.std()) == pytest.approx(float(spread), rel=1e-6)
        else:
            whole = inception_score(probabilities=rows.softmax(1)).value
            assert whole == pytest.approx(float(mean), rel=1e-6)


def test_small_splits_score_lower() -> None:
    """Jensen: the mean of the parts' ln score is the whole's less what p(y) of the parts differs."""
    rows = logits(400, 10, 1).softmax(1)
    scores = [
        float(inception_scores(probabilities=rows, splits=splits).log().mean()) for splits in (1, 4, 40)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[2] < scores[0] - 0.01


def test_zero_probabilities_are_no_nan() -> None:
    rows = certain([3, 0, 2])
    for found in (
        inception_score(probabilities=rows),
        mode_score(probabilities=rows, prior=torch.tensor([0.5, 0.0, 0.5])),
        class_diversity(probabilities=rows, labels=rows.argmax(1)),
        am_score(probabilities=rows, prior=torch.tensor([0.6, 0.0, 0.4])),
    ):
        assert math.isfinite(found.value)


def test_the_form_with_the_prior_twice_is_the_inception_score() -> None:
    rows, prior = logits(50, 6, 2).softmax(1), logits(1, 6, 3).softmax(1)[0]
    score = inception_score(probabilities=rows)
    for wanted in (prior, torch.full((6,), 1 / 6), torch.eye(6)[0]):
        found = prior_mode_score(probabilities=rows, prior=wanted)
        assert found.value == pytest.approx(score.value, rel=1e-12)
        assert found.interval == pytest.approx(score.interval, rel=1e-9)


def test_mode_scores_are_the_inception_score_less_a_divergence() -> None:
    rows, prior = logits(50, 6, 4).softmax(1), logits(1, 6, 5).softmax(1)[0]
    shares, score = rows.mean(0), inception_score(probabilities=rows).value
    printed, other = (
        form(probabilities=rows, prior=prior).value for form in (mode_score, reversed_mode_score)
    )
    assert printed == pytest.approx(score * math.exp(-kl(prior, shares)), rel=1e-12)
    assert other == pytest.approx(score * math.exp(-kl(shares, prior)), rel=1e-12)


def test_a_lost_class_scores_nothing_in_the_printed_form_alone() -> None:
    rows = certain([5, 5, 10, 0])
    assert mode_score(probabilities=rows, prior=UNIFORM).value == 0
    shares = torch.tensor([0.25, 0.25, 0.5])
    expected = math.exp(-float((shares * shares.log()).sum()) - float((shares * (4 * shares).log()).sum()))
    assert reversed_mode_score(probabilities=rows, prior=UNIFORM).value == pytest.approx(expected, rel=1e-6)
    assert am_score(probabilities=rows, prior=UNIFORM).value == math.inf
    assert reversed_mode_score(probabilities=certain([5] * 4), prior=torch.eye(4)[0]).value == 0


def test_am_score_of_known_predictions() -> None:
    assert am_score(probabilities=certain([6, 6, 6, 6]), prior=UNIFORM).value == pytest.approx(0, abs=1e-12)
    lost = UNIFORM.repeat(9, 1)
    assert am_score(probabilities=lost, prior=UNIFORM).value == pytest.approx(math.log(4), rel=1e-6)
    prior = torch.tensor([0.7, 0.1, 0.1, 0.1]).double()
    expected = kl(prior, UNIFORM.double()) + math.log(4)
    assert am_score(probabilities=lost, prior=prior).value == pytest.approx(expected, rel=1e-6)


def test_class_diversity_is_the_mean_over_all_pairs_of_a_class() -> None:
    rows, labels = logits(40, 5, 6).softmax(1), torch.arange(40) % 3
    expected = []
    for label in range(3):
        own = rows[labels == label]
        expected.append(math.exp(np.mean([kl(one, other) for one in own for other in own])))
    found = class_diversity(probabilities=rows, labels=labels)
    assert found.value == pytest.approx(np.mean(expected), rel=1e-9)


def test_share_within_classes_is_of_all_pairs() -> None:
    """Rows that ignore the class have all of it within, in expectation; one class has all of it."""
    rows, labels = logits(60, 5, 9).softmax(1), torch.arange(60) % 3
    pairs = torch.tensor([[kl(one, other) for other in rows] for one in rows], dtype=torch.float64)
    same = (labels[:, None] == labels[None]).double()
    expected = float((pairs * same / same.sum(1, keepdim=True)).sum(1).mean() / pairs.mean())
    found = within_class_share(probabilities=rows, labels=labels)
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert within_class_share(probabilities=rows, labels=labels * 0).value == pytest.approx(1, rel=1e-12)


def test_identical_rows_have_no_diversity() -> None:
    found = class_diversity(probabilities=UNIFORM.repeat(8, 1), labels=torch.arange(8) % 2)
    assert found.value == pytest.approx(1, abs=1e-12)


def diverse(rows: Tensor) -> Measured:
    return class_diversity(probabilities=rows, labels=torch.zeros(len(rows), dtype=torch.long))


def share(rows: Tensor) -> Measured:
    return within_class_share(probabilities=rows, labels=rows.argmax(1))


def am(rows: Tensor) -> Measured:
    return am_score(probabilities=rows, prior=torch.tensor([0.4, 0.3, 0.2, 0.1]))


def mode(rows: Tensor) -> Measured:
    return mode_score(probabilities=rows, prior=torch.tensor([0.4, 0.3, 0.2, 0.1]))


def back(rows: Tensor) -> Measured:
    return reversed_mode_score(probabilities=rows, prior=torch.tensor([0.4, 0.3, 0.2, 0.1]))


def score(rows: Tensor) -> Measured:
    return inception_score(probabilities=rows)


@pytest.mark.parametrize("measure", [score, diverse, share, mode, back, am])
def test_intervals_hold_the_truth(measure: Callable[[Tensor], Measured]) -> None:
    """200 sets of 400 rows against the value of 200,000. A right 95 % interval misses 4 to 20 of 200 times with
    probability .993 (binomial); the issue's band of 90 to 98 % is the same."""
    everything = logits(200_000, 4, 7).add_(torch.tensor([1.0, 0.3, 0.0, -0.5])).softmax(1)
    truth = measure(everything).value
    rows = everything[: 200 * 400].split(400)
    ends = [measure(part).interval or (0, 0) for part in rows]
    assert 0.90 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.98


@pytest.mark.parametrize("measure", [score, diverse, share, mode, back, am])
def test_order_does_not_matter(measure: Callable[[Tensor], Measured]) -> None:
    rows = logits(60, 4, 8).softmax(1)
    assert measure(rows).value == pytest.approx(measure(rows.flip(0)).value, rel=1e-12)


def test_bad_input_is_refused_in_a_sentence() -> None:
    rows = certain([2, 2])
    for ask, said in (
        (lambda: inception_score(probabilities=10 * rows), "logits need a softmax"),
        (lambda: inception_scores(probabilities=rows, splits=5), "splits is 5 with 4 rows"),
        (
            lambda: mode_score(probabilities=rows, prior=UNIFORM),
            "prior has 4 classes and the probabilities 2",
        ),
        (lambda: class_diversity(probabilities=rows, labels=torch.zeros(3)), "for 4 rows"),
        (lambda: label_shares(labels=torch.tensor([0, 3]), classes=3), "from 0 to 2"),
        (lambda: triples(torch.zeros(4, 2, dtype=torch.long)), r"\(4, 2\)"),
        (lambda: class_coverage(labels=torch.tensor([10]), classes=10), "from 0 to 9"),
    ):
        with pytest.raises(InputError, match=said):
            ask()


def test_triples_spell_numbers() -> None:
    assert triples(torch.tensor([[0, 0, 7], [9, 9, 9], [1, 2, 3]])).tolist() == [7, 999, 123]


def test_class_coverage_of_known_shares() -> None:
    found = class_coverage(labels=torch.arange(250).repeat(4), classes=1000)
    assert found.covered == Measured(250, (250, 250))
    assert found.divergence.value == pytest.approx(math.log(4), rel=1e-12)
    lone = class_coverage(labels=torch.tensor([0, 0, 0, 1]), classes=10).covered
    half = 1.959964 * math.sqrt(3 / 4 * 1 * 3 / 4)  # jackknife of one class with one sample, of four
    assert lone.interval == pytest.approx((1, 2 + half))


@pytest.mark.parametrize("n", [26_000, 2500])
def test_the_floor_of_stacked_digits(n: int) -> None:
    """Of 40 perfect generators the mean divergence and coverage. 2n KL is about chi-square with 999 degrees of freedom,
    so a mean of 40 is known to 0.7 % of it. For many draws the floor is 999/2n = .0192."""
    source = torch.Generator().manual_seed(n)
    made = [
        class_coverage(labels=torch.randint(1000, (n,), generator=source), classes=1000) for _ in range(40)
    ]
    floor, hit = divergence_floor(classes=1000, n=n), expected_coverage(classes=1000, n=n)
    assert np.mean([one.divergence.value for one in made]) == pytest.approx(floor, rel=0.02)
    assert np.mean([one.covered.value for one in made]) == pytest.approx(hit, abs=4 * math.sqrt(100 / 40))
    assert divergence_floor(classes=1000, n=26_000) == pytest.approx(999 / 52_000, rel=0.02)


def test_catalogue_files_say_what_they_measure() -> None:
    rows = certain([30] * 10).double() * 0.9 + 0.01
    labels = torch.arange(10).repeat_interleave(30)
    found = catalogue.get("inception-score").measure(fake_probabilities=rows, seed=0)["inception-score"]
    assert "10 splits" in found.note
    inner = catalogue.get("m-inception-score").measure(fake_probabilities=rows)
    assert {name: one.value for name, one in inner.items()} == pytest.approx(
        {"m-inception-score": 1, "within-class-share": 0}, abs=1e-12
    )
    modes = catalogue.get("mode-score").measure(fake_probabilities=rows, train_labels=labels)
    assert len({round(one.value, 9) for one in modes.values()}) == 1  # equal where p = p*
    given = catalogue.get("class-modes").measure(
        fake_probabilities=rows[:60], real_probabilities=rows, real_labels=labels.roll(3)
    )
    assert given["classes-covered"].value == 2
    assert "90.00 %" in given["classes-covered"].note
    assert (
        catalogue.get("am-score").measure(fake_probabilities=rows, train_labels=labels)["am-score"].value > 0
    )
