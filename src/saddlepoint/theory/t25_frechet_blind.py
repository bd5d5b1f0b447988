"""T25: the Fréchet distance sees dropped classes and prefers copies of the training data to everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.features import PCA
from saddlepoint.metrics.controls import copies_of_training, fake_controls
from saddlepoint.metrics.frechet import frechet_distance, frechet_interval
from saddlepoint.metrics.memorisation import authentic
from saddlepoint.metrics.neighbours import nearest_neighbour_accuracy, nearest_neighbour_distance_ratio
from saddlepoint.theory.claim import Claim, Sides

COMPONENTS = 20
ORDERS = 5  # in which classes are dropped


class Digits:
    """The bundled digits, 1,347 that train and 450 held out, as principal components of the former."""

    def __init__(self) -> None:
        from saddlepoint.data import load

        data = load("digits")
        rows, fresh = data.training(), data.held_out()
        self.images, self.labels = rows["real"], rows["label"]
        self.features = PCA.fit(self.images, COMPONENTS)
        self.training, self.fresh = (
            self.features(images).double() for images in (self.images, fresh["real"])
        )


def mixture_distance(training: Tensor, labels: Tensor, kept: Tensor) -> float:
    """FD between all classes and those `kept`, from counts, means and covariances of single classes: mean Σ w_c μ_c and
    covariance Σ w_c (Σ_c + μ_c μ_cᵀ) − μμᵀ, with SciPy's root of the general matrix Σ₁Σ₂."""
    from scipy.linalg import sqrtm

    sides = []
    for classes in (labels.unique(), kept):
        of = [training[labels == one] for one in classes]
        count = sum(map(len, of))
        mean = torch.stack([rows.mean(0) * len(rows) for rows in of]).sum(0) / count
        second = torch.stack([rows.T.cov(correction=0) + rows.mean(0).outer(rows.mean(0)) for rows in of])
        shares = torch.tensor([len(rows) / count for rows in of], dtype=torch.float64)
        covariance = ((shares[:, None, None] * second).sum(0) - mean.outer(mean)) * count / (count - 1)
        sides.append((mean, covariance))
    (first, wide), (other, narrow) = sides
    root = torch.from_numpy(sqrtm((wide @ narrow).numpy()).real)
    return float((first - other).square().sum() + wide.trace() + narrow.trace() - 2 * root.trace())


def check() -> Sequence[Sides]:
    """Dropped classes: the distance between rows against that from moments of single classes, both to rounding; it rises with
    every class that goes, in five orders.

    Copies: the distance to the training data is 0 for all rows, and for 450 of them below that of fresh digits and of every
    control; to held-out digits it is what fresh digits have, within five standard errors of the delta method (false alarm
    below 10⁻⁶). Rows beside their twins say 0 to the 1-nearest-neighbour rule, to authenticity and to the ratio of distances,
    exactly; fresh ones ½ up to five standard errors of 450 independent pairs, and a good share."""
    digits = Digits()
    return [*_dropped(digits), *_copies(digits), *_seen(digits)]


def _dropped(digits: Digits) -> list[Sides]:
    source, found = torch.Generator().manual_seed(0), []
    for number in range(ORDERS):
        order, before = torch.randperm(10, generator=source), 0.0
        for left in range(10, 0, -1):
            rows = digits.training[torch.isin(digits.labels, order[:left])]
            value = frechet_distance(real=digits.training, fake=rows)
            name = f"order {number}, {10 - left} classes dropped: distance"
            exact = mixture_distance(digits.training, digits.labels, order[:left])
            found.append(Sides(name, value, "=", exact, 1e-6 * (1 + exact)))
            found.append(Sides(f"{name} beside that with one class more", value, ">=", before, 1e-9))
            before = value
    return found


def _copies(digits: Digits) -> list[Sides]:
    count = len(digits.fresh)
    own = {
        name: digits.features(images).double()
        for name, images in fake_controls(training=digits.images, n=count, seed=0).items()
    }
    copied = own.pop("copies of training")
    own["fresh digits"] = digits.fresh
    value = frechet_distance(real=digits.training, fake=copied)
    found = [
        Sides(
            "all training rows: distance",
            frechet_distance(real=digits.training, fake=digits.training),
            "=",
            0.0,
            1e-9,
        )
    ]
    found += [
        Sides(
            f"{count} copies beside {name}: distance",
            value,
            "<=",
            frechet_distance(real=digits.training, fake=rows),
        )
        for name, rows in own.items()
    ]
    half = count // 2
    real, fresh = digits.fresh[:half], digits.fresh[half : 2 * half]
    errors = []
    for fake in (copied[:half], fresh):
        low, high = frechet_interval(real=real, fake=fake)
        errors.append((high - low) / 2 / 1.96)
    floor = frechet_distance(real=real, fake=fresh)
    error = 5 * (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    found.append(
        Sides(
            "copies beside fresh digits, against held-out ones",
            frechet_distance(real=real, fake=copied[:half]),
            "=",
            floor,
            error,
        )
    )
    return found


def _seen(digits: Digits) -> list[Sides]:
    training, fresh = digits.training, digits.fresh
    count = len(fresh)
    twins = training[:count]
    shares = [float(authentic(rows=rows, training=training).double().mean()) for rows in (twins, fresh)]
    error = 5 * (0.25 / count) ** 0.5
    return [
        Sides("copies: 1-NN accuracy", nearest_neighbour_accuracy(real=twins, fake=twins), "=", 0.0),
        Sides("fresh digits: 1-NN accuracy", nearest_neighbour_accuracy(real=twins, fake=fresh), "=", 0.5, error),
        Sides("copies: share of authentic rows", shares[0], "=", 0.0),
        Sides("fresh digits: share of authentic rows", shares[1], ">=", 0.25),
        Sides(
            "copies: distance ratio",
            nearest_neighbour_distance_ratio(fake=twins, training=training, held_out=fresh), "=", 0.0, 1e-6,
        ),
    ]  # fmt: skip


def figure(axes: Any) -> None:
    digits, source = Digits(), torch.Generator().manual_seed(0)
    for number in range(ORDERS):
        order = torch.randperm(10, generator=source)
        values = [
            frechet_distance(
                real=digits.training, fake=digits.training[torch.isin(digits.labels, order[: 10 - k])]
            )
            for k in range(1, 10)
        ]
        axes.plot(
            range(1, 10),
            values,
            "o-",
            color="C0",
            label="classes dropped, five orders" if number == 0 else None,
        )
    copied = digits.features(copies_of_training(training=digits.images, n=len(digits.fresh), seed=0))
    for rows, colour, name in (
        (digits.fresh, "C1", "450 fresh digits"),
        (copied, "C2", "450 copies of training digits"),
    ):
        axes.axhline(frechet_distance(real=digits.training, fake=rows), color=colour, label=name)
    axes.set(xlabel="classes dropped", ylabel="Fréchet distance to the training digits", yscale="log")
    axes.legend()


CLAIM = Claim(
    id="T25",
    title="what the Fréchet distance sees",
    statement="the Fréchet distance rises with every class that is dropped and is blind to memorisation: a generator that "
    "returns training data has the best there is, where neighbour metrics give it the worst (bundled digits, 20 components)",
    source="Lucic et al., Are GANs Created Equal? A Large-Scale Study, NeurIPS 2018",
    check=check,
    figure=figure,
)
