"""Latents searched for real rows, and found again for generated ones (K27)."""

from torch import Tensor

from saddlepoint.metrics.latent import Found, nearest_latents
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import made
from saddlepoint.metrics.quantities import Model, Progress
from saddlepoint.metrics.score import bootstrap_interval
from saddlepoint.random import key

ROWS = 100
RESTARTS = 3
STEPS = 200
CLOSE = 0.01  # of the variance of the data: a reconstruction that counts as one


def measure(
    model: Model, real_samples: Tensor, train_samples: Tensor, seed: int, progress: Progress
) -> dict[str, Measured]:
    """The intervals are over the rows, the effort being part of the metric."""
    latents = model.latents(ROWS, key("reconstructed", seed))
    targets = real_samples[:ROWS], train_samples[:ROWS], made(model.generate, latents)
    found = []
    for part, rows in enumerate(targets):
        starts = model.latents(RESTARTS * len(rows), key("start", part, seed)).view(RESTARTS, len(rows), -1)
        found.append(nearest_latents(generate=model.generate, targets=rows, starts=starts, steps=STEPS))
        progress(part + 1, len(targets))
    held_out, training, own = found
    close = (held_out.errors < CLOSE * float(real_samples.double().var(0).mean())).double()
    missed = (own.latents - latents).square().mean(1)
    values = {
        "reconstruction-error": held_out.errors,
        "reconstruction-error-train": training.errors,
        "reconstruction-share": close,
        "latent-error": missed,
    }
    return {name: _mean(each, seed, _note(held_out)) for name, each in values.items()}


def _mean(values: Tensor, seed: int, note: str) -> Measured:
    return Measured(float(values.double().mean()), bootstrap_interval(values, seed=seed), note)


def _note(found: Found) -> str:
    """How far the search had come: what its last quarter still gained."""
    gained = 1 - float(found.curve[-1] / found.curve[-STEPS // 4])
    return f"{ROWS} rows, {RESTARTS} starts, {STEPS} steps of Adam; the last quarter of them gained {100 * gained:.1f} %"


METRIC = Metric(
    id="reconstruction",
    title="reconstruction error and latent recovery",
    formula="mean over rows x of min_z |x - G(z)|^2 / numbers of x, for held-out and for training rows; share of "
    "held-out rows with less than 1 % of the variance of the data; mean |z - z'|^2 / size of z, z' found for "
    "G(z)",
    paper="Metz et al., Unrolled Generative Adversarial Networks, ICLR 2017, section 3.5; Srivastava et al., VEEGAN, "
    "NIPS 2017 (IvOM); Lipton and Tripathi, Precise Recovery of Latent Vectors from GANs, 2017",
    rows=("K27",),
    better={
        "reconstruction-error": "lower",
        "reconstruction-error-train": "lower",
        "reconstruction-share": "higher",
        "latent-error": "lower",
    },
    blind="how often anything is generated: what is in the range of the generator counts, however unlikely; a search "
    "that stops early looks like a row that is missing",
    measure=measure,
    slow=True,
)
