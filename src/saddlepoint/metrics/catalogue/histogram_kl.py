"""Divergence of histograms of points in the plane (K43)."""

from torch import Tensor

from saddlepoint.metrics.histogram import histogram_divergence
from saddlepoint.metrics.metric import Measured, Metric


def measure(real_points: Tensor, fake_points: Tensor) -> dict[str, Measured]:
    return {"histogram-kl": histogram_divergence(real=real_points, fake=fake_points)}


METRIC = Metric(
    id="histogram-kl",
    title="KL divergence of histograms in the plane",
    formula="sum_b p_b ln(p_b/q_b) over b x b cells of the bounding box of the reals and one outside, b = sqrt(n/5) and "
    "at most 20, q with half a count more in each cell",
    paper="Cover and Thomas, Elements of Information Theory, 2006, section 2.3; the half count: "
    "Krichevsky and Trofimov, 1981",
    rows=("K43",),
    better={"histogram-kl": "lower"},
    blind="copies of the training data; structure inside a cell",
    measure=measure,
    unmoved=("copies",),
    version=2,
)
