"""Fréchet distance in the features of the extractor (K07, K08)."""

from torch import Tensor

from saddlepoint.metrics.frechet import frechet
from saddlepoint.metrics.metric import Measured, Metric


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    return {"frechet-distance": frechet(real=real, fake=fake)}


METRIC = Metric(
    id="fd",
    title="Fréchet distance",
    formula="|mu_r - mu_f|^2 + Tr(C_r + C_f - 2 (C_r C_f)^(1/2))",
    paper="Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, NIPS 2017, "
    "equation 6",
    rows=("K07", "K08"),
    better={"frechet-distance": "lower"},
    blind="copies of the training data; everything beyond means and covariances of the features; falls as 1/n with the "
    "number of samples, so that only equal numbers compare",
    measure=measure,
    unmoved=("copies",),
)
