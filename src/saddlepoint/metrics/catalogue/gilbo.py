"""Information that samples hold about their latents (K48)."""

from saddlepoint.metrics.information import latent_information
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import from_normal
from saddlepoint.metrics.quantities import Model
from saddlepoint.metrics.score import bootstrap_interval


def measure(model: Model, seed: int) -> dict[str, Measured]:
    """The interval is over latents that the encoder has not seen, the encoder held fixed."""
    latents = model.latents(1, seed).shape[1]
    terms = latent_information(generate=from_normal(model), latents=latents, seed=seed)
    return {"gilbo": Measured(float(terms.mean()), bootstrap_interval(terms, seed=seed))}


METRIC = Metric(
    id="gilbo",
    title="generative information lower bound",
    formula="max_e E ln e(z|G(z)) - ln p(z), e Gaussian with mean and variances by a network of two hidden layers of "
    "128, in nats",
    paper="Alemi and Fischer, GILBO: One Metric to Measure Them All, NeurIPS 2018, equation 3",
    rows=("K48",),
    better={"gilbo": "higher"},
    blind="the data: a generator that is one to one holds all of its latents, whatever it makes; what this encoder "
    "cannot learn",
    measure=measure,
    slow=True,
)
