"""Share of authentic samples (K45)."""

from torch import Tensor

from saddlepoint.metrics.intervals import share
from saddlepoint.metrics.memorisation import authentic
from saddlepoint.metrics.metric import Measured, Metric


def measure(real: Tensor, fake: Tensor, train: Tensor) -> dict[str, Measured]:
    """The intervals are over fakes and held-out rows, the training rows being held fixed; that of the excess is Newcombe's,
    from the two shares' own."""
    ours, fresh = (share(authentic(rows=rows, training=train)) for rows in (fake, real))
    note = f"held-out rows have {fresh.value:.4g}"
    return {"auth-pct": Measured(ours.value, ours.interval, note), "auth-pct-excess": _excess(ours, fresh)}


def _excess(ours: Measured, fresh: Measured) -> Measured:
    (low, high), (least, most) = ours.interval or (0.0, 1.0), fresh.interval or (0.0, 1.0)
    value = ours.value - fresh.value
    below = ((ours.value - low) ** 2 + (most - fresh.value) ** 2) ** 0.5
    above = ((high - ours.value) ** 2 + (fresh.value - least) ** 2) ** 0.5
    return Measured(value, (value - below, value + above))


METRIC = Metric(
    id="auth-pct",
    title="authentic samples",
    formula="share of fakes that are farther from their nearest training row than that is from its own nearest other row; "
    "and the same less that of held-out rows",
    paper="Alaa et al., How Faithful is your Synthetic Data? Sample-level Metrics for Evaluating and Auditing Generative "
    "Models, ICML 2022",
    rows=("K45",),
    better={"auth-pct": "higher", "auth-pct-excess": 0.0},
    blind="dropped modes and collapse, unless onto training rows; whether fakes are good: any far from the "
    "data is authentic",
    measure=measure,
    unmoved=("dropped", "collapse"),
)
