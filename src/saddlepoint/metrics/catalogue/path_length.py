"""Perceptual path length in the space of samples (K48)."""

from typing import Any

import torch

from saddlepoint.metrics.latent import path_lengths
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.quantities import Model
from saddlepoint.metrics.score import bootstrap_interval
from saddlepoint.random import generator, key

PATHS = 1000
TRIM = 0.01


def measure(model: Model, seed: int) -> dict[str, Measured]:
    """The interval is over the paths."""
    start, end = (model.latents(PATHS, key("path", side, seed)) for side in ("start", "end"))
    share = torch.rand(PATHS, generator=generator("cpu", "share of path", seed))
    lengths = path_lengths(generate=model.generate, start=start, end=end, share=share)
    interval = bootstrap_interval(lengths, seed=seed, statistic=_trimmed)
    return {"path-length": Measured(float(_trimmed(lengths.numpy(), axis=0)), interval)}


def _trimmed(values: Any, axis: int) -> Any:
    """The mean without the least and the greatest hundredth."""
    from scipy.stats import trim_mean

    return trim_mean(values, TRIM, axis=axis)


METRIC = Metric(
    id="path-length",
    title="path length in the space of samples",
    formula="mean of |d/dt G(z0 + t (z1 - z0))|^2 over pairs of latents and t uniform on [0, 1], without the least and"
    " the greatest hundredth",
    paper="Karras et al., A Style-Based Generator Architecture for Generative Adversarial Networks, CVPR 2019, "
    "equation 3, with the squared distance of samples in the place of a perceptual one",
    rows=("K48",),
    better={"path-length": "lower"},
    blind="the data: a constant generator has the shortest paths",
    measure=measure,
)
