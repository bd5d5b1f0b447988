"""Classifier two-sample test (Lopez-Paz and Oquab 2017): can real rows and fake ones be told apart?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.metrics.intervals import student
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import matrices
from saddlepoint.metrics.score import Interval
from saddlepoint.random import generator, key

HIDDEN = (32,)
LEAST = 8  # rows of each set
SPLITS = 8  # over which the accuracy of the metric is averaged


@dataclass(frozen=True)
class TwoSampleTest:
    """hits of n test rows were named rightly. repeated: test rows that are also among the training rows; where they are
    many, the rows are not independent, and the p-value is too small."""

    hits: int
    n: int
    repeated: int

    @property
    def accuracy(self) -> float:
        return self.hits / self.n

    @property
    def p_value(self) -> float:
        """Of the exact two-sided binomial test of ½: below ½ is evidence too."""
        from scipy.stats import binomtest

        return float(binomtest(self.hits, self.n, 0.5).pvalue)

    @property
    def interval(self) -> Interval:
        """95 % (Wilson 1927) for the accuracy of this classifier; its training is held fixed."""
        from scipy.stats import binomtest

        found = binomtest(self.hits, self.n).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)


def classifier_two_sample_test(
    *, real: Tensor, fake: Tensor, seed: int, classifier: Any = None
) -> TwoSampleTest:
    """Accuracy on held-back rows of a classifier trained to tell real rows from fake ones; ½: cannot be told apart.

    real [n, …], fake [m, …]: of each, the same number min(n, m) ≥ 8 is drawn and halved at random into training and test
    rows; centre and scale come from the training rows alone. The classifier is a perceptron of one hidden layer of 32
    (100 steps of L-BFGS, with a weight decay of 0.1) unless a scikit-learn estimator is given. The best one on N(0, 1)
    against N(δ, 1) reaches Φ(δ/2). Images in whole grey levels are told from others by that alone: add noise of one level
    to both first.
    """
    sides = matrices(real, fake, least=LEAST)
    each = min(map(len, sides))
    train, test = [], []
    for name, side in zip(("real", "fake"), sides, strict=True):
        order = torch.randperm(len(side), generator=generator("cpu", "two-sample split", name, seed))[:each]
        train.append(side[order[: each // 2]])
        test.append(side[order[each // 2 :]])
    fitted = _fitted(classifier or _perceptron(seed), *train)
    named = torch.cat([torch.from_numpy(fitted.predict(rows.numpy())) for rows in test])
    truth = torch.cat([torch.full((len(rows),), label) for label, rows in enumerate(test)])
    return TwoSampleTest(
        int((named == truth).sum()), len(truth), _repeated(torch.cat(test), torch.cat(train))
    )


def two_sample_accuracy(*, real: Tensor, fake: Tensor, seed: int) -> tuple[Measured, TwoSampleTest]:
    """Mean accuracy over eight random splits, and the test of the first of them.

    One split leaves much to chance: which rows train, where the perceptron starts. The accuracies a_1 … a_S share their
    rows, so the variance of their mean is taken to be (1/S + 1) s², test rows being as many as training rows (Nadeau and
    Bengio 2003, equation 9), with Student's quantile.
    """
    tests = [
        classifier_two_sample_test(real=real, fake=fake, seed=key("split", seed, split))
        for split in range(SPLITS)
    ]
    found = torch.tensor([one.accuracy for one in tests], dtype=torch.float64)
    value, error = float(found.mean()), float(found.var() * (1 / SPLITS + 1)) ** 0.5
    return Measured(value, student(value, error, SPLITS - 1)), tests[0]


def _fitted(classifier: Any, real: Tensor, fake: Tensor) -> Any:
    from sklearn.base import clone
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = torch.cat([real, fake])
    labels = torch.cat([torch.zeros(len(real)), torch.ones(len(fake))]).long()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of steps is part of the definition
        return make_pipeline(StandardScaler(), clone(classifier)).fit(rows.numpy(), labels.numpy())


def _perceptron(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        HIDDEN, alpha=0.1, solver="lbfgs", max_iter=100, random_state=key("two-sample", seed) % 2**32
    )


def _repeated(rows: Tensor, among: Tensor) -> int:
    """How many rows occur among the others, bit for bit."""
    known = {row.numpy().tobytes() for row in among}
    return sum(row.numpy().tobytes() in known for row in rows)
