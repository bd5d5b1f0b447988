"""Spectrum, contrast and answers of random filters (K28)."""

from torch import Tensor

from saddlepoint.metrics.low_level import contrast_divergence, difference, filter_differences, spectrum_slope
from saddlepoint.metrics.metric import Measured, Metric


def measure(real_images: Tensor, fake_images: Tensor, seed: int) -> dict[str, Measured]:
    slopes = [spectrum_slope(samples=samples) for samples in (real_images, fake_images)]
    return {
        "spectrum-slope-difference": difference(*slopes),
        "contrast-divergence": Measured(
            contrast_divergence(real=real_images, fake=fake_images),
            note="no interval: it is above 0 for equal distributions too, which the floor shows",
        ),
        **filter_differences(real=real_images, fake=fake_images, seed=seed),
    }


METRIC = Metric(
    id="low-level",
    title="low-level statistics of images",
    formula="fakes minus reals: exponent of the mean power spectrum 1/f^beta, log of the mean square and of the kurtosis of "
    "the answers of 16 random filters; Jensen-Shannon divergence of the histograms of log contrast",
    paper="Zeng, Lu and Borji, Statistics of Deep Generated Images, 2017",
    rows=("K28",),
    better={
        "spectrum-slope-difference": 0.0,
        "contrast-divergence": "lower",
        "filter-power": 0.0,
        "filter-kurtosis": 0.0,
    },
    blind="copies of the training data; what is in the images: whatever keeps spectrum, contrast and edges, as missing "
    "classes nearly do",
    measure=measure,
    unmoved=("copies", "dropped"),
)
