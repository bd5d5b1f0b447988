"""Geometry Score (K23)."""

from torch import Tensor

from saddlepoint.metrics.geometry import Landmarks, geometry_score
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.quantities import Progress

LANDMARKS = Landmarks(draws=100, gamma=1 / 8)
ROWS = 300


def measure(real: Tensor, fake: Tensor, seed: int, progress: Progress) -> dict[str, Measured]:
    """100 draws of 64 landmarks. The rule of the paper for gamma, n/5000/128, is for thousands of rows: with hundreds it ends
    before anything is joined, and an eighth of the largest distance is taken. The time of a draw grows steeply with
    that and with the rows, so the first 300 of each side are, or as many as both have."""
    n = min(ROWS, len(real), len(fake))
    found = geometry_score(real=real[:n], fake=fake[:n], landmarks=LANDMARKS, seed=seed, progress=progress)
    note = f"{n} rows of each side; {found.chance:.1e} of it comes from the draws of landmarks; no interval over samples"
    return {"geometry-score": Measured(found.value, note=note)}


METRIC = Metric(
    id="geometry-score",
    title="Geometry Score",
    formula="sum_i (MRLT_r(i) - MRLT_f(i))^2, MRLT(i) the mean share of [0, alpha] with i holes in the witness complex of 64 "
    "random landmarks among 300 rows, alpha an eighth of the largest distance; mean of 100 draws",
    paper="Khrulkov and Oseledets, Geometry Score: A Method For Comparing Generative Adversarial Networks, ICML 2018, "
    "algorithms 1 and 2",
    rows=("K23",),
    better={"geometry-score": "lower"},
    blind="whatever leaves the holes as they are: shifts, turns and changes of scale; copies of the training data",
    measure=measure,
    unmoved=("shift", "copies"),
    slow=True,
    version=2,
)
