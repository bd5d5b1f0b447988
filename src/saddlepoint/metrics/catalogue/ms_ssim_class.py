"""Diversity inside the classes by MS-SSIM (K21)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.structure import similarity_excess, similarity_within


def measure(
    real_images: Tensor, real_labels: Tensor, fake_images: Tensor, fake_labels: Tensor, seed: int
) -> dict[str, Measured]:
    real = similarity_within(samples=real_images, labels=real_labels, seed=seed)
    fake = similarity_within(samples=fake_images, labels=fake_labels, seed=seed)
    return {"ms-ssim-class-excess": similarity_excess(real, fake)}


METRIC = Metric(
    id="ms-ssim-class",
    title="MS-SSIM diversity inside the classes",
    formula="mean MS-SSIM of random pairs of fakes of one class, minus the same among reals; above 0 the fakes of a "
    "class are more alike",
    paper="Odena, Olah and Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs, ICML 2017, section 4.2",
    rows=("K21",),
    better={"ms-ssim-class-excess": 0.0},
    blind="whether an image is any good or of its class; copies of the training data; classes that are missing",
    measure=measure,
    unmoved=("copies", "dropped"),
    version=2,
)
