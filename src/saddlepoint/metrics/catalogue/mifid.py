"""Fréchet distance that is punished for copies (K44)."""

from torch import Tensor

from saddlepoint.metrics.memorisation import cosine_gap, mifid
from saddlepoint.metrics.metric import Measured, Metric

FRESH = 0.5


def measure(real: Tensor, fake: Tensor, train: Tensor) -> dict[str, Measured]:
    """The threshold is half of the cosine gap of held-out rows, as the size of the gap belongs to the features."""
    threshold = FRESH * cosine_gap(rows=real, training=train)
    return {"mifid": mifid(real=real, fake=fake, training=train, threshold=threshold)}


METRIC = Metric(
    id="mifid",
    title="memorisation-informed Fréchet distance",
    formula="FD(real, fake) / (s + 1e-14) where s < s_real / 2, else FD; s the mean over fakes of the least 1 - |cos| to a "
    "training row, s_real the same of held-out rows",
    paper="Bai et al., On Training Sample Memorization: Lessons from Benchmarking Generative Modeling with a Large-scale "
    "Competition, KDD 2021",
    rows=("K44",),
    better={"mifid": "lower"},
    blind="copies among as many fresh fakes; features of two or three dimensions, where every "
    "direction is taken; beyond the copies whatever the Fréchet distance is blind to",
    measure=measure,
)
