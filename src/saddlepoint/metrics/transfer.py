"""What classifiers learn from fakes: train on one side, test on the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.features import quick_classifier
from saddlepoint.metrics.intervals import exponential, mean, share
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import checked_labels, matrix

Progress = Callable[[int, int], None]
SMALLEST = torch.finfo(torch.float32).tiny
PARTS = (0.25, 0.5, 1.0)  # of the training rows, for the curve of boundary distortion


class Labelled(NamedTuple):
    """Rows [n, …] and their classes, int64 [n]."""

    samples: Tensor
    labels: Tensor

    def first(self, count: int) -> Labelled:
        return Labelled(self.samples[:count], self.labels[:count])


@dataclass(frozen=True, eq=False)
class Task:
    """Two training sets, cut to equal numbers, and held-out real rows."""

    training: Labelled
    fake: Labelled
    held_out: Labelled

    def __post_init__(self) -> None:
        for role, side in (("training", self.training), ("fake", self.fake), ("held_out", self.held_out)):
            matrix(role, side.samples, least=2)
            checked_labels(role, side.labels, self.classes)
            if (
                len(side.samples) != len(side.labels)
                or side.samples.shape[1:] != self.training.samples.shape[1:]
            ):
                raise InputError(
                    f"{role} has {len(side.labels)} labels for samples {tuple(side.samples.shape)}; one label a row and "
                    f"rows of {tuple(self.training.samples.shape[1:])} are needed."
                )
        count = min(len(self.training.samples), len(self.fake.samples))
        object.__setattr__(self, "training", self.training.first(count))
        object.__setattr__(self, "fake", self.fake.first(count))

    @property
    def classes(self) -> int:
        return int(self.training.labels.max()) + 1

    def taught(self, seed: int, progress: Progress) -> Taught:
        """One small classifier trained on the real and one on the fake rows, by the same recipe."""
        judges = [
            quick_classifier(
                samples=side.samples.float(),
                labels=side.labels,
                classes=self.classes,
                seed=seed,
                progress=_half(progress, index),
            )
            for index, side in enumerate((self.training, self.fake))
        ]
        return Taught(self, *judges)


def _half(progress: Progress, index: int) -> Progress:
    return lambda done, total: progress(index * total + done, 2 * total)


@dataclass(frozen=True, eq=False)
class Taught:
    """p(y|x) of the classifier trained on real rows, and of the one trained on fakes. Every interval is over the rows
    judged, both trainings being held fixed."""

    task: Task
    by_real: Callable[[Tensor], Tensor]
    by_fake: Callable[[Tensor], Tensor]

    def gan_base(self) -> Measured:
        """Accuracy of real on real: trained on training rows, tested on held-out ones."""
        return _accuracy(self.by_real, self.task.held_out)

    def gan_train(self) -> Measured:
        """Accuracy of fake on real: the classification accuracy score."""
        return _accuracy(self.by_fake, self.task.held_out)

    def gan_test(self) -> Measured:
        """Accuracy of real on fake."""
        return _accuracy(self.by_real, self.task.fake)

    def divergence(self, rows: Tensor) -> Measured:
        """Mean over rows of KL(p_real-trained(y|x) ‖ p_fake-trained(y|x)) in nats."""
        ours = self.by_real(rows.float()).double().clamp_min(SMALLEST)
        theirs = self.by_fake(rows.float()).double().clamp_min(SMALLEST)
        return mean((ours * (ours / theirs).log()).sum(1))


def boundary_distortion(*, task: Task) -> Measured:
    """Accuracy on held-out rows of a linear classifier trained on n training rows, less that of one trained on n fakes,
    averaged over n = a quarter, a half and all: 0 is best, lower is better.

    Santurkar et al. 2018. Multinomial logistic regression on the numbers themselves, standardised by the training rows
    (images by one standard deviation of all).
    The curve is in the note. The interval is over held-out rows, the classifiers being held fixed.
    """
    held_out, gaps, curve = task.held_out, [], []
    for part in PARTS:
        count = max(2, round(part * len(task.fake.samples)))
        right = [_linear(side.first(count), task) == held_out.labels for side in (task.training, task.fake)]
        gaps.append(right[0].double() - right[1].double())
        real, fake = (100 * float(one.double().mean()) for one in right)
        curve.append(f"{count} rows: {real:.1f} % from real, {fake:.1f} % from fake")
    found = mean(torch.stack(gaps).mean(0))
    return Measured(found.value, found.interval, "; ".join(curve))


def boundary_spectrum(*, task: Task) -> Measured:
    """Largest eigenvalue of the covariance within a class, of fakes over that of training rows, as the geometric mean
    over the classes with at least 3 rows of either: 1 is best, below 1 the classes are thin.

    The interval is by the delta method: a row moves its eigenvalue by (u·(x − μ))², u the eigenvector.
    """
    logs, variance = [], 0.0
    for label in range(task.classes):
        sides = [
            side.samples[side.labels == label].flatten(1).double() for side in (task.fake, task.training)
        ]
        found = [_largest(rows) for rows in sides if len(rows) >= 3]
        if len(found) == 2 and all(value > 0 for value, _ in found):
            logs.append(math.log(found[0][0] / found[1][0]))
            variance += sum(error**2 for _, error in found)
    if not logs:
        return Measured(0.0, note="no class has 3 different fakes")
    return exponential(sum(logs) / len(logs), math.sqrt(variance) / len(logs))


def _largest(rows: Tensor) -> tuple[float, float]:
    """Largest eigenvalue of the covariance, and the standard error of its logarithm."""
    centred = rows - rows.mean(0)
    _, singular, directions = torch.linalg.svd(centred, full_matrices=False)
    value = float(singular[0].square()) / (len(rows) - 1)
    along = (centred @ directions[0]).square()
    return value, float(along.std()) / len(rows) ** 0.5 / value if value > 0 else 0.0


def _accuracy(judge: Callable[[Tensor], Tensor], side: Labelled) -> Measured:
    return share(judge(side.samples.float()).argmax(1) == side.labels)


def _linear(side: Labelled, task: Task) -> Tensor:
    """Classes that logistic regression, trained on one side, gives the held-out rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    reference = task.training.samples.flatten(1).double()
    images = task.training.samples.dim() == 4  # whose numbers share a unit; a dark corner is no unit
    scale = reference.std() if images else reference.std(0).clamp_min(1e-6 * reference.std())
    centre = reference.mean(0)
    rows, asked = (
        (part.flatten(1).double() - centre) / scale for part in (side.samples, task.held_out.samples)
    )
    if len(side.labels.unique()) == 1:
        return side.labels[:1].expand(len(asked))
    with catch_warnings():
        simplefilter("ignore", ConvergenceWarning)  # 500 iterations are the recipe, for either side
        fitted = LogisticRegression(max_iter=500, tol=1e-3).fit(rows.numpy(), side.labels.numpy())
    return torch.as_tensor(fitted.predict(asked.numpy()))
