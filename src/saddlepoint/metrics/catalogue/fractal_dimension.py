"""Fractal dimension of the samples against that of the data (K48)."""

from torch import Tensor

from saddlepoint.metrics.dimension import dimension_interval, dimension_ratio
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import made
from saddlepoint.metrics.quantities import Model
from saddlepoint.random import key


def measure(model: Model, real_samples: Tensor, seed: int) -> dict[str, Measured]:
    """The interval is over the rows of both sides."""
    fakes = made(model.generate, model.latents(len(real_samples), key("dimension", seed)))
    value = dimension_ratio(real=real_samples, fake=fakes)
    return {"fractal-dimension-ratio": Measured(value, dimension_interval(real=real_samples, fake=fakes))}


METRIC = Metric(
    id="fractal-dimension",
    title="fractal dimension",
    formula="correlation dimension of the fakes over that of the reals, -1/mean ln(r/R) over pairs nearer than R, "
    "within which 1 % of the pairs of reals lie",
    paper="Grassberger and Procaccia, Characterization of Strange Attractors, 1983; Takens, On the Numerical "
    "Determination of the Dimension of an Attractor, 1985",
    rows=("K48",),
    better={"fractal-dimension-ratio": 1.0},
    blind="where the samples lie, and which classes they leave out; copies of the training data",
    measure=measure,
)
