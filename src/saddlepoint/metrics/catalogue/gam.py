"""Generative adversarial metric against other models (K30)."""

from typing import NamedTuple

import torch
from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import judged, made
from saddlepoint.metrics.quantities import Model
from saddlepoint.metrics.score import Interval
from saddlepoint.metrics.tournament import adversarial_metric, separating_threshold
from saddlepoint.random import generator, key

RESAMPLES = 200


class Met(NamedTuple):
    """Two models: their scores of the held-out rows [n], each other's samples judged, thresholds taken off [m]."""

    test: tuple[Tensor, Tensor]
    samples: tuple[Tensor, Tensor]


def measure(
    model: Model, rivals: tuple[Model, ...], real_samples: Tensor, train_samples: Tensor, seed: int
) -> dict[str, Measured]:
    """Geometric means over the rivals. The intervals are percentiles over rows drawn anew, discriminators and
    thresholds held fixed; the held-out rows and the model's own samples are shared by all pairs."""
    models = (model, *rivals)
    rows = [made(one.generate, one.latents(len(real_samples), key("gam", seed))) for one in models]
    thresholds = [_threshold(one, train_samples, own) for one, own in zip(models, rows, strict=True)]
    test = [judged(one, real_samples) - t for one, t in zip(models, thresholds, strict=True)]
    pairs = [
        Met(
            test=(test[0], test[i]),
            samples=(judged(model, rows[i]) - thresholds[0], judged(rival, rows[0]) - thresholds[i]),
        )
        for i, rival in enumerate(rivals, start=1)
    ]
    value, redrawn = _ratios(pairs), torch.tensor(_redrawn(pairs, seed), dtype=torch.float64)
    names = ("gam-samples-ratio", "gam-test-ratio")
    return {name: Measured(value[i], _middle(redrawn[:, i])) for i, name in enumerate(names)}


def _threshold(model: Model, train: Tensor, own: Tensor) -> float:
    """Between training rows and the model's own samples: scores of critics have no zero of their own."""
    return separating_threshold(real=judged(model, train), fake=judged(model, own))


def _ratios(pairs: list[Met]) -> tuple[float, float]:
    found = [adversarial_metric(test=one.test, samples=one.samples) for one in pairs]
    test, samples = torch.tensor(found, dtype=torch.float64).log().mean(0).exp().tolist()
    return samples, test


def _redrawn(pairs: list[Met], seed: int) -> list[tuple[float, float]]:
    source = generator("cpu", "gam bootstrap", seed)
    drawn = []
    for _ in range(RESAMPLES):
        real, own = (
            torch.randint(len(s), (len(s),), generator=source)
            for s in (pairs[0].test[0], pairs[0].samples[1])
        )
        theirs = [
            torch.randint(len(one.samples[0]), (len(one.samples[0]),), generator=source) for one in pairs
        ]
        drawn.append(
            _ratios(
                [
                    Met((one.test[0][real], one.test[1][real]), (one.samples[0][rows], one.samples[1][own]))
                    for one, rows in zip(pairs, theirs, strict=True)
                ]
            )
        )
    return drawn


def _middle(values: Tensor) -> Interval:
    low, high = values.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


METRIC = Metric(
    id="gam",
    title="generative adversarial metric",
    formula="samples ratio: errors of D on a rival's samples over the rival's errors on those of G; test ratio: errors"
    " of D on held-out rows over the rival's; geometric means over the rivals. G wins where the first is below"
    " 1 and the second near 1",
    paper="Im et al., Generating images with recurrent adversarial networks, 2016, section 4.1",
    rows=("K30",),
    better={"gam-samples-ratio": "lower", "gam-test-ratio": 1.0},
    blind="everything that the discriminators of these runs do not see; two models that fail alike; where the test "
    "ratio is far from 1, the samples ratio says nothing",
    measure=measure,
)
