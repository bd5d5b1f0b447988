"""Conditioning of the generator's Jacobian (K48)."""

from torch import Tensor

from saddlepoint.metrics.latent import log_conditions, singular_values
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.quantities import Model
from saddlepoint.metrics.score import bootstrap_interval
from saddlepoint.random import key

POINTS = 100


def measure(model: Model, seed: int) -> dict[str, Measured]:
    """The interval is over the latents."""
    latents: Tensor = model.latents(POINTS, key("jacobian", seed))
    found = log_conditions(singular_values(generate=model.generate, latents=latents))
    return {"jacobian-log-condition": Measured(float(found.mean()), bootstrap_interval(found, seed=seed))}


METRIC = Metric(
    id="jacobian",
    title="condition of the Jacobian of the generator",
    formula="mean over latents of ln(largest/smallest eigenvalue of J^T J), of as many eigenvalues as the smaller of "
    "latents and numbers of a sample",
    paper="Odena et al., Is Generator Conditioning Causally Related to GAN Performance?, ICML 2018",
    rows=("K48",),
    better={"jacobian-log-condition": "lower"},
    blind="the data: a well conditioned generator may make anything; latents that are meant to be unused count as ill "
    "conditioned",
    measure=measure,
)
