"""What the run's own discriminator still tells apart (K37)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import judged
from saddlepoint.metrics.quantities import Model
from saddlepoint.metrics.tournament import fooling_interval, fooling_rate


def measure(
    model: Model, real_samples: Tensor, train_samples: Tensor, fake_samples: Tensor
) -> dict[str, Measured]:
    """The intervals are over rows, the discriminator held fixed."""
    held_out, training, fake = (judged(model, rows) for rows in (real_samples, train_samples, fake_samples))
    return {
        "discriminator-auc": _told(high=held_out, low=fake),
        "discriminator-memory": _told(high=training, low=held_out),
    }


def _told(high: Tensor, low: Tensor) -> Measured:
    """P(score of `high` > score of `low`)."""
    value, (below, above) = fooling_rate(real=low, fake=high), fooling_interval(real=low, fake=high)
    return Measured(value, (below, above))


METRIC = Metric(
    id="discriminator",
    title="discriminator of the run",
    formula="P(D(x) > D(G(z))) for held-out x; P(D(x') > D(x)) for training x' and held-out x",
    paper="the accuracy of a discriminator as Goodfellow et al. 2014 have it at its best, in the form of Hanley and "
    "McNeil, The Meaning and Use of the Area under a ROC Curve, 1982",
    rows=("K37",),
    better={"discriminator-auc": 0.5, "discriminator-memory": 0.5},
    blind="everything that this discriminator does not see: one half also where it has learnt nothing",
    measure=measure,
)
