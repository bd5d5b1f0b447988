"""Maximum mean discrepancy with Gaussian kernels, and its permutation test (K11)."""

from dataclasses import replace

from torch import Tensor

from saddlepoint.metrics.kernels import gaussian_scales, mmd_squared, mmd_test
from saddlepoint.metrics.metric import Measured, Metric


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    """The p-value stands in the note: it says whether the sets differ, and grades nothing."""
    kernel = gaussian_scales(real=real, fake=fake)
    tested = mmd_test(real=real, fake=fake, kernel=kernel, seed=seed)
    found = mmd_squared(real=real, fake=fake, kernel=kernel)
    return {"mmd-squared": replace(found, note=f"permutation p-value {tested.p_value:.3g}")}


METRIC = Metric(
    id="mmd",
    title="maximum mean discrepancy, squared",
    formula="E k(x, x') + E k(y, y') - 2 E k(x, y), unbiased, k the sum of Gaussians with 1/4, 1/2, 1, 2 and 4 times the "
    "median distance of both sets pooled as standard deviation",
    paper="Gretton et al., A Kernel Two-Sample Test, JMLR 2012, equation 3",
    rows=("K11",),
    better={"mmd-squared": "lower"},
    blind="copies of the training data; structure much finer than a quarter of the median distance; the kernel widens with "
    "the samples, so that values for very different generators are not on one scale",
    measure=measure,
    unmoved=("copies",),
)
