"""Kernel inception distance in the features of the extractor (K10)."""

from torch import Tensor

from saddlepoint.metrics.kernels import kernel_inception_distance, kid_interval
from saddlepoint.metrics.metric import Measured, Metric


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    found = kernel_inception_distance(real=real, fake=fake, seed=seed)
    note = f"subsets: {found.subsets} of {found.size} rows, standard deviation {found.deviation:.3g}"
    interval = kid_interval(real=real, fake=fake, found=found)
    return {"kernel-distance": Measured(found.value, interval, note)}


METRIC = Metric(
    id="kid",
    title="kernel distance (KID)",
    formula="mean over 50 subsets of 1000 rows of the unbiased MMD^2 with k(x, y) = (x.y/d + 1)^3",
    paper="Bińkowski et al., Demystifying MMD GANs, ICLR 2018, section 4",
    rows=("K10",),
    better={"kernel-distance": "lower"},
    blind="copies of the training data; everything beyond the first three moments of the features",
    measure=measure,
    unmoved=("copies",),
)
