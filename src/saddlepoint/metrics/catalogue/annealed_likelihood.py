"""Likelihood by annealed importance sampling, with both bounds on simulated rows (K42)."""

from torch import Tensor

from saddlepoint.metrics.annealed import Annealing, annealed_lower_bounds, bidirectional_bounds
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import from_normal
from saddlepoint.metrics.quantities import Model, Progress
from saddlepoint.metrics.score import bootstrap_interval

ROWS = 30
SIMULATED = 10
NOISE = 0.1  # standard deviation of the observations, in standard deviations of the data
EFFORT = Annealing(temperatures=100, chains=4, leapfrogs=10)


def measure(
    model: Model, real_samples: Tensor, train_samples: Tensor, seed: int, progress: Progress
) -> dict[str, Measured]:
    """The interval is over the held-out rows, the effort being part of the metric."""
    generate, latents = from_normal(model), model.latents(1, seed).shape[1]
    sigma = NOISE * float(train_samples.double().std())
    lower = annealed_lower_bounds(
        generate=generate,
        points=real_samples[:ROWS],
        sigma=sigma,
        latents=latents,
        seed=seed,
        annealing=EFFORT,
    )
    progress(1, 2)
    simulated = bidirectional_bounds(
        generate=generate, n=SIMULATED, sigma=sigma, latents=latents, seed=seed, annealing=EFFORT
    )
    progress(2, 2)
    gap = float((simulated.upper - simulated.lower).mean())
    note = (
        f"lower bound in nats a row, of {len(lower)} rows with noise {sigma:.3g}; on simulated ones the upper bound is "
        f"{gap:.3g} above it"
    )
    return {
        "annealed-log-likelihood": Measured(float(lower.mean()), bootstrap_interval(lower, seed=seed), note)
    }


METRIC = Metric(
    id="annealed-likelihood",
    title="likelihood by annealed importance sampling",
    formula="mean over held-out rows of a lower bound of ln of the integral of N(x; G(z), sigma^2 I) p(z) dz, sigma a "
    "tenth of the standard deviation of the data",
    paper="Wu et al., On the Quantitative Analysis of Decoder-Based Generative Models, ICLR 2017; Grosse et al., "
    "Sandwiching the marginal likelihood using bidirectional Monte Carlo, 2015",
    rows=("K42",),
    better={"annealed-log-likelihood": "higher"},
    blind="how samples look: a generator with noise added may have a better likelihood; a bound that is loose looks "
    "like a model that is bad",
    measure=measure,
    slow=True,
)
