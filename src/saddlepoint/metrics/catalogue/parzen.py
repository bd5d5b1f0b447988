"""Likelihood of held-out rows under a Parzen window of the samples (K41)."""

from torch import Tensor

from saddlepoint.metrics.intervals import GROUPS
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.parzen import parzen, parzen_interval


def measure(real_samples: Tensor, train_samples: Tensor, fake_samples: Tensor) -> dict[str, Measured]:
    """The interval is over the held-out rows and the samples, the width held fixed."""
    found = parzen(real=real_samples, fake=fake_samples, validation=train_samples)
    enough = min(len(real_samples), len(fake_samples)) >= 2 * GROUPS
    interval = parzen_interval(real=real_samples, fake=fake_samples, sigma=found.sigma) if enough else None
    note = f"width {found.sigma:.3g}; nats a row, of numbers in the units of the data"
    return {"parzen-log-likelihood": Measured(float(found.log_densities.mean()), interval, note)}


METRIC = Metric(
    id="parzen",
    title="Parzen window likelihood",
    formula="mean over held-out rows of ln (1/m) sum_j N(x; y_j, sigma^2 I), sigma the best for the other "
    "half",
    paper="Breuleux et al., Quickly Generating Representative Samples from an RBM-Derived Process, 2011; Goodfellow et"
    " al., Generative Adversarial Nets, NIPS 2014, section 5",
    rows=("K41",),
    better={"parzen-log-likelihood": "higher"},
    blind="nearly everything in many dimensions, where the width decides and centres of "
    "clusters score above real rows (Theis et al. 2016)",
    measure=measure,
)
