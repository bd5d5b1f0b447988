"""Fréchet distance at infinitely many rows (K09)."""

from torch import Tensor

from saddlepoint.metrics.frechet import frechet_infinity
from saddlepoint.metrics.metric import Measured, Metric


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    return {"frechet-infinity": frechet_infinity(real=real, fake=fake, seed=seed)}


METRIC = Metric(
    id="fd-infinity",
    title="Fréchet distance at infinitely many samples",
    formula="intercept a of the line FD_t = a + b/t over 15 shares t of the rows, 1/2 to 1",
    paper="Chong and Forsyth, Effectively Unbiased FID and Inception Score and Where to Find Them, CVPR 2020, section 3",
    rows=("K09",),
    better={"frechet-infinity": "lower"},
    blind="copies of the training data; everything beyond means and covariances of the features; the extrapolation has a "
    "wider error than the distance at one size",
    measure=measure,
    unmoved=("copies",),
    version=2,
)
