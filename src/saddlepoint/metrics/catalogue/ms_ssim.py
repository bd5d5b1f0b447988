"""Diversity by MS-SSIM (K21)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.structure import similarity_excess, similarity_within


def measure(real_images: Tensor, fake_images: Tensor, seed: int) -> dict[str, Measured]:
    real = similarity_within(samples=real_images, seed=seed)
    fake = similarity_within(samples=fake_images, seed=seed)
    return {"ms-ssim-excess": similarity_excess(real, fake)}


METRIC = Metric(
    id="ms-ssim",
    title="MS-SSIM diversity",
    formula="mean MS-SSIM of random pairs of fakes, minus the same among reals; above 0 the fakes are more "
    "alike",
    paper="Odena, Olah and Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs, ICML 2017, section 4.2",
    rows=("K21",),
    better={"ms-ssim-excess": 0.0},
    blind="whether an image is any good; copies of the training data; missing modes, but for what the rest are more alike",
    measure=measure,
    unmoved=("copies",),
    version=2,
)
