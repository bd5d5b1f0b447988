"""Sinkhorn divergence (K12)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.transport import sinkhorn_divergence


def measure(real: Tensor, fake: Tensor) -> dict[str, Measured]:
    found = sinkhorn_divergence(real=real, fake=fake)
    note = f"epsilon {found.epsilon:.3g}" + ("" if found.converged else "; the iterations have not converged")
    return {"sinkhorn-divergence": Measured(found.value, found.interval, note)}


METRIC = Metric(
    id="sinkhorn",
    title="Sinkhorn divergence",
    formula="OT_e(P, Q) - OT_e(P, P)/2 - OT_e(Q, Q)/2, OT_e = min <G, C> + e KL(G || p x q), C = |x - y|, e a fifth of "
    "the mean distance between real rows",
    paper="Genevay et al., Learning Generative Models with Sinkhorn Divergences, AISTATS 2018, equation 2; Feydy et al., "
    "AISTATS 2019",
    rows=("K12",),
    better={"sinkhorn-divergence": "lower"},
    blind="copies of the training data; structure much finer than epsilon",
    measure=measure,
    unmoved=("copies",),
)
