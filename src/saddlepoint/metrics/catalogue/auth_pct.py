"""Share of authentic samples (K45)."""

from dataclasses import replace

from torch import Tensor

from saddlepoint.metrics import intervals
from saddlepoint.metrics.memorisation import authentic
from saddlepoint.metrics.metric import Measured, Metric


def measure(real: Tensor, fake: Tensor, train: Tensor) -> dict[str, Measured]:
    """The intervals are over the fakes, the held-out rows and the training rows."""

    def both(reals: Tensor, fakes: Tensor, training: Tensor) -> tuple[float, float]:
        ours, fresh = (_share(rows, training) for rows in (fakes, reals))
        return ours, ours - fresh

    ours, excess = intervals.halved(both, real, fake, train, least=2)
    note = "; ".join(filter(None, (f"held-out rows have {_share(real, train):.4g}", ours.note)))
    return {
        "auth-pct": intervals.clipped(replace(ours, note=note), high=1.0),
        "auth-pct-excess": intervals.clipped(excess, -1.0, 1.0),
    }


def _share(rows: Tensor, training: Tensor) -> float:
    return float(authentic(rows=rows, training=training).double().mean())


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
