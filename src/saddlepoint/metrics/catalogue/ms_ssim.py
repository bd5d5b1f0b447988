"""Diversity by MS-SSIM (K21)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.score import mean_interval
from saddlepoint.metrics.structure import similarity_within


def measure(real_samples: Tensor, fake_samples: Tensor, seed: int) -> dict[str, Measured]:
    """The interval is over the pairs of fakes, the reals being held fixed."""
    among = {
        name: similarity_within(samples=samples, seed=seed)
        for name, samples in (("reals", real_samples), ("fakes", fake_samples))
    }
    reals, fakes = float(among["reals"].mean()), float(among["fakes"].mean())
    low, high = mean_interval(among["fakes"])
    note = f"{fakes:.4f} among fakes, {reals:.4f} among reals"
    return {"ms-ssim-excess": Measured(fakes - reals, (low - reals, high - reals), note)}


METRIC = Metric(
    id="ms-ssim",
    title="MS-SSIM diversity",
    formula="mean MS-SSIM of 1000 disjoint random pairs of fakes, minus the same among reals; above 0 the fakes are more "
    "alike",
    paper="Odena, Olah and Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs, ICML 2017, section 4.2",
    rows=("K21",),
    better={"ms-ssim-excess": 0.0},
    blind="whether an image is any good; copies of the training data; modes that are missing while the rest differ as much",
    measure=measure,
    unmoved=("copies", "dropped"),
)
