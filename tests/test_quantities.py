"""What metrics may ask for: who has it, what is said where nobody has, and what stands for a perfect generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.features import Identity
from saddlepoint.metrics import Measured, Metric, Quantities, Reference

Measure = Callable[..., Mapping[str, Measured]]


def metric(measure: Measure) -> Metric:
    return Metric("own", "own", "none", "none", ("K51",), {"own": "lower"}, "nothing", measure)


def copied(fake: Tensor, train: Tensor) -> dict[str, Measured]:
    """Share of the fakes that are training rows."""
    return {"own": Measured(float((fake[:, None] == train).all(2).any(1).double().mean()))}


def copied_samples(fake_samples: Tensor, real_samples: Tensor) -> dict[str, Measured]:
    return {"own": Measured(float(fake_samples.mean()))}


def shapes(real_images: Tensor, fake_images: Tensor, train_images: Tensor) -> dict[str, Measured]:
    assert real_images.shape[1:] == fake_images.shape[1:] == train_images.shape[1:] == (1, 8, 8)
    return {"own": Measured(0.0)}


def surprise(fake_samples: Tensor, log_density: Callable[[Tensor], Tensor]) -> dict[str, Measured]:
    return {"own": Measured(-float(log_density(fake_samples).mean()))}


def inside(model: object) -> dict[str, Measured]:
    return {"own": Measured(0.0)}


def made(name: str, n: int) -> Quantities:
    data = load(name)
    return Quantities(Reference(data, Identity(), n), data.held_out(n, seed=9)["real"])


def test_the_floor_of_a_metric_of_training_rows_is_of_others() -> None:
    """A perfect generator copies nothing; copies themselves are noticed."""
    fresh = made("ring", 100)
    (score,) = fresh.scores(metric(copied))
    assert (score.value, score.floor, score.note) == (0.0, 0.0, "")
    copies = Quantities(fresh.reference, fresh.reference.train_samples)
    assert copies.scores(metric(copied))[0].value == 1.0


def test_no_floor_where_too_few_training_rows_are_left() -> None:
    """The digits have 1,347: beside 1,000 another 100 are there, beside 1,300 they are not."""
    digits = load("digits")
    rows = digits.held_out(100)["real"]
    enough, short = (
        Quantities(Reference(digits, Identity(), n), rows).scores(metric(copied))[0] for n in (1000, 1300)
    )
    assert (enough.floor, enough.note) == (0.0, "")
    assert short.floor is None
    assert "too few training rows" in short.note


def test_the_floor_of_another_metric_is_of_the_training_rows() -> None:
    fresh = made("ring", 100)
    (score,) = fresh.scores(metric(copied_samples))
    assert score.floor == float(load("ring").training(100)["real"].mean())


def test_images_are_asked_of_images_alone() -> None:
    assert made("digits", 20).measure(metric(shapes))["own"].value == 0
    with pytest.raises(InputError, match="own cannot be taken: ring has no images"):
        made("ring", 20).measure(metric(shapes))


def test_a_density_can_be_asked() -> None:
    """The entropy of the ring: ln 8 + 1 + ln(2 pi sigma²), modes far apart; standard error 1/√n."""
    ring = made("ring", 4000)
    sigma = torch.tensor(ring.reference.sigma)
    entropy = float(torch.log(8 * 2 * torch.pi * sigma**2) + 1)
    assert ring.measure(metric(surprise))["own"].value == pytest.approx(entropy, abs=4 / 4000**0.5)
    with pytest.raises(InputError, match="the density of digits cannot be written down"):
        made("digits", 20).measure(metric(surprise))


def test_samples_alone_have_no_model() -> None:
    with pytest.raises(InputError, match="made of noise alone"):
        made("ring", 20).measure(metric(inside))
