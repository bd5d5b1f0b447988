"""Diversity by MS-SSIM (K21)."""

from dataclasses import replace

from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.structure import similarity_within


def measure(real_images: Tensor, fake_images: Tensor, seed: int) -> dict[str, Measured]:
    """The interval is over the pairs of fakes, the reals being held fixed."""
    reals = float(similarity_within(samples=real_images, seed=seed).mean())
    among = similarity_within(samples=fake_images, seed=seed)
    note = f"{float(among.mean()):.4f} among fakes, {reals:.4f} among reals"
    return {"ms-ssim-excess": replace(intervals.mean(among - reals), note=note)}


METRIC = Metric(
    id="ms-ssim",
    title="MS-SSIM diversity",
    formula="mean MS-SSIM of 1000 disjoint random pairs of fakes, minus the same among reals; above 0 the fakes are more "
    "alike",
    paper="Odena, Olah and Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs, ICML 2017, section 4.2",
    rows=("K21",),
    better={"ms-ssim-excess": 0.0},
    blind="whether an image is any good; copies of the training data; missing modes, but for what the rest are more alike",
    measure=measure,
    unmoved=("copies",),
)
