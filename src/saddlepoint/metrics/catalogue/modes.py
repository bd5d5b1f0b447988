"""Coverage of known modes (K34)."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.modes import ModeCoverage, mode_coverage
from saddlepoint.metrics.score import Interval
from saddlepoint.random import generator

RESAMPLES = 200


def measure(fake_samples: Tensor, centres: Tensor, sigma: float, seed: int) -> dict[str, Measured]:
    """The intervals are percentiles over 200 sets of rows drawn anew from the samples. A rare mode is often missed
    when drawing, so that of the modes covered reaches down from the value. A variance ratio that no mode allows is
    left out."""
    judged = partial(mode_coverage, centres=centres, sigma=sigma)
    found = _numbers(judged(samples=fake_samples))
    source = generator("cpu", "mode bootstrap", seed)
    n = len(fake_samples)
    drawn = [torch.randint(n, (n,), generator=source) for _ in range(RESAMPLES)]
    redrawn = [_numbers(judged(samples=fake_samples[rows])) for rows in drawn]
    return {
        name: Measured(value, _middle([one[name] for one in redrawn if name in one]))
        for name, value in found.items()
    }


def _numbers(found: ModeCoverage) -> dict[str, float]:
    numbers = {
        "modes-covered": float(found.covered),
        "high-quality-share": found.high_quality,
        "mode-divergence": found.divergence,
    }
    return (
        numbers if found.variance_ratio is None else numbers | {"mode-variance-ratio": found.variance_ratio}
    )


def _middle(values: list[float]) -> Interval | None:
    """From the 2.5 % to the 97.5 % point; None of no values."""
    if not values:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


METRIC = Metric(
    id="modes",
    title="mode coverage",
    formula="modes with a sample within 3 sigma; share of samples within 3 sigma of the nearest mode; "
    "KL(shares of the modes || uniform); variance within the modes over the true one",
    paper="Lin et al., PacGAN: The power of two samples in generative adversarial networks, NeurIPS 2018, section 4; "
    "Srivastava et al., VEEGAN, NIPS 2017",
    rows=("K34",),
    better={
        "modes-covered": "higher",
        "high-quality-share": 0.98889,
        "mode-divergence": "lower",
        "mode-variance-ratio": 1.0,
    },
    blind="copies of the training data; the shape of a mode beyond its variance",
    measure=measure,
    unmoved=("copies",),
)
