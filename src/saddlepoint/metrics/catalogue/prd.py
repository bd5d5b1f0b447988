"""Precision and recall of distributions (K39)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.prd import BETA, prd_curve

NOTE = "no interval: few rows make unequal bins out of equal distributions, which the floor shows"


def measure(real: Tensor, fake: Tensor, seed: int) -> dict[str, Measured]:
    """Where the sides differ in number, the first rows of the larger one are taken."""
    n = min(len(real), len(fake))
    curve = prd_curve(real=real[:n], fake=fake[:n], seed=seed)
    note = NOTE if len(real) == len(fake) else f"{NOTE}; {n} rows of each side"
    return {
        "prd-recall": Measured(curve.best(BETA), note=note),
        "prd-precision": Measured(curve.best(1 / BETA), note=note),
    }


METRIC = Metric(
    id="prd",
    title="precision and recall of distributions",
    formula="maxima of F_8 (recall) and F_1/8 (precision) over alpha(l) = sum_i min(l p_i, q_i), beta = alpha/l, with the "
    "shares p, q of 20 k-means bins of both sets; mean curve of 10 clusterings",
    paper="Sajjadi et al., Assessing Generative Models via Precision and Recall, NeurIPS 2018, section 4",
    rows=("K29", "K39"),
    better={"prd-recall": "higher", "prd-precision": "higher"},
    blind="copies of the training data; whatever happens inside one of the 20 bins",
    measure=measure,
    unmoved=("copies",),
    version=2,
)
