"""Exact optimal transport between the two sets of rows (K14)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.transport import earth_mover


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    found = earth_mover(real=real, fake=fake)
    note = f"optimal: the dual value differs by {found.gap:.1g}"
    return {"earth-mover-distance": Measured(found.value, found.interval, note)}


METRIC = Metric(
    id="emd",
    title="earth mover's distance",
    formula="min <G, C> over G >= 0 with row sums 1/n and column sums 1/m, C = |x - y|",
    paper="Villani, Optimal Transport, 2009; Peyré and Cuturi, Computational Optimal Transport, 2019, chapter 3",
    rows=("K14",),
    better={"earth-mover-distance": "lower"},
    blind="copies of the training data; above the true distance by O(n^(-1/d)), most of the value in many dimensions",
    measure=measure,
    unmoved=("copies",),
    slow=True,
)
